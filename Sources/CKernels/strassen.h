// Products by Strassen's algorithm (1969), one level deep: seven products of half the size in place of eight. Rows are
// taken in pairs, always of one image, so that a result's bits do not depend on what else is in the batch; elements of a
// row and panels of outputs in halves.
#ifndef TRIPTYCH_STRASSEN_H
#define TRIPTYCH_STRASSEN_H

#include <stdbool.h>
#include <stddef.h>

#include "include/CKernels.h"

typedef struct {
    const ck_windows *windows;
    int64_t outputs;
    const float *x, *packed, *residual;
    ck_activation activation;
    float *y;
} strassen_job;

/// How many of the outputs' panels, from the first, are worth it: depends on the layer and the size of an image alone.
int64_t strassen_panels(const ck_windows *windows, int64_t outputs);
/// Floats of scratch memory on the calling thread.
int64_t strassen_scratch(const ck_windows *windows);
/// Computes these panels' outputs. `scratch` is 64-byte aligned.
void strassen_run(const strassen_job *job, float *scratch);

#endif
