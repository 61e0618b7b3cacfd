// Work in pieces on OpenMP's threads.
#ifndef TRIPTYCH_PARALLEL_H
#define TRIPTYCH_PARALLEL_H

#include <stdint.h>

/// Work on piece `i` of a job, by worker `worker`: no two workers of that number run at a time.
typedef void (*piece_function)(const void *context, int64_t i, int64_t worker);

/// Calls `work` for each i below `count`, on as many threads as OpenMP gives the caller, in any order. Piece by piece as
/// threads get free: on a shared machine equal shares do not take equal time.
void parallel_for(int64_t count, piece_function work, const void *context);

/// How many workers a `parallel_for` of the calling thread has, at most.
int64_t parallel_workers(void);

#endif
