"""What docs/incidents.md says, made to happen: a disk that is full, memory that is used up, a model that is refused, keys that are, a start
that fails. As root, for a disk of its own.

    python3 Tests/Operation/incidents.py        # or `make operation ONLY=incidents`
"""
import base64
import json
import re
import subprocess
import urllib.error
import urllib.request

import operation
from operation import ROOT, check


def answer(world, method, path, body=None, kind="application/json", token=None):
    """The status, and the problem's type or what came."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(world.url + path, data=data, method=method, headers={"Content-Type": kind} if data else {})
    if token or world.token:
        request.add_header("Authorization", f"Bearer {token or world.token}")
    try:
        with urllib.request.urlopen(request, timeout=60) as came:
            text = came.read()
            return came.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["type"].removeprefix("urn:triptych:problem:")


def images(world, number):
    names = ("rgb", "nir", "tir")
    return {name: base64.b64encode(file.read_bytes()).decode() for name, file in zip(names, world.files(number, "gallery"))}


def enrol(world, number):
    return answer(world, "POST", f"/v1/galleries/g/identities/car-{number}/sightings", {"images": images(world, number % 40)})


def metric(world, name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", world.text("/metrics"), re.MULTILINE)
    return float(found[1]) if found else 0


def disk():
    with operation.world(filled=False, megabytes=56) as world:
        world.ask("POST", "/v1/galleries", {"name": "g"})
        enrol(world, 0)
        ballast = world.folder / "ballast"
        with open(ballast, "wb") as file:
            try:
                while file.write(bytes(65536)):
                    file.flush()
            except OSError:
                pass
        number = 1
        while (found := enrol(world, number))[0] == 201 and number < 2000:
            number += 1
        check("a full disk refuses enrolments", found, (507, "storage-full"))
        check("which /metrics tells", metric(world, 'triptych_problems_total{type="storage-full"}') >= 1, True)
        check("queries go on", answer(world, "POST", "/v1/galleries/g/queries", {"images": images(world, 0)})[0], 200)
        world.stop()
        world.start()
        check("a restart works", answer(world, "GET", "/v1/galleries/g")[1]["sightings"], number)
        check("so does an erasure", answer(world, "DELETE", "/v1/galleries/g/identities/car-0")[0], 204)
        ballast.unlink()
        check("with room again, enrolments do", enrol(world, 0)[0], 201)


def memory():
    with operation.world(filled=False) as world:
        world.ask("POST", "/v1/galleries", {"name": "g"})
        world.stop()
        # Less than what a server has before it holds anything, and 64 MiB.
        world.options = ["--set", f"memory_bytes={100 << 20}"]
        world.start()
        check("memory that is used up refuses enrolments", enrol(world, 0), (507, "insufficient-memory"))
        check("which /metrics tells", metric(world, 'triptych_problems_total{type="insufficient-memory"}'), 1)
        check("queries go on", answer(world, "POST", "/v1/galleries/g/queries", {"images": images(world, 0)})[0], 200)


def models_and_keys():
    with operation.world(filled=False) as world:
        active = world.ask("GET", "/v1/models")["items"][0]["model"]
        whole = world.other.read_bytes()
        check("half a model is refused", answer(world, "POST", "/v1/models", whole[:len(whole) // 2], "application/octet-stream"),
              (422, "model-refused"))
        check("and the active one stays", [one["model"] for one in world.ask("GET", "/v1/models")["items"]], [active])
        world.token = world.ask("POST", "/v1/keys", {"name": "test", "role": "admin"})["token"]
        wrong = f"triptych_{'0' * 12}_{'0' * 64}"
        check("a stranger's key is refused", answer(world, "GET", "/v1/galleries", token=wrong), (401, "unauthenticated"))
        check("which /metrics tells", metric(world, 'triptych_problems_total{type="unauthenticated"}'), 1)
        starts(world)


def starts(world):
    """Starts that fail end with the reason, and a status that systemd counts."""
    world.stop()
    database = world.folder / "g.sqlite"

    def refused(what, words, *options):
        ended = subprocess.run([world.triptych, "serve", "--checkpoint", world.checkpoint, "--database", database, "--port", "18282", *options],
                               capture_output=True, text=True, timeout=60)
        check(f"a start with {what} fails with the reason", (ended.returncode != 0, words in ended.stderr + ended.stdout), (True, True))

    refused("an unknown key of the configuration", "limits.bodies", "--set", "limits.bodies=1")
    models = world.folder / "g.sqlite-models"
    models.rename(world.folder / "elsewhere")
    kept = world.checkpoint
    world.checkpoint = world.folder / "none.safetensors"
    refused("no model", "none.safetensors")
    world.checkpoint = kept
    (world.folder / "elsewhere").rename(models)
    database.write_bytes(b"")
    refused("an empty database", "empty")


def main():
    disk()
    memory()
    models_and_keys()
    operation.end()


if __name__ == "__main__":
    main()
