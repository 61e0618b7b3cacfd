// How rows of floats become narrow.

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
    float rest[LANES] = {0};
    memcpy(rest, row + whole, (count - whole) * sizeof(float));
    codes_vec c = encoded(load(rest), inverse, zero);
    memcpy(codes + whole, &c, count - whole);
}

static void round_row(const float *row, int64_t count, uint16_t *halves) {
    int64_t whole = count / LANES * LANES;
    for (int64_t i = 0; i < whole; i += LANES) store_halves(halves + i, load(row + i));
    if (whole == count) return;
    float rest[LANES] = {0};
    memcpy(rest, row + whole, (count - whole) * sizeof(float));
    halves_vec h = ROUNDED_TO_HALVES(load(rest));
    memcpy(halves + whole, &h, (count - whole) * sizeof(uint16_t));
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
    codes_vec c = encoded_halves(rest, inverse);
    memcpy(codes + whole, &c, count - whole);
}
