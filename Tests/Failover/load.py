"""Clients of a server whose database has trouble: what they were told, and whether it is true afterwards."""
import argparse
import contextlib
import http.client
import json
import math
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Crash"))
import kill  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIMENSION, BASE = 48, "/v1/galleries/g"


def arguments(description, rounds=10):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", type=pathlib.Path, default=ROOT / ".build/release/triptych")
    parser.add_argument("--model", type=pathlib.Path, help="of any system; one that knows nothing is made if there is none")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seed", type=int, default=1)
    o = parser.parse_args()
    random.seed(o.seed)
    return o


@contextlib.contextmanager
def place(o):
    """A folder for clusters and servers, and a model."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="triptych-failover-"))
    folder.chmod(0o755)
    o.servers = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    try:
        o.models = [o.model or tiny(o, folder)]
        yield folder
    finally:
        for server in o.servers:
            server.process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def tiny(o, folder):
    for command in (["synthesize", "--output", folder / "data", "--identities", "8", "--height", "16", "--width", "32"],
                    ["train", "--config", ROOT / "clients/python/tests/tiny.yaml", "--data", folder / "data", "--output", folder / "run"]):
        subprocess.run([o.triptych, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "run/model.safetensors"


def serve(o, folder, database, environment=None, options=()):
    server = kill.Server(o, folder, environment, database, ["--set", f"models={folder / 'models'}", *options])
    o.servers.append(server)
    return server


def end(server):
    server.process.terminate()
    if server.process.wait(60) != 0:
        raise SystemExit("the server did not end well")


def vector(key):
    """Of a length of one; nobody else's is near."""
    source = random.Random(key)
    values = [source.gauss(0, 1) for _ in range(DIMENSION)]
    length = math.sqrt(sum(v * v for v in values))
    return [v / length for v in values]


def prepare(server):
    status, text = server.ask("POST", "/v1/galleries", json.dumps({"name": "g"}))
    if status != 201:
        raise SystemExit(f"the gallery was not made: {status} {text[:300]!r}")
    thresholds = {"model": "m", "thresholds": [{"modalities": ["rgb"], "threshold": 0.9}]}
    server.ask("PUT", f"{BASE}/thresholds", json.dumps(thresholds))


class Attempt:
    """One request: when it was sent and answered (seconds since 1970, as PostgreSQL's commits), and how."""

    def __init__(self, server, method, path, body=None, headers={}):
        self.sent, self.problem, self.retry, self.sequence = time.time(), None, None, 0
        connection = server.connection(200)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {**headers, **({"Content-Type": "application/json"} if body is not None else {})})
            answer = connection.getresponse()
            text = answer.read()
            self.status, self.retry = answer.status, answer.getheader("Retry-After")
            self.sequence = int(answer.getheader("X-Triptych-Sequence") or 0)
            self.answer = json.loads(text) if text else None
            if self.status >= 400:
                self.problem = self.answer["type"].removeprefix("urn:triptych:problem:")
        except (OSError, http.client.HTTPException) as error:
            self.status, self.answer, self.problem = 0, None, f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        self.answered = time.time()

    @property
    def took(self):
        return self.answered - self.sent

    @property
    def is_clear(self):
        """Whether whoever asked was answered, or told to come back."""
        return self.status < 400 and self.status != 0 or self.status == 503 and self.problem == "database-busy" and bool(self.retry)


