#include <stddef.h>

#include "narrow_kernels.h"
#include "parallel.h"

typedef struct {
    int64_t tokens, heads, width;
    float scale;
    const float *qkv, *mask;
    float *scratch, *y;
} attention_job;

static int64_t aligned(int64_t count) { return (count + 15) / 16 * 16; }
static int64_t words_of(int64_t elements) { return ck_words(ck_bfloat16, elements); }

/// Outputs of all panels, with those that fill up the last register.
static int64_t whole_outputs(int64_t outputs) {
    int64_t last = panels_of(outputs) - 1;
    return last * instructions()->panel + panel_width(outputs, last);
}

/// A worker's memory: the packed keys and values of a head, and of six queries the numbers that come and go.
typedef struct {
    uint32_t *keys, *values, *queries, *probabilities;
    float *scores;
    int64_t scores_step, count;
} head_memory;

static head_memory memory_of(int64_t tokens, int64_t width, float *scratch) {
    head_memory m = {.scores_step = tokens + instructions()->panel};
    int64_t keys = aligned(whole_outputs(tokens) * words_of(width));
    int64_t values = aligned(whole_outputs(width) * words_of(tokens));
    int64_t queries = aligned(tile_rows * words_of(width)), probabilities = aligned(tile_rows * words_of(tokens));
    m.keys = (uint32_t *)(void *)scratch;
    m.values = m.keys + keys;
    m.queries = m.values + values;
    m.probabilities = m.queries + queries;
    m.scores = (float *)(void *)(m.probabilities + probabilities);
    m.count = keys + values + queries + probabilities + aligned(tile_rows * m.scores_step);
    return m;
}

int64_t ck_narrow_attention_scratch(int64_t tokens, int64_t width) {
    return parallel_workers() * memory_of(tokens, width, NULL).count;
}

/// A row as words, the last one filled up with zeros.
static void round_row(const float *row, int64_t count, uint32_t *words) {
    words[words_of(count) - 1] = 0;
    narrow_instructions()->narrowing->round(row, count, (uint16_t *)(void *)words);
}

/// Asks for a token's numbers some tokens before they are needed: those of a head lie far apart, so that the processor does not
/// ask by itself.
static void ask_ahead(const attention_job *job, const float *x, int64_t token) {
    enum { tokens_ahead = 12 };
    if (token + tokens_ahead >= job->tokens) return;
    const float *row = x + (token + tokens_ahead) * 3 * job->heads * job->width;
    for (int64_t i = 0; i < job->width; i += line_floats) __builtin_prefetch(row + i);
}

/// Keys in panels of tokens: for each word of a key, those of a panel's tokens.
static void pack_keys(const attention_job *job, const float *k, head_memory *m) {
    int64_t words = words_of(job->width), panel = instructions()->panel, step = 3 * job->heads * job->width;
    for (int64_t t = 0; t < whole_outputs(job->tokens); t++) {
        int64_t width = panel_width(job->tokens, t / panel);
        uint32_t *to = m->keys + t / panel * panel * words + t % panel;
        ask_ahead(job, k, t);
        if (t < job->tokens) round_row(k + t * step, job->width, m->queries);
        for (int64_t i = 0; i < words; i++) to[i * width] = t < job->tokens ? m->queries[i] : 0;
    }
}

/// Values in panels of their elements: for each pair of tokens, the two numbers of each element.
static void pack_values(const attention_job *job, const float *v, head_memory *m) {
    int64_t panel = instructions()->panel, step = 3 * job->heads * job->width;
    for (int64_t p = 0; p < panels_of(job->width); p++) {
        int64_t real = panel_outputs(job->width, p), width = panel_width(job->width, p);
        uint32_t *to = m->values + p * panel * words_of(job->tokens);
        for (int64_t t = 0; t < job->tokens; t += 2, to += width) {
            uint16_t pair[2][largest_panel] = {{0}};
            for (int64_t i = 0; i < 2 && t + i < job->tokens; i++) {
                ask_ahead(job, v, t + i);
                narrow_instructions()->narrowing->round(v + (t + i) * step + p * panel, real, pair[i]);
            }
            for (int64_t o = 0; o < width; o++) to[o] = pair[0][o] | (uint32_t)pair[1][o] << 16;
        }
    }
}

/// The product of up to six rows of words with packed ones.
static void multiply(int rows, const uint32_t *x, int64_t words, const uint32_t *packed, int64_t outputs, float *y,
                     int64_t y_step) {
    const float *taps[tile_rows];
    for (int r = 0; r < rows; r++) taps[r] = (const float *)(const void *)(x + r * words);
    for (int64_t panel = 0; panel < panels_of(outputs); panel++) {
        int64_t width = panel_width(outputs, panel);
        narrow_tile t = {.taps = taps, .tap_count = 1, .run = words, .weights = (const float *)(const void *)packed,
                         .bias = ck_zeros, .y = y + panel * instructions()->panel, .y_step = y_step};
        run_narrow_tile(ck_bfloat16, &t, rows, width, panel_outputs(outputs, panel));
        packed += width * words;
    }
}

/// One head of one image.
static void run_head(const void *context, int64_t piece, int64_t worker) {
    const attention_job *job = context;
    int64_t tokens = job->tokens, width = job->width, model = job->heads * width, step = 3 * model;
    int64_t image = piece / job->heads, head = piece % job->heads;
    const float *q = job->qkv + image * tokens * step + head * width;
    const float *mask = job->mask ? job->mask + image * tokens : NULL;
    head_memory m = memory_of(tokens, width, job->scratch + worker * memory_of(tokens, width, NULL).count);
    pack_keys(job, q + model, &m);
    pack_values(job, q + 2 * model, &m);
    float *y = job->y + image * tokens * model + head * width;
    for (int64_t from = 0; from < tokens; from += tile_rows) {
        int rows = (int)smaller_of(tile_rows, tokens - from);
        for (int r = 0; r < rows; r++) {
            ask_ahead(job, q, from + r);
            round_row(q + (from + r) * step, width, m.queries + r * words_of(width));
        }
        multiply(rows, m.queries, words_of(width), m.keys, tokens, m.scores, m.scores_step);
        instructions()->softmax(rows, tokens, m.scores_step, job->scale, mask, m.scores);
        for (int r = 0; r < rows; r++)
            round_row(m.scores + r * m.scores_step, tokens, m.probabilities + r * words_of(tokens));
        multiply(rows, m.probabilities, words_of(tokens), m.values, width, y + from * model, model);
    }
}

void ck_narrow_attention(int64_t batch, int64_t tokens, int64_t heads, int64_t width, float scale, const float *qkv,
                         const float *mask, float *scratch, float *y) {
    attention_job job = {.tokens = tokens, .heads = heads, .width = width, .scale = scale, .qkv = qkv,
                         .mask = mask, .scratch = scratch, .y = y};
    parallel_for(batch * heads, run_head, &job);
}
