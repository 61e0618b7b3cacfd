"""Queries and enrolments at a constant rate, first in peace, then through swaps between two models, against a running server.

    triptych serve --checkpoint A.safetensors --database /tmp/swap.sqlite &
    triptych enroll --gallery g --data DATA
    python3 Benchmarks/swap.py --triptych .build/release/triptych --data DATA A.safetensors B.safetensors

Prints median, 99th percentile and failures of both phases, of all queries and of those that each model answered, the
ratio, and the server's memory: before, at most, and after each swap. With `--swaps 1` and a larger B the figures of A tell
what B's loading, packing and embedding do to requests. A request that is due while the last one is still under way is sent
by another thread, so that a stall is not hidden (coordinated omission). Only the standard library.
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


def send(url, body, due, answers, faults):
    request = urllib.request.Request(url, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            model = json.load(answer).get("model")
        answers.append((model, time.monotonic() - due))
    except Exception as error:  # Whatever it is, it is a failed request.
        faults.append(repr(error))


def latency(times):
    times = sorted(times)
    return {"answers": len(times), "median_ms": statistics.median(times) * 1e3,
            "p99_ms": times[int(len(times) * 0.99)] * 1e3, "longest_ms": times[-1] * 1e3} if times else None


def memory(server):
    text = urllib.request.urlopen(f"{server}/metrics").read().decode()
    return float(re.search(r"^process_resident_memory_bytes (\S+)", text, re.M)[1]) / 1e6


def phase(a, bodies, name, is_over):
    """Requests until `is_over()`; latencies from when each was due."""
    queries, enrolments, faults, threads, peak, start, n = [], [], [], [], 0, time.monotonic(), 0
    gallery = f"{a.server}/v1/galleries/{a.gallery}"
    while not is_over(time.monotonic() - start):
        due = start + n / a.rate
        time.sleep(max(0, due - time.monotonic()))
        requests = [(f"{gallery}/queries", queries)]
        if a.enrol and n % (a.rate // a.enrol) == 0:
            requests.append((f"{gallery}/identities/{name}-{n}/sightings", enrolments))
        for url, answers in requests:
            t = threading.Thread(target=send, args=(url, bodies[n % len(bodies)], due, answers, faults))
            t.start()
            threads.append(t)
        n += 1
        if n % a.rate == 0:
            peak = max(peak, memory(a.server))
    for t in threads:
        t.join()
    models = sorted({model for model, _ in queries})
    return {"requests": len(threads), "failed": len(faults), "faults": faults[:3], "peak_mb": peak,
            "queries": latency([t for _, t in queries]), "enrolments": latency([t for _, t in enrolments]),
            "queries_of": {m[:6]: latency([t for model, t in queries if model == m]) for m in models}}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("models", nargs=2)
    p.add_argument("--triptych", required=True)
    p.add_argument("--data", type=pathlib.Path, required=True)
    p.add_argument("--server", default="http://127.0.0.1:8080")
    p.add_argument("--gallery", default="g")
    p.add_argument("--rate", type=int, default=20, help="queries a second")
    p.add_argument("--enrol", type=int, default=2, help="enrolments a second; 0 for none")
    p.add_argument("--swaps", type=int, default=10)
    p.add_argument("--seconds", type=float, default=20, help="of the phase in peace")
    a = p.parse_args()
    names = sorted(f.name for f in (a.data / "query" / "rgb").iterdir())[:50]
    bodies = [form({m: a.data / "query" / m / n for m in ("rgb", "nir", "tir")}) for n in names]
    run = f"{time.time():.0f}"
    phase(a, bodies, f"warm-{run}", lambda t: t > 3)
    before, after = memory(a.server), []
    steady = phase(a, bodies, f"steady-{run}", lambda t: t > a.seconds)
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
            after.append(memory(a.server))
        done.set()

    threading.Thread(target=swaps).start()
    swapping = phase(a, bodies, f"swapping-{run}", lambda t: done.is_set())
    time.sleep(5)  # What the last model held goes back to the system two seconds after the switch.
    ratio = swapping["queries"]["p99_ms"] / steady["queries"]["p99_ms"]
    print(json.dumps({"steady": steady, "swapping": swapping, "p99_ratio": ratio,
                      "memory_mb": {"before": before, "after_each_swap": after, "in_the_end": memory(a.server)}}, indent=1))


if __name__ == "__main__":
    main()
