"""PostgreSQL of a script's own: clusters in a temporary folder, on this machine alone, as the user postgres where root runs them."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

PASSWORD = "secret"
AS_POSTGRES = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"] if os.geteuid() == 0 else []
# Timestamps of commits tell which of them a lost primary has made.
SETTINGS = ["listen_addresses=*", "track_commit_timestamp=on", "shared_buffers=64MB", "max_connections=100", "wal_level=replica",
            "hot_standby=on", "wal_keep_size=256MB"]
ACCESS = """local all all trust
local replication all trust
{kind} all all all scram-sha-256
{kind} replication all all scram-sha-256
"""


def programs():
    """Of the newest version that is installed, where Debian puts it."""
    found = [p for p in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if p.parent.name.isdigit() and int(p.parent.name) >= 15]
    if not found:
        raise SystemExit("error: expected PostgreSQL 15 or later in /usr/lib/postgresql: apt-get install postgresql")
    return max(found, key=lambda p: int(p.parent.name))


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def own(folder):
    """Makes a folder that is PostgreSQL's."""
    folder.mkdir(parents=True, exist_ok=True)
    if AS_POSTGRES:
        shutil.chown(folder, "postgres", "postgres")
    return folder


class Cluster:
    """One server of PostgreSQL, which may be started and ended many times."""

    def __init__(self, root, name, host="127.0.0.1", within=(), port=None, folder=None):
        """`within` is what puts a command elsewhere, such as into a network namespace; `folder` has programs of another version."""
        self.name, self.host, self.within, self.port = name, host, list(within), port or free_port()
        self.programs = pathlib.Path(folder) if folder else programs()
        self.folder = own(pathlib.Path(root) / name)
        self.data, self.process = self.folder / "data", None

    def command(self, program, *arguments, environment={}):
        # As PostgreSQL's user by then: what it loads must not have been root's.
        given = ["env", *(f"{name}={value}" for name, value in environment.items())] if environment else []
        return [str(a) for a in [*self.within, *AS_POSTGRES, *given, self.programs / program, *arguments]]

    def initialise(self, *settings, access="host"):
        (self.folder / "password").write_text(PASSWORD)
        (self.folder / "password").chmod(0o644)
        run(*self.command("initdb", "--pgdata", self.data, "--username", "triptych", "--encoding", "UTF8", "--locale", "C.UTF-8",
                          "--auth", "scram-sha-256", "--pwfile", self.folder / "password", "--no-sync"), cwd=self.folder)
        (self.data / "pg_hba.conf").write_text(ACCESS.format(kind=access))
        with open(self.data / "postgresql.conf", "a") as file:
            file.write("\n".join(s.replace("=", " = '", 1) + "'" for s in [*SETTINGS, *settings]) + "\n")
        return self

    def start(self, environment={}):
        """And waits until it takes connections."""
        log = open(self.folder / "log", "a")
        self.process = subprocess.Popen(
            self.command("postgres", "-D", self.data, "-k", self.folder, "-p", self.port, environment=environment),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.folder)
        for _ in range(600):
            if self.process.poll() is not None:
                raise SystemExit(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")
            if subprocess.run([self.programs / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)]).returncode == 0:
                return self
            time.sleep(0.05)
        raise SystemExit("PostgreSQL was not ready in half a minute")

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def sql(self, text, database="postgres"):
        """As another program would, by the socket; rows are lines, columns are separated by |."""
        return run(self.programs / "psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", self.port,
                   "-U", "triptych", "-c", text, database)

    def copy(self, into, lines, how=""):
        """Fills a table, of which the columns are named, with what COPY reads."""
        subprocess.run([self.programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U",
                        "triptych", "-c", f"COPY {into} FROM STDIN {how}", "postgres"], input=lines, check=True)

    def log_bytes(self):
        """Of its log (WAL) since the beginning."""
        return int(self.sql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"))

    def local_address(self, database="postgres"):
        """By its socket."""
        return f"postgresql:///{database}?host={self.folder}&port={self.port}&user=triptych"

    def set(self, name, value):
        self.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        self.sql("SELECT pg_reload_conf()")

    def kill(self):
        """All of its processes at once, as when its machine is gone."""
        for folder in pathlib.Path("/proc").iterdir():  # Each backend has a session of its own.
            if folder.name.isdigit() and self._is_ours(folder):
                try:
                    os.kill(int(folder.name), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.process.wait()

    def _is_ours(self, folder):
        try:
            return os.readlink(folder / "cwd") == str(self.data)
        except OSError:
            return False

    def stop(self, how="fast"):
        if not self.is_running:
            return
        self.process.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "smart": signal.SIGTERM}[how])
        self.process.wait(60)

    def copy_of(self, primary):
        """Becomes a standby of a running cluster."""
        shutil.rmtree(self.data, ignore_errors=True)
        source = f"host={primary.folder} port={primary.port} user=triptych application_name={self.name}"
        run(*self.command("pg_basebackup", "-d", source, "-D", self.data, "-R", "-X", "stream", "-c", "fast", "--no-sync"), cwd=self.folder)
        return self

    def promote(self):
        run(*self.command("pg_ctl", "promote", "-D", self.data, "-t", "60"), cwd=self.folder)


def address(clusters, database="postgres", **parameters):
    """Of one or several."""
    clusters = clusters if isinstance(clusters, list) else [clusters]
    places = ",".join(f"{c.host}:{c.port}" for c in clusters)
    return f"postgresql://triptych@{places}/{database}?" + "&".join(f"{k}={v}" for k, v in parameters.items())


def password_file(folder, password=PASSWORD, name="pgpass"):
    file = pathlib.Path(folder) / name
    file.write_text(f"*:*:*:*:{password}\n")
    file.chmod(0o600)
    return file


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"error: expected {what} within {seconds} s")
        time.sleep(0.05)
