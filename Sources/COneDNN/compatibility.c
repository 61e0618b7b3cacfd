#include "compatibility.h"

// Both halves describe the same primitives. In 2.x an operation is initialised and then described in a second call,
// in 3.x one call does both; backward passes need their forward descriptor as a hint in either.

#if DNNL_VERSION_MAJOR >= 3

dnnl_status_t layout_strided(layout_t *layout, int rank, const dnnl_dims_t dimensions, const dnnl_dims_t strides) {
    return dnnl_memory_desc_create_with_strides(layout, rank, dimensions, dnnl_f32, strides);
}

dnnl_status_t layout_any(layout_t *layout, int rank, const dnnl_dims_t dimensions) {
    return dnnl_memory_desc_create_with_tag(layout, rank, dimensions, dnnl_f32, dnnl_format_tag_any);
}

void layout_free(layout_t layout) { dnnl_memory_desc_destroy(layout); }

size_t layout_bytes(layout_t layout) { return dnnl_memory_desc_get_size(layout); }

dnnl_status_t layout_memory(dnnl_memory_t *memory, layout_t layout, dnnl_engine_t engine, void *data) {
    return dnnl_memory_create(memory, layout, engine, data);
}

dnnl_status_t layout_chosen(layout_t *layout, const_dnnl_primitive_desc_t descriptor, dnnl_query_t query) {
    return dnnl_memory_desc_clone(layout, dnnl_primitive_desc_query_md(descriptor, query, 0));
}

dnnl_status_t append_eltwise(dnnl_post_ops_t operations, dnnl_alg_kind_t algorithm, float alpha) {
    return dnnl_post_ops_append_eltwise(operations, algorithm, alpha, 0);
}

dnnl_status_t describe_matmul(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, layout_t a, layout_t b,
                              const layout_t *bias, layout_t c, const_dnnl_primitive_attr_t attributes) {
    return dnnl_matmul_primitive_desc_create(descriptor, engine, a, b, bias ? *bias : NULL, c, attributes);
}

dnnl_status_t describe_reorder(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, layout_t from, layout_t to) {
    return dnnl_reorder_primitive_desc_create(descriptor, from, engine, to, engine, NULL);
}

