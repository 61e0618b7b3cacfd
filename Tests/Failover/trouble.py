"""A database that is slow, full, or has another time.

    python3 Tests/Failover/trouble.py          # as root, for disks of its own; `faketime` for clocks

Slow: each piece of what goes to and from the database is late by some milliseconds. Full: of two small disks one has the tables, one
the log. Clocks: the database's is three days behind, three days ahead, and set forward and back by a day under load.
"""
import contextlib
import glob
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from clusters import Cluster, address, own, password_file, run, wait_until
from proxies import Proxy
import load

DELAYS = (0, 1, 5, 20)


def served(o, root, cluster, where=None, database="postgres"):
    server = load.serve(o, root, address(where or cluster, database, sslmode="disable", passfile=password_file(root)))
    load.prepare(server)
    return server


def slow(o, root):
    cluster = Cluster(root, "slow").initialise().start()
    proxy = Proxy(cluster.port)
    server = served(o, root, cluster, proxy)
    clients = load.Load(server)
    try:
        for delay in DELAYS:
            proxy.delay = delay / 1000
            alone = {}
            for what, work in {"an enrolment": clients.enrol, "an identification": clients.identify, "a query": clients.query}.items():
                first, asked = len(clients.attempts), proxy.questions
                for _ in range(10):
                    work()
                milliseconds = statistics.median(a.took for _, a in clients.attempts[first:]) * 1000
                alone[what] = f"{milliseconds:.0f} ms, {(proxy.questions - asked) / 10:.0f} round trips"
            first, start = len(clients.enrolled), time.monotonic()
            clients.start()
            time.sleep(5)
            clients.end()
            clients.settle()
            rate = (len(clients.enrolled) - first) / (time.monotonic() - start)
            print(f"{delay} ms each way: " + "; ".join(f"{what} {said}" for what, said in alone.items())
                  + f"; eight clients at once enrol {rate:.0f} a second", flush=True)
        proxy.delay = 0
        clients.verify()
        clients.refuse_faults()
    finally:
        load.end(server)
        proxy.end()
        cluster.stop("immediate")


@contextlib.contextmanager
def small_disk(folder, megabytes):
    own(folder)
    run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(disk):
    """Gives what fills a disk to its last block."""
    ballast = disk / "ballast"
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return ballast


def expect(what, found, expected):
    if found != expected:
        raise SystemExit(f"{what}: expected {expected!r}, found {found!r}")
    print(f"{what}: right", flush=True)


def status(attempt):
    return (attempt.status, attempt.problem)


def enrol(server, key):
    body = {"vectors": {"rgb": load.vector(key)}, "model": "m", "metadata": {"note": key * 40}}
    return load.Attempt(server, "POST", f"{load.BASE}/identities/{key}/sightings", body, {"Idempotency-Key": key})


def find(server, key):
    found = load.Attempt(server, "POST", f"{load.BASE}/queries", {"vectors": {"rgb": load.vector(key)}, "model": "m", "limit": 1})
    return found.status == 200 and load.Load.first(found.answer) == key


def full_tables(o, root):
    with small_disk(root / "tables", 48) as disk:
        cluster = Cluster(root, "full").initialise().start()
        try:
            space = own(disk / "space")
            cluster.sql(f"CREATE TABLESPACE small LOCATION '{space}'")
            cluster.sql("CREATE DATABASE small TABLESPACE small TEMPLATE template0")
            server = served(o, root, cluster, database="small")
            expect("with room", enrol(server, "k-first").status, 201)
            ballast, number = fill(disk), 0
            while (last := enrol(server, f"k-{number}")).status == 201 and number < 5000:
                number += 1
            expect(f"a full disk of the tables refuses enrolments ({number} went into pages that were begun)", status(last), (507, "storage-full"))
            expect("queries go on", find(server, "k-first"), True)
            expect("so does /readyz", load.Attempt(server, "GET", "/readyz").status, 200)
            erased = load.Attempt(server, "DELETE", f"{load.BASE}/identities/k-first")
            print(f"an erasure meanwhile: {erased.status} {erased.problem or ''}", flush=True)
            ballast.unlink()
            expect("with room again, it is enrolled", enrol(server, f"k-{number}").status, 201)
            sightings = json.loads(server.ask("GET", load.BASE)[1])["sightings"]
            expect("nothing is missing", sightings, number + 2 - (erased.status == 204))
            expect("what was acknowledged is found", all(find(server, f"k-{n}") for n in range(0, number, max(1, number // 50))), True)
            load.end(server)
        finally:
            cluster.stop("immediate")


def full_log(o, root):
    with small_disk(root / "wal-disk", 64) as disk:
        cluster = Cluster(root, "panic").initialise("max_wal_size=48MB", "wal_keep_size=0")
        wal = own(disk / "wal")
        wal.rmdir()
        run("mv", cluster.data / "pg_wal", wal)
        os.symlink(wal, cluster.data / "pg_wal")
        cluster.start()
        try:
            server = served(o, root, cluster)
            clients = load.Load(server).start()
            wait_until(lambda: len(clients.enrolled) > 20, "some enrolments")
            ballast = fill(disk)
            wait_until(lambda: not cluster.is_running or clients.attempts[-1][1].status == 503, "the end of PostgreSQL", 300)
            time.sleep(3)
            print(f"a full disk of the log: {len(clients.enrolled)} enrolled, then PostgreSQL "
                  + ("starts again and again" if cluster.is_running else "ended"), flush=True)
            ballast.unlink()
            cluster.stop("immediate")
            cluster.start()
            known = len(clients.enrolled)
            wait_until(lambda: len(clients.enrolled) > known + 20, "enrolments again")
            clients.end()
            clients.settle()
            clients.verify(everything=True)
            clients.refuse_faults()
            print(f"with room again: {len(clients.enrolled)} enrolled, all there, once", flush=True)
            load.end(server)
        finally:
            cluster.stop("immediate")


def clocks(o, root):
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not library:
        return print("clocks: skipped, as faketime is not installed")
    file = root / "time"
    file.write_text("-3d\n")
    cluster = Cluster(root, "clocks").initialise()
    cluster.start(environment={"LD_PRELOAD": library[0], "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_CACHE_DURATION": "1",
                               "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    hours = lambda: round(float(cluster.sql("SELECT extract(epoch FROM clock_timestamp())")) / 3600 - time.time() / 3600)
    try:
        server = served(o, root, cluster)
        server.ask("PATCH", load.BASE, json.dumps({"retention_days": 1}))
        clients = load.Load(server)
        for days in (-3, 3, 4, 2, 0):
            clients.start()
            time.sleep(1)
            file.write_text(f"{days:+}d\n")
            wait_until(lambda: hours() == days * 24, "the database's new time", 20)
            time.sleep(2)
            clients.end()
            clients.settle()
            clients.verify()
            clients.refuse_faults()
            away = cluster.sql("SELECT max(abs(created_at / 1000.0 - extract(epoch FROM now()))) FROM sighting") if days == 0 else ""
            print(f"the database's clock {days:+} days: {len(clients.enrolled)} enrolled, all there, once"
                  + (f"; times of enrolments are the server's: at most {float(away):.0f} s ago" if away else ""), flush=True)
        load.end(server)
    finally:
        cluster.stop("immediate")


def main():
    o = load.arguments(__doc__)
    for part in (slow, full_tables, full_log, clocks):
        if part in (full_tables, full_log) and os.geteuid() != 0:
            print(f"{part.__name__}: skipped, as only root can mount a disk")
            continue
        with load.place(o) as root:
            part(o, root)


if __name__ == "__main__":
    sys.exit(main())
