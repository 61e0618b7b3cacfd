#include <stddef.h>
#include <string.h>

#include "narrow_kernels.h"
#include "parallel.h"

typedef struct {
    const ck_narrowing *sizes;
    const float *x;
    uint32_t *words;
    float *scales;
    int32_t *zeros;
} narrowing_job;

enum { floats_of_piece = 1 << 14 };

/// Rows that a piece of work has.
static int64_t rows_of_piece(int64_t width) { return width < floats_of_piece ? floats_of_piece / width : 1; }

/// The scale and the zero point for numbers from `least`, at most 0, to `most`, at least 0.
static void fit(float least, float most, float *scale, int32_t *zero) {
    *scale = (most - least) / 255;
    float shift = -least / *scale;
    *zero = shift >= 0 && shift <= 255 ? (int32_t)(shift + 0.5f) : 0;
}

static void narrow_row(const narrowing_job *job, int64_t row) {
    const narrowing_kernels *kernels = narrow_instructions()->narrowing;
    const ck_narrowing *sizes = job->sizes;
    const float *x = job->x + row * sizes->width;
    int64_t words = ck_words(sizes->precision, sizes->width);
    uint32_t *target = job->words + row * words;
    target[words - 1] = 0;
    if (sizes->precision == ck_bfloat16) {
        kernels->round(x, sizes->width, (uint16_t *)(void *)target);
        return;
    }
    float least, most;
    kernels->range(x, sizes->width, &least, &most);
    fit(least, most, &job->scales[row], &job->zeros[row]);
    float scale = job->scales[row];
    kernels->encode(x, sizes->width, scale > 0 ? 1 / scale : 0, job->zeros[row], (uint8_t *)target);
}

static void narrow_rows(const void *context, int64_t piece, int64_t worker) {
    (void)worker;
    const narrowing_job *job = context;
    int64_t together = rows_of_piece(job->sizes->width), rows = job->sizes->rows;
    for (int64_t row = piece * together; row < rows && row < (piece + 1) * together; row++) narrow_row(job, row);
}

void ck_narrow(const ck_narrowing *sizes, const float *x, uint32_t *words, float *scales, int32_t *zeros) {
    narrowing_job job = {.sizes = sizes, .x = x, .words = words, .scales = scales, .zeros = zeros};
    int64_t together = rows_of_piece(sizes->width);
    parallel_for((sizes->rows + together - 1) / together, narrow_rows, &job);
}
