// Loaded before a program (LD_PRELOAD), writes down what it does to the files of one folder: powerloss.py replays it and forgets
// what was not synced. TRACE_FOLDER is the folder, TRACE_FILE where the records go.
//
// A record is a struct record, then its two byte strings. A sync has two, since only what was written before it began is durable
// when it ends. Everything else is recorded under one lock together with its call, so that the order is that of the calls.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct record {
    int64_t nanoseconds;  // CLOCK_MONOTONIC
    uint64_t inode;
    int64_t offset;
    uint32_t lengths[2];
    uint32_t operation;
    uint32_t unused;
};

enum { CREATE = 1, WRITE, TRUNCATE, BEGIN_SYNC, END_SYNC, RENAME, UNLINK, LINK };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static int trace = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    folder = getenv("TRACE_FOLDER");
    const char *file = getenv("TRACE_FILE");
    if (folder && file) trace = REAL(open)(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void record(uint32_t operation, uint64_t inode, int64_t offset, const void *a, size_t na, const void *b, size_t nb) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct record head = {
        .nanoseconds = now.tv_sec * 1000000000LL + now.tv_nsec, .inode = inode, .offset = offset,
        .lengths = {(uint32_t)na, (uint32_t)nb}, .operation = operation};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)a, na}, {(void *)b, nb}};
    ssize_t length = (ssize_t)(sizeof head + na + nb);
    // A trace with a hole would be worse than none.
    if (REAL(writev)(trace, parts, 3) != length) abort();
}

static int concerns(const char *path) { return trace >= 0 && strncmp(path, folder, strlen(folder)) == 0; }

// The inode of a file or folder in the folder; 0 of others.
static uint64_t inode(int file) {
    int saved = errno;
    char link[64], path[PATH_MAX];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = trace < 0 ? -1 : readlink(link, path, sizeof path - 1);
    uint64_t result = 0;
    if (length > 0) {
        path[length] = 0;
        if (concerns(path) && fstat(file, &status) == 0) result = status.st_ino;
    }
    errno = saved;
    return result;
}

static int opened(int directory, const char *path, int flags, mode_t mode) {
    __typeof__(&openat) real = REAL(openat);
    if (!(flags & O_CREAT) || !concerns(path)) return real(directory, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat status;
    int isNew = stat(path, &status) != 0;
    int file = real(directory, path, flags, mode);
    if (file >= 0 && isNew && fstat(file, &status) == 0) record(CREATE, status.st_ino, 0, path, strlen(path), NULL, 0);
    if (file >= 0 && !isNew && (flags & O_TRUNC)) record(TRUNCATE, status.st_ino, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return file;
}

#define MODE(flags)                        \
    mode_t mode = 0;                       \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list list;                      \
        va_start(list, flags);             \
        mode = va_arg(list, mode_t);       \
        va_end(list);                      \
    }

int open(const char *path, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags)
    return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}
int openat(int directory, const char *path, int flags, ...) {
    MODE(flags)
    return opened(directory, path, flags, mode);
}
int openat64(int directory, const char *path, int flags, ...) {
    MODE(flags)
    return opened(directory, path, flags | O_LARGEFILE, mode);
}

// At an offset, or at the file's own if that is negative.
static ssize_t written(int file, const void *bytes, size_t count, off_t offset) {
    __typeof__(&write) real = REAL(write);
    __typeof__(&pwrite) at = REAL(pwrite);
    uint64_t target = inode(file);
    if (!target) return offset < 0 ? real(file, bytes, count) : at(file, bytes, count, offset);
    pthread_mutex_lock(&lock);
    ssize_t done = offset < 0 ? real(file, bytes, count) : at(file, bytes, count, offset);
    if (done > 0) {
        off_t start = offset < 0 ? lseek(file, 0, SEEK_CUR) - done : offset;
        record(WRITE, target, start, NULL, 0, bytes, (size_t)done);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int file, const void *bytes, size_t count) { return written(file, bytes, count, -1); }
ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) { return written(file, bytes, count, offset); }
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) { return written(file, bytes, count, offset); }

static int truncated(int file, off_t size) {
    __typeof__(&ftruncate) real = REAL(ftruncate);
    uint64_t target = inode(file);
    if (!target) return real(file, size);
    pthread_mutex_lock(&lock);
    int result = real(file, size);
    if (result == 0) record(TRUNCATE, target, size, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int file, off_t size) { return truncated(file, size); }
int ftruncate64(int file, off64_t size) { return truncated(file, size); }

static int synced(int file, int (*real)(int)) {
    uint64_t target = inode(file);
    if (!target) return real(file);
    pthread_mutex_lock(&lock);
    // A folder may have the number that a file had before it.
    struct stat status;
    const char *kind = fstat(file, &status) == 0 && S_ISDIR(status.st_mode) ? "folder" : "";
    record(BEGIN_SYNC, target, file, kind, strlen(kind), NULL, 0);
    pthread_mutex_unlock(&lock);
    int result = real(file);
    pthread_mutex_lock(&lock);
    if (result == 0) record(END_SYNC, target, file, kind, strlen(kind), NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int file) { return synced(file, REAL(fsync)); }
int fdatasync(int file) { return synced(file, REAL(fdatasync)); }

// An operation on names: one that is not absolute would not be noticed, and this program uses none.
#define NAMES(call, operation, a, b)                                                     \
    if (!concerns(a) && !concerns(b)) return call;                                       \
    pthread_mutex_lock(&lock);                                                           \
    int result = call;                                                                   \
    if (result == 0) record(operation, 0, 0, a, strlen(a), b, strlen(b));                \
    pthread_mutex_unlock(&lock);                                                         \
    return result;

int rename(const char *from, const char *to) { NAMES(REAL(rename)(from, to), RENAME, from, to) }
int renameat(int f, const char *from, int t, const char *to) { NAMES(REAL(renameat)(f, from, t, to), RENAME, from, to) }
int link(const char *from, const char *to) { NAMES(REAL(link)(from, to), LINK, from, to) }
int unlink(const char *path) { NAMES(REAL(unlink)(path), UNLINK, path, "") }
int unlinkat(int f, const char *path, int flags) { NAMES(REAL(unlinkat)(f, path, flags), UNLINK, path, "") }
