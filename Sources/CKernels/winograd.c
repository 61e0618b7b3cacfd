#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "instructions.h"
#include "narrow_kernels.h"
#include "parallel.h"

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

enum {
    /// Numbers of a tile: 4×4.
    elements = 16,
    /// Tiles whose transformed images and products a worker keeps in its second-level cache.
    tiles_together = 24,
};

static int64_t tile_rows_of(const ck_winograd *s) { return (s->height + 1) / 2; }
static int64_t tile_columns_of(const ck_winograd *s) { return (s->width + 1) / 2; }
static int64_t tiles_of(const ck_winograd *s) { return s->batch * tile_rows_of(s) * tile_columns_of(s); }

/// Whether there are enough tiles for each worker to transform its own and multiply them with all panels. Otherwise workers
/// share the transformed tiles and divide the panels, so that each reads its part of the weights only.
static bool has_chunks_enough(const ck_winograd *s) { return tiles_of(s) >= 2 * tiles_together * parallel_workers(); }

static int64_t product_floats(void) { return elements * tiles_together * instructions()->panel; }
/// Of one of a tile's 16 numbers, the floats or words of all channels.
static int64_t run_of(const ck_winograd *s) { return s->is_bfloat16 ? s->channels / 2 : s->channels; }
static int64_t transformed_floats(const ck_winograd *s, int64_t tiles) { return elements * tiles * run_of(s); }
/// What a worker rounds from.
static int64_t unrounded_floats(const ck_winograd *s) { return s->is_bfloat16 ? elements * s->channels : 0; }
static int64_t worker_floats(const ck_winograd *s) { return product_floats() + unrounded_floats(s); }

int64_t ck_winograd_packed_count(const ck_winograd *s) { return s->outputs * (elements * run_of(s) + 1); }

int64_t ck_winograd_scratch(const ck_winograd *s) {
    int64_t copies = has_chunks_enough(s) ? parallel_workers() : 1;
    return copies * transformed_floats(s, has_chunks_enough(s) ? tiles_together : tiles_of(s)) +
           parallel_workers() * worker_floats(s);
}

/// G·g·Gᵀ of one 3×3 kernel, in double precision: its rounding is paid once for every result.
static void transform_kernel(const float *g, double *u) {
    double rows[4][3];
    for (int j = 0; j < 3; j++) {
        double even = 0.5 * ((double)g[j] + g[6 + j]), odd = 0.5 * g[3 + j];
        rows[0][j] = g[j], rows[1][j] = even + odd, rows[2][j] = even - odd, rows[3][j] = g[6 + j];
    }
    for (int i = 0; i < 4; i++) {
        double even = 0.5 * (rows[i][0] + rows[i][2]), odd = 0.5 * rows[i][1];
        u[4 * i] = rows[i][0], u[4 * i + 1] = even + odd, u[4 * i + 2] = even - odd, u[4 * i + 3] = rows[i][2];
    }
}

typedef struct {
    const ck_winograd *sizes;
    const float *weights, *bias;
    float *packed;
} packing_job;

/// The first or the second half of a word.
static void put_half(float weight, float *word, int64_t half) {
    uint16_t rounded = rounded_half(weight);
    memcpy((uint8_t *)word + 2 * half, &rounded, sizeof rounded);
}

/// A panel: its bias, then for each of the 16 numbers and each channel the weights of its outputs.
static void pack_panel(const void *context, int64_t panel, int64_t worker) {
    (void)worker;
    const packing_job *job = context;
    const ck_winograd *s = job->sizes;
    int64_t width = panel_width(s->outputs, panel), first = panel * instructions()->panel;
    float *to = job->packed + first * (elements * run_of(s) + 1);
    for (int64_t o = 0; o < width; o++) to[o] = job->bias ? job->bias[first + o] : 0;
    to += width;
    for (int64_t o = 0; o < width; o++)
        for (int64_t c = 0; c < s->channels; c++) {
            double u[elements];
            transform_kernel(job->weights + ((first + o) * s->channels + c) * 9, u);
            for (int e = 0; e < elements; e++) {
                if (s->is_bfloat16)
                    put_half((float)u[e], to + (e * run_of(s) + c / 2) * width + o, c % 2);
                else
                    to[(e * s->channels + c) * width + o] = (float)u[e];
            }
        }
}

