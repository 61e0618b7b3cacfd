// How rows of floats become narrow. The including file may define HAS_MASKS: then what is past a row's last whole register is read
// and written by AVX-512's masks, otherwise by way of memory, which loads of whole registers then wait for.
#if HAS_MASKS
INLINE __mmask16 first_lanes(int64_t count) { return (__mmask16)((1u << count) - 1); }
INLINE vec load_first(const float *p, int64_t count) { return (vec)_mm512_maskz_loadu_ps(first_lanes(count), p); }
INLINE void store_first_codes(uint8_t *p, codes_vec c, int64_t count) {
    _mm_mask_storeu_epi8(p, first_lanes(count), (__m128i)c);
}
INLINE void store_first_halves(uint16_t *p, halves_vec h, int64_t count) {
    _mm256_mask_storeu_epi16(p, first_lanes(count), (__m256i)h);
}
#else
INLINE vec load_first(const float *p, int64_t count) {
    float rest[LANES] = {0};
    memcpy(rest, p, count * sizeof *p);
    return load(rest);
}
INLINE void store_first_codes(uint8_t *p, codes_vec c, int64_t count) { memcpy(p, &c, count); }
INLINE void store_first_halves(uint16_t *p, halves_vec h, int64_t count) { memcpy(p, &h, count * sizeof *p); }
#endif

/// Rounds to the nearest whole number of at most 2²², ties to even.
INLINE ivec rounded(vec x) { return (ivec)(x + 12582912.0f) - 0x4B400000; }

INLINE codes_vec encoded(vec x, float inverse, int32_t zero) {
    ivec code = rounded(x * inverse) + zero;
    code &= code > 0;
    code = (code & (code < 255)) | ((code >= 255) & 255);
    return __builtin_convertvector(code, codes_vec);
}

enum { without_sign = 0x7FFFFFFF, infinity_bits = 0x7F800000 };

INLINE ivec larger_whole(ivec a, ivec b) { return (ivec)selected(a > b, (vec)a, (vec)b); }

static void range_of_row(const float *row, int64_t count, float *least, float *most) {
    int64_t whole = count / LANES * LANES;
    vec low = {0}, high = {0};
    // Of numbers without their sign infinity and NaN are the largest.
    ivec sizes = {0};
    for (int64_t i = 0; i < whole; i += LANES) {
        vec x = load(row + i);
        low = smaller(low, x), high = larger(high, x);
        sizes = larger_whole(sizes, (ivec)x & without_sign);
    }
    float bottom = 0, top = 0;
    int32_t size = 0;
    for (int64_t i = whole; i < count; i++) {
        int32_t bits;
        memcpy(&bits, row + i, sizeof bits);
        bits &= without_sign;
        if (row[i] < bottom) bottom = row[i];
        if (row[i] > top) top = row[i];
        if (bits > size) size = bits;
    }
    for (int j = 0; j < LANES; j++) {
        if (low[j] < bottom) bottom = low[j];
        if (high[j] > top) top = high[j];
        if (sizes[j] > size) size = sizes[j];
    }
    *least = bottom, *most = size < infinity_bits ? top : __builtin_nanf("");
}

static void encode_row(const float *row, int64_t count, float inverse, int32_t zero, uint8_t *codes) {
    int64_t whole = count / LANES * LANES;
    for (int64_t i = 0; i < whole; i += LANES) {
        codes_vec c = encoded(load(row + i), inverse, zero);
        memcpy(codes + i, &c, sizeof c);
    }
    if (whole == count) return;
    store_first_codes(codes + whole, encoded(load_first(row + whole, count - whole), inverse, zero), count - whole);
}

static void round_row(const float *row, int64_t count, uint16_t *halves) {
    int64_t whole = count / LANES * LANES;
    for (int64_t i = 0; i < whole; i += LANES) store_halves(halves + i, load(row + i));
    if (whole == count) return;
    store_first_halves(halves + whole, ROUNDED_TO_HALVES(load_first(row + whole, count - whole)), count - whole);
}

INLINE codes_vec encoded_halves(const uint16_t *row, float inverse) {
    vec x = load_halves(row) * inverse;
    return __builtin_convertvector(rounded(larger(x, (vec){0})), codes_vec);
}

static void encode_halves_row(const uint16_t *row, int64_t count, float inverse, uint8_t *codes) {
    int64_t whole = count / LANES * LANES;
    for (int64_t i = 0; i < whole; i += LANES) {
        codes_vec c = encoded_halves(row + i, inverse);
        memcpy(codes + i, &c, sizeof c);
    }
    if (whole == count) return;
    uint16_t rest[LANES] = {0};
    memcpy(rest, row + whole, (count - whole) * sizeof *rest);
    store_first_codes(codes + whole, encoded_halves(rest, inverse), count - whole);
}
