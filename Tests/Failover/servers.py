"""Several servers of one gallery, of which any, the leader too, and the database's primary die under load, while models are exchanged.

    python3 Tests/Failover/servers.py --rounds 12

Three servers share a primary with a synchronous standby. Clients enrol images at any of them, each with a key that is sent again until
it was told, and look for what was acknowledged at any other, which they tell its number: the first match must be it, with the score
of equal images under the model that answers, so no answer mixes models. In each round one model is activated in place of the other
at some server, and meanwhile a server (every third time the leader) is killed and started again, or the primary is killed and its
standby promoted, or nothing happens. Afterwards all servers answer with the same model, and everything that was acknowledged is
there, once.
"""
import base64
import json
import random
import subprocess
import sys
import threading
import time

from clusters import Cluster, address, password_file, wait_until
import load
from standby import follow

NAMES = ["one", "two", "three"]
# What clients may be told while something is away: come back, or ask another.
PASSING = {"database-busy", "behind", "out-of-step", "overloaded", "stopping"}


class Servers:
    """Those that share a gallery; each may die and come again."""

    def __init__(self, o, root, database):
        self.o, self.root, self.database, self.lock = o, root, database, threading.Lock()
        self.servers = {}
        for name in NAMES:
            self.start(name)

    def start(self, name):
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        server = load.serve(self.o, folder, self.database, options=["--set", f"cluster.name={name}"])
        with self.lock:
            self.servers[name] = server

    def kill(self, name):
        with self.lock:
            server = self.servers.pop(name)
        server.process.kill()
        server.process.wait()

    def any(self):
        with self.lock:
            return random.choice(list(self.servers.values()))

    def all(self):
        with self.lock:
            return dict(self.servers)

    def leader(self):
        """Its name; None while there is none."""
        for name, server in self.all().items():
            try:
                status, text = server.ask("GET", "/v1/servers")
            except OSError:
                continue
            if status == 200 and json.loads(text)["leader"]:
                return name
        return None


class Images:
    """Sightings that cannot be confused: noise, by a key."""

    @staticmethod
    def body(key):
        import struct
        import zlib

        source, rows = random.Random(key), []
        for _ in range(16):
            rows.append(b"\0" + bytes(source.randrange(256) for _ in range(32 * 3)))
        chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        image = (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 16, 8, 2, 0, 0, 0))
                 + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b""))
        return {"images": {"rgb": base64.b64encode(image).decode()}}


class Clients(load.Load):
    """Enrol at any server, and look at another for what was acknowledged."""

    def __init__(self, servers, models):
        super().__init__(None, enrolling=3, identifying=0, querying=3)
        self.servers, self.models, self.sequence, self.lost = servers, models, 0, 0

    def attempt(self, what, *request, **more):
        with self.lock:
            sequence = self.sequence
        headers = {**more.pop("headers", {}), **({"X-Triptych-Sequence": str(sequence)} if what == "query" else {})}
        attempt = load.Attempt(self.servers.any(), *request, headers=headers, **more)
        with self.lock:
            self.attempts.append((what, attempt))
            self.sequence = max(self.sequence, attempt.sequence)
            if attempt.status == 0:
                self.lost += 1  # Its server died.
            elif attempt.status >= 400 and not (attempt.status == 503 and attempt.problem in PASSING):
                self.faults.append(f"{what}: {attempt.status} {attempt.problem} {attempt.answer}")
        return attempt

    def enrol(self):
        key = self.next_key("k")
        self.send(key, "POST", f"{load.BASE}/identities/{key}/sightings", Images.body(key))

    def query(self):
        with self.lock:
            key = random.choice(list(self.enrolled)) if self.enrolled else None
        if key is None:
            return time.sleep(0.01)
        attempt = self.attempt("query", "POST", f"{load.BASE}/queries", {**Images.body(key), "limit": 1})
        if attempt.status == 200:
            self.judge(key, attempt.answer)
        self.over.wait(0.02)

    def judge(self, key, answer):
        match = answer["matches"][0] if answer["matches"] else {"identity": None, "score": 0}
        if answer["model"] not in self.models:
            self.faults.append(f"answered by {answer['model']}")
        if match["identity"] != key or match["score"] < 0.999:
            self.faults.append(f"a query for {key} found {match['identity']} with {match['score']}")

    def verify_everything(self):
        """At each server, with all that was acknowledged told."""
        names = set(self.enrolled)
        for name, server in self.servers.all().items():
            headers = {"X-Triptych-Sequence": str(self.sequence)}
            sightings = json.loads(server.ask("GET", load.BASE, headers=headers)[1])["sightings"]
            if sightings != len(names):
                self.faults.append(f"{len(names)} were enrolled, {name} has {sightings}")
            for key in random.sample(sorted(names), min(len(names), 60)):
                status, text = server.ask("POST", f"{load.BASE}/queries", json.dumps({**Images.body(key), "limit": 1}))
                if status != 200:
                    self.faults.append(f"{name}: {status} {text[:200]!r}")
                else:
                    self.judge(key, json.loads(text))


