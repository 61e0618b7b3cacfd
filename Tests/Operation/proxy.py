"""deploy/nginx.conf as it is, in front of the built server: TLS, HTTP/2, queries, limits, events as they come, uploads, exports, and a
server that is away.

    python3 Tests/Operation/proxy.py        # Debian: nginx-light, openssl, curl; or `make operation ONLY=proxy`
"""
import json
import re
import subprocess
import time

import operation
from operation import check

NAME, HTTP, HTTPS = "reid.example.org", 18480, 18443


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", folder / "triptych.key",
                    "-out", folder / "triptych.pem"], check=True, capture_output=True)


def site(folder, port):
    """The example with this run's ports and files in place of its own; each must be there to be replaced."""
    text = (operation.ROOT / "deploy/nginx.conf").read_text()
    for old, new in [("/etc/nginx/triptych", f"{folder}/triptych"), ("127.0.0.1:8080", f"127.0.0.1:{port}"),
                     ("listen [::]:80;", ""), ("listen [::]:443 ssl http2;", ""),
                     ("listen 80", f"listen 127.0.0.1:{HTTP}"), ("listen 443", f"listen 127.0.0.1:{HTTPS}")]:
        assert old in text, f"deploy/nginx.conf has no {old}"
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text)
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid; error_log {folder}/nginx.log; daemon off; worker_processes 1; user root;\n"
        f"events {{}}\nhttp {{ access_log {folder}/access.log; {temporary} include {folder}/site.conf; }}\n")


class Proxy:
    def __init__(self, folder, port):
        self.folder = folder
        certificate(folder)
        site(folder, port)
        arguments = ["nginx", "-e", folder / "nginx.log", "-c", folder / "nginx.conf", "-p", folder]
        subprocess.run([*arguments, "-t"], check=True)
        self.process = subprocess.Popen(arguments)
        operation.wait_for(lambda: self.ask("/healthz")[0] == 200, "nginx")

    def curl(self, path, *options, scheme="https"):
        port = HTTPS if scheme == "https" else HTTP
        return ["curl", "--silent", "--show-error", "--max-time", "60", "--cacert", self.folder / "triptych.pem", "--resolve",
                f"{NAME}:{port}:127.0.0.1", *map(str, options), f"{scheme}://{NAME}:{port}{path}"]

    def ask(self, path, *options, scheme="https"):
        """The status, the header fields in lower case, and the body as bytes."""
        answer = subprocess.run(self.curl(path, "--include", *options, scheme=scheme), capture_output=True)
        head, _, body = answer.stdout.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        status = re.match(r"HTTP/(\S+) (\d+)", lines[0])
        if not status:
            return 0, {"error": answer.stderr.decode()}, body
        fields = {"version": status[1]}
        for name, value in (line.lower().split(": ", 1) for line in lines[1:] if ": " in line):
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return int(status[2]), fields, body

    def stop(self):
        self.process.terminate()
        self.process.wait()


def triple(world, number):
    return [option for modality, file in zip(("rgb", "nir", "tir"), world.files(number)) for option in ("-F", f"{modality}=@{file}")]


def plain(proxy, host=NAME):
    status, fields, _ = proxy.ask("/console/?a=b", scheme="http")
    check("plain HTTP leads to TLS", (status, fields.get("location")), (308, f"https://{host}/console/?a=b"))


def queries(proxy, world):
    status, fields, body = proxy.ask("/v1/galleries/parking/queries", "-H", "X-Request-Id: from-the-client", *triple(world, 0))
    check("a query, over HTTP/2", (status, fields["version"]), (200, "2"))
    check("its answer has matches", bool(json.loads(body)["matches"]), True)
    check("the request keeps its name", fields["x-request-id"], "from-the-client")
    check("HSTS is said once", fields["strict-transport-security"], "max-age=31536000")
    status, fields, _ = proxy.ask("/readyz", "--http1.1")
    check("HTTP/1.1 as well", (status, fields["version"]), (200, "1.1"))
    check("a request without a name gets nginx's", len(fields["x-request-id"]), 32)
    check("the console", proxy.ask("/console/")[0], 200)
    check("metrics are not for everyone", proxy.ask("/metrics")[0], 404)


def limits(proxy, world, folder):
    large = folder / "large"
    with open(large, "wb") as file:
        file.truncate(65 << 20)
    status, fields, body = proxy.ask("/v1/galleries/parking/queries", "-H", "Expect:", "-F", f"rgb=@{large}")
    check("a body of 65 MiB", (status, fields["content-type"]), (413, "application/problem+json"))
    check("is refused in words", json.loads(body)["type"], "urn:triptych:problem:body-too-large")
    status, _, body = proxy.ask("/v1/galleries/parking/queries/batch", "-H", "Expect:", "-H", "Content-Type: application/json",
                                "--data-binary", f"@{large}")
    check("but a batch of 65 MiB reaches the server", (status, json.loads(body)["type"]), (400, "urn:triptych:problem:malformed-body"))


def events(proxy, world):
    """What is enrolled while a client follows is told at once, not when a buffer is full."""
    stream = subprocess.Popen(proxy.curl("/v1/events?gallery=parking", "--no-buffer"), stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(1)
        world.sighting(3, camera="through the proxy", threshold=-1)
        told = next(line for line in stream.stdout if line.startswith("data:"))
        check("an event comes as it happens", json.loads(told[5:])["camera"], "through the proxy")
    finally:
        stream.terminate()
        stream.wait()


def uploads(proxy, world, folder):
    data = world.other.read_bytes()
    status, _, body = proxy.ask("/v1/models/uploads", "--json", json.dumps({"bytes": len(data)}))
    check("an upload begins", status, 201)
    upload, half = json.loads(body)["id"], len(data) // 2
    for first, piece in [(0, data[:half]), (half, data[half:])]:
        (folder / "piece").write_bytes(piece)
        status, _, body = proxy.ask(f"/v1/models/uploads/{upload}", "-X", "PATCH", "-H", f"Upload-Offset: {first}", "-H",
                                    "Content-Type: application/partial-upload", "--data-binary", f"@{folder}/piece")
    check("its last piece makes a model", (status, json.loads(body)["active"]), (201, False))
    status, _, archive = proxy.ask("/v1/galleries/parking/export")
    check("a gallery is exported", (status, len(archive) > 100_000), (200, True))


def away(proxy, world):
    world.stop()
    status, fields, body = proxy.ask("/v1/galleries")
    check("a server that is away", (status, fields["retry-after"], json.loads(body)["status"]), (503, "5", 503))
    world.start()
    check("and back", proxy.ask("/v1/galleries")[0], 200)


def main():
    with operation.world(options=["--set", f"hosts=[{NAME}]"]) as world:
        proxy = Proxy(world.folder, world.port)
        try:
            plain(proxy)
            queries(proxy, world)
            limits(proxy, world, world.folder)
            events(proxy, world)
            uploads(proxy, world, world.folder)
            away(proxy, world)
        finally:
            proxy.stop()
    operation.end()


if __name__ == "__main__":
    main()
