"""A server's certificate, passwords and names, as PostgreSQL really has them: what is taken, and what is refused with one clear line.

    python3 Tests/Failover/tls.py

An authority and certificates are made by openssl; the cluster takes TLS alone, and passwords by SCRAM.
"""
import os
import pathlib
import subprocess
import sys

from clusters import PASSWORD, Cluster, own, password_file, run
import load

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Operation"))
from operation import check, end  # noqa: E402


def authority(folder, name):
    folder.mkdir()
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", f"/CN={name}", "-keyout", folder / "ca.key", "-out", folder / "ca.crt")
    return folder / "ca.crt"


def certificate(authority, folder, names):
    """Of a server, beside its key, signed by an authority."""
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=database",
        "-keyout", folder / "server.key", "-out", folder / "server.csr")
    (folder / "names").write_text(f"subjectAltName={names}\n")
    run("openssl", "x509", "-req", "-in", folder / "server.csr", "-CA", authority, "-CAkey", authority.with_suffix(".key"), "-CAcreateserial",
        "-days", "2", "-extfile", folder / "names", "-out", folder / "server.crt")
    for file in (folder / "server.key", folder / "server.crt"):
        file.chmod(0o600)
        if os.geteuid() == 0:
            run("chown", "postgres:postgres", file)
    return folder / "server.crt"


def started(o, root, database, environment=None):
    """The lines of a server that does not start, or "serves"."""
    log = root / "start.log"
    log.unlink(missing_ok=True)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    options = ["--port", "0", "--set", f"models={root / 'models'}"]
    with open(log, "w") as file:
        process = subprocess.Popen([o.triptych, "serve", "--checkpoint", o.models[0], "--database", database, *options], stdout=file,
                                   stderr=file, env={**clean, "PGPASSFILE": "/nowhere", **(environment or {})})
        for _ in range(600):
            if process.poll() is not None:
                return log.read_text().strip()
            if "listening" in log.read_text() or "started" in log.read_text():
                process.terminate()
                process.wait()
                return "serves"
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
        process.kill()
        return "no end within half a minute"


def refused(o, root, what, database, words, environment=None, warning=None):
    """`warning` begins a line of libpq's own."""
    found = started(o, root, database, environment)
    lines = [line for line in found.splitlines() if line.strip() and not (warning and line.startswith(warning))]
    check(f"{what} is refused", words in found, True)
    check(f"{what}: in one line, without a password", (len(lines), PASSWORD in found), (1, False))
    if words not in found or len(lines) != 1:
        print(found)


def main():
    o = load.arguments(__doc__)
    with load.place(o) as root:
        ours, other = authority(root / "ours", "The site's authority"), authority(root / "other", "Somebody else's")
        keys = own(root / "keys")
        certificate(ours, keys, "DNS:localhost")
        cluster = Cluster(root, "tls", host="localhost").initialise(
            "ssl=on", f"ssl_cert_file={keys / 'server.crt'}", f"ssl_key_file={keys / 'server.key'}", access="hostssl").start()
        plain = Cluster(root, "plain", host="localhost").initialise().start()
        try:
            parts(o, root, cluster, plain, ours, other)
        finally:
            cluster.stop()
            plain.stop()
    end()


def parts(o, root, cluster, plain, ours, other):
    file, wrong = password_file(root), password_file(root, "wrong", "wrong")
    base = f"postgresql://triptych@localhost:{cluster.port}/postgres"
    verified = f"{base}?sslrootcert={ours}"
    check("verify-full with the site's authority, the password in a file", started(o, root, f"{verified}&passfile={file}"), "serves")
    check("the password in PGPASSWORD", started(o, root, verified, {"PGPASSWORD": PASSWORD}), "serves")
    check("the password in PGPASSFILE", started(o, root, verified, {"PGPASSFILE": str(file)}), "serves")
    check("the authority in PGSSLROOTCERT", started(o, root, base, {"PGPASSWORD": PASSWORD, "PGSSLROOTCERT": str(ours)}), "serves")
    given = {"PGPASSWORD": PASSWORD}
    refused(o, root, "the system's authorities alone", base, "certificate verify failed", given)
    refused(o, root, "another authority", f"{base}?sslrootcert={other}", "certificate verify failed", given)
    refused(o, root, "a name that the certificate has not", verified.replace("localhost", "127.0.0.1"), "does not match host name", given)
    refused(o, root, "a server without TLS", f"postgresql://triptych@localhost:{plain.port}/postgres?sslrootcert={ours}",
            "does not support SSL", given)
    refused(o, root, "a connection without TLS where TLS is wanted", f"{base}?sslmode=disable", "no encryption", given)
    refused(o, root, "a wrong password", f"{verified}&passfile={wrong}", "password authentication failed")
    refused(o, root, "no password", verified, "no password supplied")
    refused(o, root, "a password in the address", base.replace("triptych@", f"triptych:{PASSWORD}@"), "without a password")
    refused(o, root, "an authority's file that is not there", f"{base}?sslrootcert=/nowhere.crt", "/nowhere.crt", given)
    open_file = password_file(root, name="open")
    open_file.chmod(0o644)
    refused(o, root, "a password's file that others can read", f"{verified}&passfile={open_file}", "no password supplied",
            warning="WARNING: password file")


if __name__ == "__main__":
    main()
