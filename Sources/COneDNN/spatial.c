// Convolution, pooling and batch normalisation of images in NHWC.
#include <string.h>

#include "engine.h"
#include "include/COneDNN.h"

typedef struct {
    char kind[16];
    cdnn_convolution convolution;
} convolution_key;

static convolution_key convolution_key_of(const char *kind, const cdnn_convolution *convolution) {
    convolution_key key;
    memset(&key, 0, sizeof key);
    strncpy(key.kind, kind, sizeof key.kind - 1);
    key.convolution = *convolution;
    return key;
}

/// [batch, channels, height, width] that lies as [batch, height, width, channels].
static dnnl_status_t images(layout_t *layout, int64_t batch, int64_t channels, int64_t height, int64_t width) {
    return layout_strided(layout, 4, (dnnl_dims_t){batch, channels, height, width},
                          (dnnl_dims_t){height * width * channels, 1, width * channels, channels});
}

static int64_t extent(int64_t size, int64_t kernel, int64_t stride, int64_t padding) {
    return (size + 2 * padding - kernel) / stride + 1;
}

static dnnl_status_t source_images(layout_t *layout, const cdnn_convolution *c) {
    return images(layout, c->batch, c->channels, c->height, c->width);
}

static dnnl_status_t result_images(layout_t *layout, const cdnn_convolution *c) {
    return images(layout, c->batch, c->outputs, extent(c->height, c->kernel, c->stride, c->padding),
                  extent(c->width, c->kernel, c->stride, c->padding));
}

static void weight_dimensions(dnnl_dims_t out, const cdnn_convolution *c) {
    out[0] = c->outputs, out[1] = c->channels, out[2] = c->kernel, out[3] = c->kernel;
}

/// PyTorch's order: [outputs, channels, kernel, kernel].
static dnnl_status_t plain_weights(layout_t *layout, const cdnn_convolution *c) {
    dnnl_dims_t dimensions;
    weight_dimensions(dimensions, c);
    int64_t area = c->kernel * c->kernel;
    return layout_strided(layout, 4, dimensions, (dnnl_dims_t){c->channels * area, area, c->kernel, 1});
}

/// What the pass asks for when it may choose.
static dnnl_status_t packed_weights(layout_t *layout, const cdnn_convolution *c, cdnn_pass pass) {
    layout_t source, result, any;
    dnnl_dims_t dimensions;
    weight_dimensions(dimensions, c);
    dnnl_status_t status = source_images(&source, c);
    if (status == dnnl_success) status = result_images(&result, c);
    if (status == dnnl_success) status = layout_any(&any, 4, dimensions);
    dnnl_primitive_desc_t descriptor = NULL;
    if (status == dnnl_success)
        status = describe_convolution(&descriptor, engine(), pass, source, any, result, c->stride, c->padding,
                                      NULL);
    if (status != dnnl_success) return status;
    status = layout_chosen(layout, descriptor,
                           pass == cdnn_weights_gradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md);
    dnnl_primitive_desc_destroy(descriptor);
    layout_free(source), layout_free(result), layout_free(any);
    return status;
}

static dnnl_status_t bias_vector(layout_t *layout, int64_t count) {
    return layout_strided(layout, 1, (dnnl_dims_t){count}, (dnnl_dims_t){1});
}

