#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "narrow_kernels.h"
#include "parallel.h"

enum { elements_of_piece = 1 << 15 };

/// Numbers that are not negative are in the order of their bits.
static void raise_to(uint32_t *most, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    _Atomic uint32_t *shared = (_Atomic uint32_t *)most;
    uint32_t before = atomic_load_explicit(shared, memory_order_relaxed);
    while (before < bits && !atomic_compare_exchange_weak(shared, &before, bits)) {}
}

/// The largest of an image's numbers as they are stored: rounding keeps their order.
static float largest_stored(uint32_t bits) {
    float most;
    memcpy(&most, &bits, sizeof most);
    bits = (uint32_t)rounded_half(most) << 16;
    memcpy(&most, &bits, sizeof most);
    return most;
}

typedef struct {
    int64_t batch, count, pieces;
    const float *x;
    uint16_t *halves;
    uint32_t *most;
} rounding_job;

static void round_piece(const void *context, int64_t piece, int64_t worker) {
    (void)worker;
    const rounding_job *job = context;
    const narrowing_kernels *kernels = narrow_instructions()->narrowing;
    int64_t image = piece / job->pieces, begin = piece % job->pieces * elements_of_piece;
    int64_t count = smaller_of(elements_of_piece, job->count - begin), at = image * job->count + begin;
    float least, most;
    kernels->range(job->x + at, count, &least, &most);
    raise_to(&job->most[image], most == most ? most : __builtin_inff());
    kernels->round(job->x + at, count, job->halves + at);
}

void ck_map_round(int64_t batch, int64_t count, const float *x, uint16_t *halves, uint32_t *most) {
    rounding_job job = {.batch = batch, .count = count, .x = x, .halves = halves, .most = most,
                        .pieces = (count + elements_of_piece - 1) / elements_of_piece};
    memset(most, 0, batch * sizeof *most);
    parallel_for(batch * job.pieces, round_piece, &job);
}

typedef struct {
    int64_t count;
    const uint16_t *halves;
    float *y;
} widening_job;

static void widen_piece(const void *context, int64_t piece, int64_t worker) {
    (void)worker;
    const widening_job *job = context;
    for (int64_t i = piece * elements_of_piece; i < smaller_of(job->count, (piece + 1) * elements_of_piece); i++) {
        uint32_t bits = (uint32_t)job->halves[i] << 16;
        memcpy(job->y + i, &bits, sizeof bits);
    }
}

void ck_map_widen(int64_t count, const uint16_t *halves, float *y) {
    widening_job job = {.count = count, .halves = halves, .y = y};
    parallel_for((count + elements_of_piece - 1) / elements_of_piece, widen_piece, &job);
}

typedef struct {
    const ck_map *map;
    int64_t padding, lines, together;
    uint8_t *codes;
    const float *scales;
} encoding_job;

/// Bytes of a pixel's codes: whole words.
static int64_t pixel_codes(const ck_map *map) { return 4 * ck_words(ck_int8, map->channels); }

/// A row of an image, with what its edge adds.
static void encode_line(const encoding_job *job, int64_t line) {
    const ck_map *map = job->map;
    int64_t pixel = pixel_codes(map), edge = job->padding * pixel, row = line % job->lines - job->padding;
    int64_t image = line / job->lines;
    uint8_t *to = job->codes + line * (map->width + 2 * job->padding) * pixel;
    if (row < 0 || row >= map->height) {
        memset(to, 0, map->width * pixel + 2 * edge);
        return;
    }
    const narrowing_kernels *kernels = narrow_instructions()->narrowing;
    const uint16_t *from = map->halves + (image * map->height + row) * map->width * map->channels;
    float scale = job->scales[image], inverse = scale > 0 ? 1 / scale : 0;
    memset(to, 0, edge);
    memset(to + edge + map->width * pixel, 0, edge);
    to += edge;
    if (pixel == map->channels) return kernels->encode_halves(from, map->width * pixel, inverse, to);
    for (int64_t i = 0; i < map->width; i++, from += map->channels, to += pixel) {
        memset(to + pixel - 4, 0, 4);
        kernels->encode_halves(from, map->channels, inverse, to);
    }
}

static void encode_lines(const void *context, int64_t piece, int64_t worker) {
    (void)worker;
    const encoding_job *job = context;
    int64_t to = smaller_of((piece + 1) * job->together, job->map->batch * job->lines);
    for (int64_t line = piece * job->together; line < to; line++) encode_line(job, line);
}

void ck_map_encode(const ck_map *map, int64_t padding, uint32_t *codes, float *scales) {
    for (int64_t i = 0; i < map->batch; i++) scales[i] = scale_of_largest(largest_stored(map->most[i]));
    int64_t lines = map->height + 2 * padding, width = map->width * map->channels;
    int64_t together = width < elements_of_piece ? elements_of_piece / width : 1;
    encoding_job job = {.map = map, .padding = padding, .lines = lines, .together = together,
                        .codes = (uint8_t *)codes, .scales = scales};
    parallel_for((map->batch * lines + together - 1) / together, encode_lines, &job);
}

typedef struct {
    const ck_narrow_layer *layer;
    const float *words, *scales;
    const uint32_t *packed;
    const ck_map_results *results;
    piece_plan plan;
} map_job;

/// Where the windows of an image's pixels begin, one pixel after another: the images have their edges, so that none stands out.
typedef struct {
    const float *line;
    int64_t column;
    /// Elements from a window's beginning to each of its taps.
    int64_t taps[largest_kernel];
} window_walk;

