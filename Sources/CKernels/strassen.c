#include "strassen.h"

#include "instructions.h"
#include "parallel.h"

enum {
    /// Sums of blocks of x; the other factors of x are blocks as they are.
    sums_of_rows = 4,
    /// Shorter halves of rows, fewer outputs, and fewer rows of an image do not pay for the sums.
    shortest_half = 128,
    fewest_panels = 4,
    fewest_rows = 48,
    /// Zeros stand in for the second row of a pair if an image's rows are odd in number.
    longest_half = zeros_count / 2,
    /// Pairs of rows at a time, a multiple of the tiles': their sums fit in the second- and third-level caches.
    pairs_together = 57 * tile_rows,
    /// Every chunk makes the sums of weights anew.
    shortest_chunk = 4 * tile_rows,
};

static int64_t rows_of_image(const ck_windows *w) { return w->rows * w->columns; }
static int64_t pairs_of_image(const ck_windows *w) { return (rows_of_image(w) + 1) / 2; }
static int64_t pairs_of(const ck_windows *w) { return w->batch * pairs_of_image(w); }
static int64_t half_of(const ck_windows *w) { return w->run / 2; }

int64_t strassen_panels(const ck_windows *w, int64_t outputs) {
    int64_t unit = 2 * instructions()->lanes;
    if (w->tap_rows * w->tap_columns != 1 || w->padding || w->run % unit) return 0;
    if (w->rows > 1 && w->row_step != w->columns * w->column_step) return 0;
    if (half_of(w) < shortest_half || half_of(w) > longest_half) return 0;
    if (rows_of_image(w) < fewest_rows) return 0;
    int64_t panels = outputs / instructions()->panel / 2 * 2;
    return panels < fewest_panels ? 0 : panels;
}

/// Pairs of a group: all groups are of about the same size.
static int64_t group_of(const ck_windows *w) {
    int64_t groups = (pairs_of(w) + pairs_together - 1) / pairs_together;
    return (pairs_of(w) + groups - 1) / groups;
}

static int64_t worker_floats(const ck_windows *w) {
    return (2 * half_of(w) + 2 * pairs_together + 2) * instructions()->panel;
}

int64_t strassen_scratch(const ck_windows *w) {
    return group_of(w) * sums_of_rows * half_of(w) + parallel_workers() * worker_floats(w);
}

typedef struct {
    const strassen_job *job;
    /// The pairs `first` to `first + count`, in `chunks` of `chunk`.
    int64_t first, count, chunk, chunks;
    /// [sums_of_rows][count][half], and each worker's own memory.
    float *sums, *workers;
} group;

/// A pair's two rows of x, and where the first is among all rows. The second is missing if an image's rows are odd in number.
typedef struct {
    const float *x[2];
    int64_t row;
    bool is_whole;
} row_pair;

/// The pairs `from` to `to` of a group.
static void find_pairs(const group *g, int64_t from, int64_t to, row_pair *pairs) {
    const ck_windows *w = g->job->windows;
    int64_t rows = rows_of_image(w), image = (g->first + from) / pairs_of_image(w);
    int64_t row = (g->first + from) % pairs_of_image(w) * 2;
    for (int64_t i = from; i < to; i++, pairs++) {
        const float *x = g->job->x + image * w->image_step + row * w->column_step;
        *pairs = (row_pair){.x = {x, x + w->column_step}, .row = image * rows + row, .is_whole = row + 1 < rows};
        if (!pairs->is_whole) pairs->x[1] = ck_zeros;
        if ((row += 2) >= rows) row = 0, image++;
    }
}

static float *sum_of(const group *g, int sum, int64_t pair) {
    return g->sums + (sum * g->count + pair) * half_of(g->job->windows);
}

static void sum_rows(const void *context, int64_t piece, int64_t worker) {
    (void)worker;
    const group *g = context;
    int64_t half = half_of(g->job->windows), end = smaller_of(g->count, (piece + 1) * tile_rows);
    row_pair pairs[tile_rows];
    find_pairs(g, piece * tile_rows, end, pairs);
    for (int64_t pair = piece * tile_rows; pair < end; pair++) {
        const float *const *x = pairs[pair % tile_rows].x;
        instructions()->strassen_sums(
            half, (const float *[]){x[0], x[0] + half, x[1], x[1] + half},
            (float *[]){sum_of(g, 0, pair), sum_of(g, 1, pair), sum_of(g, 2, pair), sum_of(g, 3, pair)});
    }
}

