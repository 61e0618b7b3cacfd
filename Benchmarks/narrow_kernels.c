// Times the kernels of a ViT-B's blocks and of a ResNet-50's convolutions in float32, bfloat16 and 8 bits, on one thread:
//
//   clang -O2 -D_GNU_SOURCE -Wno-deprecated -ISources/CKernels/include Benchmarks/narrow_kernels.c Sources/CKernels/*.c -lm -lpthread -o /tmp/narrow
//   /tmp/narrow vit 129 10; /tmp/narrow resnet 288 144 10; /tmp/narrow peak
//
// The arguments are a transformer's tokens, or an image's height and width, and how often each is done. Prints the least of the
// processor's times, in milliseconds. Weights are random, each layer's its own: they come from memory, as a model's do. Norms,
// strides, pooling and the first convolution are left out. `peak` prints how many multiplications of 8 bits a second the
// processor does where they wait for nothing: what no product can exceed.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CKernels.h"

enum { depth = 12, model = 768, heads = 12, float32 = -1 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

static float drawn(void) {
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(state >> 40) / (1 << 24) - 0.5);
}

static void *allocated(int64_t words) { return aligned_alloc(64, (words * 4 + 127) / 64 * 64); }

static float *random_floats(int64_t count, float scale) {
    float *x = allocated(count);
    for (int64_t i = 0; i < count; i++) x[i] = drawn() * scale;
    return x;
}

/// Windows of a convolution of stride 1 whose taps have `run` words; a linear layer is one of an image of one row.
static ck_windows windows_of(int64_t height, int64_t width, int64_t run, int64_t kernel) {
    return (ck_windows){.batch = 1, .rows = height, .columns = width, .image_step = height * width * run,
                        .row_step = width * run, .column_step = run, .tap_rows = kernel, .tap_columns = kernel,
                        .tap_row_step = width * run, .tap_column_step = run, .run = run, .padding = kernel / 2,
                        .stride = 1, .height = height, .width = width};
}

typedef struct {
    int precision;
    int64_t height, width, inputs, outputs, kernel;
    void *packed;
} layer;

static int is_winograd(const layer *l) { return l->kernel == 3 && l->precision != ck_int8; }
static ck_winograd winograd_of(const layer *l) {
    return (ck_winograd){1, l->height, l->width, l->inputs, l->outputs, l->precision == ck_bfloat16};
}
static int is_map(const layer *l) { return l->precision == ck_int8 && l->height > 1; }
static ck_windows windows(const layer *l) {
    int64_t run = l->precision == float32 ? l->inputs : ck_words(l->precision, l->inputs), edge = l->kernel / 2;
    ck_windows w = windows_of(l->height, l->width, run, l->kernel);
    if (!is_map(l)) return w;
    // Over codes with their edge the taps of a row are one.
    w.padding = 0, w.row_step = w.tap_row_step = (l->width + 2 * edge) * run;
    w.image_step = (l->height + 2 * edge) * w.row_step, w.tap_columns = 1, w.run = l->kernel * run;
    return w;
}
static ck_narrow_layer narrow_of(const layer *l, const ck_windows *w) {
    return (ck_narrow_layer){.precision = l->precision, .windows = w, .outputs = l->outputs,
                             .elements = is_map(l) ? l->kernel * l->inputs : l->inputs};
}

static layer make(layer l) {
    int64_t fan = l.inputs * l.kernel * l.kernel;
    float *weights = random_floats(l.outputs * fan, 2 / sqrtf(fan)), *bias = random_floats(l.outputs, 0.1f);
    float *scales = allocated(l.outputs);
    for (int64_t o = 0; o < l.outputs; o++) scales[o] = 1 / sqrtf(fan) / 127;
    ck_weight_steps steps = {.output = fan, .tap_row = l.kernel * l.inputs, .tap_column = l.inputs, .element = 1};
    ck_windows w = windows(&l);
    if (is_winograd(&l)) {
        ck_winograd sizes = winograd_of(&l);
        l.packed = allocated(ck_winograd_packed_count(&sizes));
        ck_winograd_pack(&sizes, weights, bias, l.packed);
    } else if (l.precision == float32) {
        l.packed = allocated(ck_packed_count(l.outputs, fan));
        ck_pack(weights, steps, bias, &w, l.outputs, l.packed);
    } else {
        ck_narrow_layer narrow = narrow_of(&l, &w);
        l.packed = allocated(ck_narrow_packed_count(&narrow));
        ck_narrow_pack(&narrow, weights, steps, scales, bias, l.packed);
    }
    free(weights), free(bias), free(scales);
    return l;
}