static void begin_walk(const ck_windows *w, const float *words, int64_t pixel, window_walk *walk) {
    int64_t line = pixel / w->columns;
    walk->line = words + line / w->rows * w->image_step + line % w->rows * w->row_step;
    walk->column = pixel % w->columns;
    for (int64_t t = 0; t < w->tap_rows * w->tap_columns; t++)
        walk->taps[t] = t / w->tap_columns * w->tap_row_step + t % w->tap_columns * w->tap_column_step;
}

/// The taps of the next pixels of the image: [taps][tile_rows].
static inline void take_windows(const ck_windows *w, window_walk *walk, int rows, const float **taps) {
    int64_t count = w->tap_rows * w->tap_columns;
    for (int r = 0; r < rows; r++) {
        const float *origin = walk->line + walk->column * w->column_step;
        for (int64_t t = 0; t < count; t++) taps[t * tile_rows + r] = origin + walk->taps[t];
        if (++walk->column == w->columns) walk->column = 0, walk->line += w->row_step;
    }
}

/// A tile whose panel has outputs that do not exist: by way of memory that has them.
static void run_partly(narrow_product multiply, const narrow_tile *tile, int rows, const narrow_panel *panel, int registers) {
    uint16_t residual[tile_rows * largest_panel] = {0}, halves[tile_rows * largest_panel];
    float y[tile_rows * largest_panel];
    map_results map = *tile->map;
    if (map.residual)
        for (int r = 0; r < rows; r++)
            memcpy(residual + r * panel->width, map.residual + r * tile->y_step, panel->real * sizeof *residual);
    map.residual = map.residual ? residual : NULL, map.halves = halves;
    narrow_tile own = *tile;
    own.map = &map, own.y = tile->y ? y : NULL, own.y_step = panel->width;
    multiply(&own, rows, registers);
    for (int r = 0; r < rows; r++) {
        if (tile->y)
            memcpy(tile->y + r * tile->y_step, y + r * panel->width, panel->real * sizeof *y);
        else
            memcpy(tile->map->halves + r * tile->y_step, halves + r * panel->width, panel->real * sizeof *halves);
    }
}

/// A panel of the results of the pixels `from` to `to`, which are of one image.
static void run_image(const map_job *job, const narrow_panel *panel, int64_t image, int64_t from, int64_t to) {
    const narrow_product multiply = narrow_instructions()->product[ck_int8];
    const ck_windows *w = job->layer->windows;
    const ck_map_results *results = job->results;
    int64_t outputs = job->layer->outputs, at = from * outputs + panel->begin, lanes = instructions()->lanes;
    int64_t depth = w->tap_rows * w->tap_columns * w->run;
    // What follows in memory is the next panel.
    int64_t tiles = (to - from + tile_rows - 1) / tile_rows, ahead_step = (panel->width + tiles - 1) / tiles;
    float most[line_floats] = {0};
    map_results map = {.scale = job->scales[image], .residual = results->residual ? results->residual + at : NULL,
                       .halves = results->halves ? results->halves + at : NULL, .most = most};
    const float *taps[largest_kernel * tile_rows];
    narrow_tile t = {.taps = taps, .tap_count = w->tap_rows * w->tap_columns, .run = w->run, .weights = panel->weights,
                     .scales = panel->scales, .bias = panel->bias, .activation = results->activation,
                     .y = results->floats ? results->floats + at : NULL, .y_step = outputs,
                     .ahead = panel->weights + panel->width * depth, .ahead_step = ahead_step, .map = &map};
    int registers = (int)(panel->width / lanes);
    window_walk walk;
    begin_walk(w, job->words, from, &walk);
    for (int64_t pixel = from; pixel < to; pixel += tile_rows) {
        int rows = (int)smaller_of(tile_rows, to - pixel);
        take_windows(w, &walk, rows, taps);
        panel->real < panel->width ? run_partly(multiply, &t, rows, panel, registers) : multiply(&t, rows, registers);
        if (map.residual) map.residual += tile_rows * outputs;
        if (map.halves) map.halves += tile_rows * outputs;
        if (t.y) t.y += tile_rows * outputs;
        t.ahead += depth * ahead_step;
    }
    float largest = 0;
    for (int64_t i = 0; i < lanes; i++)
        if (most[i] > largest) largest = most[i];
    raise_to(&results->most[image], largest);
}

static void run_piece(const void *context, int64_t piece, int64_t worker) {
    (void)worker;
    const map_job *job = context;
    int64_t from, to, number = piece_of(&job->plan, piece, &from, &to);
    int64_t image_pixels = job->layer->windows->rows * job->layer->windows->columns;
    narrow_panel panel = narrow_panel_of(job->layer, job->packed, number);
    while (from < to) {
        int64_t image = from / image_pixels, end = smaller_of(to, (image + 1) * image_pixels);
        run_image(job, &panel, image, from, end);
        from = end;
    }
}

void ck_map_product(const ck_narrow_layer *layer, const uint32_t *codes, const float *scales, const uint32_t *packed,
                    const ck_map_results *results) {
    map_job job = {.layer = layer, .words = (const float *)codes, .scales = scales, .packed = packed,
                   .results = results, .plan = plan_pieces(layer->windows, layer->outputs, 0)};
    memset(results->most, 0, layer->windows->batch * sizeof *results->most);
    parallel_for(job.plan.panels * job.plan.chunks, run_piece, &job);
}
