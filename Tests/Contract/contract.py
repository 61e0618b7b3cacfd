"""Asks a real server thousands of questions that openapi.yaml allows, and some that it does not, with Schemathesis, and checks that
each answer has a status, a content type, header fields and a body that the contract declares, and that none is a failure of the
server.

    make contract                                  # in a virtual environment of its own
    python Tests/Contract/contract.py --triptych .build/release/triptych --examples 100 --seed 1

The server has a small model, one gallery in which something is enrolled, and an admin's key. It is on loopback and gone at the end.
"""
import argparse
import base64
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance",
]
LEAST = 2000  # requests, or nothing has been shown
RECIPE = """
model:
  system: graft
  modalities: [rgb, nir, tir]
  backbone: {kind: vit, width: 16, depth: 1, heads: 2, mlp_ratio: 2, patch: 8, distilled: true}
  input:
    height: 16
    width: 32
    mean: {rgb: [0.5, 0.5, 0.5], nir: [0.5, 0.5, 0.5], tir: [0.5, 0.5, 0.5]}
    std: {rgb: [0.5, 0.5, 0.5], nir: [0.5, 0.5, 0.5], tir: [0.5, 0.5, 0.5]}
  head: {fusion_tokens: 1, heads: 2, feedforward: 32}
dropout: 0
batch: {identities: 2, sightings: 2}
augment: none
validation: {identities: 0.3, every: 2}
stages:
  - {name: all, steps: 2, learning_rate: 0.001, loss: {triplet: 0.5, center: 0.0005, cross_entropy: 1}}
"""


class Server:
    """A server with something in it, and who may ask it anything."""

    def __init__(self, triptych, folder):
        self.triptych, self.folder = triptych, folder
        (folder / "recipe.yaml").write_text(RECIPE)
        self.run("synthesize", "--output", folder / "data", "--identities", 10, "--cameras", 2, "--sightings", 2,
                 "--height", 32, "--width", 64, "--seed", 3)
        self.run("train", "--config", folder / "recipe.yaml", "--data", folder / "data", "--output", folder / "run", "--seed", 1)
        self.image = min((folder / "data/train/rgb").iterdir())
        self.key = self.run("keys", "create", "--database", folder / "g.sqlite", "--name", "contract", "--role", "admin",
                            "--requests-per-minute", 1000000).strip()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = folder / "log"
        self.process = subprocess.Popen(
            [triptych, "serve", "--checkpoint", folder / "run/model.safetensors", "--database", folder / "g.sqlite",
             "--port", str(self.port)], stdout=self.log.open("w"), stderr=subprocess.STDOUT)
        for _ in range(1200):
            if self.process.poll() is not None:
                raise SystemExit(f"the server did not start: {self.log.read_text()}")
            try:
                self.ask("GET", "/readyz")
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the server was not ready in a minute")

    def run(self, *arguments):
        return subprocess.run([self.triptych, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body and json.dumps(body),
                           {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text}")
        return json.loads(text)

    def enrol(self):
        """What paths name, so that requests get past 404."""
        dimension = self.ask("GET", "/readyz")["dimension"]
        vector = [1 / (i + 1) for i in range(dimension)]
        self.ask("POST", "/v1/galleries", {"name": "parking"})
        self.ask("PUT", "/v1/galleries/parking/thresholds", {"thresholds": [{"modalities": ["rgb"], "threshold": 0.5}]})
        image = base64.b64encode(self.image.read_bytes()).decode()
        sighting = self.ask("POST", "/v1/galleries/parking/identities/van-17/sightings", {"images": {"rgb": image}})["id"]
        moved = self.ask("POST", "/v1/galleries/parking/identities/van-18/sightings", {"vectors": {"tir": vector}})["id"]
        correction = self.ask("POST", f"/v1/galleries/parking/identities/van-18/sightings/{moved}/move", {"identity": "van-19"})
        for analysis in ["evaluations", "maps"]:
            self.ask("POST", f"/v1/galleries/parking/{analysis}", {})
        job = self.ask("POST", "/v1/galleries/parking/groupings", {"threshold": 0.9})["id"]
        return {
            "gallery": "parking", "identity": "van-17", "sighting": sighting, "modality": "rgb", "job": job,
            "correction": correction["correction"]["id"], "model": self.ask("GET", "/readyz")["model"],
            "key": self.key.split("_")[1],
        }


def contract():
    """The contract with what any request may be answered with written out, as Schemathesis knows nothing of `x-any-request`."""
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    for item in document["paths"].values():
        for method in {"get", "post", "put", "patch", "delete"} & item.keys():
            item[method]["responses"] = {**document["x-any-request"], **item[method]["responses"]}
    return document


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=str(ROOT / ".build/release/triptych"))
    parser.add_argument("--examples", type=int, default=100, help="of each operation, beside those at the limits of each field")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("rest", nargs="*", help="options of `schemathesis run`, after --")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        server = Server(o.triptych, folder)
        try:
            (folder / "openapi.json").write_text(json.dumps(contract(), default=str))
            names = server.enrol()
            environment = {
                **os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(pathlib.Path(__file__).parent),
                "CONTRACT_URL": f"http://127.0.0.1:{server.port}", "CONTRACT_KEY": server.key,
                "CONTRACT_NAMES": json.dumps(names), "CONTRACT_IMAGE": str(server.image),
                "CONTRACT_DIMENSION": str(server.ask("GET", "/readyz")["dimension"]),
            }
            run = subprocess.run(
                [pathlib.Path(sys.executable).parent / "schemathesis", "run", folder / "openapi.json",
                 "--url", f"http://127.0.0.1:{server.port}", "--header", f"Authorization: Bearer {server.key}",
                 "--phases", "examples,coverage,fuzzing", "--checks", ",".join(CHECKS), "--max-examples", str(o.examples),
                 "--seed", str(o.seed), "--continue-on-failure", "--request-timeout", "60",
                 # It has no end.
                 "--exclude-operation-id", "followEvents", *o.rest],
                env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)
            print(run.stdout)
            if server.process.poll() is not None:
                raise SystemExit(f"the server has ended: {server.log.read_text()}")
        finally:
            server.process.terminate()
            server.process.wait()
        asked = int((re.search(r"(\d+) generated", run.stdout) or [0, 0])[1])
        if run.returncode == 0 and asked < LEAST:
            raise SystemExit(f"expected at least {LEAST} requests, found {asked}")
        raise SystemExit(run.returncode)


if __name__ == "__main__":
    main()