/// Arguments in the order x, weights, y.
static dnnl_status_t forward(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const cdnn_convolution *c = &((const convolution_key *)opaque)->convolution;
    layout_t source, weights, result;
    dnnl_status_t status = source_images(&source, c);
    if (status == dnnl_success) status = packed_weights(&weights, c, cdnn_forward);
    if (status == dnnl_success) status = result_images(&result, c);
    if (status != dnnl_success) return status;
    entry_add(entry, DNNL_ARG_SRC, source);
    entry_add(entry, DNNL_ARG_WEIGHTS, weights);
    entry_add(entry, DNNL_ARG_DST, result);
    dnnl_primitive_attr_t attributes;
    status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = describe_convolution(descriptor, engine(), cdnn_forward, source, weights, result, c->stride, c->padding,
                                  attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

/// Arguments of the two backward passes: the first and second in, the third out.
static dnnl_status_t backward(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor,
                              cdnn_pass pass) {
    const cdnn_convolution *c = &((const convolution_key *)opaque)->convolution;
    layout_t source, weights, result;
    dnnl_status_t status = source_images(&source, c);
    if (status == dnnl_success) status = packed_weights(&weights, c, pass);
    if (status == dnnl_success) status = result_images(&result, c);
    if (status != dnnl_success) return status;
    bool is_weights = pass == cdnn_weights_gradient;
    entry_add(entry, is_weights ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, is_weights ? source : result);
    entry_add(entry, is_weights ? DNNL_ARG_DIFF_DST : DNNL_ARG_WEIGHTS, is_weights ? result : weights);
    entry_add(entry, is_weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_DIFF_SRC, is_weights ? weights : source);
    dnnl_primitive_attr_t attributes;
    status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = describe_convolution(descriptor, engine(), pass, source, weights, result, c->stride, c->padding,
                                  attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t backward_data(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    return backward(key, entry, descriptor, cdnn_data_gradient);
}

static dnnl_status_t backward_weights(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    return backward(key, entry, descriptor, cdnn_weights_gradient);
}

static dnnl_status_t reorder(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor,
                             cdnn_pass pass, bool is_packing) {
    const cdnn_convolution *c = &((const convolution_key *)opaque)->convolution;
    layout_t plain, packed;
    dnnl_status_t status = plain_weights(&plain, c);
    if (status == dnnl_success) status = packed_weights(&packed, c, pass);
    if (status != dnnl_success) return status;
    entry_add(entry, DNNL_ARG_FROM, is_packing ? plain : packed);
    entry_add(entry, DNNL_ARG_TO, is_packing ? packed : plain);
    return describe_reorder(descriptor, engine(), entry->layouts[0], entry->layouts[1]);
}

static dnnl_status_t pack_forward(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    return reorder(key, entry, descriptor, cdnn_forward, true);
}

static dnnl_status_t pack_data(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    return reorder(key, entry, descriptor, cdnn_data_gradient, true);
}

static dnnl_status_t unpack(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    return reorder(key, entry, descriptor, cdnn_weights_gradient, false);
}

static dnnl_status_t run(const void *key, size_t bytes, describe_function describe, const void *const *pointers) {
    cached_primitive *entry = NULL;
    dnnl_status_t status = primitive_for(key, bytes, describe, &entry);
    return status == dnnl_success ? primitive_run(entry, pointers) : status;
}

int cdnn_convolution_packed_bytes(const cdnn_convolution *convolution, cdnn_pass pass, size_t *bytes) {
    layout_t layout;
    dnnl_status_t status = packed_weights(&layout, convolution, pass);
    if (status != dnnl_success) return status;
    *bytes = layout_bytes(layout);
    layout_free(layout);
    return dnnl_success;
}

int cdnn_convolution_pack(const cdnn_convolution *convolution, cdnn_pass pass, const float *plain, float *packed) {
    bool is_forward = pass == cdnn_forward;
    convolution_key key = convolution_key_of(is_forward ? "pack" : "pack data", convolution);
    return run(&key, sizeof key, is_forward ? pack_forward : pack_data, (const void *[]){plain, packed});
}

int cdnn_convolution_unpack(const cdnn_convolution *convolution, const float *packed, float *plain) {
    convolution_key key = convolution_key_of("unpack", convolution);
    return run(&key, sizeof key, unpack, (const void *[]){packed, plain});
}

int cdnn_convolution_run(const cdnn_convolution *convolution, const float *x, const float *packed, float *y) {
    convolution_key key = convolution_key_of("convolution", convolution);
    return run(&key, sizeof key, forward, (const void *[]){x, packed, y});
}

int cdnn_convolution_backward_data(const cdnn_convolution *convolution, const float *dy, const float *packed,
                                   float *dx) {
    convolution_key key = convolution_key_of("backward data", convolution);
    return run(&key, sizeof key, backward_data, (const void *[]){dy, packed, dx});
}

int cdnn_convolution_backward_weights(const cdnn_convolution *convolution, const float *x, const float *dy,
                                      float *packed) {
    convolution_key key = convolution_key_of("backward weight", convolution);
    return run(&key, sizeof key, backward_weights, (const void *[]){x, dy, packed});
}

/// Pooling takes its sizes from a convolution with as many outputs as channels.
static dnnl_status_t pooling(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor,
                             bool keeps_places, bool is_backward) {
    const cdnn_convolution *c = &((const convolution_key *)opaque)->convolution;
    layout_t source, result;
    dnnl_status_t status = source_images(&source, c);
    if (status == dnnl_success) status = result_images(&result, c);
    if (status != dnnl_success) return status;
    entry_add(entry, is_backward ? DNNL_ARG_DIFF_DST : DNNL_ARG_SRC, is_backward ? result : source);
    entry_add(entry, is_backward ? DNNL_ARG_DIFF_SRC : DNNL_ARG_DST, is_backward ? source : result);
    dnnl_primitive_attr_t attributes;
    status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = describe_max_pooling(descriptor, engine(), is_backward, keeps_places, source, result, c->kernel, c->stride,
                                  c->padding, attributes);
    dnnl_primitive_attr_destroy(attributes);
    layout_t places;
    if (status == dnnl_success && keeps_places) status = layout_chosen(&places, *descriptor, dnnl_query_workspace_md);
    if (status == dnnl_success && keeps_places) entry_add(entry, DNNL_ARG_WORKSPACE, places);
    return status;
}

static dnnl_status_t pool(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    return pooling(key, entry, descriptor, false, false);
}

static dnnl_status_t pool_keeping(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    return pooling(key, entry, descriptor, true, false);
}

static dnnl_status_t pool_back(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    return pooling(key, entry, descriptor, true, true);
}

int cdnn_max_pool_places_bytes(const cdnn_convolution *sizes, size_t *bytes) {
    convolution_key key = convolution_key_of("pool keeping", sizes);
    cached_primitive *entry = NULL;
    dnnl_status_t status = primitive_for(&key, sizeof key, pool_keeping, &entry);
    if (status == dnnl_success) *bytes = layout_bytes(entry->layouts[2]);
    return status;
}

int cdnn_max_pool(const cdnn_convolution *sizes, const float *x, float *y, void *places) {
    convolution_key key = convolution_key_of(places ? "pool keeping" : "pool", sizes);
    return run(&key, sizeof key, places ? pool_keeping : pool, (const void *[]){x, y, places});
}

int cdnn_max_pool_backward(const cdnn_convolution *sizes, const float *dy, const void *places, float *dx) {
    convolution_key key = convolution_key_of("pool back", sizes);
    return run(&key, sizeof key, pool_back, (const void *[]){dy, dx, places});
}

typedef struct {
    char kind[16];
    int64_t rows, channels;
    float epsilon;
    int32_t reserved;
} norm_key;

static norm_key norm_key_of(const char *kind, int64_t rows, int64_t channels, float epsilon) {
    norm_key key;
    memset(&key, 0, sizeof key);
    strncpy(key.kind, kind, sizeof key.kind - 1);
    key.rows = rows, key.channels = channels, key.epsilon = epsilon;
    return key;
}

/// One image whose height is the rows: to the statistics, all pixels of all images are alike.
static dnnl_status_t batch_norm(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor,
                                bool is_backward) {
    const norm_key *key = opaque;
    static const int forward_roles[] = {DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE};
    static const int backward_roles[] = {DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_DIFF_SCALE, DNNL_ARG_DIFF_SHIFT,
                                         DNNL_ARG_MEAN, DNNL_ARG_VARIANCE};
    static const int forward_images[] = {DNNL_ARG_SRC, DNNL_ARG_DST};
    static const int backward_images[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC};
    layout_t layout;
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < (is_backward ? 3 : 2) && status == dnnl_success; i++) {
        status = images(&layout, 1, key->channels, key->rows, 1);
        entry_add(entry, is_backward ? backward_images[i] : forward_images[i], layout);
    }
    for (int i = 0; i < (is_backward ? 6 : 4) && status == dnnl_success; i++) {
        status = bias_vector(&layout, key->channels);
        entry_add(entry, is_backward ? backward_roles[i] : forward_roles[i], layout);
    }
    if (status != dnnl_success) return status;
    dnnl_primitive_attr_t attributes;
    status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = describe_batch_norm(descriptor, engine(), is_backward, entry->layouts[0], key->epsilon, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t norm_forward(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    return batch_norm(key, entry, descriptor, false);
}

static dnnl_status_t norm_backward(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    return batch_norm(key, entry, descriptor, true);
}

int cdnn_batch_norm(int64_t rows, int64_t channels, float epsilon, const float *x, const float *scale,
                    const float *shift, float *mean, float *variance, float *y) {
    norm_key key = norm_key_of("batch norm", rows, channels, epsilon);
    return run(&key, sizeof key, norm_forward, (const void *[]){x, y, scale, shift, mean, variance});
}

int cdnn_batch_norm_backward(int64_t rows, int64_t channels, float epsilon, const float *x, const float *scale,
                             const float *mean, const float *variance, const float *dy, float *dx, float *dscale,
                             float *dshift) {
    norm_key key = norm_key_of("batch norm back", rows, channels, epsilon);
    // 2.x counts the shift among the inputs of the backward pass without reading it; 3.x ignores it.
    const float *shift = scale;
    return run(&key, sizeof key, norm_backward,
               (const void *[]){x, dy, dx, scale, shift, dscale, dshift, mean, variance});
}
