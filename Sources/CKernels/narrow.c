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

/// A word of the elements of one tap of an output from `first` on; `sum` grows by its codes.
static uint32_t pack_word(const packing_job *job, const float *tap, int64_t first, int64_t output, int32_t *sum) {
    const ck_narrow_layer *layer = job->layer;
    int64_t count = smaller_of(elements_of_word(layer->precision), layer->elements - first);
    uint8_t bytes[4] = {0};
    for (int64_t i = 0; i < count; i++) {
        float weight = tap[(first + i) * job->steps.element];
        if (layer->precision == ck_bfloat16) {
            narrow_instructions()->narrowing->round(&weight, 1, (uint16_t *)(void *)bytes + i);
            continue;
        }
        float scale = job->scales[output];
        int8_t code = (int8_t)(scale != 0 ? fmaxf(-127, fminf(127, rintf(weight / scale))) : 0);
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

typedef struct {
    const ck_narrow_layer *layer;
    const ck_narrow_input *x;
    const uint32_t *packed;
    const float *residual;
    ck_activation activation;
    piece_plan plan;
    float *y;
} product_job;

/// Runs a tile `width` wide, of which only `real` outputs exist: these alone are read of the residual, and written.
static void run_tile_of(ck_precision precision, narrow_tile *t, int rows, int64_t width, int64_t real) {
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

static void run_piece(const void *context, int64_t piece, int64_t worker) {
    (void)worker;
    const product_job *job = context;
    const ck_narrow_layer *layer = job->layer;
    const ck_windows *w = layer->windows;
    int64_t from, to, panel = piece_of(&job->plan, piece, &from, &to), taps_count = w->tap_rows * w->tap_columns;
    int64_t begin = panel * instructions()->panel, width = panel_width(layer->outputs, panel);
    const float *taps[largest_kernel * tile_rows];
    for (int64_t pixel = from; pixel < to; pixel += tile_rows) {
        int rows = (int)smaller_of(tile_rows, to - pixel);
        find_taps(w, (const float *)job->x->words, pixel, rows, 0, taps_count, 0, taps);
        float row_scales[tile_rows];
        int32_t row_zeros[tile_rows];
        for (int r = 0; r < rows && layer->precision == ck_int8; r++) {
            row_scales[r] = job->x->scales[(pixel + r) / job->x->rows_per_scale];
            row_zeros[r] = job->x->zeros[(pixel + r) / job->x->rows_per_scale];
        }
        int64_t offset = pixel * layer->outputs + begin;
        narrow_tile t = {.taps = taps, .tap_count = taps_count, .run = w->run,
                         .weights = header(layer, job->packed, row_count) + begin * depth_of(w),
                         .row_scales = row_scales, .row_zeros = row_zeros,
                         .scales = header(layer, job->packed, scales_row) + begin,
                         .sums = (const int32_t *)(const void *)header(layer, job->packed, sums_row) + begin,
                         .bias = header(layer, job->packed, bias_row) + begin,
                         .addend = job->residual ? job->residual + offset : NULL, .activation = job->activation,
                         .y = job->y + offset, .y_step = layer->outputs};
        run_tile_of(layer->precision, &t, rows, width, panel_outputs(layer->outputs, panel));
    }
}

void ck_narrow_product(const ck_narrow_layer *layer, const ck_narrow_input *x, const uint32_t *packed,
                       const float *residual, ck_activation activation, float *y) {
    product_job job = {.layer = layer, .x = x, .packed = packed, .residual = residual, .activation = activation,
                       .plan = plan_pieces(layer->windows, layer->outputs, 0), .y = y};
    parallel_for(job.plan.panels * job.plan.chunks, run_piece, &job);
}
