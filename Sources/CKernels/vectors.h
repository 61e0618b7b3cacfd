// What a kernel needs of vectors of LANES floats. The including file defines LANES.
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef float loose_vec __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *p) { return *(const loose_vec *)p; }
INLINE void store(float *p, vec v) { *(loose_vec *)p = v; }
// x - 0 is x whatever x is, so that this is one instruction; 0 + x would not be, for -0.
INLINE vec all(float x) { return x - (vec){0}; }
INLINE vec selected(ivec mask, vec a, vec b) { return (vec)((mask & (ivec)a) | (~mask & (ivec)b)); }
INLINE vec smaller(vec a, vec b) { return selected(a < b, a, b); }
INLINE vec larger(vec a, vec b) { return selected(a > b, a, b); }

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
    return selected(vanishes, (vec){0}, (vec)((ivec)p + (n << 23)));
}

/// Φ(x) - 1/2 over x for |x| ≤ 5.6, powers of 2·(x/5.6)² - 1: fitted by `Tests/Reference/gelu.py`.
static const float gelu_powers[] = {
    0.126259595f, -0.0630513281f, 0.0469804667f, -0.0383436345f, 0.0319782868f, -0.0263372678f,
    0.020879304f, -0.0156061305f, 0.011202069f, -0.00797809847f, 0.00494926842f, -0.00218511233f,
    0.00113005179f, -0.00116042956f, 0.000734615955f, -0.00016594585f,
};

/// x·Φ(x), within 1.6e-7 of the larger of |x| and 1. Beyond 5.6 Φ is 0 or 1 in single precision.
INLINE vec gelu(vec x) {
    enum { count = sizeof gelu_powers / sizeof *gelu_powers };
    vec near = larger(smaller(x, all(5.6f)), all(-5.6f));
    vec u = near * near * (2 / (5.6f * 5.6f)) - 1.0f;
    vec p = all(gelu_powers[count - 1]);
    for (int i = count - 2; i >= 0; i--) p = p * u + gelu_powers[i];
    return x * (near * p + 0.5f);
}

/// x·σ(1.702·x): what CLIP's transformers have in place of GELU.
INLINE vec quick_gelu(vec x) { return x / (exponential(x * -1.702f) + 1.0f); }
