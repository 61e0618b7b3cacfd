#include "include/narrow.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "narrow_kernels.h"
#include "parallel.h"

static int64_t elements_of_word(ck_precision precision) { return precision == ck_int8 ? 4 : 2; }

int64_t ck_words(ck_precision precision, int64_t elements) {
    int64_t word = elements_of_word(precision);
    return (elements + word - 1) / word;
}

static int64_t depth_of(const ck_windows *w) { return w->tap_rows * w->tap_columns * w->run; }

/// Outputs with those that fill up the last register.
static int64_t whole_outputs(int64_t outputs) {
    int64_t lanes = instructions()->lanes;
    return (outputs + lanes - 1) / lanes * lanes;
}

/// Before the panels, a row of all outputs each: bias, and of codes the scales and the sums of weights.
typedef enum { bias_row, scales_row, sums_row, row_count } header_row;

static const float *header(const ck_narrow_layer *layer, const uint32_t *packed, header_row row) {
    return (const float *)packed + row * whole_outputs(layer->outputs);
}

int64_t ck_narrow_packed_count(const ck_narrow_layer *layer) {
    return whole_outputs(layer->outputs) * (row_count + depth_of(layer->windows));
}

typedef struct {
    const ck_narrow_layer *layer;
    const float *weights, *scales, *bias;
    ck_weight_steps steps;
    uint32_t *packed;
} packing_job;

/// The nearest whole number from -127 to 127, ties to even. The C library's function is not one instruction everywhere.
static int8_t code_of(float weight, float scale) {
    if (scale == 0) return 0;
    float quotient = weight / scale;
    quotient = quotient > 127 ? 127 : quotient < -127 ? -127 : quotient;
    return (int8_t)(int32_t)((quotient + 12582912.0f) - 12582912.0f);
}