dnnl_status_t describe_eltwise(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                               dnnl_alg_kind_t algorithm, float alpha, layout_t data,
                               const_dnnl_primitive_attr_t attributes) {
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status = dnnl_eltwise_forward_primitive_desc_create(
        &forward, engine, dnnl_forward_training, algorithm, data, data, alpha, 0, attributes);
    if (status != dnnl_success || !backward) { *descriptor = forward; return status; }
    status = dnnl_eltwise_backward_primitive_desc_create(descriptor, engine, algorithm, data, data, data, alpha, 0,
                                                         forward, attributes);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

dnnl_status_t describe_softmax(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                               bool logarithm, layout_t data, int axis, const_dnnl_primitive_attr_t attributes) {
    dnnl_alg_kind_t algorithm = logarithm ? dnnl_softmax_log : dnnl_softmax_accurate;
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status = dnnl_softmax_forward_primitive_desc_create(
        &forward, engine, dnnl_forward_training, algorithm, data, data, axis, attributes);
    if (status != dnnl_success || !backward) { *descriptor = forward; return status; }
    status = dnnl_softmax_backward_primitive_desc_create(descriptor, engine, algorithm, data, data, data, axis,
                                                         forward, attributes);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

dnnl_status_t describe_layer_norm(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                                  bool training, layout_t data, layout_t statistics, float epsilon,
                                  const_dnnl_primitive_attr_t attributes) {
    unsigned flags = dnnl_use_scale | dnnl_use_shift;
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status = dnnl_layer_normalization_forward_primitive_desc_create(
        &forward, engine, training ? dnnl_forward_training : dnnl_forward_inference, data, data, statistics, epsilon,
        flags, attributes);
    if (status != dnnl_success || !backward) { *descriptor = forward; return status; }
    status = dnnl_layer_normalization_backward_primitive_desc_create(
        descriptor, engine, dnnl_backward, data, data, data, statistics, epsilon, flags, forward, attributes);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

dnnl_status_t describe_convolution(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, cdnn_pass pass,
                                   layout_t source, layout_t weights, layout_t result,
                                   int64_t stride, int64_t padding, const_dnnl_primitive_attr_t attributes) {
    dnnl_dims_t strides = {stride, stride}, none = {0, 0}, pads = {padding, padding};
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status = dnnl_convolution_forward_primitive_desc_create(
        &forward, engine, dnnl_forward_training, dnnl_convolution_direct, source, weights, NULL, result,
        strides, none, pads, pads, attributes);
    if (status != dnnl_success || pass == cdnn_forward) { *descriptor = forward; return status; }
    status = pass == cdnn_data_gradient
                 ? dnnl_convolution_backward_data_primitive_desc_create(
                       descriptor, engine, dnnl_convolution_direct, source, weights, result, strides, none, pads, pads,
                       forward, attributes)
                 : dnnl_convolution_backward_weights_primitive_desc_create(
                       descriptor, engine, dnnl_convolution_direct, source, weights, NULL, result, strides, none, pads,
                       pads, forward, attributes);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

dnnl_status_t describe_max_pooling(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                                   bool keeps_places, layout_t source, layout_t result, int64_t kernel, int64_t stride,
                                   int64_t padding, const_dnnl_primitive_attr_t attributes) {
    dnnl_dims_t kernels = {kernel, kernel}, strides = {stride, stride}, none = {0, 0}, pads = {padding, padding};
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status = dnnl_pooling_forward_primitive_desc_create(
        &forward, engine, keeps_places ? dnnl_forward_training : dnnl_forward_inference, dnnl_pooling_max, source,
        result, strides, kernels, none, pads, pads, attributes);
    if (status != dnnl_success || !backward) { *descriptor = forward; return status; }
    status = dnnl_pooling_backward_primitive_desc_create(descriptor, engine, dnnl_pooling_max, source, result, strides,
                                                         kernels, none, pads, pads, forward, attributes);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

dnnl_status_t describe_batch_norm(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                                  layout_t data, float epsilon, const_dnnl_primitive_attr_t attributes) {
    unsigned flags = dnnl_use_scale | dnnl_use_shift;
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status = dnnl_batch_normalization_forward_primitive_desc_create(
        &forward, engine, dnnl_forward_training, data, data, epsilon, flags, attributes);
    if (status != dnnl_success || !backward) { *descriptor = forward; return status; }
    status = dnnl_batch_normalization_backward_primitive_desc_create(descriptor, engine, dnnl_backward, data, data,
                                                                     data, epsilon, flags, forward, attributes);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

#else

dnnl_status_t layout_strided(layout_t *layout, int rank, const dnnl_dims_t dimensions, const dnnl_dims_t strides) {
    return dnnl_memory_desc_init_by_strides(layout, rank, dimensions, dnnl_f32, strides);
}

dnnl_status_t layout_any(layout_t *layout, int rank, const dnnl_dims_t dimensions) {
    return dnnl_memory_desc_init_by_tag(layout, rank, dimensions, dnnl_f32, dnnl_format_tag_any);
}

void layout_free(layout_t layout) { (void)layout; }

size_t layout_bytes(layout_t layout) { return dnnl_memory_desc_get_size(&layout); }

dnnl_status_t layout_memory(dnnl_memory_t *memory, layout_t layout, dnnl_engine_t engine, void *data) {
    return dnnl_memory_create(memory, &layout, engine, data);
}

dnnl_status_t layout_chosen(layout_t *layout, const_dnnl_primitive_desc_t descriptor, dnnl_query_t query) {
    *layout = *dnnl_primitive_desc_query_md(descriptor, query, 0);
    return dnnl_success;
}

dnnl_status_t append_eltwise(dnnl_post_ops_t operations, dnnl_alg_kind_t algorithm, float alpha) {
    return dnnl_post_ops_append_eltwise(operations, 1, algorithm, alpha, 0);
}

dnnl_status_t describe_matmul(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, layout_t a, layout_t b,
                              const layout_t *bias, layout_t c, const_dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_matmul_desc_init(&operation, &a, &b, bias, &c);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(descriptor, &operation, attributes, engine, NULL);
}

dnnl_status_t describe_reorder(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, layout_t from, layout_t to) {
    return dnnl_reorder_primitive_desc_create(descriptor, &from, engine, &to, engine, NULL);
}

/// The second half of every pair below: the backward descriptor, from its forward one as the hint.
static dnnl_status_t describe_backward(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, const void *operation,
                                       dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attributes) {
    dnnl_status_t status = dnnl_primitive_desc_create(descriptor, operation, attributes, engine, forward);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

dnnl_status_t describe_eltwise(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                               dnnl_alg_kind_t algorithm, float alpha, layout_t data,
                               const_dnnl_primitive_attr_t attributes) {
    dnnl_eltwise_desc_t operation;
    dnnl_status_t status =
        dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_training, algorithm, &data, alpha, 0);
    if (status != dnnl_success) return status;
    dnnl_primitive_desc_t forward = NULL;
    status = dnnl_primitive_desc_create(&forward, &operation, attributes, engine, NULL);
    if (status != dnnl_success || !backward) { *descriptor = forward; return status; }
    status = dnnl_eltwise_backward_desc_init(&operation, algorithm, &data, &data, alpha, 0);
    if (status != dnnl_success) { dnnl_primitive_desc_destroy(forward); return status; }
    return describe_backward(descriptor, engine, &operation, forward, attributes);
}

dnnl_status_t describe_softmax(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                               bool logarithm, layout_t data, int axis, const_dnnl_primitive_attr_t attributes) {
    dnnl_alg_kind_t algorithm = logarithm ? dnnl_softmax_log : dnnl_softmax_accurate;
    dnnl_softmax_v2_desc_t operation;
    dnnl_status_t status = dnnl_softmax_v2_forward_desc_init(&operation, dnnl_forward_training, algorithm, &data,
                                                             &data, axis);
    if (status != dnnl_success) return status;
    dnnl_primitive_desc_t forward = NULL;
    status = dnnl_primitive_desc_create(&forward, &operation, attributes, engine, NULL);
    if (status != dnnl_success || !backward) { *descriptor = forward; return status; }
    status = dnnl_softmax_v2_backward_desc_init(&operation, algorithm, &data, &data, &data, axis);
    if (status != dnnl_success) { dnnl_primitive_desc_destroy(forward); return status; }
    return describe_backward(descriptor, engine, &operation, forward, attributes);
}

dnnl_status_t describe_layer_norm(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                                  bool training, layout_t data, layout_t statistics, float epsilon,
                                  const_dnnl_primitive_attr_t attributes) {
    unsigned flags = dnnl_use_scale | dnnl_use_shift;
    dnnl_layer_normalization_desc_t operation;
    dnnl_status_t status = dnnl_layer_normalization_forward_desc_init(
        &operation, training ? dnnl_forward_training : dnnl_forward_inference, &data, &statistics, epsilon, flags);
    if (status != dnnl_success) return status;
    dnnl_primitive_desc_t forward = NULL;
    status = dnnl_primitive_desc_create(&forward, &operation, attributes, engine, NULL);
    if (status != dnnl_success || !backward) { *descriptor = forward; return status; }
    status = dnnl_layer_normalization_backward_desc_init(&operation, dnnl_backward, &data, &data, &statistics,
                                                         epsilon, flags);
    if (status != dnnl_success) { dnnl_primitive_desc_destroy(forward); return status; }
    return describe_backward(descriptor, engine, &operation, forward, attributes);
}

/// With any weights: the hint decides nothing but which implementation is asked first.
static dnnl_status_t convolution_hint(dnnl_primitive_desc_t *hint, dnnl_engine_t engine, const layout_t *source,
                                      const layout_t *weights, const layout_t *result,
                                      dnnl_dims_t strides, dnnl_dims_t pads, const_dnnl_primitive_attr_t attributes) {
    dnnl_convolution_desc_t operation;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(&operation, dnnl_forward_training,
                                                              dnnl_convolution_direct, source, weights, NULL, result,
                                                              strides, pads, pads);
    return status == dnnl_success ? dnnl_primitive_desc_create(hint, &operation, attributes, engine, NULL) : status;
}

dnnl_status_t describe_convolution(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, cdnn_pass pass,
                                   layout_t source, layout_t weights, layout_t result,
                                   int64_t stride, int64_t padding, const_dnnl_primitive_attr_t attributes) {
    dnnl_dims_t strides = {stride, stride}, pads = {padding, padding};
    if (pass == cdnn_forward)
        return convolution_hint(descriptor, engine, &source, &weights, &result, strides, pads, attributes);
    layout_t any;
    dnnl_status_t status = layout_any(&any, weights.ndims, weights.dims);
    if (status != dnnl_success) return status;
    dnnl_primitive_desc_t hint = NULL;
    status = convolution_hint(&hint, engine, &source, &any, &result, strides, pads, NULL);
    if (status != dnnl_success) return status;
    dnnl_convolution_desc_t operation;
    status = pass == cdnn_data_gradient
                 ? dnnl_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct, &source, &weights,
                                                            &result, strides, pads, pads)
                 : dnnl_convolution_backward_weights_desc_init(&operation, dnnl_convolution_direct, &source, &weights,
                                                               NULL, &result, strides, pads, pads);
    if (status != dnnl_success) { dnnl_primitive_desc_destroy(hint); return status; }
    return describe_backward(descriptor, engine, &operation, hint, attributes);
}

dnnl_status_t describe_max_pooling(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                                   bool keeps_places, layout_t source, layout_t result, int64_t kernel, int64_t stride,
                                   int64_t padding, const_dnnl_primitive_attr_t attributes) {
    dnnl_dims_t kernels = {kernel, kernel}, strides = {stride, stride}, pads = {padding, padding};
    dnnl_pooling_desc_t operation;
    dnnl_status_t status = dnnl_pooling_forward_desc_init(
        &operation, keeps_places ? dnnl_forward_training : dnnl_forward_inference, dnnl_pooling_max, &source, &result,
        strides, kernels, pads, pads);
    if (status != dnnl_success) return status;
    dnnl_primitive_desc_t forward = NULL;
    status = dnnl_primitive_desc_create(&forward, &operation, attributes, engine, NULL);
    if (status != dnnl_success || !backward) { *descriptor = forward; return status; }
    status = dnnl_pooling_backward_desc_init(&operation, dnnl_pooling_max, &source, &result, strides, kernels, pads,
                                             pads);
    if (status != dnnl_success) { dnnl_primitive_desc_destroy(forward); return status; }
    return describe_backward(descriptor, engine, &operation, forward, attributes);
}

dnnl_status_t describe_batch_norm(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                                  layout_t data, float epsilon, const_dnnl_primitive_attr_t attributes) {
    unsigned flags = dnnl_use_scale | dnnl_use_shift;
    dnnl_batch_normalization_desc_t operation;
    dnnl_status_t status =
        dnnl_batch_normalization_forward_desc_init(&operation, dnnl_forward_training, &data, epsilon, flags);
    if (status != dnnl_success) return status;
    dnnl_primitive_desc_t forward = NULL;
    status = dnnl_primitive_desc_create(&forward, &operation, attributes, engine, NULL);
    if (status != dnnl_success || !backward) { *descriptor = forward; return status; }
    status = dnnl_batch_normalization_backward_desc_init(&operation, dnnl_backward, &data, &data, epsilon, flags);
    if (status != dnnl_success) { dnnl_primitive_desc_destroy(forward); return status; }
    return describe_backward(descriptor, engine, &operation, forward, attributes);
}

#endif
