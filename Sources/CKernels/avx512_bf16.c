// Products of bfloat16s for AVX-512 with BF16.
#include "narrow_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512bf16,avx2,fma"))), apply_to = function)

#define LANES 16
#define PANEL_REGISTERS 4
#define UNROLLED _Pragma("clang loop unroll(full)") for
// Its conversion rounds as the other does, but for numbers below 1.2e-38, which it takes for 0 as the product does.
#define ROUNDED_TO_HALVES(x) ((halves_vec)_mm512_cvtneps_pbh((__m512)(x)))
#include "vectors.h"
#include "narrow_words.h"

INLINE vec add_halves(vec sum, ivec x, ivec w) {
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)w);
}

#define SUMS vec
#define add_word add_halves
#define finished finished_halves
#define NARROW_PRODUCT bf16_halves_product
#define HAS_MAPS 0
#include "narrow_tile.h"

#define HAS_MASKS 1
#include "narrow_rows.h"

const narrowing_kernels bf16_narrowing = {.range = range_of_row, .encode = encode_row, .round = round_row,
                                                .encode_halves = encode_halves_row};

#pragma clang attribute pop
#endif
