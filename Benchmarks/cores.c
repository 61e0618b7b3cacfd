// Whether two virtual cores are two: what each multiplies while both do nothing but multiply in registers, pinned, 0.4 s at a
// time. Where the host puts both on one physical core, as its two hyperthreads, each gets half.
//
//     clang -O3 -march=native -pthread Benchmarks/cores.c -o /tmp/cores && /tmp/cores
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

enum { cores = 2, goes = 20, lanes = 16, chains = 16, together = 20000 };
typedef float vec __attribute__((vector_size(4 * lanes)));

static pthread_barrier_t start;
static double rates[cores];

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static void *multiply(void *argument) {
    double *rate = argument;
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(rate - rates, &own);
    pthread_setaffinity_np(pthread_self(), sizeof own, &own);
    vec sums[chains] = {0}, half = (vec){0} + 0.5f, little = (vec){0} + 1e-9f;
    pthread_barrier_wait(&start);
    double begin = seconds(), count = 0;
    do {
        for (int i = 0; i < together; i++) {
#pragma clang loop unroll(full)
            for (int c = 0; c < chains; c++) sums[c] = sums[c] * half + little;
            __asm__ volatile("" : "+x"(sums[0]));
        }
        count += 2.0 * together * chains * lanes;
    } while (seconds() - begin < 0.4);
    *rate = count / (seconds() - begin) / 1e9;
    volatile float kept = 0;
    for (int c = 0; c < chains; c++) kept += sums[c][0];
    return NULL;
}

int main(void) {
    pthread_barrier_init(&start, NULL, cores);
    for (int go = 0; go < goes; go++) {
        pthread_t threads[cores];
        for (int i = 0; i < cores; i++) pthread_create(&threads[i], NULL, multiply, &rates[i]);
        for (int i = 0; i < cores; i++) pthread_join(threads[i], NULL);
        printf("%.0f and %.0f GFLOP/s\n", rates[0], rates[1]);
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
    return 0;
}
