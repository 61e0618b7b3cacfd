#!/usr/bin/env bash
# How many threads a server has that has answered a few requests, on a machine that says that it has so many cores:
#
#     Benchmarks/threads.sh MODEL.safetensors DATA [CORES…]
#
# The cores are pretended, by a library that is loaded before the C library's own answers: threads and queues can be counted
# so, not speed. DATA is a data set of `triptych synthesize`.
set -euo pipefail
model=$1 data=$2
shift 2
[ $# -gt 0 ] || set -- 2 16 64
triptych="$(dirname "$0")/../.build/release/triptych"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/cores.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int cores(void) { return atoi(getenv("CORES")); }
static int fill(size_t size, cpu_set_t *set) {
    memset(set, 0, size);
    for (int i = 0; i < cores(); i++) CPU_SET_S(i, size, set);
    return 0;
}
long sysconf(int name) {
    long (*real)(int) = dlsym(RTLD_NEXT, "sysconf");
    return name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF ? cores() : real(name);
}
int sched_getaffinity(pid_t process, size_t size, cpu_set_t *set) { return fill(size, set); }
int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set) { return fill(size, set); }
int get_nprocs(void) { return cores(); }
int get_nprocs_conf(void) { return cores(); }
C
cc -shared -fPIC -O1 -o "$work/cores.so" "$work/cores.c" -ldl
name=$(basename "$(find "$data/query/rgb" -name '*.jpg' | sort | head -n 1)")
images=(-F "rgb=@$data/query/rgb/$name" -F "nir=@$data/query/nir/$name" -F "tir=@$data/query/tir/$name")
for cores; do
    rm -f "$work/log" && touch "$work/log"
    CORES=$cores LD_PRELOAD="$work/cores.so" OMP_WAIT_POLICY=passive "$triptych" serve --checkpoint "$model" \
        --database "$work/$cores.sqlite" --port 0 2>"$work/log" &
    until grep -q 'listening on' "$work/log"; do kill -0 $! && sleep 0.1; done
    server=$(grep -o 'http://[0-9.:]*' "$work/log" | head -n 1)
    curl -sf -o "$work/answer" "$server/v1/galleries" -H 'Content-Type: application/json' -d '{"name": "g"}'
    for _ in 1 2 3; do
        curl -sf -o "$work/answer" "$server/v1/galleries/g/identities/a/sightings" "${images[@]}"
        curl -sf -o "$work/answer" "$server/v1/galleries/g/queries" "${images[@]}"
    done
    echo "$cores cores: $(find "/proc/$!/task" -mindepth 1 -maxdepth 1 | wc -l) threads"
    kill $!
    wait $! || true
done
