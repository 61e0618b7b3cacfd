#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "instructions.h"
#include "parallel.h"

enum {
    /// Numbers of a tile: 4×4.
    elements = 16,
    /// Tiles whose products a worker keeps in its cache before it transforms them back.
    tiles_together = 48,
    /// Floats of transformed images at a time: what the third-level cache holds beside the weights.
    group_floats = 2 << 20,
};

static int64_t tile_rows_of(const ck_winograd *s) { return (s->height + 1) / 2; }
static int64_t tile_columns_of(const ck_winograd *s) { return (s->width + 1) / 2; }
static int64_t tiles_of(const ck_winograd *s) { return s->batch * tile_rows_of(s) * tile_columns_of(s); }

static int64_t group_of(const ck_winograd *s) {
    int64_t fit = group_floats / (elements * s->channels);
    return smaller_of(tiles_of(s), fit < tiles_together ? tiles_together : fit);
}

static int64_t worker_floats(void) { return elements * tiles_together * instructions()->panel; }

int64_t ck_winograd_packed_count(const ck_winograd *s) { return s->outputs * (elements * s->channels + 1); }

int64_t ck_winograd_scratch(const ck_winograd *s) {
    return elements * group_of(s) * s->channels + parallel_workers() * worker_floats();
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

/// A panel: its bias, then for each of the 16 numbers and each channel the weights of its outputs.
static void pack_panel(const void *context, int64_t panel, int64_t worker) {
    (void)worker;
    const packing_job *job = context;
    const ck_winograd *s = job->sizes;
    int64_t width = panel_width(s->outputs, panel), first = panel * instructions()->panel;
    float *to = job->packed + first * (elements * s->channels + 1);
    for (int64_t o = 0; o < width; o++) to[o] = job->bias ? job->bias[first + o] : 0;
    to += width;
    for (int64_t o = 0; o < width; o++)
        for (int64_t c = 0; c < s->channels; c++) {
            double u[elements];
            transform_kernel(job->weights + ((first + o) * s->channels + c) * 9, u);
            for (int e = 0; e < elements; e++) to[(e * s->channels + c) * width + o] = (float)u[e];
        }
}

void ck_winograd_pack(const ck_winograd *sizes, const float *weights, const float *bias, float *packed) {
    packing_job job = {.sizes = sizes, .weights = weights, .bias = bias, .packed = packed};
    parallel_for(panels_of(sizes->outputs), pack_panel, &job);
}

/// The tiles `first` to `first + count` of all images.
typedef struct {
    const ck_winograd *sizes;
    int64_t first, count, chunks;
    const float *x, *packed, *residual;
    bool is_relu;
    float *transformed, *workers, *y;
} group;

typedef struct {
    int64_t image, row, column;
} place;

/// The upper left result pixel of a tile.
static place place_of(const ck_winograd *s, int64_t t) {
    int64_t columns = tile_columns_of(s), rows = tile_rows_of(s);
    return (place){.image = t / (rows * columns), .row = t / columns % rows * 2, .column = t % columns * 2};
}

static void transform_tile(const group *g, int64_t t) {
    const ck_winograd *s = g->sizes;
    place at = place_of(s, g->first + t);
    const float *patch[elements];
    for (int i = 0; i < elements; i++) {
        int64_t y = at.row - 1 + i / 4, x = at.column - 1 + i % 4;
        bool is_inside = y >= 0 && y < s->height && x >= 0 && x < s->width;
        patch[i] = is_inside ? g->x + ((at.image * s->height + y) * s->width + x) * s->channels : ck_zeros;
    }
    instructions()->winograd_input(patch, s->channels, g->transformed + t * s->channels, g->count * s->channels);
}

static void transform_some(const void *context, int64_t piece, int64_t worker) {
    (void)worker;
    const group *g = context;
    int64_t end = smaller_of(g->count, (piece + 1) * tiles_together / 2);
    for (int64_t t = piece * (tiles_together / 2); t < end; t++) transform_tile(g, t);
}

/// Some tiles' 16 products with one panel, in the worker's memory: [16][tiles_together][width].
static void multiply_tiles(const group *g, int64_t from, int64_t to, const float *weights, int64_t width, float *m) {
    const ck_winograd *s = g->sizes;
    int registers = (int)(width / instructions()->lanes);
    for (int e = 0; e < elements; e++, weights += s->channels * width)
        for (int64_t t = from; t < to; t += tile_rows) {
            int rows = (int)smaller_of(tile_rows, to - t);
            const float *taps[tile_rows];
            for (int r = 0; r < rows; r++) taps[r] = g->transformed + (e * g->count + t + r) * s->channels;
            tile product = {.taps = taps, .tap_count = 1, .run = s->channels, .weights = weights,
                            .y = m + (e * tiles_together + t - from) * width, .y_step = width,
                            .ahead = share_ahead(weights + s->channels * width, s->channels * width,
                                                 (t - from) / tile_rows, s->channels)};
            instructions()->product(&product, rows, registers);
        }
}

static void multiply_some(const void *context, int64_t piece, int64_t worker) {
    const group *g = context;
    const ck_winograd *s = g->sizes;
    // A chunk's panels follow one another where tiles are most of the data, so that who transformed them multiplies them.
    int64_t panels = panels_of(s->outputs);
    bool is_by_chunk = g->count > s->outputs;
    int64_t panel = is_by_chunk ? piece % panels : piece / g->chunks;
    int64_t from = (is_by_chunk ? piece / panels : piece % g->chunks) * tiles_together;
    int64_t to = smaller_of(g->count, from + tiles_together);
    int64_t width = panel_width(s->outputs, panel), begin = panel * instructions()->panel;
    const float *bias = g->packed + begin * (elements * s->channels + 1);
    float *m = g->workers + worker * worker_floats();
    multiply_tiles(g, from, to, bias + width, width, m);
    for (int64_t t = from; t < to; t++) {
        place at = place_of(s, g->first + t);
        const float *addend[4];
        float *y[4];
        for (int i = 0; i < 4; i++) {
            int64_t row = at.row + i / 2, column = at.column + i % 2;
            int64_t offset = ((at.image * s->height + row) * s->width + column) * s->outputs + begin;
            bool is_inside = row < s->height && column < s->width;
            y[i] = is_inside ? g->y + offset : NULL;
            addend[i] = is_inside && g->residual ? g->residual + offset : NULL;
        }
        instructions()->winograd_output(m + (t - from) * width, tiles_together * width, width, bias,
                                        g->residual ? addend : NULL, g->is_relu, y);
    }
}

void ck_winograd_run(const ck_winograd *sizes, const float *x, const float *packed, const float *residual,
                     ck_activation activation, float *scratch, float *y) {
    int64_t tiles = tiles_of(sizes), together = group_of(sizes);
    for (int64_t first = 0; first < tiles; first += together) {
        group g = {.sizes = sizes, .first = first, .count = smaller_of(together, tiles - first), .x = x,
                   .packed = packed, .residual = residual, .is_relu = activation == ck_relu, .transformed = scratch,
                   .workers = scratch + elements * together * sizes->channels, .y = y};
        g.chunks = (g.count + tiles_together - 1) / tiles_together;
        parallel_for((g.count + tiles_together / 2 - 1) / (tiles_together / 2), transform_some, &g);
        parallel_for(panels_of(sizes->outputs) * g.chunks, multiply_some, &g);
    }
}
