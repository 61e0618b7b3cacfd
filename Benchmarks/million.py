"""A gallery of a million sightings, vectors only, served: how long a start takes, memory, queries, filters, enrolling, erasing.

    python3 Benchmarks/million.py --triptych .build/release/triptych --checkpoint MODEL.safetensors --rows 1000000 \\
        --modalities rgb
    python3 Benchmarks/million.py --checkpoint MODEL.safetensors --rows 10000 --sizes     # what docs/sizing.md has

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
import tempfile
import threading
import time
import uuid

import numpy

import processors
import services

MODEL, PER_IDENTITY = "f" * 64, 20


def vectors(generator, deviations, rotation, centres, spread=0.6):
    made = deviations * (centres + spread * generator.standard_normal(centres.shape, numpy.float32)) @ rotation
    return (made / numpy.linalg.norm(made, axis=1, keepdims=True)).astype("<f4")


def fill(database, rows, modalities, dimension, digest=MODEL):
    """Fills the gallery `g` with sightings under a model of that digest. Returns queries: sightings of identities that are there, which
    are not there themselves."""
    generator = numpy.random.default_rng(3)
    deviations = (1 + numpy.arange(dimension) / 8).astype(numpy.float32) ** -0.75
    rotation = numpy.linalg.qr(generator.standard_normal((dimension, dimension)))[0].astype(numpy.float32)
    db = sqlite3.connect(database)
    gallery = db.execute("SELECT id FROM gallery WHERE name = 'g'").fetchone()[0]
    db.execute("INSERT OR IGNORE INTO model (digest, dimension, combination, modalities) VALUES (?, ?, 'sum', ?)",
               (digest, dimension, ",".join(modalities)))
    model = db.execute("SELECT id FROM model WHERE digest = ?", (digest,)).fetchone()[0]
    queries, start = [], time.monotonic()
    for first in range(0, rows, 20000):
        count = min(20000, rows - first)
        identities = -(-count // PER_IDENTITY)
        centres = generator.standard_normal((identities, dimension), numpy.float32)
        parts = [vectors(generator, deviations, rotation, numpy.repeat(centres, PER_IDENTITY, 0)[:count])
                 for _ in modalities]
        queries.append(vectors(generator, deviations, rotation, centres[:1])[0])
        base = db.execute("SELECT coalesce(max(id), 0) FROM identity").fetchone()[0]
        db.executemany("INSERT INTO identity (gallery_id, name, metadata, created_at, updated_at) VALUES (?, ?, '{}', 0, 0)",
                       ((gallery, f"i{base + n}") for n in range(identities)))
        last = db.execute("SELECT coalesce(max(id), 0) FROM sighting").fetchone()[0]
        db.executemany(
            "INSERT INTO sighting (id, gallery_id, identity_id, uuid, camera, captured_at, metadata, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
            ((last + 1 + n, gallery, base + 1 + n // PER_IDENTITY, str(uuid.uuid4()), f"c{n % 50}", (first + n) * 1000,
              json.dumps({"lane": n % 100})) for n in range(count)))
        db.executemany(
            "INSERT INTO embedding (sighting_id, model_id, modalities, is_fused, vectors) VALUES (?, ?, ?, 0, ?)",
            ((last + 1 + n, model, ",".join(sorted(modalities)), b"".join(part[n].tobytes() for part in parts))
             for n in range(count)))
        db.commit()
        print(f"filled {first + count} of {rows}, {(first + count) / (time.monotonic() - start):.0f}/s", flush=True)
    db.close()
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


def serve(o, folder):
    port, start = services.free_port(), time.monotonic()
    service = services.Service("triptych", [o.triptych, "serve", "--checkpoint", o.checkpoint, "--database",
                                            folder / "g.sqlite", "--port", port], port, folder / "log")
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
    parser.add_argument("--folder", help="keep the database here, and take one that is there")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=o.folder) as temporary:
        folder = pathlib.Path(o.folder or temporary)
        kept = folder / "queries.npy"
        service, client, empty = serve(o, folder)
        base = memory(service.process)
        if not kept.exists():
            client.send("POST", "/v1/galleries", {"name": "g"})
            service.end()
            numpy.save(kept, fill(folder / "g.sqlite", o.rows, o.modalities, o.dimension))
        else:
            service.end()
        measure(o, folder, numpy.load(kept), empty, base)


def measure(o, folder, queries, empty, base):
    service, client, first = serve(o, folder)
    service.end()
    service, client, start = serve(o, folder)
    held, spent, size = memory(service.process), processors.of(service.process.pid), 4e-6 * o.rows * o.dimension
    print(f"start: {start:.2f} s, {spent:.2f} of processors (the first {first:.2f}, of an empty gallery {empty:.2f})")
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
