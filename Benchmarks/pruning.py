"""Iterative magnitude pruning over several seeds, beside models trained as long without pruning.

    python3 Benchmarks/pruning.py --triptych .build/release/triptych --output /tmp/pruning --seeds 1 2 3

For each seed: trains the demo's model, trains it on (the parent), prunes the parent step by step, and trains it on without
pruning for as many steps as the model that has lost half of its weights has had (the control). Prints a table, and writes
pruning.json and pruning.svg. What is there already is not made again. Only the standard library.
"""
import argparse
import json
import pathlib
import statistics
import subprocess

TARGETS = [0.4, 0.55, 0.7, 0.85]
RECIPE = "deploy/recipes/graft-demo-prune.yaml"


def make(file, command):
    """Runs a command unless the file that it makes is there."""
    if not file.exists():
        subprocess.run([str(part) for part in command], check=True)


def run(a, seed, data):
    """The rows of a seed: (share removed or None for the control, mAP, Rank-1, backbone parameters, bytes)."""
    folder = a.output / f"seed-{seed}"
    first, parent, control, pruned = (folder / name for name in ("first", "parent", "control", "pruned"))
    train = [a.triptych, "train", "--data", data, "--seed", seed]
    make(first / "model.safetensors", train + ["--config", "deploy/recipes/graft-demo.yaml", "--output", first])
    make(parent / "model.safetensors", train + ["--config", RECIPE, "--output", parent, "--set", "stages.0.steps=450",
                                                "--init", first / "model.safetensors"])
    make(control / "model.safetensors", train + ["--config", RECIPE, "--output", control, "--set", "stages.0.steps=300",
                                                 "--init", parent / "model.safetensors"])
    make(pruned / "figures.json", [a.triptych, "prune", "--checkpoint", parent / "model.safetensors", "--config", RECIPE,
                                   "--data", data, "--output", pruned, "--targets", ",".join(map(str, TARGETS)),
                                   "--steps", 150, "--sweep", "--seed", seed])
    rows = [(m["target"], m["metrics"]["mAP"] * 100, m["metrics"]["rank1"] * 100, m["size"]["backbone_parameters"],
             m["file_bytes"]) for m in json.loads((pruned / "figures.json").read_text())]
    answer = subprocess.run([a.triptych, "evaluate", "--checkpoint", str(control / "model.safetensors"), "--data",
                             str(data), "--together", "--json"], check=True, capture_output=True, text=True).stdout
    metrics = json.loads(answer)["results"][0]["metrics"]
    rows.append((None, metrics["mAP"] * 100, metrics["rank1"] * 100, rows[0][3], (control / "model.safetensors").stat().st_size))
    return rows


def name(target):
    return "parent, 300 steps more" if target is None else "parent" if target == 0 else f"−{target:.0%} of weights"


def table(rows, seeds):
    lines = ["| | backbone parameters | file, bytes | mAP of each seed | mean mAP | beside the control |",
             "|---|---|---|---|---|---|"]
    control = {seed: mAP for seed in seeds for target, mAP, *_ in rows[seed] if target is None}
    for index in range(len(rows[seeds[0]])):
        of = [rows[seed][index] for seed in seeds]
        difference = statistics.mean(row[1] - control[seed] for seed, row in zip(seeds, of))
        lines.append(f"| {name(of[0][0])} | {of[0][3]:,} | {of[0][4]:,} | {', '.join(f'{row[1]:.1f}' for row in of)} | "
                     f"{statistics.mean(row[1] for row in of):.1f} | {difference:+.1f} |")
    return "\n".join(lines)


def chart(rows, seeds):
    """mAP against the backbone's parameters, a line a seed, the controls as crosses."""
    width, height, left, top = 560, 300, 60, 20
    models = [row for seed in seeds for row in rows[seed]]
    low = min(row[1] for row in models) // 1 - 1
    high = max(row[1] for row in models) // 1 + 1
    most = max(row[3] for row in models)

    def at(row):
        return left + row[3] / most * (width - left - 30), top + (high - row[1]) / (high - low) * (height - top - 50)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
           'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>']
    for tick in range(int(low), int(high) + 1):
        y = at((0, tick, 0, 0))[1]
        out.append(f'<path d="M{left} {y:.1f}H{width - 30}" stroke="#ddd"/>'
                   f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick}</text>')
    for index, seed in enumerate(seeds):
        colour = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e"][index % 5]
        line = [at(row) for row in rows[seed] if row[0] is not None]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="'
                   + " ".join(f"{x:.1f},{y:.1f}" for x, y in line) + '"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in line]
        for x, y in [at(row) for row in rows[seed] if row[0] is None]:
            out.append(f'<path d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{left + 10 + 70 * index}" y="{height - 62}" fill="{colour}">seed {seed}</text>')
    for target, _, _, parameters, _ in rows[seeds[0]]:
        if target is not None:
            x = at((0, low, 0, parameters))[0]
            label = "parent" if target == 0 else f"−{target:.0%}"
            out.append(f'<text x="{x:.1f}" y="{height - 30}" text-anchor="middle">{parameters / 1e3:.0f} k</text>'
                       f'<text x="{x:.1f}" y="{height - 17}" text-anchor="middle" fill="#666">{label}</text>')
    out.append(f'<text x="{width / 2}" y="{height - 3}" text-anchor="middle">backbone parameters that are not zero; '
               'crosses: the parent after 300 steps more</text>')
    out.append(f'<text transform="translate(16 {height / 2}) rotate(-90)" text-anchor="middle">mAP, percent</text></svg>')
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--triptych", default=".build/release/triptych")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    a = parser.parse_args()
    a.output.mkdir(parents=True, exist_ok=True)
    data = a.output / "data"
    make(data / "dataset.json", [a.triptych, "synthesize", "--output", data, "--identities", 300, "--cameras", 4,
                                  "--sightings", 3, "--height", 64, "--width", 128, "--seed", 1])
    rows = {seed: run(a, seed, data) for seed in a.seeds}
    (a.output / "pruning.json").write_text(json.dumps(rows, indent=2) + "\n")
    (a.output / "pruning.svg").write_text(chart(rows, a.seeds))
    print(table(rows, a.seeds))


if __name__ == "__main__":
    main()
