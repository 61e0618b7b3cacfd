"""The console over a gallery of a million sightings, at a desk's and a phone's width: of each view, and of what people do there, how long until
its answer is there, the bytes that it took, the longest task of the page's thread, and how many elements it has.

    make console MILLION=1                                            # ten minutes and 6 GB of disk

Vectors are those of Benchmarks/million.py, three of 256 elements a sighting; the first sighting of two thousand identities has its three pictures. One
identity has twenty thousand sightings, a tenth of the identities has labels; there are as many events as are kept, and long lists of jobs
and of the audit log.
"""
import argparse
import os
import pathlib
import shutil
import sqlite3
import sys
import tempfile
import time
import uuid

from playwright.sync_api import sync_playwright

from world import RECIPE, ROOT, World

sys.path.append(str(ROOT / "Benchmarks"))
import million  # noqa: E402

MERGED, PICTURED, JOBS, AUDITED, EVENTS = 1000, 2000, 2000, 100_000, 100_000
WIDTHS = {"desk": (1280, 860), "phone": (390, 760)}


def wide(folder):
    """The tests' model with an embedding of 256 elements."""
    text = RECIPE.read_text().replace("width: 24, depth: 1, heads: 3", "width: 256, depth: 1, heads: 4")
    path = folder / "wide.yaml"
    path.write_text(text.replace("fusion_tokens: 1, heads: 3", "fusion_tokens: 1, heads: 4"))
    return path


