"""Recognising and enrolling in one call beside a query and an enrolment as two, in turns on one server.

    python3 Benchmarks/identify.py --triptych .build/release/triptych --data demo/data demo/run/model.safetensors

DATA is a data set of `triptych synthesize`. Only the standard library.
"""
import argparse
import http.client
import json
import pathlib
import statistics
import tempfile
import time

import bulk
import services


def form(triple, options=None):
    body = b""
    for modality, image in triple.items():
        body += f'--x\r\nContent-Disposition: form-data; name="{modality}"; filename="f"\r\n\r\n'.encode() + image + b"\r\n"
    if options:
        body += f'--x\r\nContent-Disposition: form-data; name="options"\r\n\r\n{json.dumps(options)}\r\n'.encode()
    return body + b"--x--\r\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=".build/release/triptych")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("model")
    o = parser.parse_args()
    triples = {}
    for image in sorted(o.data.joinpath("gallery").rglob("*.jpg")):
        triples.setdefault(image.stem, {})[image.parent.name] = image.read_bytes()
    times = {"identify": [], "query": [], "enrol": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder, port = pathlib.Path(temporary), services.free_port()
        server = services.Service("triptych", [o.triptych, "serve", "--checkpoint", o.model, "--database", folder / "g.sqlite",
                                               "--port", port], port, folder / "log")
        for gallery in ("one", "two"):
            bulk.ask(server, "POST", "/v1/galleries", json.dumps({"name": gallery}).encode())
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

        def send(what, path, body):
            start = time.monotonic()
            connection.request("POST", path, body, {"Content-Type": "multipart/form-data; boundary=x"})
            answer = connection.getresponse()
            text = answer.read()
            times[what].append((time.monotonic() - start) * 1000)
            if answer.status >= 300:
                raise SystemExit(f"{path}: {answer.status} {text[:200]!r}")

        for number, triple in enumerate(triples.values()):
            send("identify", "/v1/galleries/one/sightings", form(triple, {"threshold": o.threshold}))
            send("query", "/v1/galleries/two/queries", form(triple))
            send("enrol", f"/v1/galleries/two/identities/i{number}/sightings", form(triple))
        server.end()
    both = [a + b for a, b in zip(times["query"], times["enrol"])]
    print(f"{len(both)} triples, medians: one call {statistics.median(times['identify']):.1f} ms; two {statistics.median(both):.1f} ms "
          f"(query {statistics.median(times['query']):.1f}, enrolment {statistics.median(times['enrol']):.1f}); "
          f"ratio {statistics.median(times['identify']) / statistics.median(both):.2f}")


if __name__ == "__main__":
    main()
