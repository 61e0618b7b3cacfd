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

/// Rows of floats as rows of words. Codes have for each row a scale and a zero point: x ≈ scale · (code - zero), where 0 is a
/// code. A row with an infinity or a NaN has one for its scale. `scales` and `zeros` are not written for bfloat16.
typedef struct {
    ck_precision precision;
    int64_t rows, width;
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

/// What a product reads: words, and for codes, whose windows are rows, the scale and the zero point of each.
typedef struct {
    const uint32_t *words;
    const float *scales;
    const int32_t *zeros;
} ck_narrow_input;

/// y = activation(windows(x) · weights + bias + residual), as `ck_product`.
void ck_narrow_product(const ck_narrow_layer *layer, const ck_narrow_input *x, const uint32_t *packed,
                       const float *residual, ck_activation activation, float *y);

/// Maps of images between convolutions of codes: bfloat16s [batch, height, width, channels], and of each image the largest
/// number, as the bits of a float32 that is not negative.
typedef struct {
    int64_t batch, height, width, channels;
    const uint16_t *halves;
    const uint32_t *most;
} ck_map;

/// From `count` floats an image; and back.
void ck_map_round(int64_t batch, int64_t count, const float *x, uint16_t *halves, uint32_t *most);
void ck_map_widen(int64_t count, const uint16_t *halves, float *y);

/// The codes of a map, with an edge of `padding` pixels of zeros, in whole words a pixel: [batch, height + 2·padding,
/// width + 2·padding, words]. x ≈ scale · code with a scale for each image: its largest number over 255. What is negative
/// becomes 0; an image with an infinity has NaN for its scale.
void ck_map_encode(const ck_map *map, int64_t padding, uint32_t *codes, float *scales);

/// Where the results of a convolution of codes go: bfloat16s, or floats where `halves` is NULL, and each image's largest. `residual`,
/// bfloat16s that lie as the results do, may be NULL. The activation is none or ReLU.
typedef struct {
    const uint16_t *residual;
    ck_activation activation;
    uint16_t *halves;
    float *floats;
    uint32_t *most;
} ck_map_results;

/// activation(windows(codes) · weights + bias + residual), for int8 weights and codes of `ck_map_encode`.
void ck_map_product(const ck_narrow_layer *layer, const uint32_t *codes, const float *scales, const uint32_t *packed,
                    const ck_map_results *results);

/// As `ck_attention`, with queries, keys, values and probabilities in bfloat16; the softmax has float32s. `scratch`, 64-byte
/// aligned, has `ck_narrow_attention_scratch` floats on the calling thread.
void ck_narrow_attention(int64_t batch, int64_t tokens, int64_t heads, int64_t width, float scale, const float *qkv,
                         const float *mask, float *scratch, float *y);
int64_t ck_narrow_attention_scratch(int64_t tokens, int64_t width);

#endif
