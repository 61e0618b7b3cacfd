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

/// Where the elements end before whose products the results' lines are asked for. Earlier, and the weights that pass through
/// the first-level cache push them out again; the few products left take longer than memory does.
INLINE int64_t early_end(int64_t run) { return run > 32 ? run - 32 : 0; }

/// Of the elements `from` to `to` of a tap.
INLINE void add_products(const float *const *taps, int64_t from, int64_t to, const float *weights, const float *ahead,
                         const int rows, const int registers, vec sums[tile_rows][PANEL_REGISTERS]) {
    const int64_t width = registers * LANES;
    if (ahead)
        for (int64_t i = from; i < to; i++) {
            __builtin_prefetch(ahead + i * 16, 0, 2);
            add_element(taps, i, weights + i * width, rows, registers, sums);
        }
    else
        for (int64_t i = from; i < to; i++) add_element(taps, i, weights + i * width, rows, registers, sums);
}

INLINE void product_of(const tile *t, const int rows, const int registers) {
    vec sums[tile_rows][PANEL_REGISTERS];
    UNROLLED (int r = 0; r < rows; r++)
        UNROLLED (int j = 0; j < registers; j++) {
            sums[r][j] = t->bias ? load(t->bias + j * LANES) : (vec){0};
        }
    const int64_t last = t->tap_count - 1, early = early_end(t->run);
    const float *const *taps = t->taps, *weights = t->weights, *ahead = t->ahead;
    for (int64_t tap = 0; tap < last; tap++) {
        add_products(taps, 0, t->run, weights, ahead, rows, registers, sums);
        taps += tile_rows, weights += t->run * registers * LANES;
        if (ahead) ahead += t->run * 16;
    }
    add_products(taps, 0, early, weights, ahead, rows, registers, sums);
    UNROLLED (int r = 0; r < rows; r++)
        UNROLLED (int j = 0; j < registers; j++) {
            __builtin_prefetch(t->y + r * t->y_step + j * LANES, 1);
            if (t->addend) __builtin_prefetch(t->addend + r * t->y_step + j * LANES);
        }
    add_products(taps, early, t->run, weights, ahead, rows, registers, sums);
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
