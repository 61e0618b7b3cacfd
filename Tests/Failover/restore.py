"""A backup with pg_basebackup and archived WAL, as docs/operation.md tells it, restored to a moment before a mistake.

    python3 Tests/Failover/restore.py

The backup is made while clients enrol; afterwards they go on, the moment is noted, and the gallery is erased by mistake. The restored
database must be sound (`triptych gallery check`), and have what was acknowledged until that moment, found and once, and nothing else.
"""
import pathlib
import shutil
import subprocess
import sys
import time

from clusters import Cluster, address, own, password_file, programs, run, wait_until
import load


def back_up(cluster, folder):
    own(folder.parent)
    run(*cluster.command("pg_basebackup", "-h", cluster.folder, "-p", cluster.port, "-U", "triptych", "-D", folder, "-X", "none",
                         "-c", "fast", "--manifest-checksums=SHA256"), cwd=cluster.folder)
    run(*cluster.command("pg_verifybackup", "--no-parse-wal", folder), cwd=cluster.folder)


def restore(root, backup, archive, moment):
    restored = Cluster(root, "restored")
    run("cp", "-a", backup, restored.data)
    with open(restored.data / "postgresql.conf", "a") as file:
        file.write(f"restore_command = 'cp {archive}/%f %p'\nrecovery_target_time = '{moment}'\nrecovery_target_action = 'promote'\n"
                   "archive_mode = off\n")
    (restored.data / "recovery.signal").touch()
    started = time.monotonic()
    restored.start()
    wait_until(lambda: restored.sql("SELECT pg_is_in_recovery()") == "f", "the end of the recovery", 120)
    return restored, time.monotonic() - started


def check(o, database, expected):
    done = subprocess.run([o.triptych, "gallery", "check", database], capture_output=True, text=True)
    if done.returncode != 0 or f"{expected} sightings" not in done.stdout:
        raise SystemExit(f"gallery check: {done.stdout}{done.stderr}")
    print(f"gallery check: {done.stdout.strip()}", flush=True)


def main():
    o = load.arguments(__doc__)
    with load.place(o) as root:
        archive, backup = own(root / "archive"), root / "backup" / "base"
        cluster = Cluster(root, "a").initialise("archive_mode=on", f"archive_command=test ! -f {archive}/%f && cp %p {archive}/%f").start()
        parameters = {"sslmode": "disable", "passfile": password_file(root)}
        restored = None
        try:
            server = load.serve(o, root, address(cluster, **parameters))
            load.prepare(server)
            clients = load.Load(server).start()
            time.sleep(2)
            back_up(cluster, backup)
            before = len(clients.enrolled)
            time.sleep(3)
            clients.end()
            clients.settle()
            time.sleep(1)
            moment = cluster.sql("SELECT now()")
            time.sleep(1)
            if server.ask("DELETE", load.BASE)[0] != 204:
                raise SystemExit("the gallery was not erased")
            load.end(server)
            cluster.sql("SELECT pg_switch_wal()")
            wait_until(lambda: cluster.sql("SELECT last_archived_wal = pg_walfile_name(pg_current_wal_lsn() - 1) FROM pg_stat_archiver") == "t"
                       or cluster.sql("SELECT count(*) FROM pg_ls_dir('pg_wal/archive_status') f WHERE f LIKE '%.ready'") == "0", "the archive")
            cluster.stop("immediate")
            restored, seconds = restore(root, backup, archive, moment)
            check(o, address(restored, **parameters), len(clients.enrolled))
            clients.server = load.serve(o, root, address(restored, **parameters))
            clients.verify(everything=True)
            clients.refuse_faults()
            load.end(clients.server)
            print(f"{before} enrolled by the end of the backup, {len(clients.enrolled)} at {moment}: all there, once, "
                  f"after a recovery of {seconds:.1f} s")
        finally:
            cluster.stop("immediate")
            if restored:
                restored.stop("immediate")


if __name__ == "__main__":
    sys.exit(main())
