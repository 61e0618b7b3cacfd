"""Kills a server at random points of concurrent enrolling, erasing, correcting, importing and swapping, and checks what is left.

    python3 Tests/Crash/kill.py --triptych .build/release/triptych --data DATA A.safetensors B.safetensors --rounds 100

DATA is a data set of `triptych synthesize`; A and B are two models of any system for its modalities. After each `kill -9` the
server is started again, and every sighting that was acknowledged and never asked to be erased must be there with its images,
every one whose erasure was acknowledged gone, and the active model one of the two. Every tenth time `triptych gallery check`
looks at each row. Only the standard library.
"""
import argparse
import base64
import http.client
import json
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    def __init__(self, o, folder, environment=None, database=None, options=(), port=None):
        self.port = port or free_port()
        self.log = open(folder / "log", "a")
        self.process = subprocess.Popen(
            [o.triptych, "serve", "--checkpoint", o.models[0], "--database", database or folder / "g.sqlite", "--port", str(self.port),
             *options],
            stdout=self.log, stderr=self.log, env=environment)
        for _ in range(1200):
            if self.process.poll() is not None:
                raise SystemExit(f"the server did not start: see {folder / 'log'}")
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the server was not ready in a minute")

    def connection(self, timeout):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, kind="application/json", headers={}):
        connection = self.connection(60)
        try:
            connection.request(method, path, body, {**headers, "Content-Type": kind} if body is not None else headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Known:
    """What the server has said."""

    def __init__(self):
        self.lock = threading.Lock()
        self.there, self.gone, self.unsure, self.told_apart = {}, set(), set(), set()
        self.counts = {}

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def enrolled(self, sighting, image):
        self.count("enrol")
        with self.lock:
            self.there[sighting] = image

    def erasing(self, sighting):
        with self.lock:
            if sighting in self.there:
                self.unsure.add(sighting)
            return self.there.pop(sighting, None)

    def erased(self, sighting):
        self.count("erase")
        with self.lock:
            self.unsure.discard(sighting)
            self.gone.add(sighting)

    def kept(self, sighting, image):
        """Moved meanwhile: it is still there."""
        with self.lock:
            self.unsure.discard(sighting)
            self.there[sighting] = image


def change(server, known, images, models, over):
    while not over.is_set():
        try:
            one(server, known, images, models)
        except (OSError, http.client.HTTPException):
            return


def one(server, known, images, models):
    what = random.choices(["enrol", "erase", "move", "merge", "distinguish", "import", "swap"], [12, 4, 3, 1, 2, 1, 1])[0]
    base = "/v1/galleries/g"
    if what == "enrol":
        image, identity = random.choice(images), f"i{random.randrange(40)}"
        status, text = server.ask("POST", f"{base}/identities/{identity}/sightings", json.dumps(
            {"images": {"rgb": base64.b64encode(image).decode()}, "metadata": {"n": random.randrange(5)}}))
        if status == 201:
            known.enrolled(json.loads(text)["id"], image)
    elif what in ("erase", "move"):
        with known.lock:
            if not known.there:
                return
            sighting = random.choice(list(known.there))
        owner = find(server, sighting)
        if owner is None:
            return
        path = f"{base}/identities/{owner}/sightings/{sighting}"
        if what == "move":
            if server.ask("POST", path + "/move", json.dumps({"identity": f"i{random.randrange(40)}"}))[0] == 200:
                known.count(what)
            return
        image = known.erasing(sighting)
        if image is None:
            return
        if server.ask("DELETE", path)[0] == 204:
            known.erased(sighting)
        else:
            known.kept(sighting, image)
    elif what in ("merge", "distinguish"):
        a, b = random.sample(range(40), 2)
        status, text = server.ask("POST", f"{base}/identities/i{a}/{what}", json.dumps({"identities": [f"i{b}"]}))
        if status == 200:
            known.count(what)
            if what == "distinguish":
                known.told_apart.add(json.loads(text)["correction"]["id"])
    elif what == "import":
        lines = "\n".join(json.dumps({"identity": f"i{random.randrange(40)}", "idempotency_key": f"{random.random()}",
                                      "images": {"rgb": base64.b64encode(random.choice(images)).decode()}}) for _ in range(5))
        if server.ask("POST", f"{base}/imports", lines, "application/x-ndjson")[0] == 202:
            known.count(what)
    elif server.ask("POST", f"/v1/models/{random.choice(models)}/activation")[0] == 202:
        known.count(what)


def names(server, path):
    """The identifiers of all that a list has."""
    found, cursor = [], ""
    while cursor is not None:
        page = json.loads(server.ask("GET", f"{path}?limit=1000{cursor}")[1])
        found += [one["id"] for one in page["items"]]
        cursor = f"&cursor={page['next']}" if page["next"] else None
    return found


def owners(server):
    found = {}
    for identity in names(server, "/v1/galleries/g/identities"):
        cursor = ""
        while cursor is not None:
            page = json.loads(server.ask("GET", f"/v1/galleries/g/identities/{identity}/sightings?limit=1000{cursor}")[1])
            for sighting in page.get("items", []):
                found[sighting["id"]] = identity
            cursor = f"&cursor={page['next']}" if page.get("next") else None
    return found


def find(server, sighting):
    return owners(server).get(sighting) if random.random() < 0.2 else CACHE.get(sighting)


CACHE = {}


def settle(server):
    """Waits for the jobs that go on after a start, and gives all there are."""
    for _ in range(1200):
        jobs, cursor = [], ""
        while cursor is not None:
            page = json.loads(server.ask("GET", f"/v1/jobs?limit=1000{cursor}")[1])
            jobs += page["items"]
            cursor = f"&cursor={page['next']}" if page["next"] else None
        if not {job["state"] for job in jobs} & {"running", "waiting"}:
            return jobs
        time.sleep(0.05)
    raise SystemExit("jobs did not end in a minute")


def check(server, known, models):
    jobs = settle(server)
    found = owners(server)
    CACHE.clear()
    CACHE.update(found)
    missing = [s for s in known.there if s not in found]
    back = [s for s in known.gone if s in found]
    if missing or back:
        raise SystemExit(f"acknowledged and missing: {missing}; erased and there: {back}")
    unsaid = known.told_apart - set(names(server, "/v1/galleries/g/corrections")) if known.told_apart else None
    if unsaid:
        raise SystemExit(f"told apart, and not among the corrections: {unsaid}")
    # Of what was imported nothing is erased.
    imported = len(found) - sum(s in found for s in known.there)
    if imported < 5 * known.counts.get("import", 0):
        odd = [j for j in jobs if j["kind"] == "import" and (j.get("result") or {}).get("enrolled") != 5]
        raise SystemExit(f"of {known.counts['import']} imports of five there are {imported} sightings: {odd}")
    for sighting in random.sample(sorted(known.there), min(len(known.there), 20)):
        path = f"/v1/galleries/g/identities/{found[sighting]}/sightings/{sighting}/images/rgb"
        if server.ask("GET", path)[1] != known.there[sighting]:
            raise SystemExit(f"the image of {sighting} is not what was sent")
    # What nobody knows is settled by what is there.
    for sighting in known.unsure:
        (known.gone.add if sighting not in found else known.gone.discard)(sighting)
    known.unsure.clear()
    ready = json.loads(server.ask("GET", "/readyz")[1])
    if ready["model"] not in models:
        raise SystemExit(f"the active model is {ready['model']}")
    count = json.loads(server.ask("GET", "/v1/galleries/g")[1])["sightings"]
    return len(found), count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=".build/release/triptych")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("models", nargs=2)
    o = parser.parse_args()
    random.seed(o.seed)
    images = [p.read_bytes() for p in sorted(o.data.rglob("*.jpg"))[:40]]
    known, start = Known(), time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        server = Server(o, folder)
        server.ask("POST", "/v1/galleries", json.dumps({"name": "g"}))
        server.ask("POST", "/v1/models", pathlib.Path(o.models[1]).read_bytes(), "application/octet-stream")
        models = [m["model"] for m in json.loads(server.ask("GET", "/v1/models")[1])["items"]]
        for number in range(1, o.rounds + 1):
            over = threading.Event()
            threads = [threading.Thread(target=change, args=(server, known, images, models, over))
                       for _ in range(o.clients)]
            for thread in threads:
                thread.start()
            time.sleep(random.uniform(0.05, 1.5))
            server.process.send_signal(signal.SIGKILL)
            over.set()
            for thread in threads:
                thread.join()
            server.process.wait()
            if number % 10 == 0:
                done = subprocess.run([o.triptych, "gallery", "check", folder / "g.sqlite"], capture_output=True, text=True)
                if done.returncode != 0:
                    raise SystemExit(f"gallery check: {done.stdout}{done.stderr}")
            server = Server(o, folder)
            found, count = check(server, known, models)
            if "committed" in (folder / "log").read_text():
                raise SystemExit("the server says that commits were lost")
            left = (time.monotonic() - start) / number * (o.rounds - number)
            print(f"killed {number} of {o.rounds}: {found} sightings, {count} counted, {known.counts}, {left:.0f} s left", flush=True)
            if found != count:
                raise SystemExit(f"{count} sightings are counted, {found} are there")
        server.process.terminate()
        if server.process.wait() != 0:
            raise SystemExit("the server did not end well")
    print(f"{o.rounds} times killed: nothing that was acknowledged is missing, nothing that was erased is back")


if __name__ == "__main__":
    sys.exit(main())
