"""A page of the console in Chromium, as a person has it before them, and what must never happen on it."""
import importlib.util
import pathlib

from playwright.sync_api import expect

AXE = pathlib.Path(importlib.util.find_spec("axe_playwright_python").origin).parent / "axe.min.js"
VIEWS = ["query", "identities", "live", "map", "quality", "thresholds", "models", "jobs", "webhooks", "keys", "audit", "health",
         "corrections", "groups"]
# Long, for machines that are busy with other things.
expect.set_options(timeout=60_000)


class Reader:
    """A page of the console, and what must not happen on it."""

    def __init__(self, browser, world, width=1280, height=860, scheme="light"):
        self.world, self.errors = world, []
        self.page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
        self.page.set_default_timeout(60_000)
        self.page.on("pageerror", lambda error: self.errors.append(f"{error}"))
        self.page.on("console", self.heard)
        self.page.on("request", self.asked)
        self.page.goto(f"{world.url}/console/")

    def sign_in(self, token):
        """Where the server has asked for a key."""
        dialog = self.page.get_by_role("dialog", name="Sign in to Triptych")
        dialog.get_by_label("Key", exact=True).fill(token)
        dialog.get_by_role("button", name="Sign in").click()

    def heard(self, message):
        # What is answered with an error is one to Chromium too.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.errors.append(message.text)

    def asked(self, request):
        if not request.url.startswith((self.world.url, "blob:")) or "triptych_" in request.url:
            self.errors.append(f"asked for {request.url}")

    def go(self, view, gallery="parking"):
        self.page.goto(f"{self.world.url}/console/#/{gallery}/{view}")
        expect(self.page.locator("main h1")).to_be_visible()

    def put(self, number):
        for file, modality in zip(self.world.files(number), ("rgb", "nir", "tir")):
            self.page.locator(f".slot.{modality} input[type=file]").first.set_input_files(file)

    def find(self):
        self.page.get_by_role("button", name="Find", exact=True).click()

    def text(self, words):
        expect(self.page.get_by_text(words).first).to_be_visible()

    def answer(self, dialog, **fields):
        box = self.page.get_by_role("dialog", name=dialog)
        for label, value in fields.items():
            box.get_by_label(label).fill(value)
        return box

    def axe(self, where):
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((all) => all.violations)")
        assert not found, f"{where}: " + "; ".join(f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:160]}" for one in found)
