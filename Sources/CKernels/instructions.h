// Each kernel is compiled once for every instruction set that it may meet: `avx512.c` and its like include the headers that
// say what is done.
#ifndef TRIPTYCH_INSTRUCTIONS_H
#define TRIPTYCH_INSTRUCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "include/CKernels.h"

enum {
    tile_rows = 6,
    zeros_count = 8192,
    line_floats = 16,
    /// Registers' floats in a panel, of any instruction set.
    largest_panel = 64,
    /// Taps at a time.
    largest_kernel = 256,
};

/// What stands in for what is outside of images.
extern const float ck_zeros[zeros_count];

static inline int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }

/// The share of `count` floats, needed soon, that falls to the tile number `number` while it multiplies `elements`: a line
/// for each; NULL if the tiles before have brought them all. They may lie behind everything: asking for a line never fails.
static inline const float *share_ahead(const float *soon, int64_t count, int64_t number, int64_t elements) {
    int64_t begin = number * elements * line_floats;
    return begin < count ? soon + begin : NULL;
}

/// One tile: up to six result pixels by one panel of outputs, over some of the taps.
typedef struct {
    /// [taps][rows]: where each pixel's taps begin.
    const float *const *taps;
    int64_t tap_count, run;
    /// The panel's weights for these taps.
    const float *weights;
    /// Added to the sums unless NULL: a row of the panel's width, and rows as far apart as those of y.
    const float *bias, *addend;
    ck_activation activation;
    float *y;
    int64_t y_step;
    /// A line for each element of a row is brought to the second-level cache meanwhile, unless NULL.
    const float *ahead;
} tile;

/// y = b + a, or b - a; y may be a. Nothing if y is NULL.
typedef struct {
    bool is_difference;
    const float *a, *b;
    float *y;
} block_sum;

/// One of Strassen's products: the same with a full panel, and sums that go to more than one place.
typedef struct {
    const float *const *taps, *weights;
    int64_t run;
    /// Rows of the panel's width that stay: each `kept` becomes the sum, plus what `added` has unless NULL.
    float *kept[2];
    const float *added[2];
    /// If there are results of it, a pointer for each row: sum + partial + bias + residual, activated. `residual` may be NULL.
    float *const *y;
    const float *const *residual;
    const float *partial, *bias;
    ck_activation activation;
    /// Made besides, a register for each element of the rows: the units that add have nothing else to do. Where there is
    /// none, `ahead` is as a tile's.
    block_sum sum;
    const float *ahead;
} strassen_tile;

/// The kernels of one instruction set.
typedef struct {
    /// Floats in a register, and registers in a panel of outputs.
    int64_t lanes, panel;
    /// For each number of rows, from 1, and of registers, from 1.
    void (*product)(const tile *tile, int rows, int registers);
    /// Rows of whole registers in place, for each curved activation from `ck_gelu` on.
    void (*curves[2])(int rows, int64_t width, float *y, int64_t step);
    /// A 4×4 patch of `channels` channels into Winograd's 16 numbers: Bᵀ·d·B. `patch` has a pointer for each pixel, the 16
    /// results are `step` apart.
    void (*winograd_input)(const float *const *patch, int64_t channels, float *y, int64_t step);
    /// 16 results of products into 2×2 pixels: Aᵀ·m·A + bias + addend, after ReLU if asked for. `y` and `addend` have a
    /// pointer for each pixel, NULL for one that does not exist; `addend` may be NULL.
    void (*winograd_output)(const float *m, int64_t step, int64_t channels, const float *bias,
                            const float *const *addend, int is_relu, float *const *y);
    /// One of Strassen's products for up to six pairs of rows and one panel, full.
    void (*strassen_product)(const strassen_tile *tile, int rows);
    /// A whole number of registers of it.
    void (*add_blocks)(int64_t count, const block_sum *sum);
    /// From the four quarters of two rows of x, A11, A12, A21 and A22, the sums S1 to S4 of Strassen's algorithm.
    void (*strassen_sums)(int64_t count, const float *const a[4], float *const s[4]);
    /// Turns each row's first `count` elements into softmax(scale·row + mask); `mask` may be NULL. Rows are `step` apart.
    void (*softmax)(int rows, int64_t count, int64_t step, float scale, const float *mask, float *row);
} instruction_set;

extern const instruction_set generic_instructions;
#if defined(__x86_64__)
extern const instruction_set avx2_instructions, avx512_instructions;
#endif

/// The widest that this machine has.
const instruction_set *instructions(void);

/// How many panels so many outputs make.
int64_t panels_of(int64_t outputs);
/// The width of a panel: all but the last are full, the last is a whole number of registers.
int64_t panel_width(int64_t outputs, int64_t panel);
/// How many of its outputs exist.
int64_t panel_outputs(int64_t outputs, int64_t panel);
/// `ck_pack` without a bias, on the calling thread.
void pack_serially(const float *weights, ck_weight_steps steps, const ck_windows *windows, int64_t outputs,
                   float *packed);
/// Runs a tile `width` wide, of which only `real` outputs exist and are written.
void run_tile(tile *tile, int rows, int64_t width, int64_t real);

/// Where the taps `first` to `first + count` of the windows of some pixels begin, `skip` elements into each: [count][tile_rows].
void find_taps(const ck_windows *windows, const float *images, int64_t pixel, int rows, int64_t first, int64_t count,
               int64_t skip, const float **taps);

/// How a product's panels, from one on, and its result pixels, in chunks, are cut into pieces: whole panels where there are
/// enough of them and not too many pixels, so that a panel's weights are read from memory once. Where pixels are more than
/// weights, each thread has its own of them, the same from layer to layer, and all panels take their turn with some, which
/// meanwhile stay in a cache.
typedef struct {
    int64_t pixels, first_panel, panels, chunk, chunks;
    /// Whether a chunk's panels follow one another, or a panel's chunks.
    bool is_by_chunk;
} piece_plan;
piece_plan plan_pieces(const ck_windows *windows, int64_t outputs, int64_t first_panel);
/// The panel of a piece, and the pixels from `from` on, below `to`.
int64_t piece_of(const piece_plan *plan, int64_t piece, int64_t *from, int64_t *to);

#endif