static uint32_t *words;
static float *scratch, *row_scales;
static int32_t *zeros;
/// An image as maps between convolutions of codes have it, and where one goes.
static uint16_t *halves, *result_halves;
static uint32_t most, result_most;

static void run_map(const layer *l, ck_activation activation) {
    ck_windows w = windows(l);
    ck_narrow_layer narrow = narrow_of(l, &w);
    ck_map map = {1, l->height, l->width, l->inputs, halves, &most};
    ck_map_encode(&map, l->kernel / 2, words, row_scales);
    ck_map_results results = {.activation = activation, .halves = result_halves, .most = &result_most};
    ck_map_product(&narrow, words, row_scales, l->packed, &results);
}

/// With what it is multiplied with made narrow, by row or by image.
static void run(const layer *l, const float *x, const float *residual, ck_activation activation, float *y) {
    ck_windows w = windows(l);
    if (is_winograd(l)) {
        ck_winograd sizes = winograd_of(l);
        ck_winograd_run(&sizes, x, l->packed, residual, activation, scratch, y);
    } else if (l->precision == float32) {
        float *own = ck_product_scratch(&w, l->outputs) ? scratch : NULL;
        ck_product(&w, l->outputs, x, l->packed, residual, activation, own, y);
    } else {
        ck_narrow_layer narrow = narrow_of(l, &w);
        ck_narrowing sizes = {.precision = l->precision, .rows = l->height * l->width, .width = l->inputs};
        ck_narrow(&sizes, x, words, row_scales, zeros);
        ck_narrow_input input = {words, row_scales, zeros};
        ck_narrow_product(&narrow, &input, l->packed, residual, activation, y);
    }
}

static void attend(int precision, int64_t tokens, const float *qkv, float *y) {
    float scale = 1 / sqrtf(model / heads);
    if (precision == float32) ck_attention(1, tokens, heads, model / heads, scale, qkv, NULL, scratch, y);
    else ck_narrow_attention(1, tokens, heads, model / heads, scale, qkv, NULL, scratch, y);
}

static double vit(int precision, int64_t tokens, int rounds) {
    layer qkv[depth], projection[depth], first[depth], second[depth];
    for (int i = 0; i < depth; i++) {
        qkv[i] = make((layer){precision, 1, tokens, model, 3 * model, 1});
        projection[i] = make((layer){precision, 1, tokens, model, model, 1});
        first[i] = make((layer){precision, 1, tokens, model, 4 * model, 1});
        second[i] = make((layer){precision, 1, tokens, 4 * model, model, 1});
    }
    float *input = random_floats(tokens * model, 2), *x = allocated(tokens * model), *hidden = allocated(tokens * 4 * model);
    float *attended = allocated(tokens * model), *joined = allocated(tokens * 3 * model);
    double least = INFINITY;
    for (int round = 0; round < rounds; round++) {
        memcpy(x, input, tokens * model * sizeof *x);
        double start = now();
        for (int i = 0; i < depth; i++) {
            run(&qkv[i], x, NULL, ck_identity, joined);
            attend(precision, tokens, joined, attended);
            run(&projection[i], attended, x, ck_identity, x);
            run(&first[i], x, NULL, ck_gelu, hidden);
            run(&second[i], hidden, x, ck_identity, x);
        }
        least = fmin(least, now() - start);
    }
    return least;
}

