// The kernels for AVX2.
#include "instructions.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "narrow_kernels.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define LANES 8
#define PANEL_REGISTERS 2
#include "vectors.h"
#include "product_tile.h"
#include "softmax.h"
#include "strassen_tile.h"
#include "winograd_transforms.h"

const instruction_set avx2_instructions = {
    .lanes = LANES, .panel = LANES * PANEL_REGISTERS, .product = product, .curves = {gelu_of_rows, quick_gelu_of_rows},
    .softmax = softmax, .winograd_input = winograd_input, .winograd_output = winograd_output,
    .strassen_product = strassen_product, .add_blocks = add_blocks, .strassen_sums = strassen_sums};

#include "narrow_words.h"
#include "narrow_rows.h"

/// Exact: the even and the odd bytes of a word are widened to 16 bits apart, and pairs of products added in 32.
INLINE ivec add_codes(ivec sum, ivec x, ivec w) {
    __m256i xs = (__m256i)x, ws = (__m256i)w;
    __m256i even = _mm256_madd_epi16((__m256i)(x & 0x00FF00FF), _mm256_srai_epi16(_mm256_slli_epi16(ws, 8), 8));
    __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(xs, 8), _mm256_srai_epi16(ws, 8));
    return sum + (ivec)even + (ivec)odd;
}

#define SUMS ivec
#define add_word add_codes
#define finished finished_codes
#define NARROW_PRODUCT avx2_codes_product
#define HAS_MAPS 1
#include "narrow_tile.h"

#define SUMS vec
#define add_word add_halves_plainly
#define finished finished_halves
#define NARROW_PRODUCT avx2_halves_product
#define HAS_MAPS 0
#include "narrow_tile.h"

const narrowing_kernels avx2_narrowing = {.range = range_of_row, .encode = encode_row, .round = round_row,
                                                .encode_halves = encode_halves_row};

#pragma clang attribute pop
#endif
