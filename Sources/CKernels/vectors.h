// What a kernel needs of vectors of LANES floats. The including file defines LANES.
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef float loose_vec __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *p) { return *(const loose_vec *)p; }
INLINE void store(float *p, vec v) { *(loose_vec *)p = v; }
// x - 0 is x whatever x is, so that this is one instruction; 0 + x would not be, for -0.
INLINE vec all(float x) { return x - (vec){0}; }
INLINE vec select(ivec mask, vec a, vec b) { return (vec)((mask & (ivec)a) | (~mask & (ivec)b)); }
INLINE vec smaller(vec a, vec b) { return select(a < b, a, b); }
INLINE vec larger(vec a, vec b) { return select(a > b, a, b); }

/// eˣ to about 2 ulp for x ≤ 88; 0 from -87 on down. Cody and Waite's reduction to |r| ≤ ln 2 / 2, then a polynomial (Cephes).
INLINE vec exponential(vec x) {
    ivec vanishes = x < -87.0f;
    x = larger(smaller(x, all(88.0f)), all(-87.0f));
    vec shifted = x * 1.44269504f + 12582912.0f;  // 1.5·2²³: rounds to a whole number in the low bits.
    ivec n = (ivec)shifted - 0x4B400000;
    vec whole = shifted - 12582912.0f;
    vec r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    vec p = all(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    return select(vanishes, (vec){0}, (vec)((ivec)p + (n << 23)));
}

/// x·Φ(x) with the error function of Abramowitz and Stegun, 7.1.26: within 1.5e-7.
INLINE vec gelu(vec x) {
    vec z = x * 0.70710678f;
    vec magnitude = larger(z, -z);
    vec t = 1.0f / (magnitude * 0.3275911f + 1.0f);
    vec p = all(1.061405429f);
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    vec tail = p * t * exponential(-magnitude * magnitude);  // 1 - erf|z|
    return x * 0.5f * select(x < 0.0f, tail, 2.0f - tail);
}
