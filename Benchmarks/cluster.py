"""One, two and three servers of one PostgreSQL database: queries and enrolments a second, what they cost, how far the others are behind.

    python3 Benchmarks/cluster.py --triptych .build/release/triptych --data DATA --checkpoint MODEL.safetensors --sightings 20000
    python3 Benchmarks/cluster.py --data DATA --checkpoint LARGE.safetensors --sightings 2000 --images --confined

DATA is a data set of `triptych synthesize`. Requests bring random vectors as JSON, like those that the model gives for one of its
triples, so that neither images nor the encoder are measured; with --images they bring its triples. --confined gives the n-th server the
n-th core alone, and one thread for computing, as if each were a machine of one core. The database is a cluster of its own, with
fsync, in a temporary folder, and is filled by an import. In each round each number of servers has its turn, with servers that were started
for it, in an order that turns round. Figures are medians over the rounds. Clients share the cores with what is measured, at a lower
priority; so processor time a request is told too, by role, and how many cores everything else on the machine had. Needs PostgreSQL 15 or
later where Debian puts it.
"""
import argparse
import http.client
import json
import multiprocessing
import os
import pathlib
import random
import resource
import statistics
import sys
import tempfile
import time

import bulk
import processors
import services
from service import load

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests/Failover"))
import clusters  # noqa: E402

JSON = {"Content-Type": "application/json"}
ROLES = ("servers", "database", "clients")


class Requests:
    """What clients send: bodies made beforehand, as making them takes longer than answering."""

    def __init__(self, server, o):
        names = [file.name for file in sorted((o.data / "query" / "rgb").iterdir())]
        forms = [load.form(o.data / "query", name) for name in names[:64 if o.images else 1]]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        example = json.loads(load.post(connection, "/v1/embeddings", forms[0]))
        self.model = example["model"]
        self.lengths = {name: len(vector) for name, vector in example["vectors"].items()}
        self.forms = forms if o.images else None

    def vectors(self, generator):
        vectors = {name: [round(generator.gauss(0, 1), 4) for _ in range(length)] for name, length in self.lengths.items()}
        return {"model": self.model, "vectors": vectors}

    def bodies(self, seed, kind):
        if self.forms:
            return self.forms, load.HEADERS
        generator = random.Random(seed)
        more = {"limit": 10} if kind == "queries" else {}
        return [json.dumps(self.vectors(generator) | more) for _ in range(64)], JSON


class Cluster:
    """Servers of one database."""

    def __init__(self, o, folder, database):
        self.o, self.folder, self.database, self.servers = o, folder, database, []

    def start(self, count):
        """Has that many, new ones."""
        self.end()
        cores = sorted(os.sched_getaffinity(0))
        for number in range(count):
            port, file = services.free_port(), self.folder / f"server-{number}.yaml"
            settings = {"database": self.database.local_address(), "models": str(self.folder / f"models-{number}"), "port": port,
                        "checkpoint": str(self.o.checkpoint.resolve())}
            if not self.o.alone:
                settings["cluster"] = {"name": f"server {number}"}
            file.write_text(json.dumps(settings))  # YAML has JSON in it.
            command = [self.o.triptych, "serve", "--config", file, "--log-level", "warning"]
            environment = {}
            if self.o.confined:
                command = ["taskset", "-c", cores[number % len(cores)], *command]
                environment = {"OMP_NUM_THREADS": "1"}
            log = pathlib.Path(tempfile.gettempdir()) / f"triptych-cluster-{number}.log"  # Outlives a failure.
            self.servers.append(services.Service(f"server {number}", command, port, log, environment))
        return self.servers

    def end(self):
        for server in self.servers:
            if server.process.poll() is None:
                server.end()
        self.servers = []

    def account(self):
        return processors.Account(self.servers, self.database.process.pid).open()


def client(ports, gallery, requests, seed, kind, seconds, results):
    """In a process of its own: asks one server after the other, each as soon as the last has answered."""
    os.nice(10)
    bodies, headers = requests.bodies(seed, kind)
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=120) for port in ports]
    for connection in connections:
        connection.connect()
    results.put("ready")
    times, number, end, used = [], 0, time.monotonic() + seconds, resource.getrusage(resource.RUSAGE_SELF)
    while time.monotonic() < end:
        path = f"{gallery}/queries" if kind == "queries" else f"{gallery}/identities/n{seed}-{number}/sightings"
        start = time.monotonic()
        load.post(connections[number % len(ports)], path, bodies[number % len(bodies)], headers)
        times.append(time.monotonic() - start)
        number += 1
    now = resource.getrusage(resource.RUSAGE_SELF)
    results.put((times, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime))


