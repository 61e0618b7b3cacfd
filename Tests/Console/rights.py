"""What a key may not do is not offered, which is said; what a server refuses all the same is told in words."""
import urllib.parse

from playwright.sync_api import expect

from reader import VIEWS, Reader
from troubles import refused

CLOSED = {"read": {"webhooks", "keys", "audit", "groups"}, "scoped": {"webhooks", "keys", "audit", "health"}}
# Those that a key for one gallery, which may enrol and correct there, has and lacks in each view.
OFFERED = {"identities": ["Name unknowns"], "quality": ["Evaluate"], "map": ["Make a new map"], "groups": ["Look for groups"]}
WITHHELD = {"models": ["Hand over a checkpoint", "Activate", "Compare with the active one", "Erase …"], "thresholds": ["Save", "Propose"]}


def rights(reader):
    world = reader.world
    if not world.token:
        world.token = world.key("admin of the tests", "admin")
    identity = world.ask("GET", "/v1/galleries/parking/identities")["items"][0]["id"]
    person = f"identities/{urllib.parse.quote(identity, safe='')}"
    told = set(world.ask("GET", "/v1/access")["operations"])
    used = reader.page.evaluate("import(new URL('access.js', location)).then((one) => Object.values(one.operations))")
    assert told.issuperset(used), set(used) - told
    reads(reader, person)
    enrols(reader, person)


def signed_in(reader, name, role, galleries=None, width=1280):
    """Another reader, with a key of its own, and a list of what it was refused."""
    other = Reader(reader.page.context.browser, reader.world, width=width)
    denied = []
    other.page.on("response", lambda one: denied.append(one.url) if one.status == 403 else None)
    other.sign_in(reader.world.key(name, role, galleries))
    expect(other.page.locator("main h1")).to_be_visible()
    return other, denied


def reads(reader, person):
    """Of a key that reads, everything is pressed that can be, in every view, and nothing is refused."""
    for width, galleries in [(1280, None), (390, ["parking"])]:
        looker, denied = signed_in(reader, "looker", "read", galleries, width)
        page = looker.page
        is_closed = CLOSED["read"] | (CLOSED["scoped"] if galleries else set())
        for view in [*VIEWS, person]:
            look(looker, view, is_closed)
            press_all(looker, view)
            looker.axe(f"{view} with a key that reads")
        looker.go("query")
        looker.put(0)
        looker.find()
        expect(page.locator(".match").first).to_be_visible()
        looker.text("Your key, looker, may not enrol it.")
        expect(page.get_by_role("button", name="Enrol as …")).to_have_count(0)
        page.get_by_role("button", name="Not the same as").first.click()
        expect(page.locator(".match.refused")).to_have_count(1)
        page.get_by_role("link", name="More like it").first.click()
        looker.text("may not move it to an identity")
        page.get_by_role("button", name="Not the same as").first.click()
        looker.axe("answers with a key that reads")
        assert not denied, denied
        reader.errors += looker.errors
        page.context.close()


def look(looker, view, is_closed):
    """A view opens without an error, is closed with a word, and is led to only if it is open."""
    looker.go(view)
    page = looker.page
    expect(page.locator("main .loading")).to_have_count(0)
    expect(page.locator("main .wrong-box")).to_have_count(0)
    expect(page.get_by_text("may not see this")).to_have_count(1 if view in is_closed else 0)
    if view in VIEWS and view not in ("corrections", "groups"):
        expect(page.locator(f"#nav a[href='#/parking/{view}']")).to_have_count(0 if view in is_closed else 1)


def press_all(looker, view):
    """Presses each button that is there to begin with; a question that comes up is sent as it is, and left."""
    page = looker.page
    for number in range(page.locator("main button:visible:enabled").count()):
        buttons = page.locator("main button:visible:enabled")
        if number >= buttons.count():
            return
        buttons.nth(number).click()
        dialog = page.locator("dialog[open]")
        if dialog.count():
            dialog.locator(".buttons button").last.click()
            if dialog.count():
                page.keyboard.press("Escape")
        expect(page.locator("main .loading")).to_have_count(0)
    assert page.locator(".wrong-box").count() == 0, view


