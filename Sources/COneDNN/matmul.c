#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "include/COneDNN.h"

struct cdnn_packed {
    int64_t n, k, m;
    layout_t layout;
    void *data;
};

/// A product's cache key: the packed layout is a function of the sizes it was packed for, so these stand for it.
typedef struct {
    char kind[8];
    cdnn_matmul product;
    int64_t packed_n, packed_k, packed_m;
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

static dnnl_status_t post_operations(const cdnn_matmul *product, layout_t c, dnnl_primitive_attr_t attributes) {
    if (!is_scaled(product) && product->activation == cdnn_identity && !product->has_residual) return dnnl_success;
    dnnl_post_ops_t operations;
    dnnl_status_t status = dnnl_post_ops_create(&operations);
    if (status != dnnl_success) return status;
    if (is_scaled(product)) status = append_eltwise(operations, dnnl_eltwise_linear, product->scale);
    if (status == dnnl_success && product->activation != cdnn_identity)
        status = append_eltwise(
            operations, product->activation == cdnn_relu ? dnnl_eltwise_relu : dnnl_eltwise_gelu_erf, 0);
    if (status == dnnl_success && product->has_residual) status = append_addition(operations, c);
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, operations);
    dnnl_post_ops_destroy(operations);
    return status;
}

/// Adds the arguments in the order a, b, bias, residual, c.
static dnnl_status_t describe_product(const cdnn_matmul *product, layout_t b, cached_primitive *entry,
                                      dnnl_primitive_desc_t *descriptor) {
    layout_t a, c, bias;
    dnnl_status_t status = strided(&a, product, product->m, product->k, product->a_strides);
    if (status == dnnl_success) status = strided(&c, product, product->m, product->n, product->c_strides);
    if (status == dnnl_success) status = bias_layout(&bias, product);
    if (status != dnnl_success) return status;
    entry_add(entry, DNNL_ARG_SRC, a);
    entry_add(entry, DNNL_ARG_WEIGHTS, b);
    entry_add(entry, DNNL_ARG_BIAS, bias);
    int residual = (is_scaled(product) ? 1 : 0) + (product->activation == cdnn_identity ? 0 : 1);
    entry_add(entry, DNNL_ARG_ATTR_MULTIPLE_POST_OP(residual) | DNNL_ARG_SRC_1, c);
    dnnl_primitive_attr_t attributes;
    status = attributes_create(&attributes);
    if (status != dnnl_success) return status;
    status = post_operations(product, c, attributes);
    if (status == dnnl_success)
        status = describe_matmul(descriptor, engine(), a, b, product->has_bias ? &bias : NULL, c, attributes);
    dnnl_primitive_attr_destroy(attributes);
    if (status != dnnl_success) return status;
    layout_t chosen;
    status = layout_chosen(&chosen, *descriptor, dnnl_query_dst_md);
    entry_add(entry, DNNL_ARG_DST, chosen);
    return status;
}

static dnnl_status_t describe_plain(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const cdnn_matmul *product = &((const matmul_key *)key)->product;
    layout_t b;
    dnnl_status_t status = strided(&b, product, product->k, product->n, product->b_strides);
    return status == dnnl_success ? describe_product(product, b, entry, descriptor) : status;
}

/// The layout that the primitive asks for when it may choose that of B.
static dnnl_status_t packed_layout(layout_t *layout, int64_t n, int64_t k, int64_t m) {
    layout_t a, b, c;
    dnnl_status_t status = layout_strided(&a, 2, (dnnl_dims_t){m, k}, (dnnl_dims_t){k, 1});
    if (status == dnnl_success) status = layout_any(&b, 2, (dnnl_dims_t){k, n});
    if (status == dnnl_success) status = layout_strided(&c, 2, (dnnl_dims_t){m, n}, (dnnl_dims_t){n, 1});
    dnnl_primitive_desc_t descriptor = NULL;
    if (status == dnnl_success) status = describe_matmul(&descriptor, engine(), a, b, NULL, c, NULL);
    if (status != dnnl_success) return status;
    status = layout_chosen(layout, descriptor, dnnl_query_weights_md);
    dnnl_primitive_desc_destroy(descriptor);
    layout_free(a), layout_free(b), layout_free(c);
    return status;
}

