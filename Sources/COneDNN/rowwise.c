#include <string.h>

#include "engine.h"
#include "include/COneDNN.h"

/// Key of the primitives that work element by element or row by row.
typedef struct {
    char kind[16];
    int32_t variant;
    float epsilon;
    int64_t rows, columns;
} rowwise_key;

static rowwise_key key_of(const char *kind, int32_t variant, float epsilon, int64_t rows, int64_t columns) {
    rowwise_key key;
    memset(&key, 0, sizeof key);
    strncpy(key.kind, kind, sizeof key.kind - 1);
    key.variant = variant, key.epsilon = epsilon, key.rows = rows, key.columns = columns;
    return key;
}

static dnnl_status_t run(const rowwise_key *key, describe_function describe, const void *const *pointers) {
    cached_primitive *entry = NULL;
    dnnl_status_t status = primitive_for(key, sizeof *key, describe, &entry);
    return status == dnnl_success ? primitive_run(entry, pointers) : status;
}

static dnnl_status_t matrix(layout_t *layout, const rowwise_key *key) {
    return layout_strided(layout, 2, (dnnl_dims_t){key->rows, key->columns}, (dnnl_dims_t){key->columns, 1});
}

static dnnl_status_t vector(layout_t *layout, int64_t count) {
    return layout_strided(layout, 1, (dnnl_dims_t){count}, (dnnl_dims_t){1});
}

/// Every argument has the layout of the data.
static dnnl_status_t add_all(cached_primitive *entry, const rowwise_key *key, int count, const int *roles) {
    for (int i = 0; i < count; i++) {
        layout_t layout;
        dnnl_status_t status = matrix(&layout, key);
        if (status != dnnl_success) return status;
        entry_add(entry, roles[i], layout);
    }
    return dnnl_success;
}

static dnnl_alg_kind_t algorithm_of(int32_t activation) {
    switch (activation) {
        case cdnn_gelu: return dnnl_eltwise_gelu_erf;
        case cdnn_quick_gelu: return dnnl_eltwise_swish;
        default: return dnnl_eltwise_relu;
    }
}

/// Swish is x·σ(αx); for ReLU α is the slope below 0.
static float alpha_of(int32_t activation) { return activation == cdnn_quick_gelu ? 1.702f : 0; }

static dnnl_status_t eltwise(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const rowwise_key *key = opaque;
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status = add_all(entry, key, 2, (int[]){DNNL_ARG_SRC, DNNL_ARG_DST});
    if (status == dnnl_success) status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = describe_eltwise(descriptor, engine(), false, algorithm_of(key->variant), alpha_of(key->variant), entry->layouts[0],
                              attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t eltwise_back(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const rowwise_key *key = opaque;
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status =
        add_all(entry, key, 3, (int[]){DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC});
    if (status == dnnl_success) status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = describe_eltwise(descriptor, engine(), true, algorithm_of(key->variant), alpha_of(key->variant), entry->layouts[0],
                              attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

int cdnn_eltwise(cdnn_activation activation, int64_t count, const float *x, float *y) {
    rowwise_key key = key_of("eltwise", activation, 0, 1, count);
    return run(&key, eltwise, (const void *[]){x, y});
}

int cdnn_eltwise_backward(cdnn_activation activation, int64_t count, const float *x, const float *dy, float *dx) {
    rowwise_key key = key_of("eltwise back", activation, 0, 1, count);
    return run(&key, eltwise_back, (const void *[]){x, dy, dx});
}

static dnnl_status_t softmax(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const rowwise_key *key = opaque;
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status = add_all(entry, key, 2, (int[]){DNNL_ARG_SRC, DNNL_ARG_DST});
    if (status == dnnl_success) status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = describe_softmax(descriptor, engine(), false, key->variant, entry->layouts[0], 1, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t softmax_back(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const rowwise_key *key = opaque;
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status =
        add_all(entry, key, 3, (int[]){DNNL_ARG_DST, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC});
    if (status == dnnl_success) status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = describe_softmax(descriptor, engine(), true, key->variant, entry->layouts[0], 1, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

int cdnn_softmax(bool logarithm, int64_t rows, int64_t columns, const float *x, float *y) {
    rowwise_key key = key_of("softmax", logarithm, 0, rows, columns);
    return run(&key, softmax, (const void *[]){x, y});
}

int cdnn_softmax_backward(bool logarithm, int64_t rows, int64_t columns, const float *y, const float *dy, float *dx) {
    rowwise_key key = key_of("softmax back", logarithm, 0, rows, columns);
    return run(&key, softmax_back, (const void *[]){y, dy, dx});
}

static dnnl_status_t add_vectors(cached_primitive *entry, int64_t length, int count, const int *roles) {
    for (int i = 0; i < count; i++) {
        layout_t layout;
        dnnl_status_t status = vector(&layout, length);
        if (status != dnnl_success) return status;
        entry_add(entry, roles[i], layout);
    }
    return dnnl_success;
}

/// variant: 0 inference, 1 training.
static dnnl_status_t layer_norm(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const rowwise_key *key = opaque;
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status = add_all(entry, key, 2, (int[]){DNNL_ARG_SRC, DNNL_ARG_DST});
    if (status == dnnl_success)
        status = add_vectors(entry, key->columns, 2, (int[]){DNNL_ARG_SCALE, DNNL_ARG_SHIFT});
    if (status == dnnl_success)
        status = add_vectors(entry, key->rows, 2, (int[]){DNNL_ARG_MEAN, DNNL_ARG_VARIANCE});
    if (status == dnnl_success) status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = describe_layer_norm(descriptor, engine(), false, key->variant, entry->layouts[0], entry->layouts[4],
                                 key->epsilon, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static dnnl_status_t layer_norm_back(const void *opaque, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const rowwise_key *key = opaque;
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status =
        add_all(entry, key, 3, (int[]){DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC});
    if (status == dnnl_success)
        status = add_vectors(entry, key->columns, 4,
                             (int[]){DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_DIFF_SCALE, DNNL_ARG_DIFF_SHIFT});
    if (status == dnnl_success)
        status = add_vectors(entry, key->rows, 2, (int[]){DNNL_ARG_MEAN, DNNL_ARG_VARIANCE});
    if (status == dnnl_success) status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = describe_layer_norm(descriptor, engine(), true, true, entry->layouts[0], entry->layouts[7], key->epsilon,
                                 attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

int cdnn_layer_norm(int64_t rows, int64_t columns, float epsilon, const float *x, const float *scale,
                    const float *shift, float *mean, float *variance, float *y) {
    rowwise_key key = key_of("layer norm", mean != NULL, epsilon, rows, columns);
    return run(&key, layer_norm, (const void *[]){x, y, scale, shift, mean, variance});
}

int cdnn_layer_norm_backward(int64_t rows, int64_t columns, float epsilon, const float *x, const float *scale,
                             const float *mean, const float *variance, const float *dy, float *dx, float *dscale,
                             float *dshift) {
    rowwise_key key = key_of("layer norm back", 1, epsilon, rows, columns);
    // 2.x counts the shift among the inputs of the backward pass without reading it; 3.x ignores it.
    const float *shift = scale;
    return run(&key, layer_norm_back, (const void *[]){x, dy, dx, scale, shift, dscale, dshift, mean, variance});
}