def enrols(reader, person):
    """A key that enrols in one gallery corrects there, and does not erase."""
    gate, denied = signed_in(reader, "gate", "enrol", ["parking"])
    page = gate.page
    named = lambda name: page.get_by_role("button", name=name, exact=True)
    for view in VIEWS:
        look(gate, view, CLOSED["scoped"])
        for name in OFFERED.get(view, []):
            expect(page.get_by_role("link" if view == "identities" else "button", name=name, exact=True)).to_be_visible()
        for name in WITHHELD.get(view, []):
            expect(named(name)).to_have_count(0)
        gate.axe(f"{view} with a key that enrols in a gallery")
    expect(page.get_by_label("Gallery").locator("option")).to_have_count(1)
    expect(named("New gallery")).to_have_count(0)
    gate.go(person)
    gate.text("Your key, gate, may not erase.")
    page.locator(".seen input[type=checkbox]").first.check()
    expect(named("Move to …")).to_be_visible()
    expect(named("Erase …")).to_have_count(0)
    named("Change label" if named("Change label").count() else "Give a label").click()
    gate.answer("Label", Label="Seen by the gate").get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Seen by the gate")).to_be_visible()
    assert not denied, denied
    # Whoever signs in with another key is offered what that one may.
    reader.world.ask("DELETE", f"/v1/keys/{reader.world.keys['gate']}")
    page.evaluate("location.hash = '#/parking/identities'")
    gate.text("This key was refused")
    gate.sign_in(reader.world.token)
    gate.go(person)
    expect(named("Erase …")).to_be_visible()
    reader.errors += gate.errors
    page.context.close()


def without_rights(reader):
    """Where the server does not say what a key may do, or it may less than it said: what is refused says so, where it was tried."""
    world = reader.world
    if not world.token:
        world.token = world.key("admin of the tests", "admin")
    looker = Reader(reader.page.context.browser, world)
    page = looker.page
    page.route("**/v1/access", lambda route: route.fulfill(
        status=404, content_type="application/problem+json", body='{"type": "urn:triptych:problem:no-such-path"}'))
    looker.sign_in(world.key("looker", "read"))
    for view in VIEWS:
        looker.go(view)
        expect(page.locator("main .loading")).to_have_count(0)
        if view in ("webhooks", "keys", "audit"):
            expect(page.locator("main .wrong-box")).to_contain_text("Sign in with a key that may do this.")
        else:
            expect(page.locator("main .wrong-box")).to_have_count(0)
    forbidden_questions(looker)
    forbidden_changes(looker)
    reader.errors += looker.errors
    page.context.close()


def forbidden_questions(looker):
    """Those of a dialog, which stays."""
    page = looker.page
    name = looker.world.ask("GET", "/v1/galleries/parking/identities")["items"][0]["id"]
    looker.go("query")
    looker.put(0)
    looker.find()
    page.get_by_role("button", name="Enrol as …").click()
    looker.answer("Enrol", Identity="somebody")
    refused(page, "Enrol", "Enrol", Identity="somebody")
    looker.go(f"identities/{urllib.parse.quote(name, safe='')}")
    page.get_by_role("button", name="Rename").click()
    looker.answer("Rename", **{"New name": "somebody"})
    refused(page, "Rename", "Rename", **{"New name": "somebody"})
    page.get_by_role("button", name="Erase …").first.click()
    refused(page, f"Erase {name}", "Erase")
    for view, button, title, verb, typed in [
            ("keys", "New key", "New key", "Make it", {"Name": "mine"}),
            ("webhooks", "New webhook", "New webhook", "Make it", {"Address": "https://example.org/x"})]:
        looker.go(view)
        page.get_by_role("button", name=button).click()
        looker.answer(title, **typed)
        refused(page, title, verb, **typed)
    page.get_by_role("button", name="New gallery").click()
    looker.answer("New gallery", Name="mine")
    refused(page, "New gallery", "Make it", Name="mine")


def forbidden_changes(looker):
    """Those of a button, beside which it is said."""
    page = looker.page
    wrong = page.locator("main .wrong-box")
    looker.go("identities")
    page.locator(".person").first.click()
    page.get_by_label("Watchlist").click()
    expect(wrong.first).to_contain_text("Sign in with a key that may do this.")
    expect(page.get_by_label("Watchlist")).not_to_be_checked()
    looker.go("thresholds")
    page.get_by_label("Visible + Near infrared + Thermal").fill("0.25")
    page.get_by_role("button", name="Save").click()
    expect(wrong).to_contain_text("Sign in with a key that may do this.")
    expect(page.get_by_label("Visible + Near infrared + Thermal")).to_have_value("0.25")
    looker.go("models")
    page.locator("main input[type=file]").set_input_files(looker.world.other)
    expect(wrong).to_contain_text("Sign in with a key that may do this.")
