#include "instructions.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const instruction_set *chosen = &generic_instructions;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/// TRIPTYCH_INSTRUCTIONS (generic, avx2) asks for less than the machine has, to test that on one machine.
static void choose(void) {
#if defined(__x86_64__)
    const char *wish = getenv("TRIPTYCH_INSTRUCTIONS");
    bool is_narrow = wish && strcmp(wish, "avx2") == 0;
    if (wish && strcmp(wish, "generic") == 0) return;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) chosen = &avx2_instructions;
    if (!is_narrow && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        chosen = &avx512_instructions;
#endif
}

const instruction_set *instructions(void) {
    pthread_once(&once, choose);
    return chosen;
}
