#include <string.h>

#include "engine.h"
#include "include/COneDNN.h"

typedef struct {
    char kind[8];
    cdnn_matmul product;
} matmul_key;

static void dimensions_of(const cdnn_matmul *product, dnnl_dims_t out, int64_t rows, int64_t columns) {
    for (int i = 0; i < product->rank - 2; i++) out[i] = product->batch[i];
    out[product->rank - 2] = rows;
    out[product->rank - 1] = columns;
}

static dnnl_status_t strided(layout_t *layout, const cdnn_matmul *product, int64_t rows, int64_t columns,
                             const int64_t *strides) {
    dnnl_dims_t dimensions, steps;
    dimensions_of(product, dimensions, rows, columns);
    for (int i = 0; i < product->rank; i++) steps[i] = strides[i];
    return layout_strided(layout, product->rank, dimensions, steps);
}

/// The bias as a row that is broadcast over everything else.
static dnnl_status_t bias_layout(layout_t *layout, const cdnn_matmul *product) {
    dnnl_dims_t dimensions, strides;
    for (int i = 0; i < product->rank; i++) dimensions[i] = 1, strides[i] = product->n;
    dimensions[product->rank - 1] = product->n;
    strides[product->rank - 1] = 1;
    return layout_strided(layout, product->rank, dimensions, strides);
}

static bool is_scaled(const cdnn_matmul *product) { return product->scale != 0 && product->scale != 1; }

static dnnl_status_t scaling(const cdnn_matmul *product, dnnl_primitive_attr_t attributes) {
    if (!is_scaled(product)) return dnnl_success;
    dnnl_post_ops_t operations;
    dnnl_status_t status = dnnl_post_ops_create(&operations);
    if (status != dnnl_success) return status;
    status = append_eltwise(operations, dnnl_eltwise_linear, product->scale);
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, operations);
    dnnl_post_ops_destroy(operations);
    return status;
}

/// Adds the arguments in the order a, b, bias, c.
static dnnl_status_t describe(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const cdnn_matmul *product = &((const matmul_key *)key)->product;
    layout_t a, b, c, bias;
    dnnl_status_t status = strided(&a, product, product->m, product->k, product->a_strides);
    if (status == dnnl_success) status = strided(&b, product, product->k, product->n, product->b_strides);
    if (status == dnnl_success) status = strided(&c, product, product->m, product->n, product->c_strides);
    if (status == dnnl_success) status = bias_layout(&bias, product);
    if (status != dnnl_success) return status;
    entry_add(entry, DNNL_ARG_SRC, a);
    entry_add(entry, DNNL_ARG_WEIGHTS, b);
    entry_add(entry, DNNL_ARG_BIAS, bias);
    entry_add(entry, DNNL_ARG_DST, c);
    dnnl_primitive_attr_t attributes;
    status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = scaling(product, attributes);
    if (status == dnnl_success)
        status = describe_matmul(descriptor, engine(), a, b, product->has_bias ? &bias : NULL, c, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

int cdnn_matmul_run(const cdnn_matmul *product, const float *a, const float *b, const float *bias,
                    float *c) {
    matmul_key key;
    memset(&key, 0, sizeof key);
    memcpy(key.kind, "matmul", sizeof "matmul");
    key.product = *product;
    cached_primitive *entry = NULL;
    dnnl_status_t status = primitive_for(&key, sizeof key, describe, &entry);
    if (status != dnnl_success) return status;
    return primitive_run(entry, (const void *[]){a, b, bias, c});
}
