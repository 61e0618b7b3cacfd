// The kernels of narrow numbers that an instruction set has: some have one kind of product only.
#ifndef TRIPTYCH_NARROW_KERNELS_H
#define TRIPTYCH_NARROW_KERNELS_H

#include <string.h>

#include "include/narrow.h"
#include "instructions.h"

/// Where a tile of a convolution from map to map goes, in place of floats: all its pixels are of one image.
typedef struct {
    /// The image's scale.
    float scale;
    /// Added to the results unless NULL, and the results as bfloat16s, or NULL for floats in the tile's y: rows that are as far
    /// apart as y's.
    const uint16_t *residual;
    uint16_t *halves;
    /// A register that becomes the largest result of each lane, of those not negative.
    float *most;
} map_results;

/// Up to six result pixels by one panel of outputs.
typedef struct {
    /// [taps][rows]: where each pixel's taps begin. Words, whatever the type says.
    const float *const *taps;
    int64_t tap_count, run;
    const float *weights;
    /// Of codes: a scale and a zero point for each pixel; for each output a scale, and the sum of its weights.
    const float *row_scales;
    const int32_t *row_zeros;
    const float *scales;
    const int32_t *sums;
    /// As a tile's.
    const float *bias, *addend;
    ck_activation activation;
    float *y;
    int64_t y_step;
    /// What is needed next: for each word of a row a line of it is brought to the second-level cache meanwhile, so many floats
    /// further on than the last one's. It may lie behind everything.
    const float *ahead;
    int64_t ahead_step;
    /// Of codes: NULL unless the tile is one of a map; then zero points are 0, and neither they, `row_scales`, `sums` nor
    /// `addend` are read.
    const map_results *map;
} narrow_tile;

typedef void (*narrow_product)(const narrow_tile *tile, int rows, int registers);

/// How rows of floats become narrow ones; what is past the last whole register is done apart.
typedef struct {
    /// The least and the largest of a row, at most and at least 0, and NaN for the largest if one is not finite.
    void (*range)(const float *row, int64_t count, float *least, float *most);
    /// `count` codes: round(x · inverse) + zero, from 0 to 255.
    void (*encode)(const float *row, int64_t count, float inverse, int32_t zero, uint8_t *codes);
    /// `count` bfloat16s, to the nearest, ties to even.
    void (*round)(const float *row, int64_t count, uint16_t *halves);
    /// `count` codes of bfloat16s: round(x · inverse), at most 255 by the caller's choice of it; 0 of what is negative.
    void (*encode_halves)(const uint16_t *row, int64_t count, float inverse, uint8_t *codes);
} narrowing_kernels;

/// Those of one instruction set, and the products by themselves: a machine may have one of them.
extern const narrowing_kernels generic_narrowing;
void generic_codes_product(const narrow_tile *tile, int rows, int registers);
void generic_halves_product(const narrow_tile *tile, int rows, int registers);
#if defined(__x86_64__)
extern const narrowing_kernels avx2_narrowing, avx512_narrowing, bf16_narrowing;
void avx2_codes_product(const narrow_tile *tile, int rows, int registers);
void avx2_halves_product(const narrow_tile *tile, int rows, int registers);
void avx512_codes_product(const narrow_tile *tile, int rows, int registers);
void avx512_halves_product(const narrow_tile *tile, int rows, int registers);
void vnni_codes_product(const narrow_tile *tile, int rows, int registers);
/// With BF16 too.
void vnni_bf16_codes_product(const narrow_tile *tile, int rows, int registers);
void bf16_halves_product(const narrow_tile *tile, int rows, int registers);
#endif

/// The nearest bfloat16, ties to even.
static inline uint16_t rounded_half(float weight) {
    uint32_t bits;
    memcpy(&bits, &weight, sizeof bits);
    if (weight != weight) return 0x7FC0;
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// Those that this machine has, for the panels of `instructions()`.
typedef struct {
    const narrowing_kernels *narrowing;
    /// By `ck_precision`.
    narrow_product product[2];
    bool is_native[2];
} narrow_kernels;
const narrow_kernels *narrow_instructions(void);

/// A layer's weights for one panel of outputs.
typedef struct {
    /// The first output, those of the panel, and how many of them exist.
    int64_t begin, width, real;
    const float *weights, *bias, *scales;
    const int32_t *sums;
} narrow_panel;
narrow_panel narrow_panel_of(const ck_narrow_layer *layer, const uint32_t *packed, int64_t number);

/// What becomes codes from 0 to 255: the scale of numbers from 0 to `most`; NaN if that is not finite.
static inline float scale_of_largest(float most) { return (most < __builtin_inff() ? most : __builtin_nanf("")) / 255; }

/// Runs a tile `width` wide, of which only `real` outputs exist: these alone are read of the residual, and written.
void run_narrow_tile(ck_precision precision, narrow_tile *tile, int rows, int64_t width, int64_t real);

#endif
