"""deploy/haproxy.cfg as it is, before three built servers that share a PostgreSQL with a synchronous standby: under load each server is
killed, and exchanged; the model is changed, and a server cannot load it; a stream of events stays open, and what a client was told is found by the next.

    python3 Tests/Operation/balancer.py     # Debian: haproxy, postgresql, openssl, curl; or `make operation ONLY=balancer`
"""
import json
import pathlib
import statistics
import time
import types

from balanced import HTTP, Authority, Balancer, Follower, Servers, Through
import operation
from operation import check, wait_for
import load
import servers as cluster
from clusters import Cluster, address, password_file, wait_until
from proxy import NAME, limits, plain
from standby import follow


class Run:
    """Servers, balancer and clients, through what happens."""

    def __init__(self, servers, balancer, clients, models):
        self.servers, self.balancer, self.clients, self.models = servers, balancer, clients, models

    def phase(self, what, happening, passing=None):
        """Runs the load while something happens. `happening` may give the moments of servers' ends: only what was under way then may be
        lost. `passing` is a problem that clients may be told until the balancer has noticed; they send again."""
        first = len(self.clients.attempts)
        self.clients.start()
        time.sleep(1)
        died = happening() or []
        time.sleep(1)
        self.clients.end()
        self.clients.settle()
        attempts = [attempt for _, attempt in self.clients.attempts[first:]]
        failed = [a for a in attempts if not 200 <= a.status < 300]
        under_way = [a for a in failed if any(a.sent <= moment + 0.05 and moment <= a.answered for moment in died)]
        told = [a for a in failed if a.status == 503 and a.problem == passing]
        others = [f"{a.status} {a.problem}: {(a.answer or {}).get('detail')}" for a in failed if a not in under_way and a not in told]
        check(f"{what}: nothing is lost but what was under way at a server that died", others, [])
        check(f"{what}: what was found is right", self.clients.faults, [])
        took = sorted(a.took for a in attempts)
        print(f"  {len(attempts)} requests, {len(under_way)} cut off, {len(told)} told {passing or 'to come back'}, median {statistics.median(took) * 1000:.0f} ms, 99th percentile "
              f"{took[int(len(took) * 0.99)] * 1000:.0f}, longest {took[-1]:.2f} s", flush=True)

    def leaves_and_returns(self, name, again):
        """A server that has gone is out of the rotation, and in it once it is back."""
        number = f"reid-{cluster.NAMES.index(name) + 1}"
        begun = time.monotonic()
        wait_for(lambda: self.balancer.states()[number].startswith("DOWN"), f"{number} to be out of the rotation")
        out = time.monotonic() - begun
        again()
        ready = time.monotonic()
        wait_for(lambda: self.balancer.is_up(3), f"{number} to be back")
        print(f"  out of the rotation after {out:.1f} s, in it {time.monotonic() - ready:.1f} s after it was ready", flush=True)

    def killed(self):
        """Each of them; gives when."""
        moments = []
        for name in cluster.NAMES:
            moments.append(time.time())
            self.servers.kill(name)
            self.leaves_and_returns(name, lambda: self.servers.start(name))
            time.sleep(0.5)
        return moments

    def exchanged(self):
        """Each of them by SIGTERM, as in an upgrade: it drains, and nobody tells the balancer."""
        for name in cluster.NAMES:
            load.end(self.taken(name))
            self.leaves_and_returns(name, lambda: self.servers.start(name))

    def taken(self, name):
        with self.servers.lock:
            return self.servers.servers.pop(name)

    def changed(self):
        through = Through(self.servers, self.balancer)
        for model in self.models:
            job = cluster.finish(through, cluster.activate(through, model))
            check("the model is changed", (job["state"], job["result"].get("servers_out_of_step", {})), ("succeeded", {}))
        wait_until(lambda: {cluster.active(s) for s in self.servers.all().values()} == {self.models[-1]}, "all servers to have the model")

    def out_of_step(self):
        """A server that cannot load what becomes active: a folder is where its file should be."""
        name = next(n for n in cluster.NAMES if n != self.servers.leader())
        load.end(self.taken(name))
        models = self.servers.root / name / "models"
        file = models / f"{self.models[0]}.safetensors"
        file.unlink()
        file.mkdir()
        self.servers.start(name)
        through = Through(self.servers, self.balancer)
        job = cluster.finish(through, cluster.activate(through, self.models[0]))
        check("the model is changed without a server that cannot load it", (job["state"], list(job["result"]["servers_out_of_step"])), ("succeeded", [name]))
        self.leaves_and_returns(name, lambda: (file.rmdir(), wait_until(
            lambda: self.servers.all()[name].ask("GET", "/readyz")[0] == 200, f"{name} to be in step")))


