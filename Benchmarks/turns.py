"""Long-lived processes that take turns at being measured, so that noise on a shared machine hits all alike.

A process answers each line of its standard input, a number of runs, with a line of JSON: {"milliseconds": [...]}. Whoever
has no turn is stopped (SIGSTOP): threads that spin while they wait would take the cores of whoever has.
"""
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
import time


PATIENCE = 900  # Seconds until a process must be ready to be measured.


class Failed(Exception):
    pass


class Worker:
    """Started and ready: models are loaded and warm. Then stopped until its turn."""

    def __init__(self, peer, variant, command, log, environment=None):
        self.peer, self.variant, self.times = peer, variant, []
        self.log = open(log, "w+")
        start = time.monotonic()
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, env=os.environ | (environment or {}))
        # Compiling may take longer than anybody would wait: then the process ends, which `_ask` reports.
        limit = threading.Timer(PATIENCE, self.process.kill)
        limit.start()
        try:
            self.facts = self._ask(0)
        finally:
            limit.cancel()
        self.ready_seconds = time.monotonic() - start
        self._signal(signal.SIGSTOP)

    def _signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def _ask(self, count):
        try:
            self.process.stdin.write(f"{count}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            self.process.kill()
            self.process.wait()
            self.log.seek(0)
            last = self.log.read().strip().splitlines()[-1:] or ["no message"]
            raise Failed(f"{self.peer} ({self.variant}): ended with {self.process.returncode}: {last[0][:300]}")
        return json.loads(line)

    def turn(self, count):
        """Measures `count` runs. One before them brings caches back and does not count."""
        self._signal(signal.SIGCONT)
        try:
            self.times += self._ask(count + 1)["milliseconds"][1:]
        finally:
            self._signal(signal.SIGSTOP)

    def peak_megabytes(self):
        return peak_megabytes(self.process.pid)

    def end(self):
        self._signal(signal.SIGCONT)
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def peak_megabytes(pid):
    """The most memory that a process ever had resident."""
    return int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) / 1000


def take_turns(workers, rounds, runs, seed=0):
    """Every worker once a round, in an order that changes, so that none always follows the same."""
    order = random.Random(seed)
    for _ in range(rounds):
        for worker in order.sample(workers, len(workers)):
            worker.turn(runs)


def keep_best(workers):
    """Of each peer's variants the fastest so far; the others end."""
    best = {}
    for w in sorted(workers, key=lambda w: min(w.times)):
        best.setdefault(w.peer, w)
    for w in workers:
        if w not in best.values():
            w.end()
    return [w for w in workers if w in best.values()]


def summary(times):
    quarters = statistics.quantiles(times, n=4, method="inclusive") if len(times) > 1 else [times[0]] * 3
    return {"runs": len(times), "median_ms": statistics.median(times), "minimum_ms": min(times),
            "spread_ms": quarters[2] - quarters[0]}


def compare(start, variants, trial, rounds, runs):
    """Figures by peer. `start(peer, variant)` makes a worker; a variant that does not work here is reported and left out.

    Two quick rounds choose among each peer's variants; only the chosen are measured further, on fresh counts."""
    workers, failures = [], {}
    try:
        for peer, variant in variants:
            try:
                workers.append(start(peer, variant))
            except Failed as failure:
                failures[f"{peer} {variant}"] = str(failure)
                print(f"  left out: {failure}", file=sys.stderr)
        take_turns(workers, trial, runs)
        trials = {f"{w.peer} {w.variant}": min(w.times) for w in workers}
        workers = keep_best(workers)
        for w in workers:
            w.times = []
        take_turns(workers, rounds, runs)
        figures = {w.peer: summary(w.times) | {
            "variant": w.variant, "peak_megabytes": w.peak_megabytes(), "ready_seconds": w.ready_seconds,
            "imports_megabytes": w.facts.get("imports_megabytes")} for w in workers}
    finally:
        for w in workers:
            w.end()
    return {"peers": figures, "trial_minimum_ms": trials, "failures": failures}


def ratios(peers, ours="triptych"):
    """Triptych's time over the fastest peer's: below 1 Triptych is faster."""
    others = [p for p in peers if p != ours]
    if ours not in peers or not others:
        return {}
    return {f"{key}_ratio": peers[ours][f"{key}_ms"] / min(peers[p][f"{key}_ms"] for p in others)
            for key in ("median", "minimum")}
