// Strassen's products and sums of blocks.

INLINE void strassen_product_of(const strassen_tile *t, const int rows) {
    enum { width = PANEL_REGISTERS * LANES };
    vec sums[tile_rows][PANEL_REGISTERS] = {0};
    if (t->y)
        UNROLLED (int r = 0; r < rows; r++)
            UNROLLED (int j = 0; j < PANEL_REGISTERS; j++) {
                __builtin_prefetch(t->y[r] + j * LANES, 1);
                if (t->residual) __builtin_prefetch(t->residual[r] + j * LANES);
            }
    if (t->sum.y)
        for (int64_t i = 0; i < t->run; i++) {
            add_element(t->taps, i, t->weights + i * width, rows, PANEL_REGISTERS, sums);
            int64_t at = i * LANES;
            store(t->sum.y + at, t->sum.sign * load(t->sum.a + at) + load(t->sum.b + at));
        }
    else
        add_products(t->taps, 1, t->run, t->weights, rows, PANEL_REGISTERS, sums);
    for (int i = 0; i < 2 && t->kept[i]; i++)
        UNROLLED (int r = 0; r < rows; r++)
            UNROLLED (int j = 0; j < PANEL_REGISTERS; j++) {
                vec sum = sums[r][j];
                if (t->added[i]) sum += load(t->added[i] + r * width + j * LANES);
                store(t->kept[i] + r * width + j * LANES, sum);
            }
    if (!t->y) return;
    UNROLLED (int r = 0; r < rows; r++)
        UNROLLED (int j = 0; j < PANEL_REGISTERS; j++) {
            vec sum = sums[r][j] + load(t->partial + r * width + j * LANES) + load(t->bias + j * LANES);
            if (t->residual) sum += load(t->residual[r] + j * LANES);
            if (t->activation == ck_relu) sum = larger(sum, (vec){0});
            store(t->y[r] + j * LANES, sum);
        }
    if (t->activation == ck_gelu)
        for (int r = 0; r < rows; r++) gelu_of_rows(1, width, t->y[r], 0);
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

static void add_blocks(int64_t count, float sign, const float *a, const float *b, float *y) {
    for (int64_t i = 0; i < count; i += LANES) store(y + i, sign * load(a + i) + load(b + i));
}
