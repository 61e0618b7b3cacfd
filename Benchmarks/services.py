"""Triptych's service and one of FastAPI, ONNX Runtime and FAISS, on the same model, gallery and queries, in turns."""
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time

import encoders
import models
import turns
from service import load

GALLERY = "benchmark"
CLIENTS = (1, 8)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Service:
    def __init__(self, name, command, port, log, environment=None, patience=120):
        """`patience`: seconds that it has until it is ready."""
        self.name, self.port, self.times = name, port, {c: ([], 0.0) for c in CLIENTS}
        with open(log, "w") as out:
            self.process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=out,
                                            env=os.environ | (environment or {}))
        for _ in range(20 * patience):
            if self.process.poll() is not None:
                raise SystemExit(f"{name} did not start; see {log}")
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.05)
        self.process.kill()
        raise SystemExit(f"{name} was not ready in {patience} s; see {log}")

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        self.go_on()
        self.process.terminate()
        self.process.wait(30)


def start_all(o, name, checkpoint):
    """Both services, and the other one in the variants worth trying."""
    port, database = free_port(), o.work / "service.sqlite"
    for file in o.work.glob("service.sqlite*"):
        file.unlink() if file.is_file() else None
    # As docs and demo have it: threads that sleep while they wait.
    yield Service("triptych", [o.triptych, "serve", "--checkpoint", checkpoint, "--database", database, "--port", port],
                  port, o.work / "service-triptych.log",
                  {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": str(o.threads)})
    for spin in (False, True):
        port = free_port()
        command = [sys.executable, models.ROOT / "Benchmarks" / "service" / "app.py", "--graph",
                   o.work / name / "plain.onnx", "--checkpoint", checkpoint, "--port", port, "--threads", o.threads]
        yield Service("FastAPI + ONNX Runtime + FAISS" + ", spinning" * spin, command + ["--spin"] * spin, port,
                      o.work / f"service-peer-{spin}.log")


def agreement(found):
    """Of the first matches: the share that is the same, and how far scores are apart."""
    ours, theirs = found
    return {"same_first_match": sum(a[0] == b[0] for a, b in zip(ours, theirs)) / len(ours),
            "largest_score_difference": max(abs(a[1] - b[1]) for a, b in zip(ours, theirs))}


def dataset(o):
    folder = o.work / f"data-{o.identities}"
    if not folder.exists():
        subprocess.run([o.triptych, "synthesize", "--output", folder, "--identities", str(o.identities)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder


def run(o):
    name, data = o.service_model, dataset(o)
    checkpoint, services = encoders.prepare(name, o.work), []
    bodies = [load.form(data / "query", f.name) for f in sorted((data / "query" / "rgb").iterdir())]
    try:
        found = []
        for service in start_all(o, name, checkpoint):
            services.append(service)
            load.enrol(service.port, GALLERY, data / "gallery")
            found.append(load.answers(service.port, GALLERY, bodies[:20]))
            service.stop()
        for _ in range(o.service_rounds):
            for clients in CLIENTS:
                for service in services:
                    measure(service, bodies, clients, o.seconds)
        figures = {s.name: {"peak_megabytes": turns.peak_megabytes(s.process.pid)} | {
            f"{c}_clients": load.summary(*s.times[c]) for c in CLIENTS} for s in services}
    finally:
        for service in services:
            service.end()
    for service, f in figures.items():
        for c in CLIENTS:
            print(f"  {service:40s} {c} clients " + "  ".join(f"{k} {v:.1f}" for k, v in f[f"{c}_clients"].items()),
                  file=sys.stderr, flush=True)
    yield {"model": name, "gallery": len(list((data / "gallery" / "rgb").iterdir())), "services": figures,
            "agreement": agreement(found[:2])}


def measure(service, bodies, clients, seconds):
    service.go_on()
    load.queries(service.port, GALLERY, bodies, clients, 1)  # Caches, connections, batches of this size.
    times, took = load.queries(service.port, GALLERY, bodies, clients, seconds)
    service.stop()
    all_times, whole = service.times[clients]
    service.times[clients] = (all_times + times, whole + took)
