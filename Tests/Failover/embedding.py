"""What a new model has to embed, shared among servers: by one, by two, and by two of which one is killed in the middle.

    python3 Tests/Failover/embedding.py

Everything is embedded once, whoever is there: what each server has embedded comes to the number of sightings, and afterwards
every server answers with the new model. Then a third server is killed while nothing else happens, and the time is taken that the next
change of models waits for it.
"""
import json
import subprocess
import sys
import time

from clusters import Cluster, address, password_file, wait_until
import load
from servers import Images, active, finish

# Large enough that a sighting takes some hundredths of a second.
SIZES = ["model.backbone.width=192", "model.backbone.depth=6", "model.input.height=64", "model.input.width=128"]


def models(o, folder, count):
    """Of random weights, each with vectors of its own."""
    files = []
    for number in range(count):
        output = folder / f"model-{number}"
        sets = [part for size in SIZES for part in ("--set", size)]
        subprocess.run([o.triptych, "train", "--config", load.ROOT / "clients/python/tests/tiny.yaml", *sets, "--seed", str(number + 2),
                        "--data", folder / "data", "--output", output], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        files.append(output / "model.safetensors")
    return files


def enrol(server, count):
    for number in range(count):
        key = f"k{number}"
        status, text = server.ask("POST", f"{load.BASE}/identities/{key}/sightings", json.dumps(Images.body(key)))
        if status != 201:
            raise SystemExit(f"an enrolment was refused: {status} {text[:300]!r}")


def publish(servers, file):
    status, text = servers[0].ask("POST", "/v1/models", file.read_bytes(), kind="application/octet-stream")
    if status != 201:
        raise SystemExit(f"the model was not taken: {status} {text[:300]!r}")
    model = json.loads(text)["model"]
    for server in servers:
        wait_until(lambda: server.ask("GET", f"/v1/models/{model}")[0] == 200, "the model at every server")
    return model


class Alive:
    """Servers as `finish` asks them."""

    def __init__(self, servers):
        self.servers = servers

    def any(self):
        return self.servers[0]


def change(what, servers, file, count, meanwhile=lambda job: None, alive=None):
    """Makes a model the active one and says what it took, and who has embedded how many."""
    alive = alive or servers
    model = publish(servers, file)
    begun = time.monotonic()
    status, text = servers[0].ask("POST", f"/v1/models/{model}/activation", "")
    if status != 202:
        raise SystemExit(f"the activation was refused: {status} {text[:300]!r}")
    job = json.loads(text)["id"]
    meanwhile(job)
    ended = finish(Alive(alive), job)
    took = time.monotonic() - begun
    if ended["state"] != "succeeded" or ended["result"]["embedded"] != count:
        raise SystemExit(f"expected {count} embedded, found {ended}")
    for server in alive:
        wait_until(lambda: active(server) == model, "every server to answer with it")
    print(f"{what}: {took:.1f} s, embedded by {ended['result'].get('embedded_by', 'one alone')}", flush=True)


def main():
    o, count = load.arguments(__doc__), 1000
    with load.place(o) as root:
        database = Cluster(root, "a").initialise().start()
        try:
            place = address(database, sslmode="disable", passfile=password_file(root))

            def serve(name):
                folder = root / name
                folder.mkdir(exist_ok=True)
                return load.serve(o, folder, place, options=["--set", f"cluster.name={name}"])

            def kill_second(job):
                def has_begun():
                    return json.loads(one.ask("GET", f"/v1/jobs/{job}")[1])["done"] > count / 4

                wait_until(has_begun, "a quarter of them", 600)
                two.process.kill()

            files, one = models(o, root, 4), serve("one")
            load.prepare(one)
            enrol(one, count)
            change("one server", [one], files[0], count)
            two = serve("two")
            change("two servers", [one, two], files[1], count)
            change("two servers, one killed after a quarter", [one, two], files[2], count, kill_second, [one])
            third = serve("three")
            third.process.kill()
            change("one server, another killed just before", [one], files[3], count)
            load.end(one)
        finally:
            database.stop("immediate")


if __name__ == "__main__":
    sys.exit(main())
