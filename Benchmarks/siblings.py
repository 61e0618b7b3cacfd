"""Trains the small siblings of the papers' recipes, and writes what they come to into docs/training.md.

    python3 Benchmarks/siblings.py --triptych .build/release/triptych --output /tmp/siblings [RECIPE…]

Each recipe's sibling, RECIPE:small, learns from rendered data once, seed 1, and is measured on the query and gallery splits.
Siblings that come to the same are trained once: data sets of the same modalities differ in the paper's sizes only. Those of RGBNT100,
RGBN300 and RGBNT201 read vehicles laid out as RGBNT100 is. What is there already is not made again; the table has all that is there.
Trainings run on one thread, and their minutes are the processor's: what else runs makes little of a difference to them. Only the
standard library.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "training.md"
BEGIN, END = "<!-- siblings -->\n", "<!-- /siblings -->\n"
RENDERED = ["--identities", "300", "--cameras", "4", "--sightings", "2", "--height", "48", "--width", "96"]


def measured(command):
    """Runs a command; its output and the minutes of processor that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    answer = subprocess.run(
        [str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True, env=alone).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return answer, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 60


def config(recipe):
    return f"{ROOT / 'deploy' / 'recipes' / recipe}.yaml:small"


def groups(a):
    """The papers' recipes whose siblings come to the same, by what that is."""
    known = json.loads(measured([a.triptych, "recipes", "--json"])[0])
    groups = {}
    for recipe in known:
        if any(variant["name"] == "small" for variant in recipe["variants"]):
            yaml = measured([a.triptych, "recipes", config(recipe["name"]), "--yaml"])[0]
            groups.setdefault(re.sub(r"(?m)^(about|evaluate): .*\n| +# .*$", "", yaml), []).append(recipe["name"])
    return list(groups.values())


def data(a, layout):
    folder = a.output / layout
    if not folder.exists():
        measured([a.triptych, "synthesize", "--output", folder, "--layout", layout, *RENDERED])
    return folder


def train(a, recipe):
    """Trains and measures a sibling unless that has been done."""
    figures = a.output / f"{recipe}.json"
    if figures.exists():
        return
    images = data(a, "rgbnt100" if "-rgb" in recipe else "triples")
    run = a.output / recipe
    _, minutes = measured([a.triptych, "train", "--config", config(recipe), "--data", images, "--output", run, "--seed", 1])
    answer, _ = measured([a.triptych, "evaluate", "--checkpoint", run / "model.safetensors", "--data", images, "--json"])
    steps = sum(1 for _ in open(run / "steps.jsonl"))
    figures.write_text(json.dumps({"steps": steps, "minutes": minutes, "results": json.loads(answer)["results"]}))


def row(recipes, figures):
    of = {result["modalities"]: result["metrics"] for result in figures["results"]}
    whole, chance = figures["results"][0]["metrics"], of["random ranking"]
    mAP = "mAP" if "mAP" in whole else "m_ap"
    percent = lambda metrics, key: f"{metrics[key] * 100:.1f}" if metrics else "–"
    alone = [percent(of.get(name), mAP) if len(of) > 2 else "–" for name in ("rgb", "nir", "tir")]
    cells = [", ".join(f"`{recipe}`" for recipe in recipes), str(figures["steps"]), f"{figures['minutes']:.1f}",
             percent(whole, mAP), percent(whole, "rank1"), *alone, percent(chance, mAP)]
    return "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--triptych", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE")
    a = parser.parse_args()
    a.triptych = a.triptych.resolve()
    a.output.mkdir(parents=True, exist_ok=True)
    alike = groups(a)
    for recipes in alike:
        if not a.recipes or not set(a.recipes).isdisjoint(recipes):
            train(a, recipes[0])
    lines = ["| sibling of | steps | minutes of processor | mAP | Rank-1 | rgb | nir | tir | random mAP |", "|---" * 9 + "|"]
    for recipes in alike:
        if (figures := a.output / f"{recipes[0]}.json").exists():
            lines.append(row(recipes, json.loads(figures.read_text())))
    head, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(head + BEGIN + "\n".join(lines) + "\n" + END + rest.split(END)[1])
    print("\n".join(lines))


if __name__ == "__main__":
    main()
