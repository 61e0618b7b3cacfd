"""What deploy/haproxy.cfg stands between: servers with certificates of an authority, HAProxy itself, and a client that follows events."""
import contextlib
import csv
import http.client
import io
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

import operation
from operation import check, wait_for

sys.path.insert(0, str(operation.ROOT / "Tests/Failover"))
import load  # noqa: E402
import proxy  # noqa: E402
import servers as cluster  # noqa: E402
from clusters import free_port  # noqa: E402
from proxy import NAME  # noqa: E402

HTTP, HTTPS = proxy.HTTP, proxy.HTTPS = free_port(), free_port()


class Authority:
    """The house's: what the servers and the balancer have of it."""

    def __init__(self, folder):
        self.folder = folder
        self.openssl("req", "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "authority.key", "-out", "authority.pem")
        self.issue("server", f"DNS:{NAME},IP:127.0.0.1")
        self.issue("triptych", f"DNS:{NAME},IP:127.0.0.1")
        self.issue("client", "DNS:balancer")
        for name in ("triptych", "client"):  # HAProxy has certificate and key in one file, curl and Python want the authority's.
            (folder / f"{name}.both").write_text((folder / f"{name}.pem").read_text() + (folder / f"{name}.key").read_text())

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments, *(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] if arguments[0] == "req"
                        else [])], check=True, capture_output=True, cwd=self.folder)

    def issue(self, name, names):
        (self.folder / "names").write_text(f"subjectAltName={names}")
        self.openssl("req", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.request")
        self.openssl("x509", "-req", "-days", "2", "-in", f"{name}.request", "-CA", "authority.pem", "-CAkey", "authority.key",
                     "-CAcreateserial", "-extfile", "names", "-out", f"{name}.pem")
        (self.folder / f"{name}.key").chmod(0o600)

    def context(self):
        """Of a client with a certificate."""
        context = ssl.create_default_context(cafile=self.folder / "authority.pem")
        context.load_cert_chain(self.folder / "client.both")
        return context


class Servers(cluster.Servers):
    """Each with TLS, at a port of its own that it comes back to."""

    def __init__(self, o, root, database, authority):
        self.authority, self.ports = authority, {name: free_port() for name in cluster.NAMES}
        super().__init__(o, root, database)

    def start(self, name):
        authority, folder = self.authority, self.root / name
        folder.mkdir(exist_ok=True)

        class Secure(load.kill.Server):
            def connection(self, timeout):
                return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=authority.context())

        server = Secure(self.o, folder, None, self.database, [
            "--set", f"models={folder / 'models'}", "--set", f"cluster.name={name}", "--set", f"hosts=[{NAME}]", "--set",
            "limits.drain_seconds=3", "--set", f"tls={{certificate: {authority.folder}/server.pem, key: {authority.folder}/server.key, client_ca: {authority.folder}/authority.pem}}"],
            port=self.ports[name])
        self.o.servers.append(server)
        with self.lock:
            self.servers[name] = server


class Balancer(proxy.Proxy):
    """HAProxy, as what clients ask in a server's place."""

    def __init__(self, folder, authority, ports):
        self.folder, self.port = folder, HTTPS
        self.context = ssl.create_default_context(cafile=folder / "authority.pem")
        self.metrics, site = free_port(), folder / "haproxy.cfg"
        site.write_text(self.substituted(folder))
        environment = {**os.environ, "REID_HOST": NAME, **{f"REID_{n + 1}": f"127.0.0.1:{port}" for n, port in enumerate(ports)}}
        said = subprocess.run(["haproxy", "-c", "-f", site], capture_output=True, text=True, env=environment)
        check("haproxy finds nothing to warn of", (said.returncode, "WARNING" in said.stdout + said.stderr), (0, False))
        self.process = subprocess.Popen(["haproxy", "-db", "-f", site], env=environment, stdout=open(folder / "haproxy.log", "w"), stderr=subprocess.STDOUT)
        try:
            wait_for(lambda: self.is_up(3), "HAProxy to have found its servers")
        except SystemExit:
            print((folder / "haproxy.log").read_text()[-2000:])
            self.stop()
            raise

    def substituted(self, folder):
        """This run's ports and files in place of the example's; each must be there to be replaced. Nobody is another user here."""
        text = (operation.ROOT / "deploy/haproxy.cfg").read_text()
        for old, new in [("/etc/haproxy/triptych-authority.pem", f"{folder}/authority.pem"), ("/etc/haproxy/triptych-client.pem", f"{folder}/client.both"),
                         ("/etc/haproxy/triptych.pem", f"{folder}/triptych.both"), (":::80 v4v6", f"127.0.0.1:{HTTP}"),
                         (":::443 v4v6", f"127.0.0.1:{HTTPS}"), ("127.0.0.1:8405\n", f"127.0.0.1:{self.metrics}\n"),
                         ("log /dev/log local0", "log stdout format raw local0"), ("/run/haproxy/admin.sock", f"{folder}/admin.sock"),
                         ("    chroot /var/lib/haproxy\n    user haproxy\n    group haproxy\n", "")]:
            assert old in text, f"deploy/haproxy.cfg has no {old}"
            text = text.replace(old, new)
        return text

    def connection(self, timeout):
        return http.client.HTTPSConnection("127.0.0.1", HTTPS, timeout=timeout, context=self.context)

    def curl(self, path, *options, scheme="https"):
        return [str(self.folder / "authority.pem") if word == self.folder / "triptych.pem" else word for word in super().curl(path, *options, scheme=scheme)]

    def states(self):
        """What it thinks of each server."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/;csv", timeout=5) as answer:
            rows = csv.DictReader(io.StringIO(answer.read().decode().removeprefix("# ")))
            return {row["svname"]: row["status"] for row in rows if row["pxname"] == "servers" and row["svname"] != "BACKEND"}

    def is_up(self, number):
        with contextlib.suppress(OSError):
            return sum(state == "UP" for state in self.states().values()) == number

    def exported(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=5) as answer:
            return answer.read().decode()

    ask_by_curl = proxy.Proxy.ask

    def ask(self, method, path, *more, **options):
        """As of a server, or by curl, with its path alone."""
        return load.kill.Server.ask(self, method, path, *more, **options) if path.startswith("/") else self.ask_by_curl(method, path, *more, **options)


class Through:
    """All servers, of which any is the one that the balancer takes."""

    def __init__(self, servers, balancer):
        self.servers, self.balancer = servers, balancer
        self.all = servers.all

    def any(self):
        return self.balancer


class Follower(threading.Thread):
    """A client of the stream of events, which comes again with the last one's number when the stream ends."""

    def __init__(self, balancer):
        super().__init__(daemon=True)
        self.balancer, self.over, self.last, self.connections, self.identities = balancer, False, 0, 0, []
        self.start()

    def run(self):
        while not self.over:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.read()
            time.sleep(0.1)

    def read(self):
        connection = self.balancer.connection(60)
        try:
            connection.request("GET", "/v1/events?gallery=g&kind=enrolled", headers={"Last-Event-ID": str(self.last)})
            answer = connection.getresponse()
            if answer.status != 200:
                return
            self.connections += 1
            while line := answer.readline():
                if line.startswith(b"data:"):
                    event = json.loads(line[5:])
                    self.last = event["id"]
                    self.identities.append(event["identity"])
        finally:
            connection.close()
