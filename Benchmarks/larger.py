"""A gallery searched in the memory of the server, and in PostgreSQL by pgvector: start, memory, queries, enrolling, recall.

    python3 Benchmarks/larger.py --checkpoint MODEL.safetensors --postgres /usr/lib/postgresql/17/bin --rows 100000

The vectors are those of million.py: three modalities, identities of twenty sightings. Needs NumPy, and the programs of a PostgreSQL
with pgvector, which runs in a temporary folder, as the user postgres if this is root; --settings has what it is started with.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import million
import processors
import services

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests/Failover"))
import clusters  # noqa: E402

MODALITIES = ["nir", "rgb", "tir"]
GALLERY = "/v1/galleries/g"


def serve(o, folder, database, index="memory"):
    port, start = services.free_port(), time.monotonic()
    (folder / "triptych.yaml").write_text(
        f"checkpoint: {o.checkpoint}\ndatabase: {database}\nmodels: {folder / 'models'}\nport: {port}\n"
        f"gallery: {{index: {index}}}\n")
    service = services.Service("triptych", [o.triptych, "serve", "--config", folder / "triptych.yaml"], port, folder / "log",
                                patience=1800)
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
    service, client, start = serve(o, folder, database.local_address(), index)
    spent = lambda: processors.of(service.process.pid) + processors.of_family(database.process.pid)
    print(f"\n{index}: a start takes {start:.1f} s, and the server {million.memory(service.process):.0f} MB", flush=True)
    found = {}
    for name, some in bodies(o, queries):
        client.send("POST", f"{GALLERY}/queries", some[0])
        before = spent()
        answers = [client.send("POST", f"{GALLERY}/queries", body) for body in some]
        found[name] = [[match["sighting"] for match in answer["matches"]] for answer, _ in answers]
        used = 1000 * (spent() - before) / len(answers)
        times = sorted(answer["timing"]["search_ms"] for answer, _ in answers)
        about = sum(answer.get("approximate", False) for answer, _ in answers)
        print(f"{name}: search {statistics.median(times):.1f} ms (95 %: {times[len(times) * 95 // 100]:.1f}), "
              f"processors {used:.1f} ms, {about} of {len(answers)} by an index", flush=True)
    some = next(iter(bodies(o, queries)))[1]
    for clients in (1, 4):
        print(f"{clients} at once: {million.at_once(client.port, f'{GALLERY}/queries', some, clients):.0f} queries/s")
    log, before = database.log_bytes(), spent()
    enrol = [client.send("POST", f"{GALLERY}/identities/new-{index}-{n}/sightings",
                         {"vectors": body["vectors"], "model": million.MODEL})[1] for n, body in enumerate(some)]
    print(f"enrol: {statistics.median(enrol):.1f} ms, processors {1000 * (spent() - before) / len(enrol):.1f} ms, "
          f"{(database.log_bytes() - log) / 1000 / len(enrol):.0f} kB of log; the server has {million.memory(service.process):.0f} MB in the end")
    for n in range(len(enrol)):
        client.send("DELETE", f"{GALLERY}/identities/new-{index}-{n}")
    service.end()
    return found


def wait_for_indexes(o, folder, database):
    used = [processors.of_family(database.process.pid)]
    service, _, start = serve(o, folder, database.local_address(), "pgvector")
    begin = time.monotonic()
    used.append(processors.of_family(database.process.pid))
    print(f"\nthe first start in that mode, which writes what is searched: {start:.0f} s, of the database's processors "
          f"{used[1] - used[0]:.0f}", flush=True)
    while database.sql("SELECT count(*) FROM vector_part WHERE is_indexed = 0 AND dimension <= 4000") != "0":
        time.sleep(1)
    print(f"indexes of {database.sql('SELECT count(*) FROM vector_part')} parts: {time.monotonic() - begin:.0f} s, of the database's "
          f"processors {processors.of_family(database.process.pid) - used[1]:.0f}")
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
    parser.add_argument("--samples", type=int, default=100, help="sightings that recall looks for; 0 for none")
    parser.add_argument("--folder", type=pathlib.Path, help="keep the database here, and take one that is there")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = o.folder or pathlib.Path(temporary)
        folder.chmod(0o755)
        database = clusters.Cluster(folder, "postgresql", folder=o.postgres)
        is_new = not database.data.exists()
        if is_new:
            database.initialise("listen_addresses=", *o.settings)
        database.start()
        try:
            run(o, folder, database, is_new)
        finally:
            database.stop()


def run(o, folder, database, is_new):
    address = database.local_address()
    if is_new:
        service, client, _ = serve(o, folder, address)
        client.send("POST", "/v1/galleries", {"name": "g"})
        service.end()
        numpy.save(folder / "made.npy", million.fill_postgresql(database, o.rows, MODALITIES, o.dimension))
    made = numpy.load(folder / "made.npy")
    # Some of few would say little of recall: each near one of those that were made.
    noise = numpy.random.default_rng(5).standard_normal((o.queries, o.dimension)) / o.dimension ** 0.5
    queries = made[numpy.arange(o.queries) % len(made)] + 0.5 * noise.astype(numpy.float32)
    exact = measure(o, folder, database, queries, "memory")
    wait_for_indexes(o, folder, database)
    found = measure(o, folder, database, queries, "pgvector")
    print("\nagainst the index in memory, of the ten nearest and the nearest:")
    for name, wanted in exact.items():
        if not any(wanted):
            continue
        ten = [len(set(a) & set(b)) / len(a) for a, b in zip(wanted, found[name]) if a]
        one = [a[0] == b[0] if b else False for a, b in zip(wanted, found[name]) if a]
        print(f"{name}: {statistics.mean(ten):.3f}, {statistics.mean(one):.3f}")
    print(flush=True)
    if o.samples:
        subprocess.run([o.triptych, "gallery", "recall", "--database", address, "--gallery", "g", "--model", million.MODEL,
                        "--samples", str(o.samples)], check=True)
    size = lambda what, of: database.sql(f"SELECT pg_size_pretty(sum({what})) FROM {of}")
    print("embedding:", size("pg_total_relation_size('embedding')", "total"))
    print("search_vector:", size("pg_total_relation_size(relid)", "pg_partition_tree('search_vector')"))
    print("of it, indexes of vectors:", size("pg_relation_size(oid)", "pg_class WHERE relname LIKE 'search_hnsw_%'"))


if __name__ == "__main__":
    main()
