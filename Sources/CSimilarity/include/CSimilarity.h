#pragma once
#include <stddef.h>
#include <stdint.h>

/// What the scan of a gallery computes. Rows are 64-byte aligned and padded with zeros to whole cache lines, so no loop over
/// one has a tail. On x86-64 the widest instructions that the machine has are taken; sums of integers are exact with any.

/// out[i] = query · rows[i], exactly. `width` (in elements) is a multiple of 64; the caller keeps
/// width · max|query| · max|rows| within 32 bits.
void similarity_codes(const int16_t *query, const int8_t *rows, size_t count, size_t width, int32_t *out);

/// The same for four queries, one after the other, in one pass over the rows: out[q·count + i] = queries[q] · rows[i].
/// `instructions` is at most what `similarity_instructions` gives.
void similarity_codes_of_four(
    int instructions, const int16_t *queries, const int8_t *rows, size_t count, size_t width, int32_t *out);

/// Which instructions the machine has: 2 for AVX-512 with VNNI, 1 for AVX2, 0 for others.
int similarity_instructions(void);

/// What scores a row's product of codes becomes: scale · row's scale · product, and what that may be wrong by, which is
/// by_norm · row's norm + by_residual · row's residual.
struct similarity_error {
    float scale, by_norm, by_residual;
};

/// Bounds of rows' scores from the products of their codes: lower[i] ≤ score ≤ upper[i].
void similarity_bounds(
    const int32_t *products, const float *scales, const float *norms, const float *residuals, size_t count,
    struct similarity_error error, float *lower, float *upper);

/// Codes of a vector: scale · codes[i] ≈ vector[i], |codes[i]| ≤ 127. Gives the scale, which is 0 for zeros, and in `squares`
/// the sum of the squares of what is left.
float similarity_quantise(const float *vector, size_t count, int8_t *codes, double *squares);

/// The sum of the squares. The order of summation depends on `count` alone.
double similarity_squares(const float *vector, size_t count);

/// query · row. `width` (in elements) is a multiple of 16. The order of summation depends on `width` alone, so equal
/// rows have equal products wherever they lie.
float similarity_product(const float *query, const float *row, size_t width);
