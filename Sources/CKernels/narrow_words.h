// What kernels of narrow numbers need beside vectors.h: words, and what their sums stand for.
#include <string.h>

typedef ivec loose_ivec __attribute__((aligned(4), may_alias));
typedef uint32_t uvec __attribute__((vector_size(4 * LANES)));

#define CONCATENATED_(a, b) a##b
#define CONCATENATED(a, b) CONCATENATED_(a, b)

INLINE ivec load_words(const void *p) { return *(const loose_ivec *)p; }
INLINE ivec all_words(const float *p) {
    int32_t word;
    memcpy(&word, p, sizeof word);
    return word - (ivec){0};
}

/// scale of the row · scale of the output · (sum - zero · sum of weights): whole numbers up to the first product.
INLINE vec finished_codes(ivec sum, const narrow_tile *t, int r, int at) {
    ivec whole = sum - t->row_zeros[r] * load_words(t->sums + at);
    return __builtin_convertvector(whole, vec) * (t->row_scales[r] * load(t->scales + at));
}

INLINE vec finished_halves(vec sum, const narrow_tile *t, int r, int at) {
    (void)t, (void)r, (void)at;
    return sum;
}

/// Each product is exact, so that nothing but the two additions rounds, whether a machine fuses them or not. The second of a
/// word's two numbers comes first, as VDPBF16PS has it.
INLINE vec add_halves_plainly(vec sum, ivec x, ivec w) {
    const ivec upper = (ivec){0} + (int32_t)0xFFFF0000;
    sum += (vec)(x & upper) * (vec)(w & upper);
    return sum + (vec)(x << 16) * (vec)(w << 16);
}

// Narrow registers are written by the compiler's conversions.
typedef uint8_t codes_vec __attribute__((vector_size(LANES)));
typedef uint16_t halves_vec __attribute__((vector_size(2 * LANES)));

INLINE halves_vec rounded_to_halves(vec x) {
    uvec bits = (uvec)x;
    // Half of the last place that stays, and one bit more where that one is odd: ties go to even.
    uvec nearest = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    uvec nan = (uvec)(x != x);
    return __builtin_convertvector((nearest & ~nan) | (nan & 0x7FC0), halves_vec);
}
#ifndef ROUNDED_TO_HALVES
#define ROUNDED_TO_HALVES rounded_to_halves
#endif

INLINE vec load_halves(const uint16_t *p) {
    halves_vec h;
    memcpy(&h, p, sizeof h);
    return (vec)(__builtin_convertvector(h, uvec) << 16);
}
INLINE void store_halves(uint16_t *p, vec x) {
    halves_vec h = ROUNDED_TO_HALVES(x);
    memcpy(p, &h, sizeof h);
}
