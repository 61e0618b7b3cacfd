#include "include/CSimilarity.h"
#include "widest.h"
#include <math.h>

/// Sixteen partial sums: enough to fill the widest registers, and a fixed order of summation.
enum { lanes = 16 };

WIDEST
void similarity_codes(const int16_t *query, const int8_t *rows, size_t count, size_t width, int32_t *out) {
    for (size_t i = 0; i < count; i++) {
        const int8_t *row = rows + i * width;
        int32_t sum = 0;
        for (size_t j = 0; j < width; j++) sum += (int32_t)query[j] * row[j];
        out[i] = sum;
    }
}

WIDEST
void similarity_bounds(
    const int32_t *products, const float *scales, const float *norms, const float *residuals, size_t count,
    struct similarity_error error, float *lower, float *upper) {
    for (size_t i = 0; i < count; i++) {
        float middle = error.scale * scales[i] * (float)products[i];
        float width = error.by_norm * norms[i] + error.by_residual * residuals[i];
        lower[i] = middle - width;
        upper[i] = middle + width;
    }
}

WIDEST
float similarity_quantise(const float *vector, size_t count, int8_t *codes, double *squares) {
    float largest[lanes] = {0};
    size_t whole = count / lanes * lanes;
    for (size_t i = 0; i < whole; i += lanes)
        for (size_t lane = 0; lane < lanes; lane++) {
            float size = fabsf(vector[i + lane]);
            largest[lane] = size > largest[lane] ? size : largest[lane];
        }
    for (size_t i = whole; i < count; i++) largest[0] = fmaxf(largest[0], fabsf(vector[i]));
    for (size_t lane = 1; lane < lanes; lane++) largest[0] = fmaxf(largest[0], largest[lane]);
    float scale = largest[0] / 127, steps = scale > 0 ? 1 / scale : 0;
    double sums[lanes] = {0};
    for (size_t i = 0; i < count; i++) {
        // Of a scale of few bits the quotient may be a little more than 127.
        float code = fminf(fmaxf(nearbyintf(vector[i] * steps), -127), 127);
        codes[i] = (int8_t)code;
    }
    for (size_t i = 0; i < whole; i += lanes)
        for (size_t lane = 0; lane < lanes; lane++) {
            double rest = (double)vector[i + lane] - (double)scale * codes[i + lane];
            sums[lane] += rest * rest;
        }
    for (size_t i = whole; i < count; i++) {
        double rest = (double)vector[i] - (double)scale * codes[i];
        sums[0] += rest * rest;
    }
    *squares = 0;
    for (size_t lane = 0; lane < lanes; lane++) *squares += sums[lane];
    return scale;
}

WIDEST
double similarity_squares(const float *vector, size_t count) {
    double sums[lanes] = {0};
    size_t whole = count / lanes * lanes;
    for (size_t i = 0; i < whole; i += lanes)
        for (size_t lane = 0; lane < lanes; lane++) sums[lane] += (double)vector[i + lane] * vector[i + lane];
    for (size_t i = whole; i < count; i++) sums[0] += (double)vector[i] * vector[i];
    double sum = 0;
    for (size_t lane = 0; lane < lanes; lane++) sum += sums[lane];
    return sum;
}

WIDEST
float similarity_product(const float *query, const float *row, size_t width) {
    float sums[lanes] = {0};
    for (size_t j = 0; j < width; j += lanes)
        for (size_t lane = 0; lane < lanes; lane++) sums[lane] += query[j + lane] * row[j + lane];
    float sum = 0;
    for (size_t lane = 0; lane < lanes; lane++) sum += sums[lane];
    return sum;
}
