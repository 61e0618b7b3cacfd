#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "instructions.h"
#include "parallel.h"
#include "strassen.h"

enum {
    /// Elements of a window at a time: their weights for a panel, 590 kB, fit in a second-level cache of 1 MB.
    depth_block = 2304,
};

static int64_t taps_of(const ck_windows *w) { return w->tap_rows * w->tap_columns; }
static int64_t depth_of(const ck_windows *w) { return taps_of(w) * w->run; }

int64_t panel_width(int64_t outputs, int64_t panel) {
    const instruction_set *set = instructions();
    int64_t left = outputs - panel * set->panel;
    return left >= set->panel ? set->panel : (left + set->lanes - 1) / set->lanes * set->lanes;
}

int64_t panel_outputs(int64_t outputs, int64_t panel) {
    int64_t left = outputs - panel * instructions()->panel;
    return left < instructions()->panel ? left : instructions()->panel;
}

int64_t panels_of(int64_t outputs) {
    int64_t panel = instructions()->panel;
    return (outputs + panel - 1) / panel;
}

/// Each panel is its bias and then, for each element of a window, the weights of its outputs.
int64_t ck_packed_count(int64_t outputs, int64_t depth) {
    int64_t last = panels_of(outputs) - 1;
    return (last * instructions()->panel + panel_width(outputs, last)) * (depth + 1);
}

typedef struct {
    const float *weights, *bias;
    ck_weight_steps steps;
    const ck_windows *windows;
    int64_t outputs;
    float *packed;
} packing_job;

static void pack_panel(const void *context, int64_t panel, int64_t worker) {
    (void)worker;
    const packing_job *job = context;
    const ck_windows *w = job->windows;
    int64_t width = panel_width(job->outputs, panel), first = panel * instructions()->panel;
    int64_t real = panel_outputs(job->outputs, panel);
    float *packed = job->packed + first * (depth_of(w) + 1);
    for (int64_t o = 0; o < width; o++) *packed++ = o < real && job->bias ? job->bias[first + o] : 0;
    for (int64_t t = 0; t < taps_of(w); t++) {
        const float *tap = job->weights + first * job->steps.output + t / w->tap_columns * job->steps.tap_row +
                           t % w->tap_columns * job->steps.tap_column;
        for (int64_t i = 0; i < w->run; i++, packed += width) {
            for (int64_t o = 0; o < real; o++) packed[o] = tap[o * job->steps.output + i * job->steps.element];
            for (int64_t o = real; o < width; o++) packed[o] = 0;
        }
    }
}

void pack_serially(const float *weights, ck_weight_steps steps, const ck_windows *windows, int64_t outputs,
                   float *packed) {
    packing_job job = {.weights = weights, .steps = steps, .windows = windows, .outputs = outputs, .packed = packed};
    for (int64_t p = 0; p < panels_of(outputs); p++) pack_panel(&job, p, 0);
}

void ck_pack(const float *weights, ck_weight_steps steps, const float *bias, const ck_windows *windows, int64_t outputs,
             float *packed) {
    packing_job job = {.weights = weights, .bias = bias, .steps = steps, .windows = windows, .outputs = outputs,
                       .packed = packed};
    parallel_for(panels_of(outputs), pack_panel, &job);
}

typedef struct {
    const ck_windows *windows;
    int64_t outputs;
    piece_plan plan;
    const float *x, *packed, *residual;
    ck_activation activation;
    float *y;
} product_job;

_Alignas(64) const float ck_zeros[zeros_count];

void find_taps(const ck_windows *w, const float *images, int64_t pixel, int rows, int64_t first, int64_t count,
               int64_t skip, const float **taps) {
    for (int r = 0; r < rows; r++) {
        int64_t column = (pixel + r) % w->columns, line = (pixel + r) / w->columns;
        int64_t row = line % w->rows;
        const float *origin = images + line / w->rows * w->image_step + row * w->row_step + column * w->column_step + skip;
        for (int64_t t = first; t < first + count; t++) {
            int64_t ty = t / w->tap_columns, tx = t % w->tap_columns;
            const float *tap = origin + ty * w->tap_row_step + tx * w->tap_column_step;
            if (w->padding) {
                int64_t y = row * w->stride + ty - w->padding, x = column * w->stride + tx - w->padding;
                tap -= w->padding * (w->tap_row_step + w->tap_column_step);
                if (y < 0 || y >= w->height || x < 0 || x >= w->width) tap = ck_zeros;
            }
            taps[(t - first) * tile_rows + r] = tap;
        }
    }
}

void run_tile(tile *t, int rows, int64_t width, int64_t real) {
    const instruction_set *set = instructions();
    int registers = (int)(width / set->lanes);
    float values[tile_rows * largest_panel];
    float *y = t->y;
    int64_t step = t->y_step;
    if (real < width) {
        const float *addend = t->addend;
        for (int r = 0; addend && r < rows; r++) memcpy(values + r * width, addend + r * step, real * sizeof(float));
        t->addend = addend ? values : NULL;
        t->y = values;
        t->y_step = width;
    }
    set->product(t, rows, registers);
    if (t->activation >= ck_gelu) set->curves[t->activation - ck_gelu](rows, width, t->y, t->y_step);
    if (real < width)
        for (int r = 0; r < rows; r++) memcpy(y + r * step, values + r * width, real * sizeof(float));
}

