"""Whole encoders beside their matrix products and convolutions alone: what is left to gain around them, or has been."""
import sys

import encoders
import models
import turns

KERNELS = "oneDNN's kernels alone"


def measure(name, batch, o):
    checkpoint = encoders.prepare(name, o.work)
    images = o.work / f"{name}-{batch}.safetensors"
    models.make_input(name, batch, images)

    def start(peer, variant):
        log = o.work / f"{name}-{batch}-kernels-{peer[:6]}.log"
        if peer == "triptych":
            command = encoders.ours(checkpoint, batch, o)
        else:
            command = [sys.executable, models.ROOT / "Benchmarks" / "peers" / "kernels.py", name, "--checkpoint", checkpoint,
                       "--input", images, "--threads", o.threads]
        return turns.Worker(peer, variant, command, log)

    # Nothing is to be chosen among, so a round of trial is for warming up only.
    result = turns.compare(start, [("triptych", ""), (KERNELS, "")], trial=1, rounds=o.rounds, runs=o.runs[batch])
    if result["failures"]:
        raise SystemExit(f"{name}: {result['failures']}")
    found = {"model": name, "batch": batch} | result | turns.ratios(result["peers"])
    for peer, f in result["peers"].items():
        print(f"  {name}, {batch}: {peer:24s} median {f['median_ms']:8.2f}  minimum {f['minimum_ms']:8.2f}",
              file=sys.stderr, flush=True)
    return found


def run(o):
    return (measure(name, batch, o) for name in o.models for batch in o.batches)