/// Channels in and out, kernel, and how often a ResNet-50 has such a layer at a stage's size; those of a stage's first block with
/// stride 2 as if they had none.
static const int64_t shapes[][5] = {
    {4, 64, 64, 1, 1}, {4, 64, 64, 3, 3}, {4, 64, 256, 1, 4}, {4, 256, 64, 1, 2}, {4, 256, 128, 1, 1},
    {8, 128, 128, 3, 4}, {8, 128, 512, 1, 4}, {8, 512, 128, 1, 3}, {8, 256, 512, 1, 1}, {8, 512, 256, 1, 1},
    {16, 256, 256, 3, 6}, {16, 256, 1024, 1, 6}, {16, 1024, 256, 1, 5}, {16, 512, 1024, 1, 1}, {16, 1024, 512, 1, 2},
    {16, 512, 512, 3, 6}, {16, 512, 2048, 1, 6}, {16, 2048, 512, 1, 4}, {16, 1024, 2048, 1, 2}};

static double resnet(int precision, int64_t height, int64_t width, int rounds) {
    double sum = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int64_t *s = shapes[i];
        layer l = make((layer){precision, height / s[0], width / s[0], s[1], s[2], s[3]});
        float *x = random_floats(l.height * l.width * l.inputs, 1), *y = allocated(l.height * l.width * l.outputs);
        for (int64_t j = 0; j < l.height * l.width * l.inputs; j++) x[j] += 0.5f;
        if (is_map(&l)) ck_map_round(1, l.height * l.width * l.inputs, x, halves, &most);
        double least = INFINITY;
        for (int round = 0; round < rounds; round++) {
            double start = now();
            is_map(&l) ? run_map(&l, ck_relu) : run(&l, x, NULL, ck_relu, y);
            least = fmin(least, now() - start);
        }
        sum += least * s[4];
        free(x), free(y), free(l.packed);
    }
    return sum;
}

#if defined(__x86_64__)
#include <immintrin.h>

/// As many sums as a tile has, so that none waits for the one before it.
__attribute__((target("avx512f,avx512vnni"))) static double multiplications_a_second(void) {
    enum { sums = 24, steps = 100000, rounds = 50, of_instruction = 64 };
    __m512i sum[sums] = {0}, words = _mm512_set1_epi32(0x01020304);
    double least = INFINITY;
    for (int round = 0; round < rounds; round++) {
        double start = now();
        for (int step = 0; step < steps; step++) {
            _Pragma("clang loop unroll(full)") for (int i = 0; i < sums; i++)
                sum[i] = _mm512_dpbusd_epi32(sum[i], words, words);
            __asm__ volatile("" ::"v"(sum[0]));
        }
        least = fmin(least, now() - start);
    }
    for (int i = 0; i < sums; i++) __asm__ volatile("" ::"v"(sum[i]));
    return (double)sums * steps * of_instruction / (least * 1e-3);
}

static int print_peak(void) {
    if (!ck_is_native(ck_int8)) return fprintf(stderr, "this processor has no AVX-512 VNNI\n"), 1;
    return printf("int8     %8.0f * 10^9 multiplications a second\n", multiplications_a_second() * 1e-9), 0;
}
#else
static int print_peak(void) { return fprintf(stderr, "this processor has no AVX-512 VNNI\n"), 1; }
#endif

int main(int count, char **arguments) {
    if (count == 2 && strcmp(arguments[1], "peak") == 0) return print_peak();
    if (count < 4) return fprintf(stderr, "expected vit TOKENS ROUNDS, resnet HEIGHT WIDTH ROUNDS, or peak\n"), 2;
    int is_vit = strcmp(arguments[1], "vit") == 0, rounds = atoi(arguments[count - 1]);
    int64_t a = atol(arguments[2]), b = atol(arguments[3]);
    words = allocated(1 << 22), scratch = allocated(1 << 24), row_scales = allocated(1 << 16), zeros = allocated(1 << 16);
    halves = allocated(1 << 22), result_halves = allocated(1 << 22);
    const int precisions[] = {float32, ck_bfloat16, ck_int8};
    const char *names[] = {"float32", "bf16", "int8"};
    double times[3];
    for (int i = 0; i < 3; i++) {
        times[i] = is_vit ? vit(precisions[i], a, rounds) : resnet(precisions[i], a, b, rounds);
        printf("%-8s %8.2f ms (%.2f)\n", names[i], times[i], times[0] / times[i]);
    }
    return 0;
}