class Load:
    """Clients that enrol, each with a key that it sends again until it was told, some that identify newcomers, and some that query."""

    def __init__(self, server, enrolling=6, identifying=2, querying=2, patience=0.1):
        self.server, self.patience, self.over, self.lock = server, patience, threading.Event(), threading.Lock()
        self.attempts, self.enrolled, self.pending = [], {}, {}  # enrolled: key -> (identity, attempts)
        self.faults, self.number = [], 0
        self.work = [self.enrol] * enrolling + [self.identify] * identifying + [self.query] * querying
        self.threads, self.verified = [], 0

    def start(self):
        self.over.clear()
        self.threads = [threading.Thread(target=self.repeat, args=(one,), daemon=True) for one in self.work]
        for thread in self.threads:
            thread.start()
        return self

    def repeat(self, work):
        while not self.over.is_set():
            work()

    def next_key(self, kind):
        with self.lock:
            self.number += 1
            return f"{kind}-{self.number}"

    def attempt(self, what, *request, **more):
        attempt = Attempt(self.server, *request, **more)
        with self.lock:
            self.attempts.append((what, attempt))
            if not attempt.is_clear:
                self.faults.append(f"{what}: {attempt.status} {attempt.problem}")
        return attempt

    def enrol(self):
        key = self.next_key("k")
        self.send(key, "POST", f"{BASE}/identities/{key}/sightings", {"vectors": {"rgb": vector(key)}, "model": "m"})

    def identify(self):
        key = self.next_key("n")
        self.send(key, "POST", f"{BASE}/sightings", {"vectors": {"rgb": vector(key)}, "model": "m"})

    def send(self, key, *request):
        """Until it is told, or the load is over: then the key is one of those that are pending."""
        attempts = []
        while True:
            attempts.append(self.attempt("enrol", *request, headers={"Idempotency-Key": key}))
            if attempts[-1].status in (200, 201):
                with self.lock:
                    self.enrolled[key] = (attempts[-1].answer["identity"] if request[1].endswith("g/sightings") else key, attempts)
                    self.pending.pop(key, None)
                return
            with self.lock:
                self.pending[key] = request
            if self.over.wait(self.patience):
                return

    def query(self):
        """For one that was acknowledged: the answer must have it."""
        with self.lock:
            key = random.choice(list(self.enrolled)) if self.enrolled else None
        if key is None:
            return time.sleep(0.01)
        body = {"vectors": {"rgb": vector(key)}, "model": "m", "limit": 1}
        attempt = self.attempt("query", "POST", f"{BASE}/queries", body)
        if attempt.status == 200 and self.first(attempt.answer) != self.enrolled[key][0]:
            self.faults.append(f"a query for {key} found {self.first(attempt.answer)}")
        self.over.wait(0.02)

    @staticmethod
    def first(answer):
        return next((match["identity"] for match in answer["matches"]), None)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def settle(self):
        """Sends again what nobody was told of: afterwards each key is enrolled, once."""
        for key, request in list(self.pending.items()):
            self.over.clear()
            self.send(key, *request)
        self.over.set()

    def verify(self, everything=False):
        """All that was acknowledged is there, once, and is found (of what was verified before, some); nothing else is there."""
        sightings = json.loads(self.server.ask("GET", BASE)[1])["sightings"]
        if sightings != len(self.enrolled):
            self.faults.append(f"{len(self.enrolled)} were enrolled, {sightings} are there")
        keys = list(self.enrolled)
        earlier = keys[:self.verified]
        self.verified = len(keys)
        keys = keys if everything else random.sample(earlier, min(len(earlier), 128)) + keys[len(earlier):]
        for start in range(0, len(keys), 32):
            some = keys[start:start + 32]
            status, text = self.server.ask("POST", f"{BASE}/queries/batch", json.dumps(
                {"queries": [{"vectors": {"rgb": vector(k)}, "model": "m"} for k in some], "limit": 1}))
            if status != 200:
                raise SystemExit(f"queries: {status} {text[:300]!r}")
            for key, answer in zip(some, json.loads(text)["results"]):
                if self.first(answer) != self.enrolled[key][0]:
                    self.faults.append(f"{key} was acknowledged and is not found")
        return sightings

    def refuse_faults(self):
        if self.faults:
            raise SystemExit(f"{len(self.faults)} faults: " + "; ".join(sorted(set(self.faults))[:10]))


def spread(values):
    """A median and the most, for people."""
    return f"{statistics.median(values):.2f} s, at most {max(values):.2f}" if values else "none"
