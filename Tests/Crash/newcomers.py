"""Eight cameras send the same fifty newcomers at once, and the server is killed meanwhile: fifty identities, and nothing lost.

    python3 Tests/Crash/newcomers.py --triptych .build/release/triptych MODEL.safetensors --rounds 20

Newcomers are random vectors, and each camera sees them a little differently and in an order of its own. A camera that gets no
answer sends again, with the same key, once a server answers. In the end of each round there must be exactly fifty identities with
a sighting of each camera. Only the standard library.
"""
import argparse
import json
import math
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time

import kill

NEWCOMERS, CAMERAS, DIMENSION = 50, 8, 64


def unit(vector):
    length = math.sqrt(sum(v * v for v in vector))
    return [v / length for v in vector]


class Place:
    """Where the server is at the moment."""

    def __init__(self, server):
        self.server, self.lock = server, threading.Lock()

    def ask(self, *arguments, **more):
        with self.lock:
            server = self.server
        return server.ask(*arguments, **more)


def camera(place, gallery, number, newcomers, made):
    for who in random.sample(range(NEWCOMERS), NEWCOMERS):
        seen = unit([v + random.gauss(0, 0.2 / math.sqrt(DIMENSION)) for v in newcomers[who]])
        body = json.dumps({"vectors": {"rgb": seen}, "model": "m", "camera": f"c{number}"})
        while True:
            try:
                status, text = place.ask("POST", f"/v1/galleries/{gallery}/sightings", body,
                                         headers={"Idempotency-Key": f"{number}-{who}"})
            except (OSError, kill.http.client.HTTPException):
                time.sleep(0.02)
                continue
            if status == 201:
                made.append((who, json.loads(text)["identity"]))
                break
            if status != 503:
                raise SystemExit(f"{status} {text}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=".build/release/triptych")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("models", nargs=1)
    o = parser.parse_args()
    random.seed(o.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        place = Place(kill.Server(o, folder))
        for number in range(o.rounds):
            gallery, made = f"g{number}", []
            place.ask("POST", "/v1/galleries", json.dumps({"name": gallery}))
            place.ask("PUT", f"/v1/galleries/{gallery}/thresholds",
                      json.dumps({"model": "m", "thresholds": [{"modalities": ["rgb"], "threshold": 0.8}]}))
            newcomers = [unit([random.gauss(0, 1) for _ in range(DIMENSION)]) for _ in range(NEWCOMERS)]
            cameras = [threading.Thread(target=camera, args=(place, gallery, n, newcomers, made)) for n in range(CAMERAS)]
            for thread in cameras:
                thread.start()
            kills = 0
            while any(thread.is_alive() for thread in cameras) and kills < 3:
                time.sleep(random.uniform(0.05, 0.5))
                if not any(thread.is_alive() for thread in cameras):
                    break
                place.server.process.send_signal(signal.SIGKILL)
                place.server.process.wait()
                kills += 1
                server = kill.Server(o, folder)
                with place.lock:
                    place.server = server
            for thread in cameras:
                thread.join()
            page = json.loads(place.ask("GET", f"/v1/galleries/{gallery}/identities?limit=1000")[1])["items"]
            names = {who: {identity for other, identity in made if other == who} for who in range(NEWCOMERS)}
            if len(page) != NEWCOMERS or any(i["sightings"] != CAMERAS for i in page) or any(len(n) != 1 for n in names.values()):
                raise SystemExit(f"{len(page)} identities with {[i['sightings'] for i in page]} sightings")
            print(f"round {number + 1} of {o.rounds}: killed {kills} times, {len(page)} identities, {len(made)} answers", flush=True)
        place.server.process.terminate()
    print(f"{o.rounds} times {NEWCOMERS} newcomers: {NEWCOMERS} identities each, with a sighting of each of {CAMERAS} cameras")


if __name__ == "__main__":
    sys.exit(main())
