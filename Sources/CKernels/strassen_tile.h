// Strassen's products and sums of blocks.

INLINE vec sum_at(const block_sum *sum, int64_t i) {
    vec a = load(sum->a + i), b = load(sum->b + i);
    // Not sign·a + b: that would take a unit that multiplies.
    return b + (vec)((ivec)a ^ (sum->is_difference ? INT32_MIN : 0));
}

static void add_blocks(int64_t count, const block_sum *sum) {
    for (int64_t i = 0; i < count; i += LANES) store(sum->y + i, sum_at(sum, i));
}

static void strassen_sums(int64_t count, const float *const a[4], float *const s[4]) {
    for (int64_t i = 0; i < count; i += LANES) {
        vec a11 = load(a[0] + i), a21 = load(a[2] + i), s1 = a21 + load(a[3] + i), s2 = s1 - a11;
        store(s[0] + i, s1);
        store(s[1] + i, s2);
        store(s[2] + i, a11 - a21);
        store(s[3] + i, load(a[1] + i) - s2);
    }
}

/// Asks for the lines where a row's results go and what is added to them.
INLINE void prefetch_strassen_results(const strassen_tile *t, int r) {
    enum { width = PANEL_REGISTERS * LANES };
    UNROLLED (int j = 0; j < PANEL_REGISTERS; j++) {
        int64_t at = j * LANES;
        for (int i = 0; i < 2 && t->kept[i]; i++) __builtin_prefetch(t->kept[i] + r * width + at, 1);
        if (!t->y) continue;
        __builtin_prefetch(t->partial + r * width + at);
        __builtin_prefetch(t->y[r] + at, 1);
        if (t->residual) __builtin_prefetch(t->residual[r] + at);
    }
}

/// Of the elements `from` to `to`, with their share of what is done besides.
INLINE void add_strassen_products(const strassen_tile *t, int64_t from, int64_t to, const int rows,
                                  vec sums[tile_rows][PANEL_REGISTERS]) {
    const block_sum sum = t->sum;
    if (!sum.y) return add_products(t->taps, from, to, t->weights, t->ahead, rows, PANEL_REGISTERS, sums);
    for (int64_t i = from; i < to; i++) {
        add_element(t->taps, i, t->weights + i * PANEL_REGISTERS * LANES, rows, PANEL_REGISTERS, sums);
        store(sum.y + i * LANES, sum_at(&sum, i * LANES));
    }
}

/// The results that are complete with a product. What is curved takes them from memory: for registers it would have to be
/// unrolled.
INLINE void finish(const strassen_tile *t, const int rows, vec sums[tile_rows][PANEL_REGISTERS]) {
    enum { width = PANEL_REGISTERS * LANES };
    float values[tile_rows * width];
    UNROLLED (int r = 0; r < rows; r++)
        UNROLLED (int j = 0; j < PANEL_REGISTERS; j++) {
            vec sum = sums[r][j] + load(t->partial + r * width + j * LANES) + load(t->bias + j * LANES);
            if (t->residual) sum += load(t->residual[r] + j * LANES);
            if (t->activation == ck_relu) sum = larger(sum, (vec){0});
            store((t->activation >= ck_gelu ? values + r * width : t->y[r]) + j * LANES, sum);
        }
    if (t->activation == ck_gelu)
        for (int r = 0; r < rows; r++)
            for (int j = 0; j < width; j += LANES) store(t->y[r] + j, gelu(load(values + r * width + j)));
    if (t->activation == ck_quick_gelu)
        for (int r = 0; r < rows; r++)
            for (int j = 0; j < width; j += LANES) store(t->y[r] + j, quick_gelu(load(values + r * width + j)));
}

INLINE void strassen_product_of(const strassen_tile *t, const int rows) {
    enum { width = PANEL_REGISTERS * LANES };
    vec sums[tile_rows][PANEL_REGISTERS] = {0};
    const int64_t few = few_products(t->run, rows);
    int64_t done = t->run - few * (rows + 1);
    add_strassen_products(t, 0, done, rows, sums);
    for (int r = 0; r < rows; r++, done += few) {
        prefetch_strassen_results(t, r);
        add_strassen_products(t, done, done + few, rows, sums);
    }
    add_strassen_products(t, done, t->run, rows, sums);
    for (int i = 0; i < 2 && t->kept[i]; i++)
        UNROLLED (int r = 0; r < rows; r++)
            UNROLLED (int j = 0; j < PANEL_REGISTERS; j++) {
                vec sum = sums[r][j];
                if (t->added[i]) sum += load(t->added[i] + r * width + j * LANES);
                store(t->kept[i] + r * width + j * LANES, sum);
            }
    if (t->y) finish(t, rows, sums);
}

static void strassen_product(const strassen_tile *t, int rows) {
    switch (rows) {
        case 1: return strassen_product_of(t, 1);
        case 2: return strassen_product_of(t, 2);
        case 3: return strassen_product_of(t, 3);
        case 4: return strassen_product_of(t, 4);
        case 5: return strassen_product_of(t, 5);
        case 6: return strassen_product_of(t, 6);
    }
}
