#include "engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "include/COneDNN.h"

enum { buckets = 1024 };

static dnnl_engine_t shared_engine;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static cached_primitive *cache[buckets];

/// What a thread owns; freed when the thread ends.
typedef struct {
    dnnl_stream_t stream;
    void *scratch;
    size_t scratch_bytes;
} thread_state;

static pthread_key_t thread_key;

static void thread_state_free(void *pointer) {
    thread_state *state = pointer;
    dnnl_stream_destroy(state->stream);
    free(state->scratch);
    free(state);
}

static void engine_make(void) {
    if (dnnl_engine_create(&shared_engine, dnnl_cpu, 0) != dnnl_success) abort();
    if (pthread_key_create(&thread_key, thread_state_free) != 0) abort();
}

dnnl_engine_t engine(void) {
    pthread_once(&engine_once, engine_make);
    return shared_engine;
}

static thread_state *current_thread(void) {
    engine();
    thread_state *state = pthread_getspecific(thread_key);
    if (state) return state;
    state = calloc(1, sizeof *state);
    if (!state) return NULL;
    if (dnnl_stream_create(&state->stream, engine(), dnnl_stream_default_flags) != dnnl_success) {
        free(state);
        return NULL;
    }
    pthread_setspecific(thread_key, state);
    return state;
}

/// Scratch memory of at least `bytes`, 64-byte aligned, kept by the thread.
static void *scratch_of(thread_state *state, size_t bytes) {
    if (state->scratch_bytes >= bytes) return state->scratch;
    free(state->scratch);
    state->scratch_bytes = 0;
    size_t rounded = (bytes + 4095) / 4096 * 4096;
    state->scratch = aligned_alloc(4096, rounded);
    if (state->scratch) state->scratch_bytes = rounded;
    return state->scratch;
}

dnnl_status_t attributes_create(dnnl_primitive_attr_t *attributes) {
    dnnl_status_t status = dnnl_primitive_attr_create(attributes);
    if (status != dnnl_success) return status;
    return dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
}

void entry_add(cached_primitive *entry, int role, layout_t layout) {
    entry->roles[entry->arguments] = role;
    entry->layouts[entry->arguments] = layout;
    entry->arguments += 1;
}

static size_t hash_of(const void *key, size_t bytes) {
    const unsigned char *at = key;
    uint64_t hash = 14695981039346656037u;  // FNV-1a
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ at[i]) * 1099511628211u;
    return (size_t)(hash % buckets);
}

static void entry_free(cached_primitive *entry) {
    if (entry->primitive) dnnl_primitive_destroy(entry->primitive);
    layout_free(entry->scratch);
    for (int i = 0; i < entry->arguments; i++) layout_free(entry->layouts[i]);
    free(entry);
}

static dnnl_status_t entry_make(const void *key, size_t key_bytes, describe_function describe,
                                cached_primitive **made) {
    cached_primitive *entry = calloc(1, sizeof *entry);
    if (!entry) return dnnl_out_of_memory;
    memcpy(entry->key, key, key_bytes);
    entry->key_bytes = key_bytes;
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = describe(key, entry, &descriptor);
    if (status == dnnl_success) status = layout_chosen(&entry->scratch, descriptor, dnnl_query_scratchpad_md);
    if (status == dnnl_success) status = dnnl_primitive_create(&entry->primitive, descriptor);
    if (descriptor) dnnl_primitive_desc_destroy(descriptor);
    if (status != dnnl_success) {
        entry_free(entry);
        return status;
    }
    entry->scratch_bytes = layout_bytes(entry->scratch);
    *made = entry;
    return dnnl_success;
}

/// Requires the cache's lock.
static cached_primitive *entry_find(size_t bucket, const void *key, size_t key_bytes) {
    cached_primitive *found = cache[bucket];
    while (found && (found->key_bytes != key_bytes || memcmp(found->key, key, key_bytes) != 0)) found = found->next;
    return found;
}

dnnl_status_t primitive_for(const void *key, size_t key_bytes, describe_function describe, cached_primitive **entry) {
    if (key_bytes > max_key) return dnnl_invalid_arguments;
    engine();
    size_t bucket = hash_of(key, key_bytes);
    pthread_mutex_lock(&cache_lock);
    *entry = entry_find(bucket, key, key_bytes);
    pthread_mutex_unlock(&cache_lock);
    if (*entry) return dnnl_success;

    // Not under the lock: oneDNN generates code here, and requests need the lock for primitives that are there already.
    cached_primitive *made = NULL;
    dnnl_status_t status = entry_make(key, key_bytes, describe, &made);
    if (status != dnnl_success) return status;
    pthread_mutex_lock(&cache_lock);
    *entry = entry_find(bucket, key, key_bytes);
    if (!*entry) {
        made->next = cache[bucket];
        cache[bucket] = *entry = made;
    }
    pthread_mutex_unlock(&cache_lock);
    // Another thread was quicker.
    if (*entry != made) entry_free(made);
    return dnnl_success;
}

dnnl_status_t primitive_run(const cached_primitive *entry, const void *const *pointers) {
    thread_state *state = current_thread();
    if (!state) return dnnl_out_of_memory;
    dnnl_exec_arg_t arguments[max_arguments + 1];
    int count = 0;
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < entry->arguments && status == dnnl_success; i++) {
        if (!pointers[i]) continue;
        arguments[count].arg = entry->roles[i];
        status = layout_memory(&arguments[count].memory, entry->layouts[i], engine(), (void *)pointers[i]);
        if (status == dnnl_success) count += 1;
    }
    if (status == dnnl_success && entry->scratch_bytes > 0) {
        void *scratch = scratch_of(state, entry->scratch_bytes);
        arguments[count].arg = DNNL_ARG_SCRATCHPAD;
        status = scratch ? layout_memory(&arguments[count].memory, entry->scratch, engine(), scratch)
                         : dnnl_out_of_memory;
        if (status == dnnl_success) count += 1;
    }
    if (status == dnnl_success) status = dnnl_primitive_execute(entry->primitive, state->stream, count, arguments);
    if (status == dnnl_success) status = dnnl_stream_wait(state->stream);
    for (int i = 0; i < count; i++) dnnl_memory_destroy(arguments[i].memory);
    return status;
}

int cdnn_version(void) {
    const dnnl_version_t *version = dnnl_version();
    return version->major * 10000 + version->minor * 100 + version->patch;
}
