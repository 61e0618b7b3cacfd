"""The pictures of docs/console.md: few and small, at a desk's and a phone's width, in both colours."""
from playwright.sync_api import expect

WIDE, PHONE = (1280, 800), (390, 760)


def query(reader):
    reader.go("query")
    reader.put(1)
    reader.find()
    expect(reader.page.locator(".match .picture.shown").nth(5)).to_be_visible()


def identities(reader):
    reader.go("identities")
    expect(reader.page.locator(".person .picture.shown").nth(26)).to_be_visible()


def groups(reader):
    """Two unknowns that are one; they are gone afterwards."""
    for name, number in [("unknown-1", 4), ("unknown-2", 5)]:
        reader.world.enrol(name, number)
    reader.go("groups")
    reader.page.get_by_label("Least score").fill("0.6")
    reader.page.get_by_role("button", name="Look for groups").click()
    expect(reader.page.locator("form.card .picture.shown").nth(5)).to_be_visible()
    for name in ("unknown-1", "unknown-2"):
        reader.world.erase(name)


def identity(reader):
    first = reader.world.ask("GET", "/v1/galleries/parking/identities")["items"][1]["id"]
    reader.go(f"identities/{first}")
    expect(reader.page.locator(".seen .picture.shown").nth(8)).to_be_visible()


def live(reader):
    reader.go("live")
    reader.text("Following")
    world = reader.world
    for number in (1, 4, 7, 10, 13):
        answer = world.sighting(number, camera=["ramp", "north gate", "south gate"][number % 3])
        if number == 7:
            world.ask("PATCH", f"/v1/galleries/parking/identities/{answer['identity']}", {"watchlist": True})
            world.sighting(8, camera="ramp")
    reader.page.wait_for_timeout(1500)


def models(reader):
    names = [one["model"] for one in reader.world.ask("GET", "/v1/models")["items"]]
    if len(names) < 2:
        reader.world.ask("POST", "/v1/models", reader.world.other.read_bytes(), "application/octet-stream")
    reader.go("models")
    reader.page.get_by_role("button", name="Compare with the active one").click()
    reader.text("The nearest other is the same")
    reader.page.locator("section", has=reader.page.locator(".compare")).first.evaluate("(one) => { one.scrollIntoView(); scrollBy(0, -70); }")


def analysis(view, button, ready):
    def show(reader):
        reader.go(view)
        reader.page.get_by_role("button", name=button).click()
        expect(reader.page.locator(ready).first).to_be_visible()
        if view == "map":
            reader.page.locator("canvas").focus()
            reader.page.keyboard.press("ArrowRight")
            expect(reader.page.locator(".map-tip .picture.shown").nth(2)).to_be_visible()
        reader.page.wait_for_timeout(800)
    return show


def thresholds(reader):
    reader.go("thresholds")
    reader.page.get_by_label("Newcomers that may be taken for somebody, in %").fill("5")
    reader.page.get_by_role("button", name="Propose").click()
    expect(reader.page.get_by_role("button", name="Fill in above")).to_be_visible()


def webhooks(reader):
    world = reader.world
    if not world.ask("GET", "/v1/webhooks")["items"]:
        for host, some in [("alarm", {"kinds": ["watchlist"]}), ("log", {"galleries": ["parking"], "cameras": ["ramp"]})]:
            world.ask("POST", "/v1/webhooks", {"url": f"https://{host}.example.org/triptych", "filter": some})
    reader.go("webhooks")
    reader.text("on the watchlist")


def audit(reader):
    reader.go("audit")
    expect(reader.page.locator("tbody tr").nth(5)).to_be_visible()


def health(reader):
    reader.go("health")
    for number in range(12):
        for turn in range(2 + number % 5):
            reader.world.sighting(turn, dry_run=True)
        reader.page.wait_for_timeout(1500)


SHOTS = [
    ("query", query, WIDE, "light"), ("query-phone", query, PHONE, "dark"), ("identities", identities, WIDE, "light"),
    ("identity", identity, WIDE, "light"), ("groups", groups, WIDE, "dark"),
    ("live", live, WIDE, "dark"), ("live-phone", live, PHONE, "light"), ("models", models, WIDE, "light"), ("health", health, WIDE, "dark"),
    ("map", analysis("map", "Make a new map", "canvas"), WIDE, "dark"),
    ("quality", analysis("quality", "Evaluate", ".chart"), WIDE, "light"),
    ("thresholds", thresholds, WIDE, "light"), ("webhooks", webhooks, WIDE, "dark"), ("audit", audit, WIDE, "light"),
]


def calibrate(world):
    """The thresholds that the console's own proposal gives; those of the tests are of any model."""
    job = world.ask("POST", "/v1/galleries/parking/calibrations", {"false_match_rate": 0.05})
    found = [{name: one[name] for name in ("modalities", "threshold")} for one in world.follow(job)["thresholds"]]
    world.ask("PUT", "/v1/galleries/parking/thresholds", {"thresholds": found})


def take(browser, world, folder, reader_of):
    folder.mkdir(parents=True, exist_ok=True)
    calibrate(world)
    has_analyses = "/maps/latest" in world.text("/openapi.yaml")
    for name, show, (width, height), scheme in SHOTS:
        if name in ("map", "quality") and not has_analyses:
            print(f"{name}: this server cannot show it")
            continue
        reader = reader_of(browser, world, width=width, height=height, scheme=scheme)
        show(reader)
        # Pictures come up from nothing; half there they look like faults.
        reader.page.wait_for_function("() => [...document.querySelectorAll('.picture.shown img')].every((one) => getComputedStyle(one).opacity === '1')")
        path = folder / f"{name}.jpg"
        reader.page.screenshot(path=path, type="jpeg", quality=82)
        assert path.stat().st_size < 150_000, f"{path} has {path.stat().st_size} bytes"
        assert not reader.errors, reader.errors
        reader.page.context.close()
        print(f"{path}: {path.stat().st_size} bytes", flush=True)
