"""Measures the memory of training steps at the papers' sizes.

    python3 Benchmarks/memory.py --triptych .build/release/triptych --output /tmp/memory [NAME…]

Each case takes two steps of a paper's recipe, from random weights, on rendered images of its size: in the second the optimiser has what
it gathers. Printed are the largest resident set, as the kernel counts it, and the seconds of a step. A process may not have more than
--limit GiB of addresses, so that what does not fit ends by itself. Only the standard library.
"""
import argparse
import json
import os
import pathlib
import resource
import sys
import time

RENDERED = ["--identities", "32", "--cameras", "2", "--sightings", "2", "--height", "128", "--width", "256", "--seed", "1"]
UNFROZEN = {"name": "unfrozen", "steps": 2, "learning_rate": 5e-6, "optimizer": "adamw", "weight_decay": 0.0013,
            "loss": {"triplet": 0.5, "center": 0.0005, "cross_entropy": 0.5, "label_smoothing": 0.1}}
TWO = ["stages.0.epochs=null", "stages.0.steps=2", "stages.0.schedule=null"]
# The recipe, and what is set: the stage in which all weights learn, and how many triples are encoded at a time.
CASES = {
    "unicat": ("unicat-vit-b-rgbnt100", TWO),
    "unicat, 8 at once": ("unicat-vit-b-rgbnt100", TWO + ["batch.at_once=8"]),
    "fusion-concat, 8 at once": ("fusion-concat-vit-b-rgbnt100", TWO + ["batch.at_once=8"]),
    "graft, 6 at once": ("graft-rgbnt100", ["stages=" + json.dumps([UNFROZEN]), "batch.at_once=6"]),
}


def run(command, limit=None):
    """Runs a command; its largest resident set in GiB, and the time that it took."""
    start, pid = time.monotonic(), os.fork()
    if pid == 0:
        if limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit << 30, limit << 30))
        os.execv(command[0], [str(part) for part in command])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))}: status {os.waitstatus_to_exitcode(status)}, {usage.ru_maxrss / 2**20:.1f} GiB")
    return usage.ru_maxrss / 2**20, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--limit", type=int, default=24)
    parser.add_argument("names", nargs="*", metavar="NAME")
    a = parser.parse_args()
    a.output.mkdir(parents=True, exist_ok=True)
    binary, data = str(a.triptych.resolve()), a.output / "data"
    if not data.exists():
        run([binary, "synthesize", "--output", data, *RENDERED])
    for name, (recipe, settings) in CASES.items():
        if a.names and name not in a.names:
            continue
        folder = a.output / name.replace(", ", "-").replace(" ", "-")
        options = [part for setting in settings + ["validation={identities: 0, every: 0}"] for part in ("--set", setting)]
        peak, seconds = run(
            [binary, "train", "--config", recipe, "--data", data, "--output", folder, "--no-report", *options], a.limit)
        steps = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()]
        triples = len(steps[0]["files"])
        print(f"{name}: {triples} triples a step, {peak:.1f} GiB, {seconds / len(steps):.0f} s a step with all else", flush=True)


if __name__ == "__main__":
    main()
