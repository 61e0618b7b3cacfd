#pragma once

// The loader picks before ThreadSanitizer has begun, in a function that calls it: then there is only the first kind.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_THREAD_SANITIZER
#endif
#endif

#if defined(__x86_64__) && defined(__linux__) && !defined(HAS_THREAD_SANITIZER)
#define WIDEST __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define WIDEST
#endif
