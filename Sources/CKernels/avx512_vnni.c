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
#include "narrow_tile.h"

#pragma clang attribute pop
#endif