void ck_winograd_pack(const ck_winograd *sizes, const float *weights, const float *bias, float *packed) {
    packing_job job = {.sizes = sizes, .weights = weights, .bias = bias, .packed = packed};
    parallel_for(panels_of(sizes->outputs), pack_panel, &job);
}

typedef struct {
    const ck_winograd *sizes;
    int64_t chunks;
    const float *x, *packed, *residual;
    bool is_relu;
    /// Each worker's products; each worker's transformed tiles, or all that they share.
    float *products, *transformed;
    float *y;
} winograd_job;

/// Tiles from `first` on, transformed: [16][count][channels].
typedef struct {
    int64_t first, count;
    float *values;
} tiles;

typedef struct {
    int64_t image, row, column;
} place;

/// The upper left result pixel of a tile.
static place place_of(const ck_winograd *s, int64_t t) {
    int64_t columns = tile_columns_of(s), rows = tile_rows_of(s);
    return (place){.image = t / (rows * columns), .row = t / columns % rows * 2, .column = t % columns * 2};
}

/// A worker's products.
static float *products_of(const winograd_job *job, int64_t worker) {
    return job->products + worker * worker_floats(job->sizes);
}

/// The tile `t` of those, counted from their first.
static void transform_tile(const winograd_job *job, const tiles *to, int64_t t, int64_t worker) {
    const ck_winograd *s = job->sizes;
    place at = place_of(s, to->first + t);
    const float *patch[elements];
    for (int i = 0; i < elements; i++) {
        int64_t y = at.row - 1 + i / 4, x = at.column - 1 + i % 4;
        bool is_inside = y >= 0 && y < s->height && x >= 0 && x < s->width;
        patch[i] = is_inside ? job->x + ((at.image * s->height + y) * s->width + x) * s->channels : ck_zeros;
    }
    float *values = to->values + t * run_of(s);
    if (!s->is_bfloat16) {
        instructions()->winograd_input(patch, s->channels, values, to->count * s->channels);
        return;
    }
    float *unrounded = products_of(job, worker) + product_floats();
    instructions()->winograd_input(patch, s->channels, unrounded, s->channels);
    for (int e = 0; e < elements; e++)
        narrow_instructions()->narrowing->round(unrounded + e * s->channels, s->channels,
                                                (uint16_t *)(void *)(values + e * to->count * run_of(s)));
}

/// Rows of so many words, up to six, with one panel.
typedef struct {
    const float *const *rows;
    int count;
    int64_t run;
    const float *weights;
    int64_t width;
    int registers;
    float *y;
    int64_t number;
} rows_product;

ALWAYS_INLINE void multiply_floats(const rows_product *p) {
    tile product = {.taps = p->rows, .tap_count = 1, .run = p->run, .weights = p->weights, .y = p->y, .y_step = p->width,
                    .ahead = share_ahead(p->weights + p->run * p->width, p->run * p->width, p->number, p->run)};
    instructions()->product(&product, p->count, p->registers);
}

/// The same of bfloat16s, two a word.
ALWAYS_INLINE void multiply_halves(const rows_product *p) {
    narrow_tile product = {.taps = p->rows, .tap_count = 1, .run = p->run, .weights = p->weights, .bias = ck_zeros,
                           .y = p->y, .y_step = p->width,
                           .ahead = p->weights + p->run * (p->width + p->number * line_floats),
                           .ahead_step = line_floats};
    narrow_instructions()->product[ck_bfloat16](&product, p->count, p->registers);
}

/// The 16 products of the tiles `from` to `to` of those with one panel: [16][tiles_together][width]. `is_half` is a constant.
ALWAYS_INLINE void multiply_runs(bool is_half, const tiles *all, int64_t from, int64_t to, int64_t run,
                                 const float *weights, int64_t width, float *m) {
    int registers = (int)(width / instructions()->lanes);
    for (int e = 0; e < elements; e++, weights += run * width)
        for (int64_t t = from; t < to; t += tile_rows) {
            int rows = (int)smaller_of(tile_rows, to - t);
            const float *taps[tile_rows];
            for (int r = 0; r < rows; r++) taps[r] = all->values + (e * all->count + t + r) * run;
            rows_product product = {.rows = taps, .count = rows, .run = run, .weights = weights, .width = width,
                                    .registers = registers, .y = m + (e * tiles_together + t - from) * width,
                                    .number = (t - from) / tile_rows};
            is_half ? multiply_halves(&product) : multiply_floats(&product);
        }
}

