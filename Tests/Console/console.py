"""Uses the console as people do, in Chromium, with a real server: each view's main path, a wrong key, a server that goes away and comes
back, a slow answer, an identity erased meanwhile, a key without rights, files that are no images or too large, ten thousand identities;
and axe-core finds nothing.

    make console                                     # in a virtual environment of its own
    python Tests/Console/console.py --only query     # one part
    python Tests/Console/console.py --screenshots docs/console --checkpoint demo/run/model.safetensors

It needs Chromium (`apt-get install chromium`, or CHROMIUM=path), and the packages `playwright` and `axe-playwright-python`, of which
only the driver and the file of axe-core are used. Everything is on loopback.
"""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

from playwright.sync_api import expect, sync_playwright

from reader import VIEWS, Reader
from rights import rights, without_rights
from troubles import away, bad_files, erased, failed_job, no_images, photograph, slow
from visits import measure
from world import ROOT, World, grey_png


def query(reader):
    page = reader.page
    reader.go("query")
    reader.find()
    reader.text("Put in at least one picture.")
    reader.put(0)
    reader.find()
    page.wait_for_selector(".match")
    expect(page.locator(".match").first.locator(".bars output")).to_have_count(4)
    page.wait_for_selector(".match .picture.shown")
    page.get_by_label("Least score").fill("1")
    reader.text("Unknown: the best score")
    page.get_by_label("Least score").fill("-1")
    reader.text("This is")
    page.get_by_role("button", name="Not the same as").first.click()
    expect(page.locator(".match.refused")).to_have_count(1)
    reader.axe("answers")
    # A box, by the keyboard.
    page.locator(".slot.rgb").get_by_role("button", name="Box").click()
    box = reader.answer("Box in Visible", Left="20", Top="10", Width="200", Height="100")
    reader.axe("box")
    box.get_by_role("button", name="Use this box").click()
    expect(page.locator(".slot.rgb").get_by_role("button", name="Box ✓")).to_be_visible()
    # A second picture of it, and filters.
    page.get_by_role("button", name="+ Another picture of it").click()
    page.locator(".exemplar").nth(1).locator(".slot.tir input[type=file]").set_input_files(reader.world.files(1)[2])
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Seen by cameras").fill("ramp")
    page.get_by_label("Metadata").fill("lane >= 1")
    reader.find()
    expect(page.locator(".match").first).to_contain_text("camera ramp")
    # Nothing is lost where somebody looks elsewhere meanwhile.
    reader.go("jobs")
    reader.go("query")
    expect(page.locator(".slot .target.full")).to_have_count(4)
    expect(page.get_by_label("Metadata")).to_have_value("lane >= 1")
    page.get_by_label("Metadata").evaluate("(e) => { e.closest('details').open = true }")
    page.get_by_label("Metadata").fill("")
    page.get_by_label("Seen by cameras").fill("")
    page.get_by_role("button", name="Clear").click()
    reader.put(0)
    earlier = page.locator(".match").first.element_handle()
    reader.find()
    page.wait_for_function("(element) => !element.isConnected", arg=earlier)
    page.get_by_role("button", name="Not the same as").nth(1).click()
    reader.text("Kept once the pictures are enrolled.")
    page.get_by_role("button", name="Enrol as …").click()
    box = reader.answer("Enrol", Identity="newcomer")
    box.get_by_role("button", name="Enrol").click()
    reader.text("Enrolled as newcomer, which is not ")
    where = "/v1/galleries/parking/identities/newcomer"
    assert reader.world.ask("GET", where)["sightings"] == 1
    assert len(reader.world.ask("GET", f"{where}/distinctions")["items"]) == 1
    # An enrolled one: what is said of it is kept at once, and shown when it is asked about again.
    page.get_by_role("link", name="More like it").first.click()
    reader.text("A sighting of")
    page.wait_for_selector(".match")
    page.get_by_role("button", name="Not the same as").nth(2).click()
    expect(page.locator(".match.refused")).to_have_count(1)
    page.reload()
    expect(page.locator(".match.refused")).to_have_count(1)
    page.locator(".match.refused").get_by_role("button", name="Not the same as").click()
    expect(page.locator(".match.refused")).to_have_count(0)


