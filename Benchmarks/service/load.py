"""HTTP clients that send triples as fast as they are answered. Only the standard library, and bodies made beforehand: the
clients share the cores with the service."""
import http.client
import json
import statistics
import threading
import time

BOUNDARY = "5f2c1d"
HEADERS = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def form(folder, name):
    """The triple of images of that name."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{m}"; filename="{m}.jpg"\r\n'
             f"Content-Type: image/jpeg\r\n\r\n".encode() + (folder / m / name).read_bytes() + b"\r\n"
             for m in ("rgb", "nir", "tir")]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(connection, path, body, headers=HEADERS):
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{path}: {answer.status} {data[:300]}")
    return data


def enrol(port, gallery, folder):
    """A new gallery with every triple of a split; the identity is the name's first part."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    post(connection, "/v1/galleries", json.dumps({"name": gallery}), {"Content-Type": "application/json"})
    for file in sorted((folder / "rgb").iterdir()):
        identity = file.name.split("_")[0]
        post(connection, f"/v1/galleries/{gallery}/identities/{identity}/sightings", form(folder, file.name))


def answers(port, gallery, bodies):
    """[(identity, score)] of the first match of each body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    path = f"/v1/galleries/{gallery}/queries"
    best = [json.loads(post(connection, path, body))["matches"][0] for body in bodies]
    return [(match["identity"], match["score"]) for match in best]


def queries(port, gallery, bodies, clients, seconds):
    """Milliseconds of each request, and the seconds that they took all together. Raises what a client raised."""
    times, faults = [], []
    end = time.perf_counter() + seconds

    def client(index):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            while (start := time.perf_counter()) < end:
                post(connection, f"/v1/galleries/{gallery}/queries", bodies[index % len(bodies)])
                times.append((time.perf_counter() - start) * 1e3)
                index += clients
        except Exception as error:
            faults.append(error)

    begin = time.perf_counter()
    threads = [threading.Thread(target=client, args=(i,)) for i in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if faults:
        raise faults[0]
    return times, time.perf_counter() - begin


def summary(times, seconds):
    ordered = sorted(times)
    return {"requests": len(times), "per_second": len(times) / seconds, "p50_ms": statistics.median(times),
            "p99_ms": ordered[min(len(times) - 1, int(len(times) * 0.99))]}
