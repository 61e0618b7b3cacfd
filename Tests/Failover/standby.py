"""A primary is killed at random moments of a load and its synchronous standby promoted; the server finds it by itself.

    python3 Tests/Failover/standby.py --rounds 30

In each round the primary's processes are all killed (-9) or end at once (`immediate`), the standby is promoted up to a second later,
and what was the primary is made anew as the standby of the other. Clients send what they were not told of again, with its key.
Afterwards everything that was acknowledged must be there, once, and be found; every failure must have been a 503 that says when to
come back. Commits whose answer was lost are counted by their time in the database: the server found out itself, or said 503 and told
when the key came again. In the end the standby is away for longer than an answer may take, and a primary that was started again with
commits that no standby has, and then dies: these must not have been acknowledged.
"""
import random
import sys
import threading
import time

from clusters import Cluster, address, password_file, wait_until
import load


def follow(primary, standby):
    """Makes a cluster the synchronous standby of another."""
    standby.copy_of(primary).start()
    standby.set("synchronous_standby_names", "")  # For when it is the primary, until it has a standby.
    primary.set("synchronous_standby_names", "*")
    wait_until(lambda: primary.sql("SELECT sync_state FROM pg_stat_replication") == "sync", "a synchronous standby")


def lost_answers(primary, clients, dead, promoting):
    """Enrolments that the primary had committed, whose answer came after its death: told by the server itself, which can only have
    asked the one that was promoted, and by the key."""
    rows = primary.sql(f"""
        SELECT idempotency_key FROM sighting WHERE idempotency_key IS NOT NULL
            AND pg_xact_commit_timestamp(xmin) BETWEEN to_timestamp({dead - 5}) AND to_timestamp({promoting})""").split()
    by_itself = by_key = 0
    for key in rows:
        caught = [a for a in clients.enrolled[key][1] if a.sent <= dead < a.answered]
        by_itself += any(a.status in (200, 201) and a.answered > promoting for a in caught)
        by_key += any(a.status == 503 for a in caught)
    return by_itself, by_key


def one_round(primary, standby, clients):
    """Gives the round's figures."""
    first = len(clients.attempts)
    clients.start()
    time.sleep(random.uniform(0.3, 2))
    killed = time.time()
    primary.kill() if random.random() < 0.5 else primary.stop("immediate")
    dead = time.time()
    time.sleep(random.uniform(0, 1))
    promoting = time.time()
    standby.promote()
    promoted = time.time()
    again = lambda: [a.answered for what, a in list(clients.attempts[first:]) if what == "enrol" and a.status == 201 and a.sent > killed]
    wait_until(again, "an enrolment after the promotion", 120)
    back = min(again())
    time.sleep(0.3)
    clients.end()
    clients.settle()
    attempts = [a for _, a in clients.attempts[first:]]
    sightings = clients.verify()
    clients.refuse_faults()
    by_itself, by_key = lost_answers(standby, clients, dead, promoting)
    return {"failing": back - killed, "after": back - promoted, "refused": sum(a.status == 503 for a in attempts),
            "longest": max(a.took for a in attempts), "itself": by_itself, "key": by_key, "sightings": sightings}


def alone(primary, standby, clients, seconds=75):
    """The standby is away: what is to be durable there waits, what only reads does not."""
    first = len(clients.attempts)
    standby.stop("immediate")
    clients.start()
    time.sleep(seconds)
    begun = time.time()
    standby.start()
    again = lambda: any(what == "enrol" and a.status == 201 and a.sent > begun for what, a in list(clients.attempts[first:]))
    wait_until(again, "an enrolment with the standby again", 120)
    back = time.time() - begun
    clients.end()
    clients.settle()
    clients.verify()
    clients.refuse_faults()
    attempts = clients.attempts[first:]
    queries = [a.took for what, a in attempts if what == "query"]
    print(f"the standby away for {seconds} s: {sum(a.status == 503 for _, a in attempts)} answers of 503, longest request "
          f"{max(a.took for _, a in attempts):.0f} s, {len(queries)} queries of at most {max(queries):.2f} s; "
          f"an enrolment {back:.1f} s after its return", flush=True)


def unreplicated(primary, standby, clients):
    """What the primary has committed and the standby not, neither before nor after the primary's restart: then only the standby is left."""
    standby.stop("immediate")
    known, held = set(clients.enrolled), [threading.Thread(target=clients.enrol, daemon=True) for _ in range(4)]
    clients.over.clear()
    for thread in held:
        thread.start()
    time.sleep(1.5)
    primary.stop("immediate")
    primary.start()
    committed = primary.sql("SELECT count(*) FROM sighting")
    time.sleep(5)
    early = set(clients.enrolled) - known
    primary.kill()
    standby.start()
    standby.promote()
    replicated = standby.sql("SELECT count(*) FROM sighting")
    for thread in held:
        thread.join(120)
    clients.settle()
    clients.verify()
    clients.refuse_faults()
    print(f"a primary restarted without its standby had {int(committed) - int(replicated)} commits that were lost with it: "
          f"{len(early)} of them acknowledged", flush=True)
    if early:
        raise SystemExit(f"acknowledged before they were replicated: {sorted(early)}")


def main():
    o = load.arguments(__doc__, rounds=30)
    with load.place(o) as root:
        primary, standby = (Cluster(root, name) for name in "ab")
        both = [primary, standby]
        try:
            primary.initialise().start()
            follow(primary, standby)
            database = address(both, sslmode="disable", passfile=password_file(root))
            server = load.serve(o, root, database)
            load.prepare(server)
            clients, rounds = load.Load(server), []
            for number in range(1, o.rounds + 1):
                rounds.append(one_round(primary, standby, clients))
                primary, standby = standby, primary
                follow(primary, standby)
                said = ", ".join(f"{name} {value:.2f}" if isinstance(value, float) else f"{name} {value}" for name, value in rounds[-1].items())
                print(f"killed {number} of {o.rounds}: {said}", flush=True)
            alone(primary, standby, clients)
            unreplicated(primary, standby, clients)
            load.end(server)
            clients.server = load.serve(o, root, database)
            clients.verify(everything=True)
            clients.refuse_faults()
            load.end(clients.server)
            report(rounds, clients)
        finally:
            for cluster in both:
                cluster.stop("immediate")


def report(rounds, clients):
    for name, what in (("failing", "enrolments failed after the kill for"), ("after", "of that after the promotion"), ("longest", "longest request")):
        print(f"{what}: {load.spread([r[name] for r in rounds])}")
    total = lambda name: sum(r[name] for r in rounds)
    print(f"{total('refused')} requests were answered 503 with a time to come back, none otherwise")
    print(f"answers lost after the commit: {total('itself') + total('key')}; {total('itself')} told by the server itself, "
          f"{total('key')} when the key came again")
    print(f"{len(rounds)} primaries killed: {len(clients.enrolled)} enrolments acknowledged, all there, each once, each found")


if __name__ == "__main__":
    sys.exit(main())
