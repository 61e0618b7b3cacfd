"""deploy/monitoring against a real Prometheus that scrapes the built server, with a key: the rules are sound and do what their tests say,
each metric that rules and the dashboard name exists, each of their expressions gives an answer, and no alert is on.

    python3 Tests/Operation/monitoring.py       # Debian: prometheus; or `make operation ONLY=monitoring`
"""
import base64
import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

import operation
from operation import ROOT, check

PORT, FOLDER = 18290, ROOT / "deploy/monitoring"
# What Grafana would put in.
VARIABLES = {"$__rate_interval": "10s", "$instance": ".*", "$__all": ".*"}
# Nothing of the kind has happened to a server that is well.
MAY_BE_EMPTY = {"triptych_job_steps_done", "triptych_event_streams", "triptych_events_streamed_total"}


def promtool(*arguments, **options):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, **options)


def expressions():
    """Where each expression is from, and its text, of the dashboard."""
    for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            yield f"{panel['title']} {target['refId']}", target["expr"]


def filled_in(expression):
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def named(text):
    """Metrics that a text names, as /metrics declares them."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\b(?:triptych|process)_[a-z_]+", text)}


def rules():
    answer = promtool("check", "rules", FOLDER / "alerts.yaml")
    check("promtool check rules", (answer.returncode, answer.stderr), (0, ""))
    anchors = set()
    for line in (ROOT / "docs/incidents.md").read_text().splitlines():
        if line.startswith("## "):
            anchors.add(re.sub(r"[^a-z0-9 -]", "", line[3:].lower()).replace(" ", "-"))
    wanted = set(re.findall(r"runbook: docs/incidents.md#(\S+)", (FOLDER / "alerts.yaml").read_text()))
    check("each alert's part of docs/incidents.md exists", sorted(wanted - anchors), [])


def tested(folder):
    """promtool reads rules relative to the tests."""
    for file in (FOLDER / "alerts.yaml", ROOT / "Tests/Operation/alerts.test.yaml"):
        shutil.copy(file, folder)
    answer = promtool("test", "rules", folder / "alerts.test.yaml")
    check("promtool test rules", (answer.returncode, answer.stderr), (0, ""))
    alerts = set(re.findall(r"alert: (\w+)", (FOLDER / "alerts.yaml").read_text()))
    fired = set(re.findall(r'alertname[=:] ?"?(\w+)', (ROOT / "Tests/Operation/alerts.test.yaml").read_text()))
    check("each alert has a test", sorted(alerts - fired), [])


def metrics(world):
    page = world.text("/metrics")
    answer = promtool("check", "metrics", input=page)
    check("promtool check metrics", (answer.returncode, answer.stderr), (0, ""))
    declared = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    # Those that begin with their first event, and those of what is not set up, are known by docs/operation.md.
    documented = named((ROOT / "docs/operation.md").read_text())
    alerts, dashboard = (FOLDER / "alerts.yaml").read_text(), " ".join(text for _, text in expressions())
    begin_later = {"triptych_event_streams", "triptych_events_streamed_total", "triptych_job_steps_done", "triptych_job_steps"}
    check("each metric that rules and dashboard name exists", sorted(named(alerts + dashboard) - declared - begin_later), [])
    check("each metric that the server has is in docs/operation.md", sorted(declared - documented), [])
    return declared


def configuration(folder, world):
    """prometheus.yaml with this run's server, key and pace."""
    (folder / "metrics.key").write_text(world.token)
    text = (FOLDER / "prometheus.yaml").read_text()
    for old, new in [("triptych:8080", f"127.0.0.1:{world.port}"), ("/run/secrets/metrics-key", f"{folder}/metrics.key"),
                     ("15s", "1s")]:
        assert old in text, f"prometheus.yaml has no {old}"
        text = text.replace(old, new)
    (folder / "prometheus.yaml").write_text(text)
    answer = promtool("check", "config", folder / "prometheus.yaml")
    check("promtool check config", (answer.returncode, answer.stderr), (0, ""))


def ask(path, **query):
    url = f"http://127.0.0.1:{PORT}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        # While it starts it answers 503, in words.
        return json.load(error) if "json" in error.headers.get_content_type() else {"status": "away"}
    except OSError:
        return {"status": "away"}


def scraped(world):
    def traffic():
        world.sighting(3, dry_run=True)
        found = ask("query", query="count_over_time(up[1m])").get("data", {}).get("result", [])
        return bool(found) and int(found[0]["value"][1]) >= 8
    operation.wait_for(traffic, "eight scrapes", seconds=180)
    check("the server is up to Prometheus", ask("query", query="up")["data"]["result"][0]["value"][1], "1")
    for where, text in expressions():
        answer = ask("query", query=filled_in(text))
        empty = answer["status"] == "success" and not answer["data"]["result"]
        check(f"dashboard: {where}", (answer["status"], empty and not named(text) & MAY_BE_EMPTY), ("success", False))
    groups = ask("rules")["data"]["groups"]
    check("rules are evaluated", sorted({rule["health"] for group in groups for rule in group["rules"]}), ["ok"])
    check("no alert is on", [alert["labels"]["alertname"] for alert in ask("alerts")["data"]["alerts"]], [])


def key(world):
    """A first key for the test itself, and one that may only read, as docs/operation.md has it."""
    world.token = world.ask("POST", "/v1/keys", {"name": "test", "role": "admin"})["token"]
    return world.ask("POST", "/v1/keys", {"name": "metrics", "role": "read"})["token"]


def busy(world):
    """One of each: a query with and without a match, an enrolment, a problem, a follower of events."""
    for threshold in (-1, 1):
        world.sighting(2, threshold=threshold)
        image = base64.b64encode(world.files(2)[0].read_bytes()).decode()
        world.ask("POST", "/v1/galleries/parking/queries", {"images": {"rgb": image}, "threshold": threshold})
    try:
        world.ask("GET", "/v1/galleries/nowhere")
    except urllib.error.HTTPError:
        pass


def main():
    rules()
    with operation.world() as world:
        tested(world.folder)
        reading = key(world)
        busy(world)
        metrics(world)
        admin, world.token = world.token, reading
        configuration(world.folder, world)
        world.token = admin
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={world.folder}/prometheus.yaml", f"--storage.tsdb.path={world.folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{PORT}", "--log.level=error"])
        try:
            scraped(world)
        finally:
            prometheus.terminate()
            prometheus.wait()
    operation.end()


if __name__ == "__main__":
    main()
