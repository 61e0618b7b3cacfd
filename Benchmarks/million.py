"""A gallery of a million sightings, vectors only, served: how long a start takes, memory, queries, filters, enrolling, erasing.

    python3 Benchmarks/million.py --triptych .build/release/triptych --checkpoint MODEL.safetensors --rows 1000000 \\
        --modalities rgb
    python3 Benchmarks/million.py --checkpoint MODEL.safetensors --rows 10000 --sizes     # what docs/sizing.md has
    python3 Benchmarks/million.py --checkpoint MODEL.safetensors --postgresql --folder /big/disk

Needs NumPy and 4 bytes an element of disk. The database is filled by SQL, since nothing else is measured of that; the model is
one of no server, so queries bring its vectors. Identities have twenty sightings each; the spectrum decays.
"""
import argparse
import http.client
import json
import os
import pathlib
import sqlite3
import statistics
import struct
import sys
import tempfile
import threading
import time
import uuid

import numpy

import processors
import services

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Tests/Failover"))
import clusters  # noqa: E402

MODEL, PER_IDENTITY = "f" * 64, 20


def vectors(generator, deviations, rotation, centres, spread=0.6):
    made = deviations * (centres + spread * generator.standard_normal(centres.shape, numpy.float32)) @ rotation
    return (made / numpy.linalg.norm(made, axis=1, keepdims=True)).astype("<f4")


