/// A small C face on oneDNN: the primitives that the tensor engine needs, on float32 and plain strided layouts.
///
/// Primitives are created once for each shape and kept; scratch memory and the stream belong to the calling thread.
/// Every function returns 0 on success and oneDNN's `dnnl_status_t` otherwise. oneDNN 2.x and 3.x differ in how a
/// primitive is described: `compatibility.c` alone knows which one it is compiled against.
#ifndef TRIPTYCH_CONEDNN_H
#define TRIPTYCH_CONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A function of each element.
typedef enum { cdnn_identity = 0, cdnn_relu = 1, cdnn_gelu = 2, cdnn_quick_gelu = 3 } cdnn_activation;

/// A batched product C = scale·(A·B + bias), over `rank` axes (2 to 4): leading batch axes, then the
/// matrix. Strides are in elements, so transposed and interleaved operands need no copy. Initialise with memset:
/// the bytes are the cache's key.
typedef struct {
    int32_t rank;
    int32_t has_bias;
    /// 0 and 1 both mean none.
    float scale;
    int32_t reserved;
    int64_t batch[2];
    int64_t m, n, k;
    int64_t a_strides[4];
    int64_t b_strides[4];
    int64_t c_strides[4];
} cdnn_matmul;

/// Runs a product. `bias` has n elements, or is NULL where the product has none.
int cdnn_matmul_run(const cdnn_matmul *product, const float *a, const float *b, const float *bias, float *c);

/// y = activation(x) over `count` elements.
int cdnn_eltwise(cdnn_activation activation, int64_t count, const float *x, float *y);
/// dx = dy · activation'(x).
int cdnn_eltwise_backward(cdnn_activation activation, int64_t count, const float *x, const float *dy, float *dx);

/// Softmax over the rows of a [rows, columns] matrix, or its logarithm.
int cdnn_softmax(bool logarithm, int64_t rows, int64_t columns, const float *x, float *y);
/// From the forward result y.
int cdnn_softmax_backward(bool logarithm, int64_t rows, int64_t columns, const float *y, const float *dy, float *dx);

/// Layer normalisation of the rows of a [rows, columns] matrix. `mean` and `variance` ([rows]) may be NULL, when the
/// statistics are not wanted.
int cdnn_layer_norm(int64_t rows, int64_t columns, float epsilon, const float *x, const float *scale,
                    const float *shift, float *mean, float *variance, float *y);
/// Gradients with respect to x, scale and shift.
int cdnn_layer_norm_backward(int64_t rows, int64_t columns, float epsilon, const float *x, const float *scale,
                             const float *mean, const float *variance, const float *dy, float *dx, float *dscale,
                             float *dshift);

/// The sizes of a convolution of images [batch, height, width, channels] with weights [outputs, channels, kernel, kernel].
/// Initialise with memset: the bytes are the cache's key.
typedef struct {
    int64_t batch;
    int64_t channels, height, width;
    int64_t outputs, kernel, stride, padding;
} cdnn_convolution;

/// What packed weights are for; each pass asks for its own layout.
typedef enum { cdnn_forward = 0, cdnn_data_gradient = 1, cdnn_weights_gradient = 2 } cdnn_pass;

/// The bytes of weights in a pass's layout.
int cdnn_convolution_packed_bytes(const cdnn_convolution *convolution, cdnn_pass pass, size_t *bytes);
/// From PyTorch's layout into that of `cdnn_forward` or `cdnn_data_gradient`.
int cdnn_convolution_pack(const cdnn_convolution *convolution, cdnn_pass pass, const float *plain, float *packed);
/// From the layout of `cdnn_weights_gradient` into PyTorch's.
int cdnn_convolution_unpack(const cdnn_convolution *convolution, const float *packed, float *plain);
int cdnn_convolution_run(const cdnn_convolution *convolution, const float *x, const float *packed, float *y);
int cdnn_convolution_backward_data(const cdnn_convolution *convolution, const float *dy, const float *packed,
                                   float *dx);
int cdnn_convolution_backward_weights(const cdnn_convolution *convolution, const float *x, const float *dy,
                                      float *packed);

/// Max pooling; its sizes are those of a convolution with as many outputs as channels. `places` remembers which elements
/// were the largest, for the backward pass; NULL where there will be none.
int cdnn_max_pool_places_bytes(const cdnn_convolution *sizes, size_t *bytes);
int cdnn_max_pool(const cdnn_convolution *sizes, const float *x, float *y, void *places);
int cdnn_max_pool_backward(const cdnn_convolution *sizes, const float *dy, const void *places, float *dx);

/// Batch normalisation of the columns of a [rows, channels] matrix by their own statistics, which it gives.
int cdnn_batch_norm(int64_t rows, int64_t channels, float epsilon, const float *x, const float *scale,
                    const float *shift, float *mean, float *variance, float *y);
/// Gradients with respect to x, scale and shift.
int cdnn_batch_norm_backward(int64_t rows, int64_t channels, float epsilon, const float *x, const float *scale,
                             const float *mean, const float *variance, const float *dy, float *dx, float *dscale,
                             float *dshift);

/// The version that runs, as major·10000 + minor·100 + patch.
int cdnn_version(void);

#endif
