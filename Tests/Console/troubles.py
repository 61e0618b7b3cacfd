"""What goes wrong while somebody uses the console: each is told in words at its place, and nothing that was typed is lost."""
from playwright.sync_api import expect

from world import grey_png

# As a camera of 40 megapixels writes it: many megabytes, since no two spots are alike.
PHOTOGRAPH = """async () => {
    const canvas = new OffscreenCanvas(7728, 5152), context = canvas.getContext("2d");
    for (let spot = 0; spot < 60000; spot += 1) {
        context.fillStyle = `hsl(${spot % 360} 60% ${20 + spot % 60}%)`;
        context.fillRect(7728 * Math.random(), 5152 * Math.random(), 60, 40);
    }
    const blob = await canvas.convertToBlob({type: "image/jpeg", quality: 0.92}), dropped = new DataTransfer();
    dropped.items.add(new File([blob], "photograph.jpg", {type: "image/jpeg"}));
    const input = document.querySelector(".slot.rgb input[type=file]");
    input.files = dropped.files;
    input.dispatchEvent(new Event("change"));
    return blob.size;
}"""


def bad_files(reader):
    page, folder = reader.page, reader.world.folder
    reader.go("query")
    page.get_by_role("button", name="Clear").click()
    (folder / "none.jpg").write_text("this is no image")
    for file, words in [(folder / "none.jpg", "JPEG"), (grey_png(folder / "large.png", 8000, 5001), "pixels")]:
        page.locator(".slot.nir input[type=file]").set_input_files(file)
        expect(page.get_by_role("button", name=f"{file.name}, replace")).to_be_visible()
        reader.find()
        expect(page.locator(".slot.nir .wrong")).to_contain_text(words)
        expect(page.locator(".wrong-box")).to_contain_text("Request")
        expect(page.locator(".slot.nir .target.full")).to_be_visible()
    page.locator(".slot.nir input[type=file]").set_input_files(folder / "none.jpg")
    page.locator(".slot.nir").get_by_role("button", name="Box").click()
    expect(page.locator(".slot.nir .wrong")).to_contain_text("cannot show the file")
    reader.axe("bad files")


def photograph(reader):
    """One of nearly as many pixels as are allowed is shown, cut to a box and asked about."""
    page = reader.page
    reader.go("query")
    page.get_by_role("button", name="Clear").click()
    assert page.evaluate(PHOTOGRAPH) > 5_000_000
    page.locator(".slot.rgb").get_by_role("button", name="Box").click()
    box = reader.answer("Box in Visible", Left="1200", Top="800", Width="3000", Height="1500")
    box.get_by_role("button", name="Use this box").click()
    reader.find()
    page.wait_for_selector(".match")
    page.get_by_role("button", name="Clear").click()


def no_images(reader):
    """What was enrolled as vectors has nothing to show, which is said."""
    reader.go("identities", "many")
    expect(reader.page.locator(".person .triple").first).to_have_text("no images")
    reader.go("identities/bulk-00001", "many")
    expect(reader.page.locator(".seen .triple").first).to_have_text("no images")


def slow(reader):
    page, held = reader.page, []
    reader.go("query")
    page.get_by_role("button", name="Clear").click()
    reader.put(2)
    page.route("**/queries", lambda route: held.append(route))
    reader.find()
    reader.text("Still waiting for the server")
    page.get_by_role("button", name="Stop waiting").click()
    reader.text("Stopped.")
    reader.find()
    reader.text("Still waiting for the server")
    held[-1].continue_()
    page.wait_for_selector(".match")
    page.unroute("**/queries")


def away(reader):
    page = reader.page
    reader.go("query")
    reader.put(3)
    reader.world.stop()
    reader.find()
    reader.text("The server does not answer. Nothing you typed is lost")
    reader.page.goto(f"{reader.world.url}/console/#/parking/identities")
    page.wait_for_selector(".wrong-box")
    reader.world.start()
    reader.text("The server is back.")
    page.wait_for_selector(".person")
    reader.go("query")
    expect(page.locator(".slot .target.full")).to_have_count(3)
    reader.find()
    page.wait_for_selector(".match")


