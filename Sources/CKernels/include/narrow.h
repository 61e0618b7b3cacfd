/// Products of narrow numbers: codes of 8 bits, or bfloat16, with the sums in 32 bits.
///
/// Both are read in words of 32 bits: four codes, or two bfloat16s, of one row that follow one another. Windows are those of
/// CKernels.h, with words for elements. Sums of codes are exact and the same on every machine. Sums of bfloat16 products
/// are made in one order everywhere, each product exact; the processor's own instruction takes numbers below 1.2e-38 for 0.
#ifndef TRIPTYCH_NARROW_H
#define TRIPTYCH_NARROW_H

#include <stdbool.h>
#include <stdint.h>

#include "CKernels.h"

typedef enum {
    /// Weights from -127 to 127 with a scale for each output; inputs from 0 to 255 with a scale and a zero point.
    ck_int8 = 0,
    ck_bfloat16 = 1
} ck_precision;

/// Whether this processor multiplies so itself: AVX-512 with VNNI, or with BF16. If not, it takes more instructions.
bool ck_is_native(ck_precision precision);

/// Words of so many elements; the last one is filled up with zeros.
int64_t ck_words(ck_precision precision, int64_t elements);

/// Rows of floats as rows of words. Codes have for each row, or where `is_whole` for each group of `rows`, a scale and a zero
/// point: x ≈ scale · (code - zero), where 0 is a code. In a group zero is 0, and what is negative becomes 0. A row with an
/// infinity or a NaN has one for its scale. `scales` and `zeros` are not written for bfloat16.
typedef struct {
    ck_precision precision;
    int64_t groups, rows, width;
    bool is_whole;
} ck_narrowing;
void ck_narrow(const ck_narrowing *sizes, const float *x, uint32_t *words, float *scales, int32_t *zeros);

/// The weights of a product: `elements` of each tap, which in `windows->run` are words.
typedef struct {
    ck_precision precision;
    const ck_windows *windows;
    int64_t outputs, elements;
} ck_narrow_layer;

/// Words that the packed weights take.
int64_t ck_narrow_packed_count(const ck_narrow_layer *layer);
/// Packs weights, and a bias of `outputs` elements or NULL. Codes are weights divided by their output's scale, rounded;
/// `scales` is not read for bfloat16. `packed` is 64-byte aligned.
void ck_narrow_pack(const ck_narrow_layer *layer, const float *weights, ck_weight_steps steps, const float *scales,
                    const float *bias, uint32_t *packed);

/// What a product reads: words, and for codes the scale and the zero point of every `rows_per_scale` result pixels.
typedef struct {
    const uint32_t *words;
    const float *scales;
    const int32_t *zeros;
    int64_t rows_per_scale;
} ck_narrow_input;

/// y = activation(windows(x) · weights + bias + residual), as `ck_product`.
void ck_narrow_product(const ck_narrow_layer *layer, const ck_narrow_input *x, const uint32_t *packed,
                       const float *residual, ck_activation activation, float *y);

/// As `ck_attention`, with queries, keys, values and probabilities in bfloat16; the softmax has float32s. `scratch`, 64-byte
/// aligned, has `ck_narrow_attention_scratch` floats on the calling thread.
void ck_narrow_attention(int64_t batch, int64_t tokens, int64_t heads, int64_t width, float scale, const float *qkv,
                         const float *mask, float *scratch, float *y);
int64_t ck_narrow_attention_scratch(int64_t tokens, int64_t width);

#endif