def fill(world, rows):
    """By SQL, which is quicker than a million requests."""
    world.start()
    world.ask("POST", "/v1/galleries", {"name": "g", "label": "A million"})
    model = world.ask("GET", "/v1/models")["items"][0]
    world.stop()
    database = world.folder / "g.sqlite"
    million.fill(database, rows, model["modalities"], model["dimension"], model["model"])
    with sqlite3.connect(database) as db:
        merged = min(MERGED, rows // 100)
        db.execute("UPDATE sighting SET identity_id = 1 WHERE identity_id BETWEEN 2 AND ?", (merged,))
        db.execute("DELETE FROM identity WHERE id BETWEEN 2 AND ?", (merged,))
        db.execute("UPDATE identity SET label = 'Vehicle ' || id WHERE id % 10 = 1")
        for modality, path in zip(("rgb", "nir", "tir"), world.files(0)):
            db.execute("INSERT INTO image SELECT min(id), ?, 'image/jpeg', ? FROM sighting WHERE identity_id <= ? GROUP BY identity_id",
                       (modality, path.read_bytes(), merged + PICTURED))
        now = int(time.time() * 1000)
        db.execute("INSERT INTO event (kind, created_at, gallery_id, sighting_id, score) SELECT 'matched', ? - 1000 * (? - id), gallery_id, id, 0.8 "
                   "FROM sighting ORDER BY id DESC LIMIT ?", (now, rows, EVENTS))
        db.executemany("INSERT INTO job (uuid, kind, state, done, total, created_at, updated_at) VALUES (?, 'grouping', 'failed', 0, 1, 0, 0)",
                       ((str(uuid.uuid4()),) for _ in range(JOBS)))
        db.executemany("INSERT INTO audit (created_at, action, gallery_id, subject_id, count) VALUES (?, 'identity-changed', 1, ?, 1)",
                       ((now - 1000 * number, number) for number in range(AUDITED)))


class Visit:
    """A page of the console at a width, and what each step on it costs."""

    def __init__(self, browser, world, width):
        self.world, self.errors = world, []
        self.page = browser.new_context(viewport=dict(zip(("width", "height"), WIDTHS[width]))).new_page()
        self.page.set_default_timeout(600_000)
        self.page.on("pageerror", lambda error: self.errors.append(f"{error}"))
        self.page.add_init_script("window.tasks = []; new PerformanceObserver((list) => tasks.push(...list.getEntries()"
                                  ".map((one) => one.duration))).observe({type: 'longtask', buffered: true});")
        self.bytes = 0
        protocol = self.page.context.new_cdp_session(self.page)
        protocol.on("Network.loadingFinished", self.finished)
        protocol.send("Network.enable")
        self.page.goto(f"{world.url}/console/#/g/webhooks")
        self.page.wait_for_selector("main h1")

    def finished(self, event):
        self.bytes += event["encodedDataLength"]

    def step(self, name, do, ready):
        """Does something, waits for what it is there by, and for what comes after that; says what it cost."""
        self.page.wait_for_timeout(300)
        self.page.evaluate("tasks.length = 0")
        self.bytes, start = 0, time.monotonic()
        do(self.page)
        self.page.wait_for_selector(ready)
        seconds = time.monotonic() - start
        self.page.wait_for_timeout(1200)
        task, elements, wide = self.page.evaluate(
            "[Math.max(0, ...tasks), document.querySelectorAll('*').length, document.documentElement.scrollWidth - innerWidth]")
        wrong = self.page.locator("main .wrong-box").all_inner_texts()
        print(f"  {name}: {seconds:.2f} s, {self.bytes / 1000:.0f} kB, longest task {task:.0f} ms, {elements} elements"
              f"{f', {wide} pixels too wide' if wide > 0 else ''}{f', WRONG {wrong}' if wrong else ''}", flush=True)


def to(view):
    return lambda page: page.evaluate("(to) => { location.hash = to; }", f"#/g/{view}")


def press(name):
    return lambda page: page.get_by_role("button", name=name, exact=True).first.click()


def few(page):
    """How long a job computes for each sighting is not the console's matter."""
    page.get_by_label("Sightings to look for").fill("50")


def ask(files):
    def do(page):
        for modality, path in zip(("rgb", "nir", "tir"), files):
            page.locator(f".slot.{modality} input[type=file]").first.set_input_files(path)
        page.get_by_role("button", name="Find", exact=True).click()
    return do


def again(label, value):
    """Asks once more with another option; what was there is taken away first, so that it is not taken for the answer."""
    def do(page):
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true; document.querySelector('.matches').remove()")
        control = page.get_by_label(label, exact=True)
        control.select_option(value) if label == "Rank" else control.fill(value)
        page.get_by_role("button", name="Find", exact=True).click()
    return do


def steps(world):
    """Name, what is done, and the selector by which its answer is there."""
    listed = ".person, .empty"
    return [
        ("query, before anything is asked", to("query"), "main form"),
        ("query, answers", ask(world.files(0)), ".match"),
        ("query, a camera of fifty", again("Seen by cameras", "c7"), ".match"),
        ("query, a condition on metadata", again("Metadata", "lane = 7"), ".match"),
        ("query, sightings", again("Rank", "sighting"), ".match"),
        ("identities", to("identities"), ".person"),
        ("identities, next page", press("Next →"), ".person >> nth=40"),
        ("identities, seen last first", to("identities?sort=last_seen"), ".person"),
        ("identities, by label", to("identities?sort=label"), ".person"),
        ("identities, unnamed by name", to("identities?labelled=false&sort=name"), ".person"),
        ("identities, found by label", to("identities?q=Vehicle+4000"), listed),
        ("an identity of twenty sightings", to("identities/i40000"), ".seen"),
        ("an identity of twenty thousand", to("identities/i0"), ".seen"),
        ("its next page", press("Next →"), ".seen >> nth=50"),
        ("corrections", to("corrections"), "main .empty"),
        ("live", to("live"), ".dot.open"),
        ("map, made", lambda page: (to("map")(page), press("Make a new map")(page)), "canvas"),
        ("map, shown", lambda page: (to("jobs")(page), page.wait_for_selector("main .card"), to("map")(page)), "canvas"),
        ("quality, made", lambda page: (to("quality")(page), few(page), press("Evaluate")(page)), ".chart"),
        ("quality, shown", lambda page: (to("jobs")(page), page.wait_for_selector("main .card"), to("quality")(page)), ".chart"),
        ("thresholds", to("thresholds"), "main form input"),
        ("thresholds, proposed", lambda page: (few(page), press("Propose")(page)), "text=Fill in above"),
        ("groups, found", lambda page: (to("groups")(page), press("Look for groups")(page)), "form.card h2, main .empty"),
        ("models", to("models"), "main .facts"),
        ("jobs", to("jobs"), "main .card"),
        ("jobs, next page", press("Next →"), "main li.card >> nth=40"),
        ("keys", to("keys"), "main .empty"),
        ("audit", to("audit"), "tbody tr"),
        ("health", to("health"), "main .facts dd"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=ROOT / ".build/release/triptych", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--only", help="steps whose name begins so")
    o = parser.parse_args()
    folder = o.folder or pathlib.Path(tempfile.mkdtemp(prefix="triptych-large-"))
    world = World(o.triptych.resolve(), folder, recipe=wide(folder))
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    try:
        if not (folder / "g.sqlite").exists():
            fill(world, o.rows)
        start = time.monotonic()
        world.start()
        print(f"start: {time.monotonic() - start:.1f} s")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for width in WIDTHS:
                print(f"at a {width}'s width", flush=True)
                visit = Visit(browser, world, width)
                for step in steps(world):
                    if step[0].startswith(o.only or ""):
                        visit.step(*step)
                assert not visit.errors, visit.errors
                visit.page.context.close()
            browser.close()
    finally:
        world.stop()
        if not o.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