def rate(cluster, requests, gallery, kind, seconds, ports=None, count=None):
    """Requests a second, the milliseconds of one, and the processor's for one, by role."""
    results, o = multiprocessing.Queue(), cluster.o
    ports, count = ports or [server.port for server in cluster.servers], count or o.clients
    clients = [multiprocessing.Process(target=client, args=(
        ports[n % len(ports):] + ports[:n % len(ports)], gallery, requests, n, kind, seconds, results)) for n in range(count)]
    for process in clients:
        process.start()
    for _ in clients:
        results.get(timeout=120)
    log, account = cluster.database.log_bytes(), cluster.account()
    found = [results.get(timeout=seconds + 240) for _ in clients]
    used = account.close(sum(used for _, used in found))
    log = cluster.database.log_bytes() - log
    for process in clients:
        process.join()
    times = sorted(time for times, _ in found for time in times)
    each = {role: 1000 * used[role] / len(times) for role in ROLES}
    return {"a second": len(times) / used["seconds"], "median": 1000 * statistics.median(times),
            "99 of 100": 1000 * times[len(times) * 99 // 100], "others": used["others"], "log": log / 1000 / len(times), **each,
            "of each server": [1000 * seconds / len(times) for seconds in used["each"]]}


def found(connection, gallery, body, sequence=None):
    """Whether a query finds what looks exactly like it."""
    headers = JSON | ({"X-Triptych-Sequence": sequence} if sequence else {})
    answer = json.loads(load.post(connection, f"{gallery}/queries", json.dumps(body | {"limit": 1}), headers))
    return bool(answer["matches"]) and answer["matches"][0]["score"] > 0.999


def lag(cluster, requests, gallery, count, prefix):
    """Milliseconds from the answer to an enrolment at one server until another finds it: asked again and again, and told of its number;
    and what the same query takes when it is there. Says too how often the first query found it."""
    generator, times, first = random.Random(prefix), {"again": [], "told": [], "there": []}, 0
    one, other = (http.client.HTTPConnection("127.0.0.1", server.port, timeout=60) for server in cluster.servers[:2])
    for number in range(count):
        body = requests.vectors(generator)
        one.request("POST", f"{gallery}/identities/{prefix}-{number}/sightings", json.dumps(body), JSON)
        answer = one.getresponse()
        answer.read()
        if answer.status != 201:
            raise SystemExit(f"an enrolment: {answer.status}")
        how, start, tries = ("again", "told")[number % 2], time.monotonic(), 0
        sequence = answer.headers["X-Triptych-Sequence"] if how == "told" else None
        while not found(other, gallery, body, sequence):
            tries += 1
            if time.monotonic() - start > 30:
                raise SystemExit("another server did not find an enrolment within 30 s")
            if sequence:
                raise SystemExit("a server that was told of an enrolment's number did not find it")
        times[how].append(1000 * (time.monotonic() - start))
        first += how == "again" and tries == 0
        start = time.monotonic()
        found(other, gallery, body)
        times["there"].append(1000 * (time.monotonic() - start))
    values = {how: (statistics.median(t), sorted(t)[len(t) * 99 // 100]) for how, t in times.items()}
    return values | {"first": first / len(times["again"])}


def turn(cluster, requests, count, number):
    """All figures of so many servers, once."""
    o, servers = cluster.o, cluster.start(count)
    # Enrolled apart: what is searched stays as large as it was.
    gallery = f"/v1/galleries/round-{number}-{count}"
    bulk.ask(servers[0], "POST", "/v1/galleries", json.dumps({"name": gallery.rsplit("/", 1)[1]}).encode())
    rate(cluster, requests, "/v1/galleries/shared", "queries", 1)
    figures = {kind: rate(cluster, requests, "/v1/galleries/shared" if kind == "queries" else gallery, kind, o.seconds)
               for kind in ("queries", "enrolments")}
    if count == 1 or o.images:
        return figures
    figures["lag"] = lag(cluster, requests, gallery, o.lags, "quiet")
    busy = multiprocessing.Process(target=rate, args=(cluster, requests, gallery, "enrolments", o.lags / 20, None, 4))
    busy.start()
    time.sleep(0.5)
    figures["lag under load"] = lag(cluster, requests, gallery, o.lags // 4, "busy")
    busy.join()
    alone = rate(cluster, requests, gallery, "enrolments", o.seconds / 2, [servers[0].port])
    figures["following"] = statistics.mean(alone["of each server"][1:])
    return figures


def median(turns, *keys):
    values = []
    for value in turns:
        for key in keys:
            value = value[key]
        values.append(value)
    return statistics.median(values)


def report(turns):
    for kind in ("queries", "enrolments"):
        print(f"\n| servers | {kind} a second | median, ms | 99 of 100, ms | processor ms of servers, database, clients | "
              "log, kB | others, cores |\n|---|---|---|---|---|---|---|")
        for count, some in turns.items():
            of = lambda key: median(some, kind, key)
            rates = [t[kind]["a second"] for t in some]
            print(f"| {count} | {of('a second'):.1f} ({min(rates):.1f} to {max(rates):.1f}) | {of('median'):.1f} | {of('99 of 100'):.1f} | "
                  + ", ".join(f"{of(role):.2f}" for role in ROLES) + f" | {of('log'):.1f} | {of('others'):.2f} |")
    several = {count: some for count, some in turns.items() if "lag" in some[0]}
    if not several:
        return
    print("\nMilliseconds until another server finds an enrolment, median and 99 of 100:\n\n"
          "| servers | asked again and again | at the first query | told of its number | the query, when it is there | "
          "following, processor ms an enrolment |\n|---|---|---|---|---|---|")
    for count, some in several.items():
        for load in ("lag", "lag under load"):
            cells = {how: " and ".join(f"{median(some, load, how, place):.1f}" for place in (0, 1)) for how in ("again", "told", "there")}
            print(f"| {count}{', under load' * (load != 'lag')} | {cells['again']} | {median(some, load, 'first') * 100:.0f} % | "
                  f"{cells['told']} | {cells['there']} | {median(some, 'following'):.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", type=pathlib.Path, default=pathlib.Path(".build/release/triptych"))
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--sightings", type=int, default=20_000)
    parser.add_argument("--servers", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--lags", type=int, default=400, help="enrolments that are waited for")
    parser.add_argument("--images", action="store_true", help="send triples of DATA in place of vectors")
    parser.add_argument("--confined", action="store_true", help="a core and a thread for each server")
    parser.add_argument("--alone", action="store_true", help="one server that does not share the database, to compare with")
    o = parser.parse_args()
    if o.alone:
        o.servers = [1]
    print("load at the beginning:", " ".join(f"{l:.1f}" for l in os.getloadavg()), flush=True)
    with tempfile.TemporaryDirectory(prefix="triptych-cluster.") as temporary:
        folder = pathlib.Path(temporary)
        folder.chmod(0o755)
        database = clusters.Cluster(folder, "database").initialise("shared_buffers=512MB", "max_connections=300").start()
        cluster = Cluster(o, folder, database)
        try:
            server = cluster.start(1)[0]
            bulk.ask(server, "POST", "/v1/galleries", b'{"name": "shared"}')
            requests, generator = Requests(server, o), random.Random(1)
            lines = "\n".join(json.dumps({"identity": f"i{n // 20}", **requests.vectors(generator)}) for n in range(o.sightings))
            bulk.ended(server, bulk.ask(server, "POST", "/v1/galleries/shared/imports", lines.encode(), "application/x-ndjson"))
            del lines
            turns = {count: [] for count in o.servers}
            for number in range(o.rounds):
                for count in o.servers[::-1] if number % 2 else o.servers:
                    turns[count].append(turn(cluster, requests, count, number))
                    print(f"round {number + 1} of {o.rounds}, {count}", file=sys.stderr, flush=True)
            report(turns)
        finally:
            cluster.end()
            database.stop("immediate")
    print("\nload at the end:", " ".join(f"{l:.1f}" for l in os.getloadavg()), f"cores: {os.cpu_count()}")


if __name__ == "__main__":
    main()