def strip(reader):
    """One picture of three side by side is cut in the browser."""
    page = reader.page
    reader.go("query")
    page.get_by_role("button", name="Clear").click()
    strip_file = reader.world.folder / "strip.png"
    grey_png(strip_file, 768, 128)
    page.locator(".slot.rgb input[type=file]").set_input_files(strip_file)
    reader.text("The strip was cut into its three images.")
    expect(page.locator(".slot .target.full")).to_have_count(3)
    size = page.evaluate("(async () => { const i = document.querySelector('.slot.tir img'); await i.decode(); return [i.naturalWidth, i.naturalHeight]; })()")
    assert size == [256, 128], size


def identities(reader):
    page, world = reader.page, reader.world
    reader.go("identities")
    page.wait_for_selector(".person .picture.shown")
    names = [one["id"] for one in world.ask("GET", "/v1/galleries/parking/identities")["items"]]
    reader.go(f"identities/{names[0]}")
    page.wait_for_selector(".seen .picture.shown")
    expect(page.locator(".lanes circle").first).to_be_visible()
    similar = page.locator("section", has_text="Who may be the same")
    similar.get_by_role("button", name="is not the same").first.click()
    apart = page.locator("section", has=page.get_by_role("heading", name="Not the same as"))
    expect(apart.locator("li")).to_have_count(1)
    apart.get_by_role("button", name="Take back").click()
    expect(apart).to_be_hidden()
    page.get_by_role("button", name="Change label").click()
    reader.answer("Label", Label="Blue bus").get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Blue bus")).to_be_visible()
    page.get_by_label("Watchlist").check()
    reader.text("On the watchlist")
    reader.axe("identity")
    page.locator(".seen input[type=checkbox]").first.check()
    page.get_by_role("button", name="Make a new identity").click()
    reader.answer("Split", **{"Name of the new identity": "apart"}).get_by_role("button", name="Split").click()
    reader.text("Split into apart.")
    page.get_by_role("button", name="Undo").last.click()
    reader.text("Undone.")
    page.get_by_role("button", name="Rename").click()
    reader.answer("Rename", **{"New name": names[1]}).get_by_role("button", name="Rename").click()
    expect(page.get_by_role("dialog").locator(".wrong-box")).to_contain_text("Request")
    reader.answer("Rename", **{"New name": "bus 7/3 ä"}).get_by_role("button", name="Rename").click()
    reader.text("Renamed to bus 7/3 ä.")
    reader.text("bus 7/3 ä ·")
    page.get_by_role("button", name="Merge into …").click()
    reader.answer("Merge into another", **{"Into the identity": names[1]}).get_by_role("button", name="Merge").click()
    reader.text(f"Merged into {names[1]}.")
    reader.go("corrections")
    page.locator("tbody tr").first.get_by_role("button", name="Undo").click()
    reader.text("undone ")
    reader.go("identities/newcomer") if "newcomer" in names else reader.go(f"identities/{names[-1]}")
    page.get_by_role("button", name="Erase …").click()
    reader.text("It cannot be undone")
    page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    reader.text("Erased ")
    reader.go("groups")
    page.get_by_label("Least score").fill("0.2")
    page.get_by_role("button", name="Look for groups").click()
    page.get_by_label("Label").first.wait_for()
    page.get_by_role("button", name="is not the same as the others").first.click()
    reader.text("is not the same as the others.")
    page.get_by_label("Label").first.fill("Regular")
    page.get_by_role("button", name="Name and merge").first.click()
    reader.text("Regular was named.")


