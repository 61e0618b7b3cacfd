// One tile of a product of narrow numbers. The including file defines
//   SUMS, the type of the sums' registers,
//   add_word(SUMS sum, ivec x, ivec w), which adds a word's products in each lane,
//   finished(sum, tile, row, at), the floats that the sums of a register stand for,
//   NARROW_PRODUCT, the kernel's name,
//   HAS_MAPS, 1 if a tile may be one of a map.

/// Of the words `from` to `to` of a tap.
INLINE void CONCATENATED(NARROW_PRODUCT, _add)(const float *const *taps, int64_t from, int64_t to, const float *weights,
                                               const float *ahead, int64_t ahead_step, const int rows,
                                               const int registers, SUMS sums[tile_rows][PANEL_REGISTERS]) {
    for (int64_t i = from; i < to; i++) {
        const float *row = weights + i * registers * LANES;
        __builtin_prefetch(ahead + i * ahead_step, 0, 2);
        ivec w[PANEL_REGISTERS];
        UNROLLED (int j = 0; j < registers; j++) w[j] = load_words(row + j * LANES);
        UNROLLED (int r = 0; r < rows; r++) {
            ivec x = all_words(taps[r] + i);
            UNROLLED (int j = 0; j < registers; j++) sums[r][j] = add_word(sums[r][j], x, w[j]);
        }
    }
}

#if HAS_MAPS
/// A row's results, and what is added to them, are asked for: both lines of a panel's.
INLINE void CONCATENATED(NARROW_PRODUCT, _ask)(const map_results *m, int64_t row) {
    enum { line_halves = 32 };
    const int64_t last = row + (PANEL_REGISTERS * LANES > line_halves ? line_halves : 0);
    __builtin_prefetch(m->halves + row, 1);
    __builtin_prefetch(m->halves + last, 1);
    if (!m->residual) return;
    __builtin_prefetch(m->residual + row);
    __builtin_prefetch(m->residual + last);
}

/// `floor` is what results are at least.
INLINE void CONCATENATED(NARROW_PRODUCT, _store_map)(const narrow_tile *t, const uint16_t *residual, const int rows,
                                                     const int registers, vec floor,
                                                     SUMS sums[tile_rows][PANEL_REGISTERS]) {
    // Copies, which stores cannot change.
    const map_results m = *t->map;
    float *const y = t->y;
    const float *const scales = t->scales, *const biases = t->bias;
    const int64_t step = t->y_step;
    vec most = load(m.most);
    UNROLLED (int j = 0; j < registers; j++) {
        vec scale = m.scale * load(scales + j * LANES), bias = load(biases + j * LANES);
        UNROLLED (int r = 0; r < rows; r++) {
            int64_t at = r * step + j * LANES;
            vec value = __builtin_convertvector(sums[r][j], vec) * scale + bias;
            if (residual) value += load_halves(residual + at);
            value = larger(value, floor);
            most = larger(value, most);
            if (y)
                store(y + at, value);
            else
                store_halves(m.halves + at, value);
        }
    }
    store(m.most, most);
}

INLINE void CONCATENATED(NARROW_PRODUCT, _map)(const narrow_tile *t, const int rows, const int registers,
                                               SUMS sums[tile_rows][PANEL_REGISTERS]) {
    const vec floor = all(t->activation == ck_relu ? 0 : -__builtin_inff());
    if (t->map->residual)
        CONCATENATED(NARROW_PRODUCT, _store_map)(t, t->map->residual, rows, registers, floor, sums);
    else
        CONCATENATED(NARROW_PRODUCT, _store_map)(t, NULL, rows, registers, floor, sums);
}
#endif

INLINE void CONCATENATED(NARROW_PRODUCT, _of)(const narrow_tile *t, const int rows, const int registers) {
    // The lines of the results are asked for before the last of a run: earlier, weights would push them out again.
    enum { last_words = 32 };
    SUMS sums[tile_rows][PANEL_REGISTERS];
    UNROLLED (int r = 0; r < rows; r++)
        UNROLLED (int j = 0; j < registers; j++) sums[r][j] = (SUMS){0};
    const float *const *taps = t->taps, *weights = t->weights, *ahead = t->ahead;
    for (int64_t tap = 1; tap < t->tap_count; tap++, taps += tile_rows, weights += t->run * registers * LANES) {
        CONCATENATED(NARROW_PRODUCT, _add)(taps, 0, t->run, weights, ahead, t->ahead_step, rows, registers, sums);
        ahead += t->run * t->ahead_step;
    }
    int64_t done = t->run > last_words ? t->run - last_words : 0;
    CONCATENATED(NARROW_PRODUCT, _add)(taps, 0, done, weights, ahead, t->ahead_step, rows, registers, sums);
#if HAS_MAPS
    if (t->map) {
        UNROLLED (int r = 0; r < rows; r++) CONCATENATED(NARROW_PRODUCT, _ask)(t->map, r * t->y_step);
        CONCATENATED(NARROW_PRODUCT, _add)(taps, done, t->run, weights, ahead, t->ahead_step, rows, registers, sums);
        return CONCATENATED(NARROW_PRODUCT, _map)(t, rows, registers, sums);
    }
#endif
    for (int r = 0; r < rows; r++)
        UNROLLED (int j = 0; j < registers; j++) {
            __builtin_prefetch(t->y + r * t->y_step + j * LANES, 1);
            if (t->addend) __builtin_prefetch(t->addend + r * t->y_step + j * LANES);
        }
    CONCATENATED(NARROW_PRODUCT, _add)(taps, done, t->run, weights, ahead, t->ahead_step, rows, registers, sums);
    // Copies, which stores cannot change.
    const narrow_tile own = *t;
    const bool is_relu = own.activation == ck_relu;
    UNROLLED (int j = 0; j < registers; j++) {
        const vec bias = load(own.bias + j * LANES);
        UNROLLED (int r = 0; r < rows; r++) {
            vec value = finished(sums[r][j], &own, r, j * LANES) + bias;
            if (own.addend) value += load(own.addend + r * own.y_step + j * LANES);
            if (is_relu) value = larger(value, (vec){0});
            store(own.y + r * own.y_step + j * LANES, value);
        }
    }
}

void NARROW_PRODUCT(const narrow_tile *t, int rows, int registers) {
#define CASE(r, j) case (r) * 8 + (j): return CONCATENATED(NARROW_PRODUCT, _of)(t, r, j);
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

#undef SUMS
#undef NARROW_PRODUCT
#undef HAS_MAPS
#undef add_word
#undef finished
