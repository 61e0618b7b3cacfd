"""What is between a server and its database: a proxy that delays or swallows, and a network that can be cut."""
import selectors
import socket
import threading
import time

from clusters import run


class Proxy:
    """Hands bytes on, each piece later by `delay` seconds. While `isSilent` it takes them, and neither hands on nor closes: the one
    who waits learns nothing."""

    def __init__(self, port):
        self.target, self.delay, self.is_silent, self.over = port, 0.0, False, False
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.host, self.port, self.questions = "127.0.0.1", self.socket.getsockname()[1], 0
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while not self.over:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        self.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            return client.close()
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.pump, args=(client, server, 1), daemon=True).start()
        threading.Thread(target=self.pump, args=(server, client, 0), daemon=True).start()

    def wait(self):
        while self.is_silent and not self.over:
            time.sleep(0.01)

    def pump(self, source, destination, questions):
        """Delay is of each piece by itself, as a wire's: what comes meanwhile does not wait for it. Small pieces of the one who asks
        are so many round trips."""
        pieces, ready = [], threading.Condition()

        def send():
            while True:
                with ready:
                    ready.wait_for(lambda: pieces)
                    due, data = pieces.pop(0)
                time.sleep(max(0, due - time.monotonic()))
                self.wait()
                try:
                    if not data:
                        return destination.shutdown(socket.SHUT_WR)
                    destination.sendall(data)
                except OSError:
                    return source.close()

        threading.Thread(target=send, daemon=True).start()
        data = b"-"
        while data:
            try:
                data = source.recv(1 << 16)
            except OSError:
                data = b""
            self.questions += questions
            with ready:
                pieces.append((time.monotonic() + self.delay, data))
                ready.notify()

    def end(self):
        self.over = True
        self.socket.close()


class Network:
    """A network namespace with a wire to this machine, which can be cut: packets then vanish, on both sides. As root, on Linux."""

    def __init__(self, name="triptych-db", number=213):
        self.name, self.host, self.here = name, f"10.{number}.0.2", f"10.{number}.0.1"
        self.wire, self.end_there = f"tr{number}a", f"tr{number}b"
        run("ip", "netns", "add", name)
        try:
            run("ip", "link", "add", self.wire, "type", "veth", "peer", "name", self.end_there, "netns", name)
            run("ip", "addr", "add", f"{self.here}/24", "dev", self.wire)
            run("ip", "link", "set", self.wire, "up")
            for command in (["addr", "add", f"{self.host}/24", "dev", self.end_there], ["link", "set", "lo", "up"],
                            ["link", "set", self.end_there, "up"]):
                run("ip", "-n", name, *command)
            # Known for ever, so that a cut wire looks like one far away, and no host says that it cannot be reached.
            there = run("ip", "netns", "exec", name, "cat", f"/sys/class/net/{self.end_there}/address")
            here = open(f"/sys/class/net/{self.wire}/address").read().strip()
            run("ip", "neigh", "replace", self.host, "lladdr", there, "dev", self.wire, "nud", "permanent")
            run("ip", "-n", name, "neigh", "replace", self.here, "lladdr", here, "dev", self.end_there, "nud", "permanent")
        except SystemExit:
            self.end()
            raise

    @property
    def within(self):
        return ["ip", "netns", "exec", self.name]

    def cut(self):
        """Neither end is told: neighbours are known for ever, and what is sent vanishes."""
        run("ip", "-n", self.name, "link", "set", self.end_there, "down")

    def mend(self):
        run("ip", "-n", self.name, "link", "set", self.end_there, "up")
        here = open(f"/sys/class/net/{self.wire}/address").read().strip()
        run("ip", "-n", self.name, "neigh", "replace", self.here, "lladdr", here, "dev", self.end_there, "nud", "permanent")

    def end(self):
        run("ip", "netns", "del", self.name)