def many(reader):
    page = reader.page
    reader.go("identities", "many")
    reader.text("10,000 identities")
    page.get_by_role("button", name="Next →").click()
    reader.text("Page 2")
    page.get_by_role("searchbox").fill("bulk-09999")
    page.locator("main form").get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="bulk-09999")).to_be_visible()


def visits(reader):
    """What a first visit costs, with ten thousand identities too."""
    measure(reader.page.context.browser, reader.world)


def live(reader):
    page, world = reader.page, reader.world
    reader.go("live")
    reader.text("Following")
    first = world.sighting(4, camera="ramp", threshold=-1)
    expect(page.locator(".event")).to_contain_text(["Recognised"])
    world.ask("PATCH", f"/v1/galleries/parking/identities/{first['identity']}", {"watchlist": True})
    # While nobody is there, something is seen: it is told afterwards.
    world.stop()
    reader.text("The connection broke")
    world.start()
    world.sighting(4, camera="ramp", threshold=-1)
    expect(page.locator(".event.watchlist")).to_be_visible()
    page.wait_for_selector(".event .picture.shown")
    reader.axe("events")


def models(reader):
    page = reader.page
    # What has no pictures could not be embedded by another model, and would be refused.
    reader.world.ask("DELETE", "/v1/galleries/many")
    reader.go("models")
    page.locator("input[type=file]").set_input_files(reader.world.other)
    reader.text("It was verified and is listed")
    page.get_by_role("button", name="Compare with the active one").click()
    reader.text("The nearest other is the same")
    reader.axe("comparison")
    page.get_by_role("button", name="Activate").click()
    page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    reader.text("answers now.")
    # Back again.
    page.get_by_role("button", name="Activate (or go back to it)").click()
    page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    expect(page.get_by_text("answers now.")).to_have_count(2)
    reader.go("jobs")
    reader.text("Activation of a model")
    page.get_by_role("button", name="Forget").first.click()
    # One that was begun elsewhere, and waits for others, is followed too.
    first, other = sorted(reader.world.ask("GET", "/v1/models")["items"], key=lambda one: not one["active"])
    for query in ("?dry_run=true", "?dry_run=true", ""):
        job = reader.world.ask("POST", f"/v1/models/{other['model']}/activation{query}")
    reader.go("models")
    expect(page.locator("section.card", has_text="is to answer").locator(".row").first).to_contain_text(other["model"][:10])
    reader.text("answers now.")
    reader.world.follow(job)
    reader.world.follow(reader.world.ask("POST", f"/v1/models/{first['model']}/activation"))


def analyses(reader):
    """The map and the quality, where the server has them."""
    page = reader.page
    reader.go("map")
    if page.get_by_text("makes no maps").count():
        print("  this server has neither maps nor evaluations")
        reader.go("quality")
        reader.text("cannot evaluate")
        return
    page.get_by_role("button", name="Make a new map").click()
    page.wait_for_selector("canvas")
    page.locator("canvas").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".map-tip .picture.shown")
    reader.axe("map")
    reader.go("quality")
    page.get_by_role("button", name="Evaluate").click()
    reader.text("Among all others")
    reader.axe("quality")


def settings(reader):
    """Thresholds by hand and by what is enrolled, webhooks, and who did all that."""
    page, world = reader.page, reader.world
    reader.go("thresholds")
    page.get_by_label("Visible + Near infrared + Thermal").fill("0.55")
    page.get_by_role("button", name="Save").click()
    reader.text("The thresholds were saved.")
    page.get_by_label("Newcomers that may be taken for somebody, in %").fill("20")
    page.get_by_role("button", name="Propose").click()
    page.get_by_role("button", name="Fill in above").click()
    reader.axe("thresholds")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The thresholds were saved.")).to_have_count(2)
    active = next(one["model"] for one in world.ask("GET", "/v1/models")["items"] if one["active"])
    saved = [one for one in world.ask("GET", "/v1/galleries/parking/thresholds")["items"] if one["model"] == active]
    assert len(saved) == 7 and any(one["threshold"] not in (0.55, 0.6) for one in saved), saved
    reader.go("webhooks")
    page.get_by_role("button", name="New webhook").click()
    box = reader.answer("New webhook", Address="https://alarm.example.org/triptych", Cameras="ramp")
    box.get_by_label("on the watchlist").check()
    reader.axe("new webhook")
    box.get_by_role("button", name="Make it").click()
    reader.text("on the watchlist · by ramp")
    page.get_by_role("button", name="End https://alarm.example.org/triptych").click()
    page.get_by_role("dialog").get_by_role("button", name="End it").click()
    reader.text("Nobody is called.")
    reader.go("audit")
    expect(page.locator("tbody tr").first).to_contain_text("webhook-deleted")
    page.get_by_label("Action").fill("thresholds-changed")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr").first).to_contain_text("thresholds-changed")


