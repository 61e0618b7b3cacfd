// The kernels of narrow numbers that an instruction set has: some have one kind of product only.
#ifndef TRIPTYCH_NARROW_KERNELS_H
#define TRIPTYCH_NARROW_KERNELS_H

#include <string.h>

#include "include/narrow.h"
#include "instructions.h"

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

/// Runs a tile `width` wide, of which only `real` outputs exist: these alone are read of the residual, and written.
void run_narrow_tile(ck_precision precision, narrow_tile *tile, int rows, int64_t width, int64_t real);

#endif