/// Some taps, or some elements of one tap, for all pixels of a piece: as much of a panel as the second-level cache holds
/// beside the rest.
static void run_block(const product_job *job, int64_t panel, int64_t from, int64_t to, int64_t first, int64_t count,
                      int64_t skip, int64_t run) {
    const ck_windows *w = job->windows;
    int64_t width = panel_width(job->outputs, panel), begin = panel * instructions()->panel;
    int64_t real = panel_outputs(job->outputs, panel);
    const float *base = job->packed + begin * (depth_of(w) + 1);
    bool is_first = first == 0 && skip == 0;
    bool is_last = first + count == taps_of(w) && skip + run == w->run;
    const float *taps[largest_kernel * tile_rows];
    for (int64_t pixel = from; pixel < to; pixel += tile_rows) {
        int rows = (int)(to - pixel < tile_rows ? to - pixel : tile_rows);
        find_taps(w, job->x, pixel, rows, first, count, skip, taps);
        int64_t offset = pixel * job->outputs + begin;
        tile t = {.taps = taps, .tap_count = count, .run = run,
                  .weights = base + (1 + first * w->run + skip) * width,
                  .bias = is_first ? base : NULL,
                  .addend = !is_first ? job->y + offset : job->residual ? job->residual + offset : NULL,
                  .activation = is_last ? job->activation : ck_identity, .y = job->y + offset, .y_step = job->outputs};
        // What follows in memory is the next block's, or the next panel's.
        t.ahead = share_ahead(t.weights + count * run * width, count * run * width, (pixel - from) / tile_rows, count * run);
        run_tile(&t, rows, width, real);
    }
}

static void run_piece(const void *context, int64_t piece, int64_t worker) {
    (void)worker;
    const product_job *job = context;
    const ck_windows *w = job->windows;
    int64_t from, to, panel = piece_of(&job->plan, piece, &from, &to);
    if (w->run > depth_block) {
        for (int64_t tap = 0; tap < taps_of(w); tap++)
            for (int64_t skip = 0; skip < w->run; skip += depth_block)
                run_block(job, panel, from, to, tap, 1, skip, w->run - skip < depth_block ? w->run - skip : depth_block);
        return;
    }
    int64_t together = depth_block / w->run;
    if (together > largest_kernel) together = largest_kernel;
    for (int64_t tap = 0; tap < taps_of(w); tap += together)
        run_block(job, panel, from, to, tap, taps_of(w) - tap < together ? taps_of(w) - tap : together, 0, w->run);
}

int64_t ck_product_scratch(const ck_windows *windows, int64_t outputs) {
    return strassen_panels(windows, outputs) ? strassen_scratch(windows) : 0;
}

piece_plan plan_pieces(const ck_windows *w, int64_t outputs, int64_t first_panel) {
    enum { pieces_wanted = 16, largest_chunk = 100 * tile_rows };
    int64_t panels = panels_of(outputs) - first_panel, pixels = w->batch * w->rows * w->columns;
    int64_t chunks = panels >= pieces_wanted ? 1 : (pieces_wanted + panels - 1) / panels;
    int64_t chunk = (pixels / chunks + tile_rows) / tile_rows * tile_rows;
    if (chunk < 4 * tile_rows) chunk = 4 * tile_rows;
    if (chunk > largest_chunk) chunk = largest_chunk;
    return (piece_plan){.pixels = pixels, .first_panel = first_panel, .panels = panels, .chunk = chunk,
                        .chunks = (pixels + chunk - 1) / chunk,
                        .is_by_chunk = pixels > smaller_of(outputs, depth_of(w))};
}

int64_t piece_of(const piece_plan *plan, int64_t piece, int64_t *from, int64_t *to) {
    *from = (plan->is_by_chunk ? piece / plan->panels : piece % plan->chunks) * plan->chunk;
    *to = smaller_of(*from + plan->chunk, plan->pixels);
    return plan->first_panel + (plan->is_by_chunk ? piece % plan->panels : piece / plan->chunks);
}

void ck_product(const ck_windows *windows, int64_t outputs, const float *x, const float *packed, const float *residual,
                ck_activation activation, float *scratch, float *y) {
    int64_t done = scratch ? strassen_panels(windows, outputs) : 0;
    if (done) {
        strassen_job job = {.windows = windows, .outputs = outputs, .x = x, .packed = packed, .residual = residual,
                            .activation = activation, .y = y};
        strassen_run(&job, scratch);
    }
    if (done == panels_of(outputs)) return;
    product_job job = {.windows = windows, .outputs = outputs, .plan = plan_pieces(windows, outputs, done), .x = x,
                       .packed = packed, .residual = residual, .activation = activation, .y = y};
    parallel_for(job.plan.panels * job.plan.chunks, run_piece, &job);
}

void ck_pad(int64_t batch, int64_t height, int64_t width, int64_t channels, int64_t padding, const float *x, float *y) {
    int64_t row = (width + 2 * padding) * channels, edge = padding * channels;
    for (int64_t b = 0; b < batch; b++) {
        memset(y, 0, (padding * row + edge) * sizeof(float));
        y += padding * row + edge;
        for (int64_t h = 0; h < height; h++, x += width * channels, y += row) {
            memcpy(y, x, width * channels * sizeof(float));
            memset(y + width * channels, 0, 2 * edge * sizeof(float));
        }
        memset(y, 0, (padding * row - edge) * sizeof(float));
        y += padding * row - edge;
    }
}
