// Winograd's transforms F(2×2, 3×3) (Lavin and Gray, 2016, section 4.1), a register of channels at a time.

static void winograd_input(const float *const *patch, int64_t channels, float *y, int64_t step) {
    for (int64_t c = 0; c < channels; c += LANES) {
        vec rows[4][4];  // Bᵀ·d
        UNROLLED (int j = 0; j < 4; j++) {
            vec d0 = load(patch[j] + c), d1 = load(patch[4 + j] + c), d2 = load(patch[8 + j] + c);
            vec d3 = load(patch[12 + j] + c);
            rows[0][j] = d0 - d2, rows[1][j] = d1 + d2, rows[2][j] = d2 - d1, rows[3][j] = d1 - d3;
        }
        UNROLLED (int i = 0; i < 4; i++) {
            float *to = y + 4 * i * step + c;
            store(to, rows[i][0] - rows[i][2]);
            store(to + step, rows[i][1] + rows[i][2]);
            store(to + 2 * step, rows[i][2] - rows[i][1]);
            store(to + 3 * step, rows[i][1] - rows[i][3]);
        }
    }
}

static void winograd_output(const float *m, int64_t step, int64_t channels, const float *bias,
                            const float *const *addend, int is_relu, float *const *y) {
    for (int64_t c = 0; c < channels; c += LANES) {
        vec rows[2][4];  // Aᵀ·m
        UNROLLED (int j = 0; j < 4; j++) {
            const float *from = m + j * step + c;
            vec m0 = load(from), m1 = load(from + 4 * step), m2 = load(from + 8 * step), m3 = load(from + 12 * step);
            rows[0][j] = m0 + m1 + m2, rows[1][j] = m1 - m2 - m3;
        }
        vec b = load(bias + c);
        UNROLLED (int i = 0; i < 2; i++) {
            vec pixels[2] = {rows[i][0] + rows[i][1] + rows[i][2] + b, rows[i][1] - rows[i][2] - rows[i][3] + b};
            UNROLLED (int j = 0; j < 2; j++) {
                if (!y[2 * i + j]) continue;
                if (addend) pixels[j] += load(addend[2 * i + j] + c);
                if (is_relu) pixels[j] = larger(pixels[j], (vec){0});
                store(y[2 * i + j] + c, pixels[j]);
            }
        }
    }
}
