"""Makes a site of all documents, and of TriptychClient's symbols, in .build-site/site. Fails for a link, or a part of a page, that is not
there: mkdocs checks each of them, and DocC each symbol and parameter.

    make site               # in a virtual environment of its own; after a build, for the symbols
    python3 -m http.server --bind 127.0.0.1 --directory .build-site/site 8000
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / ".build-site"
PAGES = WORK / "pages"
SECTIONS = {
    "Use": ["docs/console.md", "docs/http.md", "docs/client.md", "clients/python/README.md", "docs/analysis.md"],
    "Operate": ["docs/operation.md", "docs/sizing.md", "docs/incidents.md", "docs/threat-model.md"],
    "Train": ["docs/training.md", "docs/datasets.md", "docs/evaluation.md", "docs/reports.md", "docs/pruning.md",
              "docs/quantization.md"],
    "Systems": ["docs/systems/*.md"],
    "Trust": ["docs/parity.md", "docs/benchmarks.md"],
    "Change": ["docs/architecture.md", "docs/file-formats.md", "CONTRIBUTING.md", "CHANGELOG.md"],
    "Decisions": ["docs/decisions/*.md"],
}
LINK = re.compile(r"(\]\(|src=\")(?![a-z]+:|#)([^)#\"\s]+)")


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def lay_out(name, seen):
    """Copies a page, and what it links to that is no page; a folder becomes a page that lists its files."""
    text = (ROOT / name).read_text()

    def linked(match):
        target = os.path.normpath(os.path.join(os.path.dirname(name), match[2]))
        if (ROOT / target).is_dir():
            index = f"{target}/README.md" if (ROOT / target / "README.md").exists() else f"{target}/index.md"
            if index.endswith("index.md") and index not in seen:
                seen.add(index)
                files = tracked(target)
                write(index, f"# {target}\n\n" + "".join(f"- [{file[len(target) + 1:]}]({file[len(target) + 1:]})\n" for file in files))
                for file in files:
                    copy(file)
            return match[1] + os.path.relpath(index, os.path.dirname(name) or ".")
        if (ROOT / target).is_file() and not target.endswith(".md"):
            copy(target)
        return match[0]

    write(name, LINK.sub(linked, text))


def write(name, text):
    (PAGES / name).parent.mkdir(parents=True, exist_ok=True)
    (PAGES / name).write_text(text)


def copy(name):
    (PAGES / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / name, PAGES / name)


def navigation(pages, folders):
    """Every page has a place: those that no section names come last."""
    left, nav = dict.fromkeys(page for page in pages if page != "README.md"), [{"Home": "README.md"}]
    for title, patterns in SECTIONS.items():
        found = [page for pattern in patterns for page in list(left) if pathlib.PurePath(page).match(pattern)]
        for page in found:
            left.pop(page, None)
        nav.append({title: found})
    others = list(left) + sorted(folders)
    return nav + ([{"Others": others}] if others else [])


def symbols():
    """TriptychClient's public symbols, of the build that there is, as DocC shows them."""
    graphs, release = WORK / "symbols", ROOT / ".build/release"
    graphs.mkdir(parents=True)
    swift = pathlib.Path(shutil.which("swift")).resolve().parent
    includes = [release / "Modules", *ROOT.glob(".build/checkouts/*/Sources/*/include")]
    target = subprocess.run([swift / "swift", "-print-target-info"], check=True, capture_output=True, text=True).stdout
    subprocess.run([swift / "swift-symbolgraph-extract", "-module-name", "TriptychClient", "-minimum-access-level", "public",
                    "-skip-synthesized-members", "-target", re.search(r'"triple": "([^"]+)"', target)[1], "-output-dir", graphs,
                    *(option for include in includes for option in ("-I", include))], check=True)
    subprocess.run([swift / "docc", "convert", ROOT / "docs/site/TriptychClient.docc", "--additional-symbol-graph-dir", graphs,
                    "--fallback-display-name", "TriptychClient", "--fallback-bundle-identifier", "triptych.client",
                    "--transform-for-static-hosting", "--hosting-base-path", "swift", "--warnings-as-errors",
                    "--output-dir", WORK / "site/swift"], check=True, stdout=subprocess.DEVNULL)


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    pages = [name for name in tracked("*.md") if not name.startswith((".", "Tests/", "docs/site/"))]
    seen = set()
    for page in pages:
        lay_out(page, seen)
    settings = yaml.safe_load((ROOT / "docs/site/mkdocs.yaml").read_text())
    settings |= {"nav": navigation(pages, seen), "docs_dir": str(PAGES), "site_dir": str(WORK / "site")}
    (WORK / "mkdocs.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    # Without its remarks, of which warnings are what makes it fail.
    made = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", WORK / "mkdocs.yaml"],
                          env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True)
    if made.returncode:
        sys.exit("\n".join(line for line in made.stderr.splitlines() if not line.startswith("INFO")))
    symbols()
    print(f"{len(pages)} pages: {WORK / 'site/index.html'}; the Swift library: /swift/documentation/triptychclient/ below where it is served")


if __name__ == "__main__":
    main()