static dnnl_status_t describe_packed(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const matmul_key *matmul = key;
    layout_t b;
    dnnl_status_t status = packed_layout(&b, matmul->packed_n, matmul->packed_k, matmul->packed_m);
    return status == dnnl_success ? describe_product(&matmul->product, b, entry, descriptor) : status;
}

static dnnl_status_t describe_packing(const void *key, cached_primitive *entry, dnnl_primitive_desc_t *descriptor) {
    const matmul_key *matmul = key;
    int64_t n = matmul->packed_n, k = matmul->packed_k;
    layout_t plain, packed;
    dnnl_status_t status = layout_strided(&plain, 2, (dnnl_dims_t){k, n}, (dnnl_dims_t){1, k});
    if (status == dnnl_success) status = packed_layout(&packed, n, k, matmul->packed_m);
    if (status != dnnl_success) return status;
    entry_add(entry, DNNL_ARG_FROM, plain);
    entry_add(entry, DNNL_ARG_TO, packed);
    return describe_reorder(descriptor, engine(), plain, packed);
}

static matmul_key key_of(const char *kind, const cdnn_matmul *product, int64_t n, int64_t k, int64_t m) {
    matmul_key key;
    memset(&key, 0, sizeof key);
    strncpy(key.kind, kind, sizeof key.kind - 1);
    if (product) key.product = *product;
    key.packed_n = n, key.packed_k = k, key.packed_m = m;
    return key;
}

int cdnn_pack(const float *weights, int64_t n, int64_t k, int64_t m, cdnn_packed **packed) {
    engine();
    cdnn_packed *made = calloc(1, sizeof *made);
    if (!made) return dnnl_out_of_memory;
    made->n = n, made->k = k, made->m = m;
    dnnl_status_t status = packed_layout(&made->layout, n, k, m);
    if (status == dnnl_success) {
        size_t bytes = (layout_bytes(made->layout) + 63) / 64 * 64;
        made->data = aligned_alloc(64, bytes);
        if (!made->data) status = dnnl_out_of_memory;
    }
    matmul_key key = key_of("pack", NULL, n, k, m);
    cached_primitive *entry = NULL;
    if (status == dnnl_success) status = primitive_for(&key, sizeof key, describe_packing, &entry);
    if (status == dnnl_success) status = primitive_run(entry, (const void *[]){weights, made->data});
    if (status != dnnl_success) {
        free(made->data);
        free(made);
        return status;
    }
    *packed = made;
    return dnnl_success;
}

size_t cdnn_packed_bytes(const cdnn_packed *packed) { return layout_bytes(packed->layout); }

void cdnn_packed_free(cdnn_packed *packed) {
    if (!packed) return;
    layout_free(packed->layout);
    free(packed->data);
    free(packed);
}

int cdnn_matmul_run(const cdnn_matmul *product, const float *a, const float *b, const float *bias,
                    const float *residual, float *c) {
    matmul_key key = key_of("matmul", product, 0, 0, 0);
    cached_primitive *entry = NULL;
    dnnl_status_t status = primitive_for(&key, sizeof key, describe_plain, &entry);
    if (status != dnnl_success) return status;
    return primitive_run(entry, (const void *[]){a, b, bias, residual, c});
}

int cdnn_matmul_run_packed(const cdnn_matmul *product, const float *a, const cdnn_packed *packed, const float *bias,
                           const float *residual, float *c) {
    matmul_key key = key_of("packed", product, packed->n, packed->k, packed->m);
    cached_primitive *entry = NULL;
    dnnl_status_t status = primitive_for(&key, sizeof key, describe_packed, &entry);
    if (status != dnnl_success) return status;
    return primitive_run(entry, (const void *[]){a, packed->data, bias, residual, c});
}
