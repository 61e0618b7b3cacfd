"""Opens pages of `triptych report`, `compare` and `sweep` in Chromium: on a desk and on a phone, by day and by night. Fails for a
request to anywhere, a message in the console, a page wider than its window, or what axe-core finds serious.

    python Tests/Reports/look.py RUN/report.html [sweep.html …] [--pictures FOLDER]
    python Tests/Reports/look.py RUN/report.html --picture docs/images/report.jpg

It needs Chromium (`apt-get install chromium`, or CHROMIUM=path), and the packages `playwright` and `axe-playwright-python`.
"""
import argparse
import importlib.util
import os
import pathlib
import sys

from playwright.sync_api import sync_playwright

AXE = pathlib.Path(importlib.util.find_spec("axe_playwright_python").origin).parent / "axe.min.js"
SIZES = {"desk": (1280, 900), "phone": (390, 800)}


def look(browser, path, size, scheme, picture=None):
    found = []
    context = browser.new_context(
        viewport=dict(zip(("width", "height"), SIZES[size])), color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.on("console", lambda message: found.append(f"console: {message.text}"))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or found.append(f"asks for {request.url}"))
    page.goto(path.resolve().as_uri())
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        found.append(f"{wide} pixels wider than the window")
    page.add_script_tag(content=AXE.read_text())
    for violation in page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((all) => all.violations)"):
        if violation["impact"] in ("serious", "critical"):
            found.append(f"{violation['id']}: {violation['help']}: {violation['nodes'][0]['html'][:160]}")
    if picture:
        page.screenshot(path=picture, full_page=True)
    context.close()
    return found


def show(browser, path, picture):
    """The one picture of docs/reports.md: the first ranked lists, and where the model looks."""
    page = browser.new_page(viewport={"width": 1080, "height": 600}, color_scheme="light")
    page.goto(path.resolve().as_uri())
    page.add_style_tag(content="""header, footer, main > section:not(#ranked, #attention), #ranked h3,
        #ranked figure:nth-of-type(n + 2) { display: none } body { padding-top: 0 }""")
    page.screenshot(path=picture, type="jpeg", quality=78, full_page=True)
    page.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    parser.add_argument("--pictures", type=pathlib.Path, help="keep what was seen in this folder")
    parser.add_argument("--picture", type=pathlib.Path, help="make the picture of docs/reports.md, and nothing else")
    options = parser.parse_args()
    problems = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
        if options.picture:
            sys.exit(show(browser, options.pages[0], options.picture))
        for path in options.pages:
            for size in SIZES:
                for scheme in ("light", "dark"):
                    name = options.pictures and options.pictures / f"{path.parent.name}-{path.stem}-{size}-{scheme}.png"
                    problems += [f"{path} {size} {scheme}: {p}" for p in look(browser, path, size, scheme, name)]
    print("\n".join(problems) or f"{len(options.pages)} pages are well")
    sys.exit(bool(problems))
