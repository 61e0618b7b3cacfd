#include "include/CSimilarity.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define INLINE static inline __attribute__((always_inline))
#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define NARROW __attribute__((target("avx2")))

// Each element of a row is widened once for four queries, each of a query loaded once for several rows: the sums are what
// fills the registers. The compiler does the one and not the other.

/// Of up to four rows.
INLINE WIDE void wide_block(
    const int rows, const int16_t *queries, const int8_t *codes, size_t count, size_t width, int32_t *out) {
    __m512i sums[4][4];
    for (int r = 0; r < rows; r++)
        for (int q = 0; q < 4; q++) sums[r][q] = _mm512_setzero_si512();
    for (size_t j = 0; j < width; j += 32) {
        __m512i row[4];
        for (int r = 0; r < rows; r++)
            row[r] = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(codes + r * width + j)));
        for (int q = 0; q < 4; q++) {
            __m512i query = _mm512_loadu_si512(queries + q * width + j);
            for (int r = 0; r < rows; r++) sums[r][q] = _mm512_dpwssd_epi32(sums[r][q], row[r], query);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int q = 0; q < 4; q++) out[q * count + r] = _mm512_reduce_add_epi32(sums[r][q]);
}

WIDE static void wide(
    const int16_t *queries, const int8_t *codes, size_t count, size_t width, int32_t *out) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4) wide_block(4, queries, codes + i * width, count, width, out + i);
    for (; i < count; i++) wide_block(1, queries, codes + i * width, count, width, out + i);
}

INLINE NARROW int32_t sum_of(__m256i values) {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
}

/// Of up to two rows.
INLINE NARROW void narrow_block(
    const int rows, const int16_t *queries, const int8_t *codes, size_t count, size_t width, int32_t *out) {
    __m256i sums[2][4];
    for (int r = 0; r < rows; r++)
        for (int q = 0; q < 4; q++) sums[r][q] = _mm256_setzero_si256();
    for (size_t j = 0; j < width; j += 16) {
        __m256i row[2];
        for (int r = 0; r < rows; r++)
            row[r] = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(codes + r * width + j)));
        for (int q = 0; q < 4; q++) {
            __m256i query = _mm256_loadu_si256((const __m256i *)(queries + q * width + j));
            for (int r = 0; r < rows; r++)
                sums[r][q] = _mm256_add_epi32(sums[r][q], _mm256_madd_epi16(row[r], query));
        }
    }
    for (int r = 0; r < rows; r++)
        for (int q = 0; q < 4; q++) out[q * count + r] = sum_of(sums[r][q]);
}

NARROW static void narrow(
    const int16_t *queries, const int8_t *codes, size_t count, size_t width, int32_t *out) {
    size_t i = 0;
    for (; i + 2 <= count; i += 2) narrow_block(2, queries, codes + i * width, count, width, out + i);
    for (; i < count; i++) narrow_block(1, queries, codes + i * width, count, width, out + i);
}
#endif

int similarity_instructions(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw")) return 2;
    if (__builtin_cpu_supports("avx2")) return 1;
#endif
    return 0;
}

void similarity_codes_of_four(
    int instructions, const int16_t *queries, const int8_t *rows, size_t count, size_t width, int32_t *out) {
#if defined(__x86_64__)
    if (instructions == 2) return wide(queries, rows, count, width, out);
    if (instructions == 1) return narrow(queries, rows, count, width, out);
#endif
    for (size_t query = 0; query < 4; query++)
        similarity_codes(queries + query * width, rows, count, width, out + query * count);
}
