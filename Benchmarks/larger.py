"""A gallery searched in the memory of the server, and in PostgreSQL by pgvector: start, memory, queries, enrolling, recall.

    python3 Benchmarks/larger.py --checkpoint MODEL.safetensors --postgres /usr/lib/postgresql/17/bin --rows 100000

The vectors are those of million.py: three modalities, identities of twenty sightings. Needs NumPy, and the programs of a PostgreSQL
with pgvector, which runs in a temporary folder, as the user postgres if this is root; --settings has what it is started with.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import numpy

import million
import services

MODALITIES = ["nir", "rgb", "tir"]
GALLERY = "/v1/galleries/g"


class Database:
    """A PostgreSQL of its own."""

    def __init__(self, o, folder):
        self.programs, self.folder = pathlib.Path(o.postgres), folder / "postgresql"
        self.folder.mkdir(mode=0o755)
        self.user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"] if os.getuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "postgres")
        run = lambda *command: subprocess.run([*self.user, *map(str, command)], check=True, cwd=self.folder,
                                              stdout=subprocess.DEVNULL)
        run(self.programs / "initdb", "-D", self.folder / "data", "-U", "triptych", "-E", "UTF8", "--locale", "C.UTF-8",
            "--no-sync")
        settings = [word for setting in o.settings for word in ("-c", setting)]
        self.process = subprocess.Popen(
            [*self.user, str(self.programs / "postgres"), "-D", self.folder / "data", "-k", self.folder, "-c",
             "listen_addresses=", *settings], cwd=self.folder, stderr=open(self.folder / "log", "w"))
        while subprocess.run([self.programs / "pg_isready", "-q", "-h", self.folder]).returncode:
            time.sleep(0.1)
        self.address = f"postgresql:///postgres?host={self.folder}&user=triptych"

    def ask(self, statement):
        return subprocess.run([self.programs / "psql", "-h", self.folder, "-U", "triptych", "-Atc", statement, "postgres"],
                              check=True, capture_output=True, text=True).stdout.strip()

    def end(self):
        self.process.terminate()
        self.process.wait()


def serve(o, folder, database, index="memory"):
    port, start = services.free_port(), time.monotonic()
    (folder / "triptych.yaml").write_text(
        f"checkpoint: {o.checkpoint}\ndatabase: {database}\nmodels: {folder / 'models'}\nport: {port}\n"
        f"gallery: {{index: {index}}}\n")
    service = services.Service("triptych", [o.triptych, "serve", "--config", folder / "triptych.yaml"], port, folder / "log")
    return service, million.Client(port), time.monotonic() - start


def bodies(o, queries):
    """Of each kind; a query is one vector, which stands for all modalities."""
    for name, modalities, more in [
        ("triple", MODALITIES, {}), ("rgb alone", ["rgb"], {}), ("nir and tir", ["nir", "tir"], {}),
        ("triple, by identity", MODALITIES, {"group_by": "identity"}),
        ("triple, one camera of 50", MODALITIES, {"filter": {"cameras": ["c7"]}}),
        ("triple, metadata of 1 %", MODALITIES, {"filter": {"metadata": {"lane": 7}}}),
        ("triple, an hour", MODALITIES, {"filter": {"captured_after": "1970-01-02T00:00:00Z",
                                                    "captured_before": "1970-01-02T01:00:00Z"}}),
    ]:
        yield name, [{"vectors": {m: queries[n % len(queries)].tolist() for m in modalities}, "model": million.MODEL,
                      "group_by": "sighting", "limit": 10, **more} for n in range(o.queries)]


def measure(o, folder, database, queries, index):
    service, client, start = serve(o, folder, database, index)
    print(f"\n{index}: a start takes {start:.1f} s, and the server {million.memory(service.process):.0f} MB", flush=True)
    found = {}
    for name, some in bodies(o, queries):
        client.send("POST", f"{GALLERY}/queries", some[0])
        answers = [client.send("POST", f"{GALLERY}/queries", body) for body in some]
        found[name] = [[match["sighting"] for match in answer["matches"]] for answer, _ in answers]
        times = sorted(answer["timing"]["search_ms"] for answer, _ in answers)
        about = sum(answer.get("approximate", False) for answer, _ in answers)
        print(f"{name}: search {statistics.median(times):.1f} ms (95 %: {times[len(times) * 95 // 100]:.1f}), "
              f"{about} of {len(answers)} by an index", flush=True)
    some = next(iter(bodies(o, queries)))[1]
    for clients in (1, 4):
        print(f"{clients} at once: {million.at_once(client.port, f'{GALLERY}/queries', some, clients):.0f} queries/s")
    enrol = [client.send("POST", f"{GALLERY}/identities/new-{index}-{n}/sightings",
                         {"vectors": body["vectors"], "model": million.MODEL})[1] for n, body in enumerate(some)]
    print(f"enrol: {statistics.median(enrol):.1f} ms; the server has {million.memory(service.process):.0f} MB in the end")
    for n in range(len(enrol)):
        client.send("DELETE", f"{GALLERY}/identities/new-{index}-{n}")
    service.end()
    return found


def wait_for_indexes(o, folder, database):
    service, _, start = serve(o, folder, database.address, "pgvector")
    print(f"\nthe first start in that mode, which writes what is searched: {start:.0f} s", flush=True)
    begin = time.monotonic()
    while database.ask("SELECT count(*) FROM vector_part WHERE is_indexed = 0 AND dimension <= 4000") != "0":
        time.sleep(1)
    print(f"indexes of {database.ask('SELECT count(*) FROM vector_part')} parts: {time.monotonic() - begin:.0f} s")
    service.end()


def main():
    root = pathlib.Path(__file__).parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=root / ".build/release/triptych")
    parser.add_argument("--checkpoint", required=True, help="of any model: a server needs one")
    parser.add_argument("--postgres", required=True, help="the folder of its programs")
    parser.add_argument("--settings", nargs="*", default=["shared_buffers=1GB", "maintenance_work_mem=512MB", "max_wal_size=8GB"])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=768)
    parser.add_argument("--queries", type=int, default=50)
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        folder.chmod(0o755)
        service, client, _ = serve(o, folder, folder / "g.sqlite")
        client.send("POST", "/v1/galleries", {"name": "g"})
        service.end()
        made = numpy.array(million.fill(folder / "g.sqlite", o.rows, MODALITIES, o.dimension))
        # Some of few would say little of recall: each near one of those that were made.
        noise = numpy.random.default_rng(5).standard_normal((o.queries, o.dimension)) / o.dimension ** 0.5
        queries = made[numpy.arange(o.queries) % len(made)] + 0.5 * noise.astype(numpy.float32)
        database = Database(o, folder)
        try:
            start = time.monotonic()
            subprocess.run([o.triptych, "gallery", "copy", "--from", folder / "g.sqlite", "--to", database.address],
                           check=True, stdout=subprocess.DEVNULL)
            print(f"copied into PostgreSQL: {time.monotonic() - start:.0f} s", flush=True)
            exact = measure(o, folder, database.address, queries, "memory")
            wait_for_indexes(o, folder, database)
            found = measure(o, folder, database.address, queries, "pgvector")
            print("\nagainst the index in memory, of the ten nearest and the nearest:")
            for name, wanted in exact.items():
                if not any(wanted):
                    continue
                ten = [len(set(a) & set(b)) / len(a) for a, b in zip(wanted, found[name]) if a]
                one = [a[0] == b[0] if b else False for a, b in zip(wanted, found[name]) if a]
                print(f"{name}: {statistics.mean(ten):.3f}, {statistics.mean(one):.3f}")
            print()
            subprocess.run([o.triptych, "gallery", "recall", "--database", database.address, "--gallery", "g", "--model",
                            million.MODEL, "--samples", "100"], check=True)
            for table in "embedding", "search_vector":
                print(table, database.ask(f"SELECT pg_size_pretty(sum(pg_total_relation_size(relid))) FROM pg_partition_tree('{table}')"
                                          if table == "search_vector" else
                                          f"SELECT pg_size_pretty(pg_total_relation_size('{table}'))"))
            print("of search_vector, indexes:", database.ask(
                "SELECT pg_size_pretty(sum(pg_relation_size(oid))) FROM pg_class WHERE relname LIKE 'search_hnsw_%'"))
        finally:
            database.end()


if __name__ == "__main__":
    main()