def activate(servers, model):
    """Asks some server, until one has taken it; gives the job."""
    while True:
        try:
            status, text = servers.any().ask("POST", f"/v1/models/{model}/activation", "")
        except OSError:
            continue
        if status == 202:
            return json.loads(text)["id"]
        if status != 503 and json.loads(text)["type"].split(":")[-1] not in PASSING | {"model-not-found"}:
            raise SystemExit(f"the activation was refused: {status} {text[:300]!r}")
        time.sleep(0.1)


def finish(servers, job):
    end = time.monotonic() + 180
    while time.monotonic() < end:
        try:
            status, text = servers.any().ask("GET", f"/v1/jobs/{job}")
        except OSError:
            continue
        if status == 200 and json.loads(text)["state"] not in ("running", "waiting"):
            return json.loads(text)
        time.sleep(0.05)
    raise SystemExit(f"the job {job} did not end: {text[:300]!r}")


def active(server):
    status, text = server.ask("GET", "/readyz")
    return json.loads(text).get("model") if status == 200 else f"{status}"


def one_round(number, servers, databases, clients, models):
    """What happened, and what it has cost."""
    first, model = len(clients.attempts), models[number % 2]
    clients.start()
    time.sleep(random.uniform(0.5, 1.5))
    job, asked = activate(servers, model), time.monotonic()
    time.sleep(random.uniform(0, 0.5))
    what = ["nothing", "a server", "the leader", "the primary"][number % 4]
    begun = time.monotonic()
    if what in ("a server", "the leader"):
        name = (servers.leader() if what == "the leader" else None) or random.choice(NAMES)
        servers.kill(name)
        time.sleep(random.uniform(0, 1))
        servers.start(name)
    elif what == "the primary":
        databases[0].kill()
        time.sleep(random.uniform(0, 1))
        databases[1].promote()
        databases.reverse()
    ended = finish(servers, job)
    took = time.monotonic() - asked
    if what == "the primary":
        follow(*databases)
    if ended["state"] != "succeeded":
        clients.faults.append(f"the activation {ended['state']}: {ended.get('reason')}")
    wait_until(lambda: {active(s) for s in servers.all().values()} == {model}, f"all servers to answer with {model[:12]}")
    time.sleep(0.3)
    clients.end()
    clients.settle()
    clients.verify_everything()
    clients.refuse_faults()
    attempts = [a for _, a in clients.attempts[first:]]
    enrolled = [a for w, a in clients.attempts[first:] if w == "enrol" and a.status in (200, 201)]
    return {"died": what, "switch": took, "away": time.monotonic() - begun, "enrolled": len(enrolled),
            "refused": sum(a.status == 503 for a in attempts), "cut off": sum(a.status == 0 for a in attempts),
            "longest": max(a.took for a in attempts)}


def second(o, folder):
    """Another model of the same kind."""
    subprocess.run([o.triptych, "train", "--config", load.ROOT / "clients/python/tests/tiny.yaml", "--seed", "7", "--data", folder / "data",
                    "--output", folder / "other"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "other/model.safetensors"


def publish(servers, file):
    status, text = servers.any().ask("POST", "/v1/models", file.read_bytes(), kind="application/octet-stream")
    if status not in (200, 201):
        raise SystemExit(f"the model was not taken: {status} {text[:300]!r}")
    model = json.loads(text)["model"]
    for server in servers.all().values():
        wait_until(lambda: server.ask("GET", f"/v1/models/{model}")[0] == 200, "the model at every server")
    return model


def main():
    o = load.arguments(__doc__, rounds=12)
    with load.place(o) as root:
        databases = [Cluster(root, name) for name in "ab"]
        try:
            databases[0].initialise().start()
            follow(*databases)
            servers = Servers(o, root, address(databases, sslmode="disable", passfile=password_file(root)))
            load.prepare(servers.any())
            models = [publish(servers, second(o, root)), active(servers.any())]
            clients, rounds = Clients(servers, models), []
            for number in range(o.rounds):
                rounds.append(one_round(number, servers, databases, clients, models))
                said = ", ".join(f"{name} {value:.2f}" if isinstance(value, float) else f"{name} {value}" for name, value in rounds[-1].items())
                print(f"round {number + 1} of {o.rounds}: {said}", flush=True)
            report(rounds, clients)
            for server in servers.all().values():
                load.end(server)
        finally:
            for cluster in databases:
                cluster.stop("immediate")


def report(rounds, clients):
    print(f"a change of models took {load.spread([r['switch'] for r in rounds])}")
    print(f"{sum(r['refused'] for r in rounds)} requests were answered 503, {clients.lost} cut off by a server's death, none otherwise")
    print(f"{len(rounds)} changes of models: {len(clients.enrolled)} enrolments acknowledged, all there at every server, each once, and no "
          "answer of two models")


if __name__ == "__main__":
    sys.exit(main())
