// One tile of a product. Everything but the loops over taps and elements is unrolled, so that the sums stay in registers.

#define UNROLLED _Pragma("clang loop unroll(full)") for

/// Adds the products of one element of each row to the sums.
INLINE void add_element(const float *const *taps, int64_t i, const float *weights, const int rows, const int registers,
                        vec sums[tile_rows][PANEL_REGISTERS]) {
    vec w[PANEL_REGISTERS];
    UNROLLED (int j = 0; j < registers; j++) w[j] = load(weights + j * LANES);
    UNROLLED (int r = 0; r < rows; r++) {
        vec value = all(taps[r][i]);
        UNROLLED (int j = 0; j < registers; j++) sums[r][j] += value * w[j];
    }
}

INLINE void add_products(const float *const *taps, int64_t tap_count, int64_t run, const float *weights, const int rows,
                         const int registers, vec sums[tile_rows][PANEL_REGISTERS]) {
    for (int64_t tap = 0; tap < tap_count; tap++, taps += tile_rows)
        for (int64_t i = 0; i < run; i++, weights += registers * LANES)
            add_element(taps, i, weights, rows, registers, sums);
}

INLINE void product_of(const tile *t, const int rows, const int registers) {
    vec sums[tile_rows][PANEL_REGISTERS];
    UNROLLED (int r = 0; r < rows; r++)
        UNROLLED (int j = 0; j < registers; j++) {
            sums[r][j] = t->bias ? load(t->bias + j * LANES) : (vec){0};
            // The sums take longer than memory does.
            __builtin_prefetch(t->y + r * t->y_step + j * LANES, 1);
            if (t->addend) __builtin_prefetch(t->addend + r * t->y_step + j * LANES);
        }
    add_products(t->taps, t->tap_count, t->run, t->weights, rows, registers, sums);
    UNROLLED (int r = 0; r < rows; r++)
        UNROLLED (int j = 0; j < registers; j++) {
            if (t->addend) sums[r][j] += load(t->addend + r * t->y_step + j * LANES);
            if (t->activation == ck_relu) sums[r][j] = larger(sums[r][j], (vec){0});
            store(t->y + r * t->y_step + j * LANES, sums[r][j]);
        }
}

static void product(const tile *t, int rows, int registers) {
#define CASE(r, j) case (r) * 8 + (j): return product_of(t, r, j);
#define CASES(j) CASE(1, j) CASE(2, j) CASE(3, j) CASE(4, j) CASE(5, j) CASE(6, j)
    switch (rows * 8 + registers) {
        CASES(1)
        CASES(2)
#if PANEL_REGISTERS == 4
        CASES(3)
        CASES(4)
#endif
    }
#undef CASES
#undef CASE
}

/// Rows of whole registers, in place.
static void gelu_of_rows(int rows, int64_t width, float *y, int64_t step) {
    for (int r = 0; r < rows; r++, y += step)
        for (int64_t i = 0; i < width; i += LANES) store(y + i, gelu(load(y + i)));
}