def erased(reader):
    """An identity that another client erases while its page, and questions about it, are open."""
    page, world = reader.page, reader.world
    sighting = world.enrol("leaving", 5)["id"]
    world.enrol("staying", 8)
    reader.go("identities/leaving")
    page.wait_for_selector(".seen .picture.shown")
    page.get_by_role("button", name="Merge into …").click()
    reader.answer("Merge into another", **{"Into the identity": "staying"})
    world.erase("leaving")
    refused(page, "Merge into another", "Merge", **{"Into the identity": "staying"})
    for button, title, verb, field in [("Rename", "Rename", "Rename", "New name"), ("Give a label", "Label", "Save", "Label")]:
        page.get_by_role("button", name=button).click()
        reader.answer(title, **{field: "something new"})
        refused(page, title, verb, **{field: "something new"})
    page.get_by_role("button", name="Erase …").click()
    refused(page, "Erase leaving and its 1 sighting?", "Erase")
    page.get_by_label("Watchlist").click()
    expect(page.locator("main .wrong-box").first).to_contain_text("erased, renamed or merged meanwhile")
    expect(page.get_by_label("Watchlist")).not_to_be_checked()
    page.locator(".seen input[type=checkbox]").check()
    page.get_by_role("button", name="Move to …").click()
    reader.answer("Move", **{"To the identity": "staying"})
    refused(page, "Move", "Move", **{"To the identity": "staying"})
    page.reload()
    reader.text("erased, renamed or merged meanwhile")
    # The other way round: what it is to be merged into is gone.
    reader.go("identities/staying")
    page.get_by_role("button", name="Merge into …").click()
    reader.answer("Merge into another", **{"Into the identity": "leaving"})
    refused(page, "Merge into another", "Merge", **{"Into the identity": "leaving"})
    page.goto(f"{world.url}/console/#/parking/query?identity=leaving&sighting={sighting}")
    reader.text("erased")
    # Of two sightings that are to be moved one is erased: the other is moved, which is said and can be undone.
    stays, goes = (world.enrol("parting", number)["id"] for number in (9, 10))
    reader.go("identities/parting")
    for one in (stays, goes):
        page.locator(f"#s-{one} input").check()
    page.get_by_role("button", name="Move to …").click()
    reader.answer("Move", **{"To the identity": "staying"})
    world.ask("DELETE", f"/v1/galleries/parking/identities/parting/sightings/{goes}")
    refused(page, "Move", "Move", **{"To the identity": "staying"})
    reader.text("Only 1 sighting moved to staying.")
    page.get_by_role("button", name="Undo").last.click()
    reader.text("Undone.")
    # A list that was asked for before.
    world.enrol("late", 9)
    held = []
    page.route("**/identities/late/sightings?*", lambda route: held.append(route))
    reader.go("identities")
    expect(page.get_by_role("link", name="late")).to_be_visible()
    page.wait_for_timeout(500)
    world.erase("late")
    for route in held:
        route.continue_()
    expect(page.get_by_role("link", name="late")).to_contain_text("erased or moved")
    page.unroute("**/identities/late/sightings?*")
    for name in ("staying", "parting"):
        world.erase(name)


def refused(page, title, verb, **typed):
    """A question that is answered with a reason, at its place, and keeps what was typed."""
    box = page.get_by_role("dialog", name=title)
    box.get_by_role("button", name=verb, exact=True).click()
    expect(box.locator(".wrong-box")).to_contain_text("Request")
    for label, value in typed.items():
        expect(box.get_by_label(label)).to_have_value(value)
    box.get_by_role("button", name="Cancel").click()


def failed_job(reader):
    """A job that the server's end cuts off, where it was asked for and among the jobs."""
    page, world = reader.page, reader.world
    reader.go("quality")
    page.get_by_label("Sightings to look for").fill("77")
    # These are before it.
    for _ in range(3):
        world.ask("POST", "/v1/galleries/many/maps", {"samples": 5000})
    page.get_by_role("button", name="Evaluate").click()
    reader.text("waits for another")
    world.stop()
    reader.text("the connection broke; following again")
    world.start()
    expect(page.locator("main .wrong")).to_contain_text("ask again")
    expect(page.get_by_label("Sightings to look for")).to_have_value("77")
    reader.axe("a failed job")
    reader.go("jobs")
    expect(page.locator("main .wrong").first).to_contain_text("ask again")
    reader.go("quality")
    expect(page.get_by_label("Sightings to look for")).to_have_value("77")
    page.get_by_role("button", name="Evaluate").click()
    reader.text("Among all others")
