"""What the checks of deploy/ share: the project's folder, a started server with something in it, and how a check is told."""
import contextlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Console"))
counts = {"passed": 0, "failed": 0}


def check(what, found, expected):
    """Says what holds, and what does not; the script goes on, and end() fails."""
    holds = found == expected
    counts["passed" if holds else "failed"] += 1
    print(f"{what}: right" if holds else f"{what}: WRONG, expected {expected!r}, found {found!r}", flush=True)


def wait_for(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"error: expected {what} within {seconds} s")
        time.sleep(0.1)


@contextlib.contextmanager
def world(options=(), filled=True, megabytes=None):
    """The console's gallery of pictures, served by the built executable; `megabytes` gives it a disk of its own, which takes root."""
    from world import World
    folder = pathlib.Path(tempfile.mkdtemp(prefix="triptych-operation-"))
    if megabytes:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
    started = World(ROOT / ".build/release/triptych", folder, port=18281, options=options)
    try:
        started.start()
        if filled:
            started.fill()
        yield started
    finally:
        started.stop()
        if megabytes:
            subprocess.run(["umount", folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def end():
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    sys.exit(1 if counts["failed"] else 0)
