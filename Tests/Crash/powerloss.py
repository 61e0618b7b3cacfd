"""Takes the power from a server at random moments, by forgetting what it had not synced, and checks what is left.

    python3 Tests/Crash/powerloss.py --triptych .build/release/triptych --data DATA A.safetensors B.safetensors

The server runs with trace.c loaded before it, while clients enrol, erase, move, merge, import and swap as in kill.py. The trace is
then replayed up to random moments. Of each file only what was written before a finished sync began is certain; of the rest any
part may be there, in any order, cut at sectors of 512 bytes. Of each folder's names those are certain that a sync of the folder
followed, and of the rest any number of the first. A server is started on every such folder: each sighting that was acknowledged
before the moment must be there, each that was erased gone, and `triptych gallery check` must find nothing. Needs cc and the
standard library.
"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

import kill

CREATE, WRITE, TRUNCATE, BEGIN_SYNC, END_SYNC, RENAME, UNLINK, LINK = range(1, 9)
HEAD = struct.Struct("<qQqIIII")
SECTOR = 512


class TimedKnown(kill.Known):
    """What the server has said, and when."""

    def __init__(self, base):
        super().__init__()
        self.base, self.events = base, []
        self.there, self.gone, self.counts = dict(base.there), set(base.gone), dict(base.counts)

    def log(self, name, *arguments):
        self.events.append((time.monotonic_ns(), name, arguments))

    def count(self, what):
        self.log("count", what)
        super().count(what)

    def enrolled(self, *a):
        self.log("enrolled", *a)
        super().enrolled(*a)

    def erasing(self, *a):
        self.log("erasing", *a)
        return super().erasing(*a)

    def erased(self, *a):
        self.log("erased", *a)
        super().erased(*a)

    def kept(self, *a):
        self.log("kept", *a)
        super().kept(*a)

    def at(self, moment):
        known = kill.Known()
        known.there, known.gone, known.counts = dict(self.base.there), set(self.base.gone), dict(self.base.counts)
        for when, name, arguments in sorted(self.events, key=lambda event: event[0]):
            if when <= moment and name == "count":
                known.count(*arguments)
            elif when <= moment:
                counts = dict(known.counts)
                getattr(known, name)(*arguments)
                known.counts = counts
        return known


class File:
    def __init__(self, content=b""):
        self.durable = bytearray(content)
        self.pending = []  # (number, offset, bytes), or (number, size, None)

    def apply(self, target, offset, data):
        if data is None:
            del target[offset:]
            target.extend(b"\0" * (offset - len(target)))
        else:
            target.extend(b"\0" * (offset - len(target)))
            target[offset:offset + len(data)] = data

    def sync(self, number):
        for change in [c for c in self.pending if c[0] < number]:
            self.apply(self.durable, *change[1:])
        self.pending = [c for c in self.pending if c[0] >= number]

    def after_power_loss(self, chance):
        content = bytearray(self.durable)
        for _, offset, data in self.pending:
            if data is None:
                if random.random() < chance:
                    self.apply(content, offset, None)
            elif random.random() < 0.8:
                if random.random() < chance:
                    self.apply(content, offset, data)
            else:  # Torn.
                start = offset
                while start < offset + len(data):
                    end = min((start // SECTOR + 1) * SECTOR, offset + len(data))
                    if random.random() < chance:
                        self.apply(content, start, data[start - offset:end - offset])
                    start = end
        return bytes(content)


class Disk:
    """What a folder would be after a power loss, as a trace goes on."""

    def __init__(self, folder):
        self.folder, self.files, self.inodes = folder, {}, {}  # names now: path -> File
        self.folders = {os.stat(folder).st_ino: str(folder)}
        for path in folder.rglob("*"):
            if path.is_dir():
                self.folders[path.stat().st_ino] = str(path)
            else:
                self.inodes[path.stat().st_ino] = self.files[str(path)] = File(path.read_bytes())
        self.certain, self.pending = dict(self.files), []  # (number, parent, change of names)
        self.begun = {}

    def play(self, number, operation, inode, offset, a, b):
        if operation == CREATE:
            self.inodes[inode] = File()
            self.names(number, [(a, self.inodes[inode])])
        elif operation in (WRITE, TRUNCATE):
            self.inodes[inode].pending.append((number, offset, b if operation == WRITE else None))
        elif operation == BEGIN_SYNC:
            self.begun[(inode, offset)] = number
        elif operation == END_SYNC:
            began = self.begun.pop((inode, offset))
            if a == "folder":
                self.sync_names(began, self.parent(inode))
            else:
                self.inodes[inode].sync(began)
        elif operation == RENAME:
            self.names(number, [(a, None), (b.decode(), self.files[a])])
        elif operation == LINK:
            self.names(number, [(b.decode(), self.files[a])])
        elif operation == UNLINK and a in self.files:
            self.names(number, [(a, None)])

    def parent(self, inode):
        if inode not in self.folders:  # Folders are made and never removed.
            self.folders |= {os.stat(p).st_ino: str(p) for p in self.folder.rglob("*") if p.is_dir()}
        return self.folders.get(inode)

    def names(self, number, changes):
        for path, file in changes:
            self.files.pop(path, None) if file is None else self.files.__setitem__(path, file)
        self.pending.append((number, os.path.dirname(changes[-1][0]), changes))

    def sync_names(self, number, parent):
        for change in [c for c in self.pending if c[0] < number and c[1] == parent]:
            self.settle(self.certain, change)
        self.pending = [c for c in self.pending if c[0] >= number or c[1] != parent]

    def settle(self, names, change):
        for path, file in change[2]:
            names.pop(path, None) if file is None else names.__setitem__(path, file)

    def after_power_loss(self, target):
        names, chance = dict(self.certain), random.choice([0, 0.2, 0.5, 0.8, 1])
        for parent in {c[1] for c in self.pending}:
            changes = [c for c in self.pending if c[1] == parent]
            for change in changes[:round(chance * len(changes))]:
                self.settle(names, change)
        for path, file in names.items():
            new = target / os.path.relpath(path, self.folder)
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(file.after_power_loss(chance))
            new.chmod(0o600)


def records(path):
    data, place, found = path.read_bytes(), 0, []
    while place + HEAD.size <= len(data):
        when, inode, offset, na, nb, operation, _ = HEAD.unpack_from(data, place)
        place += HEAD.size
        found.append((when, operation, inode, offset, data[place:place + na].decode(), data[place + na:place + na + nb]))
        place += na + nb
    return found


def work(o, folder, known, images, environment):
    """Lets clients work on a traced server, and kills it. Gives the models and when the clients began."""
    server = kill.Server(o, folder, environment)
    server.ask("POST", "/v1/galleries", '{"name": "g"}')
    server.ask("POST", "/v1/models", pathlib.Path(o.models[1]).read_bytes(), "application/octet-stream")
    models = [m["model"] for m in kill.json.loads(server.ask("GET", "/v1/models")[1])["items"]]
    over, start = threading.Event(), time.monotonic_ns()
    threads = [threading.Thread(target=kill.change, args=(server, known, images, models, over)) for _ in range(o.clients)]
    for thread in threads:
        thread.start()
    time.sleep(random.uniform(2, 4))
    server.process.send_signal(signal.SIGKILL)
    over.set()
    for thread in threads:
        thread.join()
    server.process.wait()
    return models, start


def examine(o, folder, known, models):
    for _ in range(2):  # As it was found, and after the server's work on it.
        done = subprocess.run([o.triptych, "gallery", "check", folder / "g.sqlite"], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"gallery check of {folder}: {done.stdout}{done.stderr}")
        server = kill.Server(o, folder)
        found, count = kill.check(server, known, models)
        server.process.terminate()
        if server.process.wait() != 0:
            raise SystemExit("the server did not end well")
    if "committed" in (folder / "log").read_text():
        raise SystemExit("the server says that commits were lost")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=".build/release/triptych")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--moments", type=int, default=10, help="in each round")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lying-disk", action="store_true", help="a sync of the log does nothing: must fail, or this program sees nothing")
    parser.add_argument("--keep", type=pathlib.Path, help="leave everything in this folder")
    parser.add_argument("models", nargs=2)
    o = parser.parse_args()
    random.seed(o.seed)
    images = [p.read_bytes() for p in sorted(o.data.rglob("*.jpg"))[:40]]
    with tempfile.TemporaryDirectory() as temporary:
        root = (o.keep or pathlib.Path(temporary)).resolve()
        root.mkdir(exist_ok=True)
        library = root / "trace.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, pathlib.Path(__file__).parent / "trace.c", "-ldl"],
                       check=True)
        folder, known, lost = root / "0", kill.Known(), 0
        folder.mkdir()
        for number in range(1, o.rounds + 1):
            (folder / "log").touch()
            disk, trace, timed = Disk(folder), root / "trace", TimedKnown(known)
            trace.unlink(missing_ok=True)
            models, start = work(o, folder, timed, images, {
                **os.environ, "LD_PRELOAD": str(library), "TRACE_FOLDER": str(folder), "TRACE_FILE": str(trace)})
            found = records(trace)
            moments = sorted(random.uniform(start, found[-1][0]) for _ in range(o.moments))
            place = 0
            for index, moment in enumerate(moments):
                while place < len(found) and found[place][0] <= moment:
                    log = disk.files.get(f"{folder}/g.sqlite-wal")
                    if not (o.lying_disk and found[place][1] == END_SYNC and disk.inodes.get(found[place][2]) is log):
                        disk.play(place, *found[place][1:])
                    place += 1
                left, known = root / f"{number}-{index}", timed.at(moment)
                left.mkdir()
                unsynced = sum(len(f.pending) for f in disk.inodes.values()) + len(disk.pending)
                disk.after_power_loss(left)
                sightings = examine(o, left, known, models)
                lost += 1
                print(f"power lost {lost} times of {o.rounds * o.moments}: {unsynced} changes not synced, "
                      f"{sightings} sightings, {known.counts}", flush=True)
                if index < o.moments - 1 and not o.keep:
                    shutil.rmtree(left)
            folder = left
    print(f"{lost} times without power: nothing that was acknowledged is missing, nothing that was erased is back")


if __name__ == "__main__":
    sys.exit(main())
