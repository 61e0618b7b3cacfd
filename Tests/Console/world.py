"""A real server with something in it, and what the browser is given: pictures, bad files, and thousands of identities."""
import base64
import json
import os
import pathlib
import re
import struct
import subprocess
import time
import urllib.error
import urllib.request
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPE = ROOT / "clients/python/tests/tiny.yaml"
CAMERAS = ["north gate", "south gate", "ramp"]
LABELS = ["Pool car 1", "Courier", "Night shift", "Kiosk", "Pool car 3"]
MODALITIES = ("rgb", "nir", "tir")


class World:
    def __init__(self, triptych, folder, checkpoint=None, port=18181, options=(), recipe=RECIPE):
        """`options` are of `triptych serve`, and `recipe` of the models, unless the folder has some."""
        self.triptych, self.folder, self.port, self.options = triptych, pathlib.Path(folder), port, options
        self.url, self.token, self.process, self.keys = f"http://127.0.0.1:{port}", "", None, {}
        if not (self.folder / "run2").exists():
            self.make(recipe)
        self.checkpoint = checkpoint or self.folder / "run1/model.safetensors"
        self.other = self.folder / "run2/model.safetensors"

    def make(self, recipe):
        self.run("synthesize", "--output", self.folder / "data", "--identities", 40, "--cameras", 3, "--sightings", 2,
                 "--height", 128, "--width", 256, "--seed", 5)
        for seed in (1, 2):
            self.run("train", "--config", recipe, "--data", self.folder / "data", "--output", self.folder / f"run{seed}", "--seed", seed)

    def run(self, *arguments):
        subprocess.run([str(self.triptych), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        secret = self.folder / "webhooks.secret"
        secret.write_text("of the console's tests only")
        secret.chmod(0o600)
        log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen(
            [str(self.triptych), "serve", "--checkpoint", str(self.checkpoint), "--database", str(self.folder / "g.sqlite"),
             "--port", str(self.port), "--set", f"webhooks.secret_file={secret}", *self.options], stdout=log, stderr=log)
        for _ in range(3000):
            try:
                urllib.request.urlopen(f"{self.url}/readyz", timeout=2).read()
                return
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit((self.folder / "server.log").read_text()[-2000:])
                time.sleep(0.1)
        raise SystemExit("the server is not ready")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def ask(self, method, path, body=None, kind="application/json"):
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        text = self.answer(method, path, data, {"Content-Type": kind} if data is not None else {})
        return json.loads(text) if text else None

    def text(self, path):
        return self.answer("GET", path).decode()

    def answer(self, method, path, data=None, fields=()):
        """The body; the key goes with the request once there is one."""
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=dict(fields))
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()

    def follow(self, job):
        while (state := self.ask("GET", f"/v1/jobs/{job['id']}"))["state"] in ("waiting", "running"):
            time.sleep(0.2)
        assert state["state"] == "succeeded", state
        return state["result"]

    def load(self, gallery, lines):
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        result = self.follow(self.ask("POST", f"/v1/galleries/{gallery}/imports", body, "application/x-ndjson"))
        assert result["failed"] == 0, result

    def names(self, split):
        return sorted(os.listdir(self.folder / "data" / split / "rgb"))

    def files(self, number, split="query"):
        name = self.names(split)[number]
        return [self.folder / "data" / split / modality / name for modality in MODALITIES]

    def fill(self):
        """A gallery of pictures, seen by cameras over two days, of which some identities have labels; and ten thousand by vectors."""
        self.ask("POST", "/v1/galleries", {"name": "parking", "label": "Car park east"})
        lines, labels = [], {}
        for number, name in enumerate(self.names("gallery")):
            identity, camera = re.fullmatch(r"(\d+)_c(\d+)_\d+\.jpg", name).groups()
            if identity not in labels:
                labels[identity] = LABELS[len(labels)] if len(labels) < len(LABELS) else None
                lines.append({"identity": f"car-{identity}", "label": labels[identity]})
            images = self.images(number, "gallery")
            hours = (number * 7) % 40
            lines.append({"identity": f"car-{identity}", "camera": CAMERAS[int(camera) - 1], "images": images, "metadata": {"lane": 1 + number % 3},
                          "captured_at": f"2026-03-{1 + hours // 24:02}T{hours % 24:02}:{number % 60:02}:00Z"})
        self.load("parking", lines)
        sets = [["rgb"], ["nir"], ["tir"], ["rgb", "nir"], ["rgb", "tir"], ["nir", "tir"], ["rgb", "nir", "tir"]]
        self.ask("PUT", "/v1/galleries/parking/thresholds", {"thresholds": [{"modalities": some, "threshold": 0.6} for some in sets]})
        self.ask("POST", "/v1/galleries", {"name": "many"})
        image = base64.b64encode(self.files(0)[0].read_bytes()).decode()
        width = len(self.ask("POST", "/v1/embeddings", {"images": {"rgb": image}})["vectors"]["rgb"])
        self.load("many", [{"identity": f"bulk-{number:05}", "vectors": {"rgb": [((number * 31 + at * 17) % 97) / 97 - 0.5 for at in range(width)]}}
                           for number in range(10_000)])

    def images(self, number, split="query"):
        return {modality: base64.b64encode(path.read_bytes()).decode() for modality, path in zip(MODALITIES, self.files(number, split))}

    def sighting(self, number, **options):
        """What a camera sends."""
        return self.ask("POST", "/v1/galleries/parking/sightings", {"images": self.images(number), **options})

    def enrol(self, identity, number):
        return self.ask("POST", f"/v1/galleries/parking/identities/{identity}/sightings", {"images": self.images(number)})

    def erase(self, identity):
        self.ask("DELETE", f"/v1/galleries/parking/identities/{identity}")

    def key(self, name, role, galleries=None):
        """The token of a new key, whose identifier is in `keys`."""
        made = self.ask("POST", "/v1/keys", {"name": name, "role": role, "galleries": galleries})
        self.keys[name] = made["key"]["id"]
        return made["token"]


def grey_png(path, width, height):
    """A file of a few kilobytes that decodes to as many pixels as it says."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = zlib.compress(bytes(width + 1) * height, 6)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path
