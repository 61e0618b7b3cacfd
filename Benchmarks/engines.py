"""A gallery in SQLite and in PostgreSQL, side by side: enrolling, importing, recognising, querying, and how long a start takes.

    python3 Benchmarks/engines.py --triptych .build/release/triptych --checkpoint MODEL.safetensors --rows 100000

PostgreSQL is a cluster of the script's own on the same disk, as it is installed but for its memory (fsync is on), reached by its socket;
once more with a synchronous standby, on the same disk too. All three begin with the same gallery of vectors, those of million.py. In
each round each engine has its turn, in an order that changes; who has none is stopped. Figures are medians over all rounds, and ratios to
SQLite those of a round's, their median. Processor time is the server's and its database's together, not the standby's. Needs NumPy, and
PostgreSQL 15 or later.
"""
import argparse
import http.client
import json
import pathlib
import random
import statistics
import sys
import tempfile
import threading
import time

import bulk
import million
import processors
import services

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests/Failover"))
import clusters  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]
DIMENSION, BASE = 768, "/v1/galleries/g"


class Engine:
    def __init__(self, o, folder, name, database, cluster=None):
        self.o, self.folder, self.name, self.database, self.cluster, self.figures = o, folder, name, database, cluster, {}
        self.service, self.number = None, 0

    def prepare(self):
        """Makes the tables and an empty gallery."""
        self.start()
        bulk.ask(self.service, "POST", "/v1/galleries", b'{"name": "g"}')
        self.service.end()
        return self

    def spent(self):
        """Seconds of processors that the server has had, and its database."""
        return processors.of(self.service.process.pid) + (processors.of_family(self.cluster.process.pid) if self.cluster else 0)

    def size(self):
        """Bytes on the disk, without a database's log."""
        if self.cluster:
            return int(self.cluster.sql("SELECT pg_database_size(current_database())"))
        return sum(file.stat().st_size for file in self.folder.glob("g.sqlite*") if file.is_file() and "reserve" not in file.name)

    def start(self):
        """Gives the seconds until it is ready."""
        port, start = services.free_port(), time.monotonic()
        self.service = services.Service(self.name, [
            self.o.triptych, "serve", "--checkpoint", self.o.checkpoint, "--database", self.database, "--port", port,
            "--set", f"models={self.folder / 'models'}", "--log-level", "warning"], port, self.folder / f"{self.name}.log")
        return time.monotonic() - start

    def add(self, what, value):
        self.figures.setdefault(what, []).append(value)

    def next(self):
        self.number += 1
        return f"new-{self.number}"

    def body(self, **more):
        values = [random.gauss(0, 1) for _ in range(DIMENSION)]
        return {"vectors": {"rgb": values}, "model": million.MODEL, **more}

    def enrol(self):
        return f"{BASE}/identities/{self.next()}/sightings", self.body()

    def identify(self):
        return f"{BASE}/sightings", self.body(threshold=0.9)

    def query(self):
        return f"{BASE}/queries", self.body(limit=5)

    def alone(self, what, work, count):
        """Milliseconds of a request of one client."""
        requests = [(path, json.dumps(body)) for path, body in (work() for _ in range(count))]
        connection, times = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60), []
        before = self.spent()
        for path, body in requests:
            start = time.monotonic()
            send(connection, path, body)
            times.append((time.monotonic() - start) * 1000)
        self.add(what, statistics.median(times))
        self.add(what.replace(", ms", ", processor ms"), 1000 * (self.spent() - before) / count)

    def together(self, what, work, seconds, clients=8):
        """Requests a second of several clients."""
        done, end, lock = [0] * clients, time.monotonic() + seconds, threading.Lock()

        def client(number):
            connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60)
            while time.monotonic() < end:
                with lock:
                    path, body = work()
                send(connection, path, json.dumps(body))
                done[number] += 1

        threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.add(what, sum(done) / seconds)

    def batch(self, what, count):
        """Sightings a second of an import."""
        lines = "\n".join(json.dumps({"identity": self.next(), **self.body()}) for _ in range(count)).encode()
        start = time.monotonic()
        job = bulk.ask(self.service, "POST", f"{BASE}/imports", lines, "application/x-ndjson")
        while job["state"] in ("running", "waiting"):
            time.sleep(0.02)
            job = bulk.ask(self.service, "GET", f"/v1/jobs/{job['id']}")
        if job["state"] != "succeeded" or job["result"]["failed"]:
            raise SystemExit(f"{self.name}: {job}")
        self.add(what, count / (time.monotonic() - start))

    def turn(self, o):
        self.service.go_on()
        self.alone("warm", self.query, 5)
        self.alone("an enrolment, ms", self.enrol, o.requests)
        self.together("enrolments a second, 8 clients", self.enrol, o.seconds)
        self.batch("imported a second", o.requests * 10)
        self.alone("an identification, ms", self.identify, o.requests)
        self.together("identifications a second, 8 clients", self.identify, o.seconds)
        self.alone("a query, ms", self.query, o.requests)
        self.service.stop()


