#pragma once
#include <stddef.h>
#include <stdint.h>

/// Inner products for the scan of a gallery. Rows are 64-byte aligned and padded with zeros to whole cache lines, so
/// no loop has a tail. On x86-64 the loader picks the widest instructions that the machine has.

/// out[i] = query · rows[i], exactly. `width` (in elements) is a multiple of 64; the caller keeps
/// width · max|query| · max|rows| within 32 bits.
void similarity_codes(const int16_t *query, const int8_t *rows, size_t count, size_t width, int32_t *out);

/// The same for four queries, one after the other, in one pass over the rows: out[q·count + i] = queries[q] · rows[i].
void similarity_codes_of_four(const int16_t *queries, const int8_t *rows, size_t count, size_t width, int32_t *out);

/// query · row. `width` (in elements) is a multiple of 16. The order of summation depends on `width` alone, so equal
/// rows have equal products wherever they lie.
float similarity_product(const float *query, const float *row, size_t width);