/// Some pairs and two panels.
typedef struct {
    const group *group;
    row_pair pairs[pairs_together];
    int64_t panels, from, to;
    const float *blocks[2][2], *bias[2];
    /// Sums of blocks of the weights; partial results of all pairs, [pairs_together][panel]; what nobody reads.
    float *sums[2], *partial[2], *unread;
} part;

/// What a product is made of and goes to.
typedef struct {
    /// The left factor: a sum of blocks of x, or if negative one of the blocks of each row.
    int sum, row, column;
    const float *weights;
    float *kept[2];
    const float *added[2], *partial;
    /// The block of results that is complete with it.
    int y_row, y_column;
    /// What is done meanwhile for the next step, and two blocks of weights that a later one needs.
    block_sum sum_of_weights;
    const float *ahead;
} step;

static void find_results(const part *p, const step *s, int64_t first, int rows, float **y, const float **residual) {
    const strassen_job *job = p->group->job;
    int64_t width = instructions()->panel;
    for (int r = 0; r < rows; r++) {
        const row_pair *pair = &p->pairs[first + r];
        int64_t offset = (pair->row + s->y_row) * job->outputs + (2 * p->panels + s->y_column) * width;
        bool exists = pair->is_whole || s->y_row == 0;
        y[r] = exists ? job->y + offset : p->unread;
        if (job->residual) residual[r] = exists ? job->residual + offset : p->unread + width;
    }
}

/// The share of a sum that falls to a tile of a step: a register for each element of its rows.
static block_sum part_of(const block_sum *sum, int64_t tile, int64_t half) {
    int64_t share = half * instructions()->lanes, begin = tile * share;
    if (!sum->y || begin >= half * instructions()->panel) return (block_sum){.y = NULL};
    return (block_sum){sum->is_difference, sum->a + begin, sum->b + begin, sum->y + begin};
}

static void multiply(const part *p, const step *s) {
    const strassen_job *job = p->group->job;
    int64_t half = half_of(job->windows), width = instructions()->panel;
    for (int64_t first = 0; first < p->to - p->from; first += tile_rows) {
        int rows = (int)smaller_of(tile_rows, p->to - p->from - first);
        const float *taps[tile_rows], *residual[tile_rows];
        float *y[tile_rows];
        for (int r = 0; r < rows; r++)
            taps[r] = s->sum < 0 ? p->pairs[first + r].x[s->row] + s->column * half
                                 : sum_of(p->group, s->sum, p->from + first + r);
        strassen_tile t = {.taps = taps, .weights = s->weights, .run = half, .activation = job->activation};
        for (int i = 0; i < 2 && s->kept[i]; i++) {
            t.kept[i] = s->kept[i] + first * width;
            if (s->added[i]) t.added[i] = s->added[i] + first * width;
        }
        if (s->partial) {
            find_results(p, s, first, rows, y, residual);
            t.y = y, t.residual = job->residual ? residual : NULL;
            t.partial = s->partial + first * width, t.bias = p->bias[s->y_column];
        }
        t.sum = part_of(&s->sum_of_weights, first / tile_rows, half);
        if (s->ahead) t.ahead = share_ahead(s->ahead, 2 * half * width, first / tile_rows, half);
        instructions()->strassen_product(&t, rows);
    }
    // What too few tiles left of it.
    int64_t tiles = (p->to - p->from + tile_rows - 1) / tile_rows;
    for (block_sum left; (left = part_of(&s->sum_of_weights, tiles, half)).y; tiles++)
        instructions()->add_blocks(half * instructions()->lanes, &left);
}