def send(connection, path, body):
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{path}: {answer.status} {text[:300]!r}")


def prepare(o, folder):
    """The three, with the same gallery, and the clusters that two of them are in."""
    sqlite = Engine(o, folder, "SQLite", folder / "g.sqlite").prepare()
    million.fill(folder / "g.sqlite", o.rows, ["rgb"], DIMENSION)
    found, running = [sqlite], []
    for name, has_standby in (("PostgreSQL", False), ("PostgreSQL-standby", True))[:1 if o.alone else 2]:
        cluster = clusters.Cluster(folder, name).initialise().start()
        running.append(cluster)
        engine = Engine(o, folder, name, cluster.local_address(), cluster).prepare()
        million.fill_postgresql(cluster, o.rows, ["rgb"], DIMENSION)
        if has_standby:
            standby = clusters.Cluster(folder, "standby").copy_of(cluster).start()
            running.append(standby)
            cluster.set("synchronous_standby_names", "*")
            clusters.wait_until(lambda: cluster.sql("SELECT sync_state FROM pg_stat_replication") == "sync", "a standby")
        found.append(engine)
    return found, running


def measure(o, engines):
    order = random.Random(0)
    for number in range(o.rounds):
        for engine in order.sample(engines, len(engines)):
            before = processors.of_family(engine.cluster.process.pid) if engine.cluster else 0
            engine.add("a start, s", engine.start())
            engine.add("a start, processor s", engine.spent() - before)
            engine.add("memory of the server, MB", million.memory(engine.service.process))
            engine.add("disk, MB", engine.size() / 1e6)
            engine.service.end()
    for engine in engines:
        engine.start()
        engine.service.stop()
    for number in range(o.rounds):
        for engine in order.sample(engines, len(engines)):
            engine.turn(o)
        print(f"round {number + 1} of {o.rounds}", file=sys.stderr, flush=True)
    for engine in engines:
        engine.service.end()


def report(engines):
    first = engines[0]
    print("| | " + " | ".join(e.name for e in engines) + " |\n|---" + "|---" * len(engines) + "|")
    for what in [w for w in first.figures if "warm" not in w]:
        cells = []
        for engine in engines:
            values = engine.figures[what]
            ratio = statistics.median(a / b for a, b in zip(values, first.figures[what]))
            cells.append(f"{statistics.median(values):.3g}" + (f" ({ratio:.2f}×)" if engine is not first else ""))
        print(f"| {what} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=ROOT / ".build/release/triptych")
    parser.add_argument("--checkpoint", required=True, help="of any model: a server needs one")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--alone", action="store_true", help="without the one that has a standby")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=100, help="of each kind in a round, of one client")
    parser.add_argument("--seconds", type=float, default=3)
    o = parser.parse_args()
    random.seed(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        folder.chmod(0o755)
        engines, running = [], []
        try:
            engines, running = prepare(o, folder)
            measure(o, engines)
            report(engines)
        finally:
            for engine in engines:
                if engine.service and engine.service.process.poll() is None:
                    engine.service.process.kill()
            for cluster in running:
                cluster.stop("immediate")


if __name__ == "__main__":
    main()