def by_hand(balancer, folder):
    """What one looks at by curl."""
    ask = balancer.ask_by_curl
    asked = types.SimpleNamespace(ask=ask)
    plain(asked, f"{NAME}:{HTTP}")  # HAProxy leaves what is after the name.
    limits(asked, None, folder)
    status, fields, _ = ask("/v1/galleries/g", "-H", "X-Request-Id: from-the-client", "-H", "X-Triptych-Sequence: 1")
    check("a request, over HTTP/2", (status, fields["version"]), (200, "2"))
    check("the request keeps its name", fields["x-request-id"], "from-the-client")
    check("HSTS is said once", fields["strict-transport-security"], "max-age=31536000")
    check("the sequence goes both ways", (fields["x-triptych-sequence"].isdigit(), ask("/v1/galleries/g", "-H", "X-Triptych-Sequence: x")[0]),
          (True, 400))
    check("HTTP/1.1 as well", ask("/readyz", "--http1.1")[1]["version"], "1.1")
    check("metrics are not for everyone", ask("/metrics")[0], 404)
    check("what HAProxy counts", 'haproxy_server_status{proxy="servers",server="reid-3",state="UP"} 1' in balancer.exported(), True)


def nobody_there(servers, balancer):
    for server in servers.all().values():
        load.end(server)
    wait_for(lambda: balancer.is_up(0), "no server to be there")
    status, fields, body = balancer.ask_by_curl("/v1/galleries")
    check("without a server", (status, fields["retry-after"], json.loads(body)["type"]), (503, "5", "urn:triptych:problem:overloaded"))


def through_everything(run, servers, balancer, clients):
    follower = Follower(balancer)
    run.phase("in peace", lambda: time.sleep(5))
    run.phase("each server is killed", run.killed)
    run.phase("each server is exchanged", run.exchanged)
    run.phase("the model is changed, and back", run.changed)
    run.phase("a server cannot load the model", run.out_of_step, passing="out-of-step")
    clients.verify_everything()
    check("all that was acknowledged is at every server, once, and is found", clients.faults, [])
    wait_until(lambda: len(follower.identities) >= len(clients.enrolled), "the events")
    time.sleep(1)
    follower.over = True
    check("each enrolment was told to a follower, once", sorted(follower.identities), sorted(clients.enrolled))
    queries = sum(what == "query" for what, _ in clients.attempts)
    print(f"{len(clients.attempts)} requests: {len(clients.enrolled)} enrolments acknowledged, {queries} queries that insisted on what was told "
          f"before; the follower came {follower.connections} times")


def main():
    o = load.arguments(__doc__)
    with load.place(o) as root:
        databases = [Cluster(root, name) for name in "ab"]
        balancer = None
        try:
            databases[0].initialise().start()
            follow(*databases)
            authority = Authority(pathlib.Path(root))
            servers = Servers(o, root, address(databases, sslmode="disable", passfile=password_file(root)), authority)
            load.prepare(servers.any())
            balancer = Balancer(root, authority, servers.ports.values())
            through = Through(servers, balancer)
            models = [cluster.publish(through, cluster.second(o, root)), cluster.active(servers.any())]
            by_hand(balancer, root)
            clients = cluster.Clients(through, models)
            clients.work = [clients.enrol] * 4 + [clients.query] * 8
            through_everything(Run(servers, balancer, clients, models), servers, balancer, clients)
            nobody_there(servers, balancer)
        finally:
            if balancer:
                balancer.stop()
            for database in databases:
                database.stop("immediate")
    operation.end()


if __name__ == "__main__":
    main()
