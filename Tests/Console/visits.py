"""What a first visit costs a browser that has nothing of the console: requests and bytes, which have a budget, and times, which are told.

Each visit is made twice: as the machine is, and as Lighthouse judges pages by default, with a slow mobile network (1.6 Mbit/s down,
750 kbit/s up, 150 ms of latency a request) and a processor four times as slow.
"""
import time

SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1_638_400 / 8, "uploadThroughput": 768_000 / 8}
# Of the console's own files, and of all that is asked for, the pictures in sight included.
FILES = {"files": 50, "file_bytes": 125_000}
VISITS = [  # view, what it is there by, budget
    ("parking/query", "form", {**FILES, "requests": 60, "bytes": 175_000}),
    ("parking/identities", ".person .picture.shown", {**FILES, "requests": 105, "bytes": 265_000}),
    ("many/identities", ".person", {**FILES, "requests": 90, "bytes": 185_000}),
]


class Visit:
    """A page that was never there, from its address to a selector, and on until nothing more is asked for."""

    def __init__(self, browser, world, view, ready, slow):
        self.page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
        self.page.set_default_timeout(60_000)
        protocol = self.page.context.new_cdp_session(self.page)
        protocol.on("Network.requestWillBeSent", self.asked)
        protocol.on("Network.loadingFinished", self.finished)
        protocol.send("Network.enable")
        if slow:
            protocol.send("Network.emulateNetworkConditions", SLOW)
            protocol.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        self.addresses, self.bytes = {}, {}
        start = time.monotonic()
        self.page.goto(f"{world.url}/console/#/{view}")
        self.page.wait_for_selector(ready)
        self.seconds = time.monotonic() - start
        self.painted = self.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000
        self.settle()

    def settle(self):
        asked = -1
        for _ in range(60):
            if asked == len(self.addresses) == len(self.bytes):
                return
            asked = len(self.addresses)
            self.page.wait_for_timeout(500)

    def asked(self, event):
        if not event["request"]["url"].startswith("blob:"):
            self.addresses[event["requestId"]] = event["request"]["url"]

    def finished(self, event):
        if event["requestId"] in self.addresses:
            self.bytes[event["requestId"]] = event["encodedDataLength"]

    def sums(self):
        files = [key for key, url in self.addresses.items() if "/console/" in url]
        return {"files": len(files), "file_bytes": sum(self.bytes.get(key, 0) for key in files),
                "requests": len(self.addresses), "bytes": sum(self.bytes.values())}


def answer(page, files):
    """Seconds from the click to the first answer of a query."""
    for file, modality in zip(files, ("rgb", "nir", "tir")):
        page.locator(f".slot.{modality} input[type=file]").first.set_input_files(file)
    start = time.monotonic()
    page.get_by_role("button", name="Find", exact=True).click()
    page.wait_for_selector(".match")
    return time.monotonic() - start


def measure(browser, world):
    """Makes the visits and says what they cost. Throws `AssertionError` for more than the budget."""
    over = []
    for view, ready, most in VISITS:
        for slow in (False, True):
            visit = Visit(browser, world, view, ready, slow)
            sums = visit.sums()
            words = f"{view}{', slow' if slow else ''}: {sums['files']} files of {sums['file_bytes'] / 1000:.0f} kB, {sums['requests']} " \
                f"requests of {sums['bytes'] / 1000:.0f} kB in all; first paint {visit.painted:.2f} s, ready {visit.seconds:.2f} s"
            if "query" in view:
                words += f", an answer {answer(visit.page, world.files(0)):.2f} s later"
            print(f"  {words}", flush=True)
            over += [f"{view}: {value} {name}, at most {most[name]}" for name, value in sums.items() if value > most[name]]
            visit.page.context.close()
    assert not over, over
