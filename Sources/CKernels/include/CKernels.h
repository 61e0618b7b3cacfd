/// Dense kernels for inference: products of windows of images with packed weights, and attention.
///
/// Each result is summed in an order that depends on the sizes of the layer alone: an image's result has the same bits in
/// every batch. Work is cut into more pieces than there are threads; each has its own, and takes over what others have not
/// come to, so that one that was held up delays them little. On x86-64 the widest of AVX-512, AVX2 and SSE2 that the
/// machine has is used, elsewhere the compiler's own vectors.
#ifndef TRIPTYCH_CKERNELS_H
#define TRIPTYCH_CKERNELS_H

#include <stdbool.h>
#include <stdint.h>

/// What is applied to each element of a result; the curved ones come last.
typedef enum { ck_identity = 0, ck_relu = 1, ck_gelu = 2, ck_quick_gelu = 3 } ck_activation;

/// Which elements a product sums over: for each result pixel a window of `taps`, each a run of contiguous elements. A
/// linear layer has one tap, a whole row; a convolution of NHWC images one for each place of its kernel.
typedef struct {
    /// Results: images, their height and width. A linear layer over m rows has 1, 1 and m.
    int64_t batch, rows, columns;
    /// Elements from one image to the next, from one result row's windows to the next one's, and along a row.
    int64_t image_step, row_step, column_step;
    /// Taps of a window and the elements between their beginnings.
    int64_t tap_rows, tap_columns, tap_row_step, tap_column_step;
    /// Elements of a tap.
    int64_t run;
    /// How far windows stand out of the images; what they see there is zero. Only if it is not 0 are these read:
    /// the stride, and the images' height and width in taps.
    int64_t padding, stride, height, width;
} ck_windows;

/// Where weights lie: element (o, tap row, tap column, i) at the sum of the indices times these.
typedef struct {
    int64_t output, tap_row, tap_column, element;
} ck_weight_steps;

/// Floats that the packed weights and bias of a product take.
int64_t ck_packed_count(int64_t outputs, int64_t depth);
/// Packs weights, and a bias of `outputs` elements or NULL. `packed` is 64-byte aligned.
void ck_pack(const float *weights, ck_weight_steps steps, const float *bias, const ck_windows *windows, int64_t outputs,
             float *packed);

/// y = activation(windows(x) · weights + bias + residual), y of [batch, rows, columns, outputs]. `residual` lies as y does,
/// may be y itself, and may be NULL. `scratch`, 64-byte aligned, has `ck_product_scratch` floats on the calling thread.
void ck_product(const ck_windows *windows, int64_t outputs, const float *x, const float *packed, const float *residual,
                ck_activation activation, float *scratch, float *y);
int64_t ck_product_scratch(const ck_windows *windows, int64_t outputs);

/// A 3×3 convolution of stride 1 and padding 1 by Winograd's minimal filtering F(2×2, 3×3) (Lavin and Gray, 2016, eq. 8):
/// four results for 16 multiplications in place of 36. Channels and outputs are multiples of 16.
typedef struct {
    int64_t batch, height, width, channels, outputs;
    /// Whether transformed images and weights are rounded to bfloat16 before they are multiplied; sums are float32.
    bool is_bfloat16;
} ck_winograd;

/// Floats that packed weights and bias take, and scratch memory on the calling thread.
int64_t ck_winograd_packed_count(const ck_winograd *sizes);
int64_t ck_winograd_scratch(const ck_winograd *sizes);
/// From weights [outputs, channels, 3, 3] and a bias or NULL.
void ck_winograd_pack(const ck_winograd *sizes, const float *weights, const float *bias, float *packed);
/// y = activation(x ∗ weights + bias + residual) in NHWC; `residual` may be NULL, or y itself. The activation is none or
/// ReLU. `packed` and `scratch` are 64-byte aligned.
void ck_winograd_run(const ck_winograd *sizes, const float *x, const float *packed, const float *residual,
                     ck_activation activation, float *scratch, float *y);

/// Copies images [batch, height, width·channels] into the middle of larger ones whose edge, `padding` pixels, is zero.
void ck_pad(int64_t batch, int64_t height, int64_t width, int64_t channels, int64_t padding, const float *x, float *y);

/// softmax(q·kᵀ·scale + mask)·v of each head, the heads side by side: y of [batch, tokens, heads·width]. `qkv` is [batch,
/// tokens, 3, heads, width]; `mask`, [batch, tokens] or NULL, is added to each row of scores. The scores never leave the
/// cache. `scratch`, 64-byte aligned, has `ck_attention_scratch` floats.
void ck_attention(int64_t batch, int64_t tokens, int64_t heads, int64_t width, float scale, const float *qkv,
                  const float *mask, float *scratch, float *y);
/// On the calling thread, whose share of the cores counts.
int64_t ck_attention_scratch(int64_t tokens, int64_t width);

/// How many threads the caller has for what is done in pieces; within a piece, one.
int64_t ck_workers(void);
/// Calls `work(context, i)` for each i below `count` on the threads that the caller has, in any order.
void ck_parallel(int64_t count, void (*work)(void *context, int64_t i), void *context);

#include "narrow.h"

#endif
