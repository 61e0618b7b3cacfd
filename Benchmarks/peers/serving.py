"""What the measured processes have in common: they answer lines of standard input until it ends."""
import json
import re
import sys
import time


def resident_megabytes():
    return int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1000


def answer(once, imports_megabytes):
    """Each line is a number of runs of `once`."""
    warm = time.perf_counter()
    for _ in range(3):
        once()
    while time.perf_counter() - warm < 0.5:
        once()
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            once()
            times.append((time.perf_counter() - start) * 1e3)
        print(json.dumps({"milliseconds": times, "imports_megabytes": imports_megabytes}), flush=True)
