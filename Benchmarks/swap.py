"""Queries at a constant rate, first in peace, then through swaps between two models, against a running server.

    OMP_WAIT_POLICY=passive triptych serve --checkpoint A.safetensors --database /tmp/swap.sqlite &
    triptych enroll --gallery g --data DATA
    python3 Benchmarks/swap.py --triptych .build/release/triptych --data DATA A.safetensors B.safetensors

Prints median, 99th percentile and failures of both phases, their ratio, and the server's memory before, at most, and after.
A request that is due while the last one is still under way is sent by another thread, so that a stall is not hidden
(coordinated omission). Only the standard library.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import threading
import time
import urllib.request

BOUNDARY = "xyz"


def form(files):
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{m}"; filename="f"\r\n\r\n'.encode() + f.read_bytes()
             + b"\r\n" for m, f in files.items()]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def query(server, gallery, body, due, times, faults):
    request = urllib.request.Request(f"{server}/v1/galleries/{gallery}/queries", body, {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            json.load(answer)
        times.append(time.monotonic() - due)
    except Exception as error:  # Whatever it is, it is a failed request.
        faults.append(repr(error))


def memory(server):
    text = urllib.request.urlopen(f"{server}/metrics").read().decode()
    return float(re.search(r"^process_resident_memory_bytes (\S+)", text, re.M)[1]) / 1e6


def phase(a, bodies, is_over):
    """Queries until `is_over()`; latencies from when each was due."""
    times, faults, threads, peak, start, n = [], [], [], 0, time.monotonic(), 0
    while not is_over(time.monotonic() - start):
        due = start + n / a.rate
        time.sleep(max(0, due - time.monotonic()))
        t = threading.Thread(target=query, args=(a.server, a.gallery, bodies[n % len(bodies)], due, times, faults))
        t.start()
        threads.append(t)
        n += 1
        if n % a.rate == 0:
            peak = max(peak, memory(a.server))
    for t in threads:
        t.join()
    times.sort()
    return {"queries": n, "failed": len(faults), "median_ms": statistics.median(times) * 1e3,
            "p99_ms": times[int(len(times) * 0.99)] * 1e3, "peak_mb": peak, "faults": faults[:3]}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("models", nargs=2)
    p.add_argument("--triptych", required=True)
    p.add_argument("--data", type=pathlib.Path, required=True)
    p.add_argument("--server", default="http://127.0.0.1:8080")
    p.add_argument("--gallery", default="g")
    p.add_argument("--rate", type=int, default=20, help="queries a second")
    p.add_argument("--swaps", type=int, default=10)
    p.add_argument("--seconds", type=float, default=20, help="of the phase in peace")
    a = p.parse_args()
    names = sorted(f.name for f in (a.data / "query" / "rgb").iterdir())[:50]
    bodies = [form({m: a.data / "query" / m / n for m in ("rgb", "nir", "tir")}) for n in names]
    phase(a, bodies, lambda t: t > 3)  # Warm.
    before = memory(a.server)
    steady = phase(a, bodies, lambda t: t > a.seconds)
    done = threading.Event()

    def swaps():
        for i in range(a.swaps):
            model = a.models[(i + 1) % 2]
            # Erased, so that each swap embeds everything again.
            digest = subprocess.run(["sha256sum", model], capture_output=True, text=True, check=True).stdout[:64]
            erase = urllib.request.Request(f"{a.server}/v1/models/{digest}", method="DELETE")
            try:
                urllib.request.urlopen(erase).close()
            except urllib.error.HTTPError:
                pass
            swap = subprocess.run([a.triptych, "publish", model, "--server", a.server, "--activate", "--wait"],
                                  capture_output=True, text=True)
            if swap.returncode:
                print(swap.stdout, swap.stderr)
                break
        done.set()

    threading.Thread(target=swaps).start()
    swapping = phase(a, bodies, lambda t: done.is_set())
    time.sleep(5)
    print(json.dumps({"steady": steady, "swapping": swapping, "p99_ratio": swapping["p99_ms"] / steady["p99_ms"],
                      "memory_mb": {"before": before, "after": memory(a.server)}}, indent=1))


if __name__ == "__main__":
    main()
