// Softmax of the rows of a head's scores.

static void softmax(int rows, int64_t count, int64_t step, float scale, const float *mask, float *row) {
    for (int r = 0; r < rows; r++, row += step) {
        int64_t whole = count / LANES * LANES;
        float most = -__builtin_inff();
        vec largest = all(most);
        for (int64_t i = 0; i < whole; i += LANES) {
            vec v = load(row + i) * scale;
            if (mask) v += load(mask + i);
            store(row + i, v);
            largest = larger(largest, v);
        }
        for (int64_t i = whole; i < count; i++) {
            row[i] = row[i] * scale + (mask ? mask[i] : 0);
            if (row[i] > most) most = row[i];
        }
        for (int j = 0; j < LANES; j++)
            if (largest[j] > most) most = largest[j];
        vec sums = {0};
        // Past the end there is room for a whole register.
        for (int64_t i = 0; i < count; i += LANES) {
            vec e = exponential(load(row + i) - most);
            store(row + i, e);
            if (i < whole) sums += e;
        }
        float sum = 0;
        for (int64_t i = whole; i < count; i++) sum += row[i];
        for (int j = 0; j < LANES; j++) sum += sums[j];
        float inverse = 1 / sum;
        for (int64_t i = 0; i < count; i += LANES) store(row + i, load(row + i) * inverse);
    }
}