/// A word of the elements of one tap of an output from `first` on; `sum` grows by its codes.
static uint32_t pack_word(const packing_job *job, const float *tap, int64_t first, int64_t output, int32_t *sum) {
    const ck_narrow_layer *layer = job->layer;
    int64_t count = smaller_of(elements_of_word(layer->precision), layer->elements - first);
    uint8_t bytes[4] = {0};
    for (int64_t i = 0; i < count; i++) {
        float weight = tap[(first + i) * job->steps.element];
        if (layer->precision == ck_bfloat16) {
            uint16_t half = rounded_half(weight);
            memcpy(bytes + 2 * i, &half, sizeof half);
            continue;
        }
        int8_t code = code_of(weight, job->scales[output]);
        *sum += code;
        bytes[i] = (uint8_t)code;
    }
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static void pack_panel(const void *context, int64_t panel, int64_t worker) {
    (void)worker;
    const packing_job *job = context;
    const ck_narrow_layer *layer = job->layer;
    const ck_windows *w = layer->windows;
    int64_t width = panel_width(layer->outputs, panel), first = panel * instructions()->panel;
    int64_t real = panel_outputs(layer->outputs, panel), all = whole_outputs(layer->outputs);
    uint32_t *words = job->packed + row_count * all + first * depth_of(w);
    int32_t sums[largest_panel] = {0};
    for (int64_t t = 0; t < w->tap_rows * w->tap_columns; t++) {
        const float *tap = job->weights + first * job->steps.output + t / w->tap_columns * job->steps.tap_row +
                           t % w->tap_columns * job->steps.tap_column;
        for (int64_t i = 0; i < w->run; i++)
            for (int64_t o = 0; o < width; o++) {
                const float *row = tap + o * job->steps.output;
                int64_t element = i * elements_of_word(layer->precision);
                *words++ = o < real ? pack_word(job, row, element, first + o, &sums[o]) : 0;
            }
    }
    float *rows = (float *)job->packed + first;
    for (int64_t o = 0; o < width; o++) {
        rows[bias_row * all + o] = o < real && job->bias ? job->bias[first + o] : 0;
        rows[scales_row * all + o] = o < real && layer->precision == ck_int8 ? job->scales[first + o] : 0;
        memcpy(rows + sums_row * all + o, &sums[o], sizeof sums[o]);
    }
}

void ck_narrow_pack(const ck_narrow_layer *layer, const float *weights, ck_weight_steps steps, const float *scales,
                    const float *bias, uint32_t *packed) {
    packing_job job = {.layer = layer, .weights = weights, .scales = scales, .bias = bias, .steps = steps,
                       .packed = packed};
    parallel_for(panels_of(layer->outputs), pack_panel, &job);
}

narrow_panel narrow_panel_of(const ck_narrow_layer *layer, const uint32_t *packed, int64_t number) {
    int64_t begin = number * instructions()->panel;
    return (narrow_panel){
        .begin = begin, .width = panel_width(layer->outputs, number), .real = panel_outputs(layer->outputs, number),
        .weights = header(layer, packed, row_count) + begin * depth_of(layer->windows),
        .bias = header(layer, packed, bias_row) + begin, .scales = header(layer, packed, scales_row) + begin,
        .sums = (const int32_t *)(const void *)header(layer, packed, sums_row) + begin};
}

typedef struct {
    const ck_narrow_layer *layer;
    const ck_narrow_input *x;
    const uint32_t *packed;
    const float *residual;
    ck_activation activation;
    piece_plan plan;
    float *y;
} product_job;

void run_narrow_tile(ck_precision precision, narrow_tile *t, int rows, int64_t width, int64_t real) {
    const instruction_set *set = instructions();
    float values[tile_rows * largest_panel], *y = t->y;
    int64_t step = t->y_step;
    if (real < width) {
        if (t->addend)
            for (int r = 0; r < rows; r++) memcpy(values + r * width, t->addend + r * step, real * sizeof(float));
        t->addend = t->addend ? values : NULL;
        t->y = values, t->y_step = width;
    }
    narrow_instructions()->product[precision](t, rows, (int)(width / set->lanes));
    if (t->activation >= ck_gelu) set->curves[t->activation - ck_gelu](rows, width, t->y, t->y_step);
    if (real < width)
        for (int r = 0; r < rows; r++) memcpy(y + r * step, values + r * width, real * sizeof(float));
}

/// As `find_taps` from the first tap on, for pixels of which each follows the one before: divides once a tile, and looks at
/// taps one by one only where a window stands out of its image.
static void find_windows(const ck_windows *w, const float *words, int64_t pixel, int rows, const float **taps) {
    int64_t column = pixel % w->columns, line = pixel / w->columns, row = line % w->rows, image = line / w->rows;
    for (int r = 0; r < rows; r++) {
        const float *origin = words + image * w->image_step + row * w->row_step + column * w->column_step -
                              w->padding * (w->tap_row_step + w->tap_column_step);
        int64_t y = row * w->stride - w->padding, x = column * w->stride - w->padding;
        bool is_inside = !w->padding || (y >= 0 && x >= 0 && y + w->tap_rows <= w->height && x + w->tap_columns <= w->width);
        const float **tap = taps + r;
        for (int64_t ty = 0; ty < w->tap_rows; ty++, origin += w->tap_row_step)
            for (int64_t tx = 0; tx < w->tap_columns; tx++, tap += tile_rows) {
                *tap = origin + tx * w->tap_column_step;
                if (!is_inside && (y + ty < 0 || y + ty >= w->height || x + tx < 0 || x + tx >= w->width)) *tap = ck_zeros;
            }
        if (++column < w->columns) continue;
        column = 0;
        if (++row == w->rows) row = 0, image++;
    }
}

/// Whether the windows are rows that lie one after another, as those of linear layers and most 1×1 convolutions do.
static bool are_rows(const ck_windows *w) {
    bool are_lines = w->rows == 1 || w->row_step == w->columns * w->column_step;
    bool are_images = w->batch == 1 || w->image_step == w->rows * w->columns * w->column_step;
    return w->tap_rows * w->tap_columns == 1 && !w->padding && are_lines && are_images;
}

static void run_piece(const void *context, int64_t piece, int64_t worker) {
    (void)worker;
    const product_job *job = context;
    const ck_narrow_layer *layer = job->layer;
    const ck_windows *w = layer->windows;
    int64_t from, to, number = piece_of(&job->plan, piece, &from, &to), depth = depth_of(w);
    narrow_panel panel = narrow_panel_of(layer, job->packed, number);
    // What follows in memory is the next panel.
    int64_t tiles = (to - from + tile_rows - 1) / tile_rows, ahead_step = (panel.width + tiles - 1) / tiles;
    const float *words = (const float *)job->x->words;
    const float *taps[largest_kernel * tile_rows];
    bool is_rows = are_rows(w);
    for (int64_t pixel = from; pixel < to; pixel += tile_rows) {
        int rows = (int)smaller_of(tile_rows, to - pixel);
        if (is_rows)
            for (int r = 0; r < rows; r++) taps[r] = words + (pixel + r) * w->column_step;
        else
            find_windows(w, words, pixel, rows, taps);
        int64_t offset = pixel * layer->outputs + panel.begin;
        narrow_tile t = {.taps = taps, .tap_count = w->tap_rows * w->tap_columns, .run = w->run, .weights = panel.weights,
                         .row_scales = job->x->scales + pixel, .row_zeros = job->x->zeros + pixel, .scales = panel.scales, .sums = panel.sums,
                         .bias = panel.bias,
                         .addend = job->residual ? job->residual + offset : NULL, .activation = job->activation,
                         .y = job->y + offset, .y_step = layer->outputs,
                         .ahead = panel.weights + panel.width * depth + (pixel - from) / tile_rows * depth * ahead_step,
                         .ahead_step = ahead_step};
        run_narrow_tile(layer->precision, &t, rows, panel.width, panel.real);
    }
}

void ck_narrow_product(const ck_narrow_layer *layer, const ck_narrow_input *x, const uint32_t *packed,
                       const float *residual, ck_activation activation, float *y) {
    product_job job = {.layer = layer, .x = x, .packed = packed, .residual = residual, .activation = activation,
                       .plan = plan_pieces(layer->windows, layer->outputs, 0), .y = y};
    parallel_for(job.plan.panels * job.plan.chunks, run_piece, &job);
}