static void multiply_tiles(const ck_winograd *s, const tiles *all, int64_t from, int64_t to, const float *weights,
                           int64_t width, float *m) {
    if (s->is_bfloat16)
        multiply_runs(true, all, from, to, run_of(s), weights, width, m);
    else
        multiply_runs(false, all, from, to, s->channels, weights, width, m);
}

/// A tile's outputs `begin` to `begin + width` from its 16 products.
static void transform_back(const winograd_job *job, int64_t t, int64_t begin, int64_t width, const float *bias,
                           const float *m) {
    const ck_winograd *s = job->sizes;
    place at = place_of(s, t);
    const float *addend[4];
    float *y[4];
    for (int i = 0; i < 4; i++) {
        int64_t row = at.row + i / 2, column = at.column + i % 2;
        int64_t offset = ((at.image * s->height + row) * s->width + column) * s->outputs + begin;
        bool is_inside = row < s->height && column < s->width;
        y[i] = is_inside ? job->y + offset : NULL;
        addend[i] = is_inside && job->residual ? job->residual + offset : NULL;
    }
    instructions()->winograd_output(m, tiles_together * width, width, bias, job->residual ? addend : NULL, job->is_relu, y);
}

/// A panel of the results of the tiles `from` to `to` of those.
static void run_panel(const winograd_job *job, const tiles *all, int64_t from, int64_t to, int64_t panel, float *m) {
    const ck_winograd *s = job->sizes;
    int64_t width = panel_width(s->outputs, panel), begin = panel * instructions()->panel;
    const float *bias = job->packed + begin * (elements * run_of(s) + 1);
    multiply_tiles(s, all, from, to, bias + width, width, m);
    for (int64_t t = from; t < to; t++) transform_back(job, all->first + t, begin, width, bias, m + (t - from) * width);
}

/// Transforms a chunk of tiles and multiplies it with all panels while it is in the cache.
static void run_chunk(const void *context, int64_t chunk, int64_t worker) {
    const winograd_job *job = context;
    const ck_winograd *s = job->sizes;
    int64_t first = chunk * tiles_together;
    tiles own = {.first = first, .count = smaller_of(tiles_together, tiles_of(s) - first),
                 .values = job->transformed + worker * transformed_floats(s, tiles_together)};
    for (int64_t t = 0; t < own.count; t++) transform_tile(job, &own, t, worker);
    for (int64_t panel = 0; panel < panels_of(s->outputs); panel++)
        run_panel(job, &own, 0, own.count, panel, products_of(job, worker));
}

static tiles shared_tiles(const winograd_job *job) {
    return (tiles){.first = 0, .count = tiles_of(job->sizes), .values = job->transformed};
}

static void transform_shared(const void *context, int64_t chunk, int64_t worker) {
    tiles all = shared_tiles(context);
    int64_t to = smaller_of(all.count, (chunk + 1) * tiles_together);
    for (int64_t t = chunk * tiles_together; t < to; t++) transform_tile(context, &all, t, worker);
}

static void multiply_shared(const void *context, int64_t piece, int64_t worker) {
    const winograd_job *job = context;
    tiles all = shared_tiles(job);
    int64_t from = piece % job->chunks * tiles_together, to = smaller_of(all.count, from + tiles_together);
    run_panel(job, &all, from, to, piece / job->chunks, products_of(job, worker));
}

void ck_winograd_run(const ck_winograd *sizes, const float *x, const float *packed, const float *residual,
                     ck_activation activation, float *scratch, float *y) {
    int64_t chunks = (tiles_of(sizes) + tiles_together - 1) / tiles_together;
    winograd_job job = {.sizes = sizes, .chunks = chunks, .x = x, .packed = packed, .residual = residual,
                        .is_relu = activation == ck_relu, .products = scratch,
                        .transformed = scratch + parallel_workers() * worker_floats(sizes), .y = y};
    if (has_chunks_enough(sizes)) return parallel_for(chunks, run_chunk, &job);
    parallel_for(chunks, transform_shared, &job);
    parallel_for(panels_of(sizes->outputs) * chunks, multiply_shared, &job);
}
