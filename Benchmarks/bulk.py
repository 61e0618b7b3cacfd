"""How fast triples are imported, and embedded again by another model, beside the encoder's own batches.

    python3 Benchmarks/bulk.py --triptych .build/release/triptych --data DATA --triples 2000 A.safetensors B.safetensors

DATA is a data set of `triptych synthesize`; its images are sent as often as it takes, in one tar archive. A is the active model
during the import, B is then activated. `triptych benchmark` measures both in batches, before and after; the higher of the two is
what the others are compared with. Only the standard library.
"""
import argparse
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request

import services

# As `triptych serve` has it.
ENVIRONMENT = os.environ | {"OMP_WAIT_POLICY": "passive"}


def ask(server, method, path, body=None, kind="application/json"):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", body, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or "null")


def ended(server, job):
    start = time.monotonic()
    while job["state"] in ("running", "waiting"):
        time.sleep(0.1)
        job = ask(server, "GET", f"/v1/jobs/{job['id']}")
        if sys.stderr.isatty():
            print(f"\r{job['kind']}: {job['done']} of {job['total']}", end="", file=sys.stderr, flush=True)
    if job["state"] != "succeeded" or (job["result"] or {}).get("failed"):
        raise SystemExit(f"\n{job}")
    seconds = time.monotonic() - start
    print(f": {seconds:.1f} s")
    return seconds


def batches(o, checkpoint):
    """Triples a second."""
    command = [o.triptych, "benchmark", "--checkpoint", checkpoint, "--batch", str(o.batch), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout)["triples_per_second"]


def archive(o, path):
    triples = {}
    for image in sorted(o.data.rglob("*.jpg")):
        triples.setdefault((image.parent.parent, image.stem), {})[image.parent.name] = image
    triples = [t for t in triples.values() if set(t) == {"rgb", "nir", "tir"}]
    with tarfile.open(path, "w") as out:
        for number, triple in enumerate(triples):
            for modality, image in triple.items():
                out.add(image, f"{number}/{modality}.jpg")
        lines = "".join(json.dumps({
            "identity": f"i{n // 4}", "idempotency_key": str(n),
            "files": {m: f"{n % len(triples)}/{m}.jpg" for m in ("rgb", "nir", "tir")}}) + "\n" for n in range(o.triples)).encode()
        entry = tarfile.TarInfo("lines.ndjson")
        entry.size = len(lines)
        out.addfile(entry, io.BytesIO(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=".build/release/triptych")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--triples", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--share", type=float, default=1, help="swap.share")
    parser.add_argument("models", nargs=2)
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        archive(o, folder / "all.tar")
        (folder / "triptych.yaml").write_text(f"swap: {{share: {o.share}}}\n")
        own = [[batches(o, model)] for model in o.models]
        port = services.free_port()
        server = services.Service("triptych", [
            o.triptych, "serve", "--config", folder / "triptych.yaml", "--checkpoint", o.models[0], "--database",
            folder / "g.sqlite", "--port", port], port, folder / "log")
        ask(server, "POST", "/v1/galleries", b'{"name": "g"}')
        digest = ask(server, "POST", "/v1/models", pathlib.Path(o.models[1]).read_bytes(), "application/octet-stream")["model"]
        imported = ended(server, ask(server, "POST", "/v1/galleries/g/imports", (folder / "all.tar").read_bytes(), "application/x-tar"))
        activated = ended(server, ask(server, "POST", f"/v1/models/{digest}/activation"))
        server.end()
        for rates, model in zip(own, o.models):
            rates.append(batches(o, model))
    for what, seconds, rates in (("import", imported, own[0]), ("activation", activated, own[1])):
        rate = o.triples / seconds
        print(f"{what}: {rate:.1f} triples/s; the encoder in batches of {o.batch}: {rates[0]:.1f} before, {rates[1]:.1f} after; "
              f"ratio {rate / max(rates) / (o.share if what == 'activation' else 1):.3f}"
              f"{f', of share {o.share}' * (what == 'activation')}; a million takes {1e6 / rate / 3600:.1f} h")


if __name__ == "__main__":
    main()