/// Winograd's order of the seven products (On multiplication of 2×2 matrices, 1971), which has the fewest sums. Of the rows'
/// blocks are S1 = A21 + A22, S2 = S1 - A11, S3 = A11 - A21, S4 = A12 - S2; of the weights', made beside earlier products,
/// T3 = B22 - B12, T2 = T3 + B11, T1 = B22 - T2, T4 = B21 - T2. With u = A11·B11:
/// C11 = u + A12·B21; v = u + S3·T3; u += S2·T2; v += S2·T2; u += S1·T1; C22 = v + S1·T1; C12 = u + S4·B22; C21 = v + A22·T4.
/// The last two bring the next two panels' weights, one each, which are behind these in memory.
static void multiply_part(const part *p) {
    const float *b11 = p->blocks[0][0], *b12 = p->blocks[0][1], *b21 = p->blocks[1][0], *b22 = p->blocks[1][1];
    const float *next11 = b22 + (b22 - b12) + instructions()->panel, *next12 = next11 + (b12 - b11);
    float *s = p->sums[0], *t = p->sums[1], *u = p->partial[0], *v = p->partial[1];
    multiply(p, &(step){.sum = -1, .weights = b11, .kept = {u}, .sum_of_weights = {true, b12, b22, s}});
    multiply(p, &(step){.sum = -1, .column = 1, .weights = b21, .partial = u});
    multiply(p, &(step){.sum = 2, .weights = s, .kept = {v}, .added = {u}, .sum_of_weights = {false, s, b11, t}});
    multiply(p, &(step){.sum = 1, .weights = t, .kept = {u, v}, .added = {u, v}, .sum_of_weights = {true, t, b22, s}});
    multiply(p, &(step){.sum = 0, .weights = s, .kept = {u}, .added = {u}, .partial = v, .y_row = 1, .y_column = 1,
                        .sum_of_weights = {true, t, b21, t}});
    multiply(p, &(step){.sum = 3, .weights = b22, .partial = u, .y_column = 1, .ahead = next12});
    multiply(p, &(step){.sum = -1, .row = 1, .column = 1, .weights = t, .partial = v, .y_row = 1, .ahead = next11});
}

static void multiply_some(const void *context, int64_t piece, int64_t worker) {
    const group *g = context;
    int64_t from = piece % g->chunks * g->chunk, width = instructions()->panel, depth = g->job->windows->run;
    part p = {.group = g, .panels = piece / g->chunks, .from = from, .to = smaller_of(g->count, from + g->chunk)};
    p.sums[0] = g->workers + worker * worker_floats(g->job->windows);
    p.sums[1] = p.sums[0] + depth / 2 * width;
    p.partial[0] = p.sums[1] + depth / 2 * width;
    p.partial[1] = p.partial[0] + pairs_together * width;
    p.unread = p.partial[1] + pairs_together * width;
    for (int i = 0; i < 2; i++) {
        p.bias[i] = g->job->packed + (2 * p.panels + i) * width * (depth + 1);
        p.blocks[0][i] = p.bias[i] + width;
        p.blocks[1][i] = p.blocks[0][i] + depth / 2 * width;
    }
    find_pairs(g, p.from, p.to, p.pairs);
    multiply_part(&p);
}

void strassen_run(const strassen_job *job, float *scratch) {
    const ck_windows *w = job->windows;
    int64_t panels = strassen_panels(w, job->outputs) / 2, together = group_of(w), pieces_wanted = 2 * parallel_workers();
    for (int64_t first = 0; first < pairs_of(w); first += together) {
        group g = {.job = job, .first = first, .count = smaller_of(together, pairs_of(w) - first), .sums = scratch,
                   .workers = scratch + together * sums_of_rows * half_of(w)};
        int64_t chunks = panels >= pieces_wanted ? 1 : (pieces_wanted + panels - 1) / panels;
        g.chunk = smaller_of(pairs_together, (g.count / chunks + tile_rows) / tile_rows * tile_rows);
        if (g.chunk < shortest_chunk) g.chunk = shortest_chunk;
        g.chunks = (g.count + g.chunk - 1) / g.chunk;
        parallel_for((g.count + tile_rows - 1) / tile_rows, sum_rows, &g);
        parallel_for(panels * g.chunks, multiply_some, &g);
    }
}
