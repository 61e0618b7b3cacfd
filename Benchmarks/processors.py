"""How much of the processors and of memory the programs of a benchmark had, and how much of the former everything else had."""
import os
import pathlib
import time

TICK = os.sysconf("SC_CLK_TCK")


def fields(process):
    """Of /proc/PID/stat, from the state on."""
    return pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()


def of(process):
    """Seconds that it has had, all its threads together."""
    found = fields(process)
    return (int(found[11]) + int(found[12])) / TICK


def children(process):
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if int(fields(folder.name)[1]) == process:
                    yield int(folder.name)
            except (FileNotFoundError, ProcessLookupError):
                continue


def of_family(process):
    """The same, with its children, those that have ended too."""
    seconds = sum(map(int, fields(process)[11:15])) / TICK
    for child in children(process):
        try:
            seconds += of(child)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return seconds


def memory_of_family(process):
    """Megabytes that it and its children have, what they share once."""
    kilobytes = 0
    for member in [process, *children(process)]:
        try:
            lines = pathlib.Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1000


def busy():
    """Seconds of all processors that were not idle, those that a hypervisor took included."""
    values = [int(v) for v in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(values) - values[3] - values[4]) / TICK


class Account:
    """Seconds of processors by role, from when it is opened until it is closed."""

    def __init__(self, servers, database):
        self.servers, self.database, self.before = servers, database, None

    def now(self):
        return time.monotonic(), busy(), [of(server.process.pid) for server in self.servers], of_family(self.database)

    def open(self):
        self.before = self.now()
        return self

    def close(self, clients=0.0):
        """`clients` is what they say that they had. What is left are programs of others, in cores."""
        after = self.now()
        each = [b - a for a, b in zip(self.before[2], after[2])]
        seconds = after[0] - self.before[0]
        found = {"servers": sum(each), "database": after[3] - self.before[3], "clients": clients}
        return found | {"each": each, "seconds": seconds,
                        "others": max(0, after[1] - self.before[1] - sum(found.values())) / seconds}
