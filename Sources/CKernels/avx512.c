// The kernels for AVX-512.
#include "instructions.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "narrow_kernels.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,prfchw"))), apply_to = function)

#define LANES 16
#define PANEL_REGISTERS 4
#include "vectors.h"
#include "product_tile.h"
#include "softmax.h"
#include "strassen_tile.h"
#include "winograd_transforms.h"

const instruction_set avx512_instructions = {
    .lanes = LANES, .panel = LANES * PANEL_REGISTERS, .product = product, .curves = {gelu_of_rows, quick_gelu_of_rows},
    .softmax = softmax, .winograd_input = winograd_input, .winograd_output = winograd_output,
    .strassen_product = strassen_product, .add_blocks = add_blocks, .strassen_sums = strassen_sums};

#include "narrow_words.h"
#define HAS_MASKS 1
#include "narrow_rows.h"

/// Exact: the even and the odd bytes of a word are widened to 16 bits apart, and pairs of products added in 32.
INLINE ivec add_codes(ivec sum, ivec x, ivec w) {
    __m512i xs = (__m512i)x, ws = (__m512i)w;
    __m512i even = _mm512_madd_epi16((__m512i)(x & 0x00FF00FF), _mm512_srai_epi16(_mm512_slli_epi16(ws, 8), 8));
    __m512i odd = _mm512_madd_epi16(_mm512_srli_epi16(xs, 8), _mm512_srai_epi16(ws, 8));
    return sum + (ivec)even + (ivec)odd;
}

#define SUMS ivec
#define add_word add_codes
#define finished finished_codes
#define NARROW_PRODUCT avx512_codes_product
#define HAS_MAPS 1
#include "narrow_tile.h"

#define SUMS vec
#define add_word add_halves_plainly
#define finished finished_halves
#define NARROW_PRODUCT avx512_halves_product
#define HAS_MAPS 0
#include "narrow_tile.h"

const narrowing_kernels avx512_narrowing = {.range = range_of_row, .encode = encode_row, .round = round_row,
                                                .encode_halves = encode_halves_row};

#pragma clang attribute pop
#endif
