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

/// The elements whose products are made between asking for the lines of one row of results and for the next row's, all of
/// them the last of the run: earlier, the weights that pass through the first-level cache would push the lines out again;
/// faster, the weights themselves would wait for the lines.
INLINE int64_t few_products(int64_t run, const int rows) {
    enum { most = 16 };
    return run < most * (rows + 1) ? run / (rows + 1) : most;
}

/// Of the elements `from` to `to` of a tap.
INLINE void add_products(const float *const *taps, int64_t from, int64_t to, const float *weights, const float *ahead,
                         const int rows, const int registers, vec sums[tile_rows][PANEL_REGISTERS]) {
    const int64_t width = registers * LANES;
    if (ahead)
        for (int64_t i = from; i < to; i++) {
            __builtin_prefetch(ahead + i * line_floats, 0, 2);
            add_element(taps, i, weights + i * width, rows, registers, sums);
        }
    else
        for (int64_t i = from; i < to; i++) add_element(taps, i, weights + i * width, rows, registers, sums);
}

/// Asks for the lines where a row's results go and what is added to them.
INLINE void prefetch_results(const tile *t, int r, const int registers) {
    UNROLLED (int j = 0; j < registers; j++) {
        __builtin_prefetch(t->y + r * t->y_step + j * LANES, 1);
        if (t->addend) __builtin_prefetch(t->addend + r * t->y_step + j * LANES);
    }
}

INLINE void product_of(const tile *t, const int rows, const int registers) {
    vec sums[tile_rows][PANEL_REGISTERS];
    UNROLLED (int r = 0; r < rows; r++)
        UNROLLED (int j = 0; j < registers; j++) sums[r][j] = t->bias ? load(t->bias + j * LANES) : (vec){0};
    const int64_t last = t->tap_count - 1, few = few_products(t->run, rows);
    const float *const *taps = t->taps, *weights = t->weights, *ahead = t->ahead;
    for (int64_t tap = 0; tap < last; tap++) {
        add_products(taps, 0, t->run, weights, ahead, rows, registers, sums);
        taps += tile_rows, weights += t->run * registers * LANES;
        if (ahead) ahead += t->run * line_floats;
    }
    int64_t done = t->run - few * (rows + 1);
    add_products(taps, 0, done, weights, ahead, rows, registers, sums);
    for (int r = 0; r < rows; r++, done += few) {
        prefetch_results(t, r, registers);
        add_products(taps, done, done + few, weights, ahead, rows, registers, sums);
    }
    add_products(taps, done, t->run, weights, ahead, rows, registers, sums);
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

static void quick_gelu_of_rows(int rows, int64_t width, float *y, int64_t step) {
    for (int r = 0; r < rows; r++, y += step)
        for (int64_t i = 0; i < width; i += LANES) store(y + i, quick_gelu(load(y + i)));
}
