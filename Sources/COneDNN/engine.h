// The engine, the per-thread stream and scratch memory, and the cache of primitives.
#ifndef TRIPTYCH_ENGINE_H
#define TRIPTYCH_ENGINE_H

#include "compatibility.h"

enum { max_arguments = 10, max_key = 256 };

/// One created primitive with the layouts of its arguments, in the order in which callers pass their pointers.
typedef struct cached_primitive {
    struct cached_primitive *next;
    size_t key_bytes;
    unsigned char key[max_key];
    dnnl_primitive_t primitive;
    int arguments;
    int roles[max_arguments];
    layout_t layouts[max_arguments];
    size_t scratch_bytes;
    layout_t scratch;
} cached_primitive;

dnnl_engine_t engine(void);

/// Attributes that let the caller provide scratch memory, so that a primitive may run on any thread.
dnnl_status_t attributes_create(dnnl_primitive_attr_t *attributes);

/// Fills a new entry's `arguments`, `roles` and `layouts` and describes its primitive.
typedef dnnl_status_t (*describe_function)(const void *key, cached_primitive *entry,
                                           dnnl_primitive_desc_t *descriptor);

/// The entry for a key, made by `describe` the first time. Entries live as long as the process: a model uses few
/// shapes, and a primitive is some tens of kilobytes of generated code.
dnnl_status_t primitive_for(const void *key, size_t key_bytes, describe_function describe, cached_primitive **entry);

/// Runs it on the calling thread's stream and waits. A NULL pointer leaves that argument out.
dnnl_status_t primitive_run(const cached_primitive *entry, const void *const *pointers);

/// Adds an argument to an entry under construction.
void entry_add(cached_primitive *entry, int role, layout_t layout);

#endif
