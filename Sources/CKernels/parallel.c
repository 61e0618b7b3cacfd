#include "parallel.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/// libgomp's entry for `#pragma omp parallel`, part of its stable interface. It is looked up, not linked: the library comes
/// with oneDNN, which is thus given the same team of threads, and without it everything runs on the caller.
typedef void (*gomp_parallel)(void (*body)(void *), void *data, unsigned threads, unsigned flags);

static gomp_parallel begin_parallel;
static int (*most_threads)(void);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void look_up(void) {
    most_threads = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    if (most_threads) begin_parallel = (gomp_parallel)dlsym(RTLD_DEFAULT, "GOMP_parallel");
}

typedef struct {
    piece_function work;
    const void *context;
    int64_t count;
    _Atomic int64_t next, workers;
} job;

static void take_pieces(void *pointer) {
    job *j = pointer;
    int64_t worker = atomic_fetch_add_explicit(&j->workers, 1, memory_order_relaxed), i;
    while ((i = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed)) < j->count) j->work(j->context, i, worker);
}

void parallel_for(int64_t count, piece_function work, const void *context) {
    pthread_once(&once, look_up);
    job j = {.work = work, .context = context, .count = count};
    if (count > 1 && begin_parallel)
        begin_parallel(take_pieces, &j, 0, 0);
    else
        take_pieces(&j);
}

int64_t parallel_workers(void) {
    pthread_once(&once, look_up);
    return begin_parallel ? most_threads() : 1;
}
