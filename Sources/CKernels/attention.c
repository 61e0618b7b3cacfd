#include <stddef.h>

#include "instructions.h"
#include "parallel.h"

typedef struct {
    int64_t tokens, heads, width;
    float scale;
    const float *qkv, *mask;
    float *scratch, *y;
} attention_job;

static int64_t aligned(int64_t count) { return (count + 15) / 16 * 16; }
static ck_windows rows_of(int64_t count, int64_t run, int64_t step) {
    return (ck_windows){.batch = 1, .rows = 1, .columns = count, .column_step = step, .tap_rows = 1, .tap_columns = 1,
                        .run = run};
}

static int64_t scratch_of_head(int64_t tokens, int64_t width) {
    return aligned(ck_packed_count(tokens, width)) + aligned(ck_packed_count(width, tokens)) +
           aligned(tile_rows * (tokens + instructions()->panel));
}

int64_t ck_attention_scratch(int64_t tokens, int64_t width) {
    return parallel_workers() * scratch_of_head(tokens, width);
}

/// The product of up to six rows with packed weights.
static void multiply(int rows, const float *const *x, int64_t depth, const float *packed, int64_t outputs, float *y,
                     int64_t y_step) {
    for (int64_t panel = 0; panel < panels_of(outputs); panel++) {
        int64_t width = panel_width(outputs, panel);
        tile t = {.taps = x, .tap_count = 1, .run = depth, .weights = packed + width,
                  .y = y + panel * instructions()->panel, .y_step = y_step};
        run_tile(&t, rows, width, panel_outputs(outputs, panel));
        packed += width * (depth + 1);
    }
}

/// One head of one image.
static void run_head(const void *context, int64_t piece, int64_t worker) {
    const attention_job *job = context;
    int64_t tokens = job->tokens, width = job->width, model = job->heads * width, step = 3 * model;
    int64_t image = piece / job->heads, head = piece % job->heads;
    const float *q = job->qkv + image * tokens * step + head * width, *k = q + model, *v = k + model;
    const float *mask = job->mask ? job->mask + image * tokens : NULL;
    float *keys = job->scratch + worker * scratch_of_head(tokens, width);
    float *values = keys + aligned(ck_packed_count(tokens, width));
    float *scores = values + aligned(ck_packed_count(width, tokens));
    int64_t scores_step = tokens + instructions()->panel;
    ck_windows key_rows = rows_of(tokens, width, step), value_rows = rows_of(tokens, tokens, 1);
    pack_serially(k, (ck_weight_steps){.output = step, .element = 1}, &key_rows, tokens, keys);
    pack_serially(v, (ck_weight_steps){.output = 1, .element = step}, &value_rows, width, values);
    float *y = job->y + image * tokens * model + head * width;
    for (int64_t from = 0; from < tokens; from += tile_rows) {
        int rows = (int)(tokens - from < tile_rows ? tokens - from : tile_rows);
        const float *queries[tile_rows], *probabilities[tile_rows];
        for (int r = 0; r < rows; r++) queries[r] = q + (from + r) * step;
        for (int r = 0; r < rows; r++) probabilities[r] = scores + r * scores_step;
        multiply(rows, queries, width, keys, tokens, scores, scores_step);
        instructions()->softmax(rows, tokens, scores_step, job->scale, mask, scores);
        multiply(rows, probabilities, tokens, values, width, y + from * model, model);
    }
}

void ck_attention(int64_t batch, int64_t tokens, int64_t heads, int64_t width, float scale, const float *qkv,
                  const float *mask, float *scratch, float *y) {
    attention_job job = {.tokens = tokens, .heads = heads, .width = width, .scale = scale, .qkv = qkv,
                         .mask = mask, .scratch = scratch, .y = y};
    parallel_for(batch * heads, run_head, &job);
}
