#include "include/CSimilarity.h"

// The loader picks before ThreadSanitizer has begun, in a function that calls it: then there is only the first kind.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_THREAD_SANITIZER
#endif
#endif

#if defined(__x86_64__) && defined(__linux__) && !defined(HAS_THREAD_SANITIZER)
#define WIDEST __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define WIDEST
#endif

/// Sixteen partial sums: enough to fill the widest registers, and a fixed order of summation.
enum { lanes = 16 };

WIDEST
void similarity_codes(const int16_t *query, const int8_t *rows, size_t count, size_t width, int32_t *out) {
    for (size_t i = 0; i < count; i++) {
        const int8_t *row = rows + i * width;
        int32_t sum = 0;
        for (size_t j = 0; j < width; j++) sum += (int32_t)query[j] * row[j];
        out[i] = sum;
    }
}

WIDEST
void similarity_codes_of_four(const int16_t *queries, const int8_t *rows, size_t count, size_t width, int32_t *out) {
    const int16_t *a = queries, *b = a + width, *c = b + width, *d = c + width;
    for (size_t i = 0; i < count; i++) {
        const int8_t *row = rows + i * width;
        int32_t sum_a = 0, sum_b = 0, sum_c = 0, sum_d = 0;
        for (size_t j = 0; j < width; j++) {
            int32_t code = row[j];
            sum_a += (int32_t)a[j] * code;
            sum_b += (int32_t)b[j] * code;
            sum_c += (int32_t)c[j] * code;
            sum_d += (int32_t)d[j] * code;
        }
        out[i] = sum_a;
        out[count + i] = sum_b;
        out[2 * count + i] = sum_c;
        out[3 * count + i] = sum_d;
    }
}

WIDEST
float similarity_product(const float *query, const float *row, size_t width) {
    float sums[lanes] = {0};
    for (size_t j = 0; j < width; j += lanes)
        for (size_t lane = 0; lane < lanes; lane++) sums[lane] += query[j + lane] * row[j + lane];
    float sum = 0;
    for (size_t lane = 0; lane < lanes; lane++) sum += sums[lane];
    return sum;
}
