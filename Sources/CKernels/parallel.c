#include "parallel.h"

#include "include/CKernels.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/// libgomp's entry for `#pragma omp parallel`, part of its stable interface. It is looked up, not linked: the library comes
/// with oneDNN, which is thus given the same team of threads, and without it everything runs on the caller.
typedef void (*gomp_parallel)(void (*body)(void *), void *data, unsigned threads, unsigned flags);

static gomp_parallel begin_parallel;
static int (*most_threads)(void), (*thread_number)(void), (*is_within)(void);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void look_up(void) {
    most_threads = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    thread_number = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_thread_num");
    is_within = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_in_parallel");
    if (most_threads && thread_number && is_within) begin_parallel = (gomp_parallel)dlsym(RTLD_DEFAULT, "GOMP_parallel");
}

/// A thread of a team has no team of its own: what it does in pieces it does alone.
static int64_t workers(void) {
    pthread_once(&once, look_up);
    return begin_parallel && !is_within() ? most_threads() : 1;
}

enum { most_ranges = 64 };

typedef struct {
    piece_function work;
    const void *context;
    int64_t count, ranges;
    /// The pieces that are taken of each range, a cache line each.
    struct {
        _Alignas(64) _Atomic int64_t taken;
    } of[most_ranges];
} job;

/// Its own range first, the same in every job: what a thread wrote in one layer is in its cache when it comes to the next.
/// Then what others have not come to.
static void take_pieces(void *pointer) {
    job *j = pointer;
    int64_t worker = j->ranges > 1 ? thread_number() : 0;
    for (int64_t k = 0; k < j->ranges; k++) {
        int64_t range = (worker + k) % j->ranges, i;
        int64_t begin = range * j->count / j->ranges, end = (range + 1) * j->count / j->ranges;
        while ((i = begin + atomic_fetch_add_explicit(&j->of[range].taken, 1, memory_order_relaxed)) < end)
            j->work(j->context, i, worker);
    }
}

void parallel_for(int64_t count, piece_function work, const void *context) {
    job j;
    int64_t most = count > 1 ? workers() : 1;
    j.work = work, j.context = context, j.count = count;
    j.ranges = most < most_ranges ? most : most_ranges;
    for (int64_t r = 0; r < j.ranges; r++) atomic_init(&j.of[r].taken, 0);
    if (most > 1)
        begin_parallel(take_pieces, &j, 0, 0);
    else
        take_pieces(&j);
}

int64_t parallel_workers(void) { return workers(); }

int64_t ck_workers(void) { return workers(); }

typedef struct {
    void (*work)(void *, int64_t);
    void *context;
} foreign_job;

static void work_on_foreign(const void *context, int64_t i, int64_t worker) {
    (void)worker;
    const foreign_job *foreign = context;
    foreign->work(foreign->context, i);
}

void ck_parallel(int64_t count, void (*work)(void *, int64_t), void *context) {
    foreign_job foreign = {.work = work, .context = context};
    parallel_for(count, work_on_foreign, &foreign);
}
