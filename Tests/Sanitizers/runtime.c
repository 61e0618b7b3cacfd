// Tells ThreadSanitizer what Swift's runtime, which is not built with it, orders between threads:
//
// - the locks that Mutex takes when somebody else holds them;
// - that whoever finds a buffer to be its own alone, and writes into it, comes after those who have let go of it.
//
// Without this, threads that wait for each other or pass on an array seem only to touch the same memory. Loaded before the
// runtime; in programs without ThreadSanitizer it does nothing.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

void __tsan_acquire(void *) __attribute__((weak));
void __tsan_release(void *) __attribute__((weak));

#define REAL(name) dlsym(RTLD_NEXT, name)

/// Tasks, actors and continuations tell it by themselves, once they know that it is there, which on Linux nobody tells them.
__attribute__((constructor)) static void begin(void) {
    void (*initialize)(void) = REAL("__tsan_on_initialize");
    if (__tsan_acquire && initialize) initialize();
}

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *mutex
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock(uint32_t thread, SELF) __asm__(LOCK);
SWIFT bool try_lock(SELF) __asm__(TRY);
SWIFT void unlock(SELF) __asm__(UNLOCK);

SWIFT void lock(uint32_t thread, SELF) {
    SWIFT void (*real)(uint32_t, SELF) = REAL(LOCK);
    real(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT bool try_lock(SELF) {
    SWIFT bool (*real)(SELF) = REAL(TRY);
    bool is_locked = real(mutex);
    if (is_locked && __tsan_acquire) __tsan_acquire(mutex);
    return is_locked;
}

SWIFT void unlock(SELF) {
    SWIFT void (*real)(SELF) = REAL(UNLOCK);
    if (__tsan_release) __tsan_release(mutex);
    real(mutex);
}

/// The object behind a reference, whose lowest and highest bits may say what kind it is; null if there is none.
static void *object(void *reference) {
    uintptr_t bits = (uintptr_t)reference;
    return bits >> 56 ? 0 : (void *)(bits & ~(uintptr_t)7);
}

static void letting_go(void *reference) {
    void *owner = object(reference);
    if (__tsan_release && owner) __tsan_release(owner);
}

#define RELEASE(name)                                       \
    void name(void *reference) {                            \
        static void (*real)(void *);                        \
        if (!real) real = (void (*)(void *))REAL(#name);    \
        letting_go(reference);                              \
        real(reference);                                    \
    }
#define RELEASE_SEVERAL(name)                                              \
    void name(void *reference, uint32_t count) {                           \
        static void (*real)(void *, uint32_t);                             \
        if (!real) real = (void (*)(void *, uint32_t))REAL(#name);         \
        letting_go(reference);                                             \
        real(reference, count);                                            \
    }
#define IS_UNIQUE(name)                                                    \
    bool name(void *reference) {                                           \
        static bool (*real)(void *);                                       \
        if (!real) real = (bool (*)(void *))REAL(#name);                   \
        bool is_unique = real(reference);                                  \
        void *owner = object(reference);                                   \
        if (is_unique && __tsan_acquire && owner) __tsan_acquire(owner);   \
        return is_unique;                                                  \
    }

RELEASE(swift_release)
RELEASE(swift_bridgeObjectRelease)
RELEASE_SEVERAL(swift_release_n)
RELEASE_SEVERAL(swift_bridgeObjectRelease_n)
IS_UNIQUE(swift_isUniquelyReferenced_native)
IS_UNIQUE(swift_isUniquelyReferenced_nonNull_native)

/// A task goes on with what it was resumed with, which may have been before it began to wait.
#define RESUME(name)                                         \
    SWIFT void name(void *task, void *error) {               \
        SWIFT void (*real)(void *, void *) = REAL(#name);    \
        letting_go(task);                                    \
        real(task, error);                                   \
    }

RESUME(swift_continuation_resume)
RESUME(swift_continuation_throwingResume)
RESUME(swift_continuation_throwingResumeWithError)

#ifdef __x86_64__
extern SWIFT void *swift_task_getCurrent(void) __attribute__((weak));
void (*triptych_continuation_await)(void);

/// Called by what follows, which cannot be written in C: it must leave every register as it is.
__attribute__((visibility("default"))) void triptych_before_await(void) {
    if (!triptych_continuation_await) triptych_continuation_await = (void (*)(void))REAL("swift_continuation_await");
    void *task = swift_task_getCurrent ? swift_task_getCurrent() : 0;
    if (__tsan_acquire && task) __tsan_acquire(task);
}

__asm__(".globl swift_continuation_await\n"
        ".type swift_continuation_await, @function\n"
        "swift_continuation_await:\n"
        "push %rbp\n mov %rsp, %rbp\n push %rdi\n push %r13\n push %r14\n push %rax\n"
        "call triptych_before_await@PLT\n"
        "pop %rax\n pop %r14\n pop %r13\n pop %rdi\n pop %rbp\n"
        "mov triptych_continuation_await@GOTPCREL(%rip), %r11\n"
        "jmp *(%r11)\n");
#endif
