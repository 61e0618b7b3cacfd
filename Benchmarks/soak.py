"""A soak: queries, enrolments and erasures without a pause, with swaps between two models spread over the time, against a
server that this starts; and whether its memory stays flat.

    python3 Benchmarks/soak.py --triptych .build/release/triptych --data DATA --minutes 30 --swaps 50 A.safetensors B.safetensors

DATA is a data set of `triptych synthesize`. Fails if a request failed, a swap failed, or resident memory right after swaps grew
by more than a tenth from the second quarter of the time to the last. Only the standard library.
"""
import argparse
import http.client
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import services
from service import load


class Clients:
    """Loops that go on until they are told to end, and what they saw."""

    def __init__(self, port, bodies, kept):
        self.port, self.bodies, self.kept = port, bodies, kept
        self.counts, self.faults, self.lock, self.over = {}, [], threading.Lock(), threading.Event()
        self.mine = {}

    def send(self, connection, method, path, body=None, headers={}, expected=(200, 201, 204)):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        with self.lock:
            key = f"{method} {path.split('/')[-1] if method == 'POST' else 'one'}"
            self.counts[key] = self.counts.get(key, 0) + 1
            if answer.status not in expected:
                self.faults.append(f"{method} {path}: {answer.status} {text[:200]!r}")
        return text

    def loop(self, number, work):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        turn = 0
        while not self.over.is_set():
            try:
                work(connection, number, turn)
            except Exception as error:  # Whatever it is, it is a failed request.
                if not self.over.is_set():
                    self.faults.append(repr(error))
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            turn += 1

    def query(self, connection, number, turn):
        body = self.bodies[(number * 7 + turn) % len(self.bodies)]
        self.send(connection, "POST", f"/v1/galleries/{services.GALLERY}/queries", body, load.HEADERS)

    def enrol_and_erase(self, connection, number, turn):
        """Keeps the gallery at its size: what came `kept` turns ago goes, every tenth time with its identity."""
        gallery = f"/v1/galleries/{services.GALLERY}/identities"
        body = self.bodies[(number * 5 + turn) % len(self.bodies)]
        sighting = json.loads(
            self.send(connection, "POST", f"{gallery}/soak-{number}-{turn}/sightings", body, load.HEADERS))
        self.mine[number, turn] = sighting["id"]
        old = turn - self.kept
        if old >= 0:
            path = f"{gallery}/soak-{number}-{old}"
            sighting = self.mine.pop((number, old))
            if old % 10:
                self.send(connection, "DELETE", f"{path}/sightings/{sighting}")
            else:
                self.send(connection, "DELETE", path)


def resident(process):
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("models", nargs=2)
    p.add_argument("--triptych", type=pathlib.Path, required=True)
    p.add_argument("--data", type=pathlib.Path, required=True)
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--swaps", type=int, default=50)
    p.add_argument("--kept", type=int, default=100, help="sightings that each enrolling client leaves")
    a = p.parse_args()
    query = a.data / "query"
    bodies = [load.form(query, f.name) for f in sorted((query / "rgb").iterdir())[:100]]
    with tempfile.TemporaryDirectory() as folder:
        port = services.free_port()
        log = open(pathlib.Path(folder) / "log", "w+")
        server = subprocess.Popen([a.triptych, "serve", "--checkpoint", a.models[0], "--database", f"{folder}/g.sqlite", "--port",
                                   str(port)], stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            report = run(a, server.pid, port, url, bodies)
        finally:
            server.terminate()
            status = server.wait(timeout=170)
        log.seek(0)
        report["log_errors"] = [line for line in log if " error " in line][:5]
        report["exit_status"] = status
    print(json.dumps(report, indent=1))
    sys.exit(bool(report["faults"] or report["log_errors"] or status or not report["is_flat"]))


def run(a, process, port, url, bodies):
    connection = None
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            connection.request("GET", "/readyz")
            if connection.getresponse().read():
                break
        except OSError:
            time.sleep(0.1)
    load.post(connection, "/v1/galleries", json.dumps({"name": services.GALLERY}), {"Content-Type": "application/json"})
    clients = Clients(port, bodies, a.kept)
    threads = [threading.Thread(target=clients.loop, args=(n, work)) for n, work in
               enumerate([clients.query, clients.query, clients.enrol_and_erase, clients.enrol_and_erase])]
    for thread in threads:
        thread.start()
    begun, after, swaps = time.monotonic(), [], 0
    for swap in range(a.swaps):
        due = begun + 60 * a.minutes * (swap + 1) / a.swaps
        done = subprocess.run([a.triptych, "publish", a.models[(swap + 1) % 2], "--server", url, "--activate", "--wait"],
                              capture_output=True, text=True)
        swaps += done.returncode == 0
        if done.returncode:
            clients.faults.append(done.stdout + done.stderr)
        time.sleep(max(3, due - time.monotonic()))
        after.append(round(resident(process), 1))
        print(f"{(time.monotonic() - begun) / 60:5.1f} min, {swaps} swaps, {sum(clients.counts.values())} requests, "
              f"{len(clients.faults)} faults, {after[-1]} MB", file=sys.stderr, flush=True)
    clients.over.set()
    for thread in threads:
        thread.join()
    quarter = max(1, len(after) // 4)
    early, late = statistics.median(after[quarter:2 * quarter] or after), statistics.median(after[-quarter:])
    return {"minutes": round((time.monotonic() - begun) / 60, 1), "swaps": swaps, "requests": clients.counts,
            "faults": clients.faults[:5], "resident_mb": {"after_swaps": after, "second_quarter": early, "last_quarter": late},
            "is_flat": late <= 1.1 * early}


if __name__ == "__main__":
    main()
