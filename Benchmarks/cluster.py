"""One, two and three servers of one PostgreSQL database: queries and enrolments a second, and how far the others are behind.

    python3 Benchmarks/cluster.py --triptych .build/release/triptych --data DATA --checkpoint MODEL.safetensors --sightings 20000

DATA is a data set of `triptych synthesize`: one of its triples says what the model's vectors look like. Everything else is random
vectors, sent as JSON, so that neither images nor the encoder are measured. The database is a cluster of its own, with fsync, in a
temporary folder, and is filled by an import. Clients share the cores with what is measured, at a lower priority. Only the standard
library, and PostgreSQL 15 or later where Debian puts it.
"""
import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import tempfile
import time

import bulk
import services
from service import load

GALLERY = "/v1/galleries/shared"
JSON = {"Content-Type": "application/json"}


@contextlib.contextmanager
def postgresql(folder):
    """The address of an empty database, as long as this lasts."""
    programs = max(pathlib.Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda path: int(path.parent.name))
    folder.mkdir()
    user = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    subprocess.run([*user, programs / "initdb", "--pgdata", folder / "data", "--username=triptych", "--encoding=UTF8",
                    "--locale=C.UTF-8", "--auth=trust"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    with open(folder.parent / "postgresql.log", "w") as log:
        server = subprocess.Popen([*user, programs / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=",
                                   "-c", "max_connections=300"], cwd=folder, stdout=log, stderr=log)
    try:
        while subprocess.run([programs / "pg_isready", "-q", "-h", folder]).returncode:
            time.sleep(0.1)
        yield f"postgresql:///postgres?host={folder}&user=triptych"
    finally:
        server.terminate()
        server.wait(60)


class Vectors:
    """Random ones like those that the server's model gives."""

    def __init__(self, server, data):
        triple = next(iter(sorted((data / "query" / "rgb").iterdir()))).name
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        example = json.loads(load.post(connection, "/v1/embeddings", load.form(data / "query", triple)))
        self.model = example["model"]
        self.lengths = {name: len(vector) for name, vector in example["vectors"].items()}

    def some(self, generator):
        vectors = {name: [round(generator.gauss(0, 1), 4) for _ in range(length)] for name, length in self.lengths.items()}
        return {"model": self.model, "vectors": vectors}


def fill(server, vectors, count):
    generator = random.Random(1)
    lines = (json.dumps({"identity": f"i{number // 20}", **vectors.some(generator)}) for number in range(count))
    job = bulk.ask(server, "POST", f"{GALLERY}/imports", "\n".join(lines).encode(), "application/x-ndjson")
    bulk.ended(server, job)


def client(ports, vectors, seed, kind, seconds, results):
    """In a process of its own: asks one server after the other, each as soon as the last has answered."""
    os.nice(10)
    generator = random.Random(seed)
    # Made beforehand: making them takes longer than answering.
    bodies = [json.dumps(vectors.some(generator) | ({"limit": 10} if kind == "queries" else {})) for _ in range(64)]
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for port in ports]
    times, number, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        path = f"{GALLERY}/queries" if kind == "queries" else f"{GALLERY}/identities/n{seed}-{number}/sightings"
        start = time.monotonic()
        load.post(connections[number % len(ports)], path, bodies[number % len(bodies)], JSON)
        times.append(time.monotonic() - start)
        number += 1
    results.put(times)


def rate(servers, vectors, kind, o):
    """Requests a second, and milliseconds each of them took."""
    results = multiprocessing.Queue()
    ports = [server.port for server in servers]
    clients = [multiprocessing.Process(target=client, args=(ports[number % len(ports):] + ports[:number % len(ports)], vectors,
                                                            number, kind, o.seconds, results)) for number in range(o.clients)]
    for process in clients:
        process.start()
    times = [time for _ in clients for time in results.get()]
    for process in clients:
        process.join()
    return len(times) / o.seconds, statistics.median(times) * 1000


def lag(servers, vectors, count):
    """Milliseconds from the answer to an enrolment until another server, which is told of its number, answers; and the same where
    the other has it already."""
    generator, waited, idle = random.Random(9), [], []
    one, other = (http.client.HTTPConnection("127.0.0.1", server.port, timeout=60) for server in servers[:2])
    for number in range(count):
        one.request("POST", f"{GALLERY}/identities/l{number}/sightings", json.dumps(vectors.some(generator)), JSON)
        answer = one.getresponse()
        answer.read()
        sequence = answer.headers["X-Triptych-Sequence"]
        for times in (waited, idle):
            start = time.monotonic()
            other.request("GET", f"{GALLERY}/thresholds", headers={"X-Triptych-Sequence": sequence})
            found = other.getresponse()
            found.read()
            if answer.status != 201 or found.status != 200:
                raise SystemExit(f"{answer.status}, {found.status}")
            times.append((time.monotonic() - start) * 1000)
    quantiles = lambda times: (statistics.median(times), statistics.quantiles(times, n=100)[98])
    return quantiles(waited), quantiles(idle)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", type=pathlib.Path, default=pathlib.Path(".build/release/triptych"))
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--sightings", type=int, default=20_000)
    parser.add_argument("--servers", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--alone", action="store_true", help="one server that does not share the database, to compare with")
    o = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="triptych-cluster."))
    folder.chmod(0o755)
    # Outlive a failure.
    log = lambda number: folder.parent / f"triptych-cluster-{number}.log"
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        address = stack.enter_context(postgresql(folder / "database"))

        def start(number):
            port, models = services.free_port(), folder / f"models-{number}"
            settings = {"database": address, "models": str(models), "port": port, "checkpoint": str(o.checkpoint.resolve())}
            if not o.alone:
                settings["cluster"] = {"name": f"server {number}"}
            # YAML has JSON in it.
            file = folder / f"server-{number}.yaml"
            file.write_text(json.dumps(settings))
            return services.Service(f"server {number}", [o.triptych, "serve", "--config", file], port,
                                    log(number))

        servers = [start(0)]
        stack.callback(lambda: [server.end() for server in servers])
        bulk.ask(servers[0], "POST", "/v1/galleries", json.dumps({"name": "shared"}).encode())
        vectors = Vectors(servers[0], o.data)
        fill(servers[0], vectors, o.sightings)
        print("| servers | queries/s | median, ms | enrolments/s | median, ms | behind, median and 99th of 100, ms | at once, ms |")
        print("|---|---|---|---|---|---|---|")
        for count in [1] if o.alone else o.servers:
            while len(servers) < count:
                servers.append(start(len(servers)))
            some = servers[:count]
            row = [*rate(some, vectors, "queries", o), *rate(some, vectors, "enrolments", o)]
            behind = "–", "–"
            if count > 1:
                behind = (" and ".join(f"{time:.1f}" for time in times) for times in lag(some, vectors, 300))
            print("|", count, "|", " | ".join(f"{figure:.1f}" for figure in row), "|", " | ".join(behind), "|", flush=True)
        for number in range(len(servers)):
            log(number).unlink()
        print(f"\nload at the end: {os.getloadavg()[0]:.1f}, cores: {os.cpu_count()}")


if __name__ == "__main__":
    main()
