#!/usr/bin/env bash
# How OpenMP's threads should wait for one another: the median time of encoding 1 and 8 triples, alone, beside a process that
# takes a core, and beside one of the lowest priority, for each way of waiting:
#
#     Benchmarks/waiting.sh MODEL.safetensors [RUNS]
#
# A number is GOMP_SPINCOUNT: how often a thread looks before it sleeps. One after the other in a fixed order, so take the
# medians of several runs of this.
set -euo pipefail
model=$1 runs=${2:-40}
triptych="$(dirname "$0")/../.build/release/triptych"
for batch in 1 8; do
    for beside in nothing busy nice; do
        other=
        case $beside in
        busy) sh -c 'while :; do :; done' & other=$! ;;
        nice) nice -n 19 sh -c 'while :; do :; done' & other=$! ;;
        esac
        for way in passive active 1000 10000 100000; do
            case $way in
            passive | active) setting=OMP_WAIT_POLICY=$way ;;
            *) setting=GOMP_SPINCOUNT=$way ;;
            esac
            median=$(env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT "$setting" "$triptych" benchmark --checkpoint "$model" \
                --batch "$batch" --runs $(((runs + batch - 1) / batch)) --json | tr -d " \n" | grep -o '"median_ms":[0-9.]*' | cut -d: -f2)
            echo "batch $batch beside $beside, $way: $median ms"
        done
        if [ -n "$other" ]; then kill "$other"; wait "$other" 2>/dev/null || true; fi
    done
done
