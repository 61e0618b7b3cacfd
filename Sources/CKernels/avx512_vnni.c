// Products of codes for AVX-512 with VNNI.
#include "narrow_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512vnni,avx2,fma"))), apply_to = function)

#define LANES 16
#define PANEL_REGISTERS 4
#define UNROLLED _Pragma("clang loop unroll(full)") for
#include "vectors.h"
#include "narrow_words.h"

INLINE ivec add_codes(ivec sum, ivec x, ivec w) {
    return (ivec)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
}

#define SUMS ivec
#define add_word add_codes
#define finished finished_codes
#define NARROW_PRODUCT vnni_codes_product
#define HAS_MAPS 1
#include "narrow_tile.h"

#pragma clang attribute pop

// The same where maps are rounded by BF16's instruction, which does it as the other does but for numbers below 1.2e-38.
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512vnni,avx512bf16,avx2,fma"))), apply_to = function)
#undef ROUNDED_TO_HALVES
#define ROUNDED_TO_HALVES(x) ((halves_vec)_mm512_cvtneps_pbh((__m512)(x)))
INLINE void store_rounded_halves(uint16_t *p, vec x) {
    halves_vec h = ROUNDED_TO_HALVES(x);
    memcpy(p, &h, sizeof h);
}
#define store_halves store_rounded_halves
#define SUMS ivec
#define add_word add_codes
#define finished finished_codes
#define NARROW_PRODUCT vnni_bf16_codes_product
#define HAS_MAPS 1
#include "narrow_tile.h"

#pragma clang attribute pop
#endif
