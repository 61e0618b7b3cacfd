"""A crowd: many connected clients of which some query without a pause, and how soon health and metrics are answered meanwhile.

    python3 Benchmarks/crowd.py --triptych .build/release/triptych --checkpoint MODEL.safetensors --data DATA

Starts a server, enrols DATA's gallery split (of `triptych synthesize`), opens the connections, and asks /healthz and /metrics
in turns, each over a connection of its own. The clients that query run at a lower priority than the server and the probe: they
share its cores here, and would otherwise be what is measured. Only the standard library; Linux (epoll).
"""
import argparse
import http.client
import json
import os
import pathlib
import select
import socket
import subprocess
import tempfile
import time

import services
from service import load


def queries(port, bodies, clients, idle, seconds, report):
    """In a process of its own: connections that only wait, and those that ask again as soon as they are answered."""
    os.nice(10)
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(idle)]
    poll, asking = select.epoll(), {}
    request = lambda body: (b"POST /v1/galleries/%s/queries HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
                            % (services.GALLERY.encode(), load.HEADERS["Content-Type"].encode(), len(body))) + body
    for number in range(clients):
        client = socket.create_connection(("127.0.0.1", port))
        asking[client.fileno()] = [client, number, b""]
        poll.register(client.fileno(), select.EPOLLIN)
        client.sendall(request(bodies[number % len(bodies)]))
    counts, end = {}, time.monotonic() + seconds
    while time.monotonic() < end:
        for descriptor, _ in poll.poll(0.5):
            entry = asking[descriptor]
            entry[2] += entry[0].recv(1 << 16)
            head, _, rest = entry[2].partition(b"\r\n\r\n")
            length = [int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length")]
            if not length or len(rest) < length[0]:
                continue
            status = head.split()[1].decode()
            counts[status] = counts.get(status, 0) + 1
            entry[1], entry[2] = entry[1] + 1, b""
            entry[0].sendall(request(bodies[entry[1] % len(bodies)]))
    report.write_text(json.dumps({"answers": counts, "idle_connections": len(waiting)}))


def probe(port, seconds):
    times, end = {"/healthz": [], "/metrics": []}, time.monotonic() + seconds
    connections = {path: http.client.HTTPConnection("127.0.0.1", port, timeout=60) for path in times}
    while time.monotonic() < end:
        for path, connection in connections.items():
            start = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, (path, answer.status)
            times[path].append((time.perf_counter() - start) * 1000)
            time.sleep(0.02)
    return {path: {"count": len(t), "median_ms": round(sorted(t)[len(t) // 2], 2), "p99_ms": round(sorted(t)[len(t) * 99 // 100], 2),
                   "most_ms": round(max(t), 2)} for path, t in times.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--triptych", required=True)
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--data", type=pathlib.Path, required=True)
    p.add_argument("--connections", type=int, default=1000)
    p.add_argument("--clients", type=int, default=64)
    p.add_argument("--seconds", type=float, default=20)
    a = p.parse_args()
    split = a.data / "query"
    bodies = [load.form(split, f.name) for f in sorted((split / "rgb").iterdir())[:50]]
    with tempfile.TemporaryDirectory() as folder:
        port = services.free_port()
        server = subprocess.Popen([a.triptych, "serve", "--checkpoint", a.checkpoint, "--database", f"{folder}/g.sqlite", "--port",
                                   str(port)], stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.1)
            subprocess.run([a.triptych, "enroll", "--server", f"http://127.0.0.1:{port}", "--gallery", services.GALLERY, "--data",
                            a.data, "--split", "gallery"], check=True, capture_output=True)
            report = pathlib.Path(folder) / "report"
            child = os.fork()
            if child == 0:
                queries(port, bodies, a.clients, a.connections - a.clients, a.seconds + 2, report)
                os._exit(0)
            time.sleep(1)
            found = probe(port, a.seconds)
            os.waitpid(child, 0)
            found |= json.loads(report.read_text())
        finally:
            server.terminate()
            server.wait(timeout=60)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