def views(reader):
    """Each, at both widths and in both colours, has nothing that axe-core finds and nothing that sticks out."""
    browser = reader.page.context.browser
    for width, scheme in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]:
        other = Reader(browser, reader.world, width=width, scheme=scheme)
        for view in VIEWS:
            other.go(view)
            other.page.wait_for_timeout(300)
            other.axe(f"{view} at {width}, {scheme}")
            wide = other.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{view} at {width} is {wide} pixels too wide"
        reader.errors += other.errors
        other.page.context.close()


def keys(reader):
    """From the first key on, every request takes one."""
    page, world = reader.page, reader.world
    reader.go("keys")
    page.get_by_role("button", name="New key").click()
    box = reader.answer("New key", Name="console")
    box.get_by_label("Role").select_option("admin")
    box.get_by_role("button", name="Make it").click()
    token = page.locator(".token").inner_text()
    world.token = token
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    reader.sign_in("password")
    reader.text("A key looks like")
    reader.axe("sign-in")
    reader.sign_in(f"triptych_{'0' * 12}_{'0' * 64}")
    reader.text("This key was refused")
    reader.sign_in(token)
    reader.text("Revoke …")
    assert token not in page.url and page.evaluate("localStorage.length") == 0 and not page.context.cookies()
    reader.go("identities")
    page.wait_for_selector(".picture.shown")
    page.reload()
    page.wait_for_selector(".picture.shown")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("dialog", name="Sign in to Triptych")).to_be_visible()
    assert token not in page.evaluate("JSON.stringify({...sessionStorage})")


# In this order: each finds what the ones before it have left.
PARTS = [query, strip, bad_files, photograph, no_images, slow, away, identities, erased, many, visits, live, failed_job, models, analyses,
         settings, views, keys, rights, without_rights]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=ROOT / ".build/release/triptych", type=pathlib.Path)
    parser.add_argument("--only", action="append", choices=[one.__name__ for one in PARTS])
    parser.add_argument("--checkpoint", type=pathlib.Path, help="the model that answers; a tiny one by default")
    parser.add_argument("--screenshots", type=pathlib.Path, help="make those of docs/console.md in this folder, and nothing else")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="triptych-console-")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    world = World(options.triptych.resolve(), folder, options.checkpoint)
    failed = 0
    try:
        world.start()
        world.fill()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            if options.screenshots:
                from screenshots import take
                take(browser, world, options.screenshots, Reader)
                return 0
            for one in PARTS:
                if options.only and one.__name__ not in options.only:
                    continue
                start, reader = time.monotonic(), Reader(browser, world)
                try:
                    one(reader)
                    assert not reader.errors, reader.errors
                    print(f"{one.__name__}: right, {time.monotonic() - start:.1f} s", flush=True)
                except Exception as error:  # Whatever it was, the others are still worth knowing.
                    failed += 1
                    reader.page.screenshot(path=f"{folder}-{one.__name__}.png")
                    print(f"{one.__name__}: WRONG, see {folder}-{one.__name__}.png\n{error}\n{reader.errors}", flush=True)
                    if world.process is None:
                        world.start()
                reader.page.context.close()
            browser.close()
    finally:
        world.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
