#include "instructions.h"
#include "narrow_kernels.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const instruction_set *chosen = &generic_instructions;
static narrow_kernels chosen_narrow = {.narrowing = &generic_narrowing,
                                       .product = {generic_codes_product, generic_halves_product}};
static pthread_once_t once = PTHREAD_ONCE_INIT;

#if defined(__x86_64__)
static void choose_avx2(void) {
    chosen = &avx2_instructions;
    chosen_narrow = (narrow_kernels){.narrowing = &avx2_narrowing,
                                     .product = {avx2_codes_product, avx2_halves_product}};
}

static void choose_avx512(bool is_plain) {
    chosen = &avx512_instructions;
    chosen_narrow = (narrow_kernels){.narrowing = &avx512_narrowing,
                                     .product = {avx512_codes_product, avx512_halves_product}};
    if (is_plain) return;
    if (__builtin_cpu_supports("avx512vnni")) {
        chosen_narrow.product[ck_int8] = vnni_codes_product;
        chosen_narrow.is_native[ck_int8] = true;
    }
    if (__builtin_cpu_supports("avx512bf16")) {
        chosen_narrow.narrowing = &bf16_narrowing;
        chosen_narrow.product[ck_bfloat16] = bf16_halves_product;
        chosen_narrow.is_native[ck_bfloat16] = true;
        if (chosen_narrow.is_native[ck_int8]) chosen_narrow.product[ck_int8] = vnni_bf16_codes_product;
    }
}
#endif

/// TRIPTYCH_INSTRUCTIONS (generic, avx2, or avx512 without VNNI and BF16) asks for less than the machine has, to test that on
/// one machine.
static void choose(void) {
#if defined(__x86_64__)
    const char *wish = getenv("TRIPTYCH_INSTRUCTIONS");
    bool is_narrow = wish && strcmp(wish, "avx2") == 0, is_plain = wish && strcmp(wish, "avx512") == 0;
    if (wish && strcmp(wish, "generic") == 0) return;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) choose_avx2();
    if (!is_narrow && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        choose_avx512(is_plain);
#endif
}

const instruction_set *instructions(void) {
    pthread_once(&once, choose);
    return chosen;
}

const narrow_kernels *narrow_instructions(void) {
    pthread_once(&once, choose);
    return &chosen_narrow;
}

bool ck_is_native(ck_precision precision) { return narrow_instructions()->is_native[precision]; }
