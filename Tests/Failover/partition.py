"""A server and its database lose each other without a word: packets vanish, or a proxy takes them and hands nothing on.

    python3 Tests/Failover/partition.py                  # as root: the first of the two needs a network namespace

The cut lasts 3, 30 and 90 seconds under load. Each request must be answered, with what was asked for or with a 503 that says when to
come back, `/healthz` at once throughout; afterwards everything that was acknowledged is there, once, and the server goes on by itself.
"""
import os
import sys
import threading
import time

from clusters import Cluster, address, password_file
from proxies import Network, Proxy
import load

CUTS = (3, 30, 90)
LONGEST = 75  # Seconds that a request may take: what an answer of the database may, a connection to it, and a turn.


class Probe:
    """Asks for a page each half a second, however long the last answer takes."""

    def __init__(self, server, path):
        self.server, self.path, self.answers, self.over = server, path, [], threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.over.wait(0.5):
            threading.Thread(target=lambda: self.answers.append(load.Attempt(self.server, "GET", self.path)), daemon=True).start()

    def end(self):
        self.over.set()
        self.thread.join()
        return list(self.answers)


def one_cut(what, seconds, server, clients, cut, mend):
    first, probes = len(clients.attempts), [Probe(server, "/healthz"), Probe(server, "/readyz")]
    clients.start()
    time.sleep(2)
    begun = time.time()
    cut()
    time.sleep(seconds)
    mended = time.time()
    mend()
    back = lambda name: [a.answered for kind, a in list(clients.attempts[first:]) if kind == name and a.status in (200, 201) and a.answered > mended]
    end = time.time() + 150
    while not (back("enrol") and back("query")) and time.time() < end:
        time.sleep(0.1)
    if not (back("enrol") and back("query")):
        raise SystemExit(f"{what}: nobody was answered within 150 s after the cut")
    time.sleep(1)
    clients.end()
    clients.settle()
    clients.verify()
    health, ready = (probe.end() for probe in probes)
    if any(a.status != 200 or a.took > 1 for a in health):
        clients.faults.append(f"/healthz took {max(a.took for a in health):.1f} s")
    attempts = [a for _, a in clients.attempts[first:]]
    longest = max(a.took for a in attempts + ready)
    if longest > LONGEST:
        clients.faults.append(f"a request took {longest:.0f} s")
    clients.refuse_faults()
    said = [a.answered for a in attempts + ready if a.status == 503]
    print(f"{what}, {seconds} s: {len(said)} answers of 503, the first after {min(said) - begun:.1f} s" if said else
          f"{what}, {seconds} s: nobody was refused", end="; ")
    print(f"longest request {longest:.1f} s, longest /readyz {max(a.took for a in ready):.1f}, /healthz {max(a.took for a in health):.2f}; "
          f"after the cut a query after {min(back('query')) - mended:.1f} s, an enrolment after {min(back('enrol')) - mended:.1f}; "
          f"{len(clients.enrolled)} enrolled, all there, once", flush=True)


def cuts(o, root, what, cluster, place, cut, mend):
    server = load.serve(o, root / what, address(place, sslmode="disable", passfile=password_file(root)))
    load.prepare(server)
    clients = load.Load(server)
    for seconds in CUTS:
        one_cut(what, seconds, server, clients, cut, mend)
    load.end(server)


def main():
    o = load.arguments(__doc__)
    with load.place(o) as root:
        for what in ("network", "proxy"):
            (root / what).mkdir()
            if what == "network" and os.geteuid() != 0:
                print("network: skipped, as only root can make a network namespace")
                continue
            network = Network() if what == "network" else None
            cluster = Cluster(root, f"db-{what}", *([network.host, network.within] if network else []))
            try:
                cluster.initialise().start()
                if network:
                    cuts(o, root, what, cluster, cluster, network.cut, network.mend)
                else:
                    proxy = Proxy(cluster.port)
                    silence = lambda truth: setattr(proxy, "is_silent", truth)
                    cuts(o, root, what, cluster, proxy, lambda: silence(True), lambda: silence(False))
                    proxy.end()
            finally:
                cluster.stop("immediate")
                if network:
                    network.end()


if __name__ == "__main__":
    sys.exit(main())
