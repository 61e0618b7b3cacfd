"""Where an encoder's time goes: samples of all its threads by Linux's `perf`, sorted by the function that was running.

Triptych's products, convolutions and attention are its own code, which oneDNN's profiler does not see; samples see all.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import encoders

# The first whose pattern is found in "library symbol" counts.
PATTERNS = [
    ("products", r"^triptych \S* ?((strassen_)?product|multiply|run_tile|run_block|run_panel)\b"),
    ("Strassen's sums", r"^triptych \S* ?(add_blocks|sum_rows|strassen_sums)\b"),
    ("packing", r"^triptych .*\b(ck_)?pack"),
    ("Winograd transforms", r"winograd|^triptych \S* ?transform_(tile|back)\b"),
    ("softmax", r"softmax"),
    ("GELU", r"gelu"),
    ("oneDNN", r"^(libdnnl|\[?JIT|perf-\d+|\[unknown\]|//anon|jitted)"),
    ("waiting for threads", r"^libgomp|^\[kernel.*(futex|finish_task_switch|_raw_spin_unlock_irqrestore|schedule)"),
    ("the rest", r""),
]
KINDS = [kind for kind, _ in PATTERNS]
RUNS = 10


def kind(library, symbol):
    return next(k for k, pattern in PATTERNS if re.search(pattern, f"{library} {symbol}"))


def shares(samples):
    """The share of each kind in a recording."""
    report = subprocess.run(["perf", "report", "-i", samples, "--stdio", "-F", "overhead,dso,symbol", "-t", "|"],
                            capture_output=True, text=True, check=True).stdout
    totals = dict.fromkeys(KINDS, 0.0)
    for line in report.splitlines():
        if found := re.match(r"\s*([\d.]+)%\s*\|([^|]*)\|\s*(?:\[.\] )?(.*)", line):
            totals[kind(found[2].strip(), found[3].strip())] += float(found[1])
    whole = sum(totals.values())
    if not whole:
        raise SystemExit(f"perf recorded nothing in {samples}; is /proc/sys/kernel/perf_event_paranoid above 1?")
    return {k: v / whole for k, v in totals.items()}


def ask(process, runs):
    process.stdin.write(f"{runs}\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit("triptych benchmark ended early")
    return json.loads(line)["milliseconds"]


def measure(name, batch, o):
    if not shutil.which("perf"):
        raise SystemExit("the profile needs perf: apt-get install linux-perf")
    checkpoint, samples = encoders.prepare(name, o.work), o.work / f"{name}-{batch}.perf"
    command = encoders.ours(checkpoint, batch, o)
    # The recorder takes a core now and then: threads that spin would then spin for each other, for most of the time.
    with subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=os.environ | {"OMP_WAIT_POLICY": "passive"}) as process:
        whole = min(ask(process, RUNS))  # Without the recorder, which costs time. Loading and warming up are before it.
        # Time on a processor: what virtual machines can count too.
        recorder = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "-p", str(process.pid), "-o",
                                     samples], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)  # Until it is attached.
        ask(process, RUNS)
        recorder.send_signal(signal.SIGINT)
        recorder.wait(60)
        process.stdin.close()
    found = shares(samples)
    ratio = 1 / found["products"] if found["products"] else None
    print(f"profile of {name}, {batch} triple(s): {whole:.1f} ms, " + ", ".join(
        f"{k} {v:.0%}" for k, v in found.items() if v >= 0.005), file=sys.stderr, flush=True)
    return {"model": name, "batch": batch, "whole_ms": whole, "kinds_ms": {k: v * whole for k, v in found.items()},
            "whole_over_products": ratio}


def run(o):
    return (measure(name, batch, o) for name in o.models for batch in o.batches)
