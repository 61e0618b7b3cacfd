"""What encoding requests together gives, and waiting for them: Triptych's service with different `batching`, in turns.

    python3 Benchmarks/batching.py --triptych .build/release/triptych --data DATA --checkpoint MODEL.safetensors
    triptych benchmark --checkpoint MODEL.safetensors --batch 8     # the most that there is to gain

DATA is a data set of `triptych synthesize`. The gallery is empty: what is measured is encoding. Only the standard library.
"""
import argparse
import http.client
import json
import pathlib
import re
import tempfile

import services
from service import load


def start(a, folder, most, wait):
    name = f"most {most}, wait {wait} ms"
    path, port = folder / f"{most}-{wait}", services.free_port()
    path.with_suffix(".yaml").write_text(f"batching: {{most: {most}, wait_milliseconds: {wait}}}\n")
    command = [a.triptych, "serve", "--config", path.with_suffix(".yaml"), "--checkpoint", a.checkpoint, "--database",
               path.with_suffix(".sqlite"), "--port", port]
    service = services.Service(name, command, port, path.with_suffix(".log"), {"OMP_WAIT_POLICY": "passive"})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    load.post(connection, "/v1/galleries", json.dumps({"name": services.GALLERY}), {"Content-Type": "application/json"})
    return service


def batches(service):
    """Triples and batches so far."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=120)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    found = [re.search(rf"^triptych_batch_triples_{part} (\S+)", text, re.M) for part in ("sum", "count")]
    return [float(f[1]) if f else 0 for f in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("triptych", "data", "checkpoint"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--settings", nargs="+", default=["1/0", "8/0", "8/5"], help="most/milliseconds to wait")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    a = parser.parse_args()
    query = a.data / "query"
    bodies = [load.form(query, f.name) for f in sorted((query / "rgb").iterdir())[:200]]
    running, sizes = [], {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            for setting in a.settings:
                running.append(start(a, pathlib.Path(folder), *setting.split("/")))
                running[-1].stop()
            for turn in range(a.rounds):
                for clients in services.CLIENTS:
                    for service in running[turn % len(running):] + running[:turn % len(running)]:
                        service.go_on()
                        before = batches(service)
                        services.measure(service, bodies, clients, a.seconds)
                        service.go_on()
                        found = sizes.setdefault((service.name, clients), [0, 0])
                        for i, (x, y) in enumerate(zip(before, batches(service))):
                            found[i] += y - x
                        service.stop()
            for clients in services.CLIENTS:
                for service in running:
                    triples, count = sizes[service.name, clients]
                    figures = load.summary(*service.times[clients])
                    print(f"{clients} clients, {service.name:18s} " + "  ".join(f"{k} {v:.1f}" for k, v in figures.items())
                          + f"  mean batch {triples / count:.2f}", flush=True)
        finally:
            for service in running:
                service.end()


if __name__ == "__main__":
    main()