def batches(rows, modalities, dimension, size=20000):
    """Numbers of sightings from the first on, with their vectors one after the other in a row, and one more vector of the first
    identity: a query, which is not there itself."""
    generator = numpy.random.default_rng(3)
    deviations = (1 + numpy.arange(dimension) / 8).astype(numpy.float32) ** -0.75
    rotation = numpy.linalg.qr(generator.standard_normal((dimension, dimension)))[0].astype(numpy.float32)
    start = time.monotonic()
    for first in range(0, rows, size):
        count = min(size, rows - first)
        centres = generator.standard_normal((-(-count // PER_IDENTITY), dimension), numpy.float32)
        parts = [vectors(generator, deviations, rotation, numpy.repeat(centres, PER_IDENTITY, 0)[:count])
                 for _ in modalities]
        yield first, numpy.concatenate(parts, 1), vectors(generator, deviations, rotation, centres[:1])[0]
        print(f"filled {first + count} of {rows}, {(first + count) / (time.monotonic() - start):.0f}/s", flush=True)


def fill(database, rows, modalities, dimension, digest=MODEL):
    """Fills the gallery `g` with sightings under a model of that digest. Returns queries."""
    db, queries = sqlite3.connect(database), []
    gallery = db.execute("SELECT id FROM gallery WHERE name = 'g'").fetchone()[0]
    db.execute("INSERT OR IGNORE INTO model (digest, dimension, combination, modalities) VALUES (?, ?, 'sum', ?)",
               (digest, dimension, ",".join(modalities)))
    model = db.execute("SELECT id FROM model WHERE digest = ?", (digest,)).fetchone()[0]
    for first, made, query in batches(rows, modalities, dimension):
        count = len(made)
        queries.append(query)
        base = db.execute("SELECT coalesce(max(id), 0) FROM identity").fetchone()[0]
        db.executemany("INSERT INTO identity (gallery_id, name, metadata, created_at, updated_at) VALUES (?, ?, '{}', 0, 0)",
                       ((gallery, f"i{base + n}") for n in range(-(-count // PER_IDENTITY))))
        last = db.execute("SELECT coalesce(max(id), 0) FROM sighting").fetchone()[0]
        db.executemany(
            "INSERT INTO sighting (id, gallery_id, identity_id, uuid, camera, captured_at, metadata, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
            ((last + 1 + n, gallery, base + 1 + n // PER_IDENTITY, str(uuid.uuid4()), f"c{n % 50}", (first + n) * 1000,
              json.dumps({"lane": n % 100})) for n in range(count)))
        db.executemany(
            "INSERT INTO embedding (sighting_id, model_id, modalities, is_fused, vectors) VALUES (?, ?, ?, 0, ?)",
            ((last + 1 + n, model, ",".join(sorted(modalities)), row.tobytes()) for n, row in enumerate(made)))
        db.commit()
    db.close()
    return queries


def fill_postgresql(cluster, rows, modalities, dimension):
    """The same, into an empty gallery of a cluster. Counts that triggers would keep row by row are made at the end."""
    counting = [("identity", "identity_made"), ("sighting", "sighting_made"), ("embedding", "embedding_made")]
    for table, trigger in counting:
        cluster.sql(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    gallery = cluster.sql("SELECT id FROM gallery WHERE name = 'g'")
    model = cluster.sql(f"INSERT INTO model (digest, dimension, combination, modalities) VALUES ('{MODEL}', {dimension}, 'sum',"
                        f" '{','.join(modalities)}') RETURNING id")
    kind, queries = ",".join(sorted(modalities)).encode(), []
    for first, made, query in batches(rows, modalities, dimension):
        queries.append(query)
        number = range(first, first + len(made))
        cluster.copy("identity (id, gallery_id, name, metadata, created_at, updated_at)", "".join(
            f"{1 + n // PER_IDENTITY}\t{gallery}\ti{n // PER_IDENTITY}\t{{}}\t0\t0\n" for n in number[::PER_IDENTITY]).encode())
        cluster.copy("sighting (id, gallery_id, identity_id, uuid, camera, captured_at, metadata, created_at)", "".join(
            f"{1 + n}\t{gallery}\t{1 + n // PER_IDENTITY}\t{uuid.uuid4()}\tc{n % 50}\t{n * 1000}\t"
            f'{{"lane":{n % 100}}}\t0\n' for n in number).encode())
        field = lambda bytes: struct.pack("!i", len(bytes)) + bytes
        wide = lambda value: field(struct.pack("!q", value))
        cluster.copy("embedding (id, sighting_id, model_id, modalities, is_fused, vectors)", b"".join(
            [b"PGCOPY\n\xff\r\n\0" + bytes(8)] + [
                struct.pack("!h", 6) + wide(1 + n) + wide(1 + n) + wide(int(model)) + field(kind) + wide(0) + field(row.tobytes())
                for n, row in zip(number, made)] + [struct.pack("!h", -1)]), "WITH (FORMAT binary)")
    for table, trigger in counting:
        cluster.sql(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
        cluster.sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    cluster.sql(f"""
        INSERT INTO identity_tally (identity_id, sightings, gallery_id, last_seen)
        SELECT identity_id, count(*), gallery_id, max(captured_at) FROM sighting GROUP BY gallery_id, identity_id;
        UPDATE gallery_tally SET sightings = {rows}, identities = (SELECT count(*) FROM identity);
        INSERT INTO coverage (gallery_id, model_id, sightings) VALUES ({gallery}, {model}, {rows});
        UPDATE model SET sightings = {rows} WHERE id = {model}; UPDATE total SET sightings = {rows}""")
    cluster.sql("VACUUM ANALYZE")
    return queries


class Client:
    def __init__(self, port):
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def send(self, method, path, body=None):
        start = time.monotonic()
        self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                {"Content-Type": "application/json"} if body is not None else {})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text else None, (time.monotonic() - start) * 1000

    def times(self, path, bodies):
        answers = [self.send("POST", path, body) for body in bodies]
        searches = [a["timing"]["search_ms"] for a, _ in answers]
        return (f"search {statistics.median(searches):.1f} (minimum {min(searches):.1f}), "
                f"whole request {statistics.median(t for _, t in answers):.1f}")


def at_once(port, path, bodies, clients, seconds=5):
    """Queries a second of clients that each wait for their answer."""
    texts, done, end = [json.dumps(body) for body in bodies], [0] * clients, time.monotonic() + seconds
    def work(number):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        while time.monotonic() < end:
            connection.request("POST", path, texts[(number + done[number]) % len(texts)], {"Content-Type": "application/json"})
            if connection.getresponse().read() and time.monotonic() < end:
                done[number] += 1
    threads = [threading.Thread(target=work, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


def memory(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(l for l in status.splitlines() if l.startswith("VmRSS")).split()[1]) / 1000


def serve(o, folder, name="g.sqlite"):
    port, start = services.free_port(), time.monotonic()
    command = [o.triptych, "serve", "--checkpoint", o.checkpoint, "--port", port]
    if o.cluster and name == "g.sqlite":
        command += ["--database", o.cluster.local_address(), "--set", f"models={folder / 'models'}"]
    else:
        command += ["--database", folder / name]
    service = services.Service("triptych", command, port, folder / "log", patience=1800)
    return service, Client(port), time.monotonic() - start


def main():
    root = pathlib.Path(__file__).parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=root / ".build/release/triptych")
    parser.add_argument("--checkpoint", required=True, help="of any model: a server needs one")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=768)
    parser.add_argument("--modalities", nargs="+", default=["rgb"])
    parser.add_argument("--queries", type=int, default=20)
    parser.add_argument("--sizes", action="store_true", help="say what a start takes, memory and disk, and end")
    parser.add_argument("--folder", type=pathlib.Path, help="keep the database here, and take one that is there")
    parser.add_argument("--postgresql", action="store_true", help="in a cluster of its own, in place of a file")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = o.folder or pathlib.Path(temporary)
        folder.chmod(0o755)
        o.cluster = cluster_in(folder) if o.postgresql else None
        try:
            run(o, folder)
        finally:
            if o.cluster:
                o.cluster.stop()


def cluster_in(folder):
    cluster = clusters.Cluster(folder, "database")
    if not cluster.data.exists():
        cluster.initialise("shared_buffers=512MB", "max_wal_size=4GB", "listen_addresses=")
    return cluster.start()


def run(o, folder):
    kept = folder / "queries.npy"
    with tempfile.TemporaryDirectory() as other:
        service, _, empty = serve(o, pathlib.Path(other), "empty.sqlite")
        base = memory(service.process)
        service.end()
    if not kept.exists():
        service, client, _ = serve(o, folder)
        client.send("POST", "/v1/galleries", {"name": "g"})
        service.end()
        made = (fill_postgresql(o.cluster, o.rows, o.modalities, o.dimension) if o.cluster
                else fill(folder / "g.sqlite", o.rows, o.modalities, o.dimension))
        numpy.save(kept, made)
    measure(o, folder, numpy.load(kept), empty, base)


def measure(o, folder, queries, empty, base):
    service, client, first = serve(o, folder)
    service.end()
    before = processors.of_family(o.cluster.process.pid) if o.cluster else 0
    service, client, start = serve(o, folder)
    held, spent, size = memory(service.process), processors.of(service.process.pid), 4e-6 * o.rows * o.dimension
    print(f"start: {start:.2f} s, {spent:.2f} of processors (the first {first:.2f}, of an empty gallery {empty:.2f})")
    if o.cluster:
        bytes = int(o.cluster.sql("SELECT pg_database_size(current_database())"))
        print(f"disk: {bytes / 1e6:.0f} MB, without the log; PostgreSQL has {processors.memory_of_family(o.cluster.process.pid):.0f} MB of "
              f"memory, and had {processors.of_family(o.cluster.process.pid) - before:.2f} s of processors for the start")
    else:
        print(f"disk: {sum(file.stat().st_size for file in folder.glob('g.sqlite*') if file.is_file()) / 1e6:.0f} MB")
    print(f"memory: {held:.0f} MB, {held - base:.0f} for the gallery: {(held - base) / size:.2f} of a vector a sighting")
    if o.sizes:
        return service.end()
    ask = lambda q, **more: {"vectors": {o.modalities[0]: q.tolist()}, "model": MODEL, "group_by": "sighting", **more}
    path = "/v1/galleries/g/queries"
    some = [queries[n % len(queries)] for n in range(o.queries)]
    for name, more in {"one query": {}, "by identity": {"group_by": "identity"}, "one camera of 50": {"filter": {"cameras": ["c7"]}},
                       "metadata, 1 %": {"filter": {"metadata": {"lane": 7}}},
                       "an hour": {"filter": {"captured_after": "1970-01-02T00:00:00Z",
                                              "captured_before": "1970-01-02T01:00:00Z"}}}.items():
        print(f"{name}: {client.times(path, [ask(q, **more) for q in some])} ms")
    batch = {"queries": [{"vectors": {o.modalities[0]: queries[n % len(queries)].tolist()}, "model": MODEL}
                         for n in range(32)], "group_by": "sighting"}
    print(f"32 together: {client.times(path + '/batch', [batch] * 5)} ms")
    for clients in (1, 8, 32):
        print(f"{clients} clients at once: {at_once(client.port, path, [ask(q) for q in some], clients):.0f} queries/s")
    enrol = [client.send("POST", f"/v1/galleries/g/identities/new-{n}/sightings", {k: v for k, v in ask(q).items() if k != "group_by"})[1]
             for n, q in enumerate(some)]
    erase = [client.send("DELETE", f"/v1/galleries/g/identities/new-{n}")[1] for n in range(len(some))]
    scrape = [client.send("GET", "/v1/galleries/g")[1] for _ in some]
    print(f"enrol: {statistics.median(enrol):.1f} ms; erase an identity: {statistics.median(erase):.1f} ms; "
          f"show the gallery: {statistics.median(scrape):.1f} ms")
    print(f"memory in the end: {memory(service.process):.0f} MB")
    service.end()


if __name__ == "__main__":
    main()
