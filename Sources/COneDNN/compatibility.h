// What differs between oneDNN 2.x and 3.x, behind one set of names.
#ifndef TRIPTYCH_COMPATIBILITY_H
#define TRIPTYCH_COMPATIBILITY_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>

#include "include/COneDNN.h"

/// A memory descriptor: a value in 2.x, an owned handle in 3.x. Free it with `layout_free`.
typedef dnnl_memory_desc_t layout_t;

/// A float32 layout with explicit strides, and one that leaves the layout to the primitive.
dnnl_status_t layout_strided(layout_t *layout, int rank, const dnnl_dims_t dimensions, const dnnl_dims_t strides);
dnnl_status_t layout_any(layout_t *layout, int rank, const dnnl_dims_t dimensions);
void layout_free(layout_t layout);
size_t layout_bytes(layout_t layout);
dnnl_status_t layout_memory(dnnl_memory_t *memory, layout_t layout, dnnl_engine_t engine, void *data);

/// A copy of a layout that a primitive descriptor chose.
dnnl_status_t layout_chosen(layout_t *layout, const_dnnl_primitive_desc_t descriptor, dnnl_query_t query);

dnnl_status_t append_eltwise(dnnl_post_ops_t operations, dnnl_alg_kind_t algorithm, float alpha);

dnnl_status_t describe_matmul(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, layout_t a, layout_t b,
                              const layout_t *bias, layout_t c, const_dnnl_primitive_attr_t attributes);
dnnl_status_t describe_reorder(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, layout_t from, layout_t to);
dnnl_status_t describe_eltwise(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                               dnnl_alg_kind_t algorithm, float alpha, layout_t data,
                               const_dnnl_primitive_attr_t attributes);
dnnl_status_t describe_softmax(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                               bool logarithm, layout_t data, int axis, const_dnnl_primitive_attr_t attributes);
/// `training` keeps the statistics that the backward pass needs.
dnnl_status_t describe_layer_norm(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                                  bool training, layout_t data, layout_t statistics, float epsilon,
                                  const_dnnl_primitive_attr_t attributes);

/// `source`, `weights` and `result` are those of the forward pass, or their gradients. One stride and padding for both
/// axes.
dnnl_status_t describe_convolution(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, cdnn_pass pass,
                                   layout_t source, layout_t weights, layout_t result,
                                   int64_t stride, int64_t padding, const_dnnl_primitive_attr_t attributes);
/// `keeps_places` remembers the places of the largest elements in a workspace.
dnnl_status_t describe_max_pooling(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                                   bool keeps_places, layout_t source, layout_t result, int64_t kernel, int64_t stride,
                                   int64_t padding, const_dnnl_primitive_attr_t attributes);
dnnl_status_t describe_batch_norm(dnnl_primitive_desc_t *descriptor, dnnl_engine_t engine, bool backward,
                                  layout_t data, float epsilon, const_dnnl_primitive_attr_t attributes);

#endif
