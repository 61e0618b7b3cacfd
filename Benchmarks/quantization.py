"""What narrow numbers cost in mAP, save in size and win in speed, of trained models, over several seeds.

    python3 Benchmarks/quantization.py --triptych .build/release/triptych --output /tmp/quantization --seeds 1 2 3

For each seed: trains the demo's ViTs and ResNet-18s, prunes them by half of their heads, neurons and filters, and makes each of
both narrow with a budget of mAP among the identities that training held out. The figures are those that pruning and quantising
measure: mAP on the query and gallery splits, and how many times as fast eight triples are encoded as by the parent, in turns.
With --steps those of int8 are made once more with so many steps of fine-tuning, and a second table compares.
Prints a table, and writes quantization.json and quantization.svg. What is there already is not made again; --report makes
nothing, and shows what is there. Only the standard library.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
from html import escape

NETWORKS = {"ViT": "fusion", "ResNet-18": "unicat"}
FORMS = ["float32", "bf16", "int8", "pruned", "pruned bf16", "pruned int8"]
COLOURS = ["#3b6fb6", "#5fb5c4", "#4c9f70", "#e08a2e", "#d48fb8", "#c8504b"]
BUDGETS = {"int8": 0.003, "bf16": 0.0005}


def make(file, command):
    """Runs a command unless the file that it makes is there, and gives the file."""
    if not file.exists():
        subprocess.run([str(part) for part in command], check=True)
    return file


def models(a, network, seed):
    """The files by form."""
    folder, recipe = a.output / f"{NETWORKS[network]}-{seed}", f"deploy/recipes/{NETWORKS[network]}-demo.yaml"
    data, held = a.output / "data", ["--set", "validation.identities=0.1"]
    train = [a.triptych, "train", "--config", recipe, "--data", data, "--seed", seed, "--output", folder / "float32", *held]
    found = {"float32": make(folder / "float32" / "model.safetensors", train)}
    prune = [a.triptych, "prune", "--checkpoint", found["float32"], "--config", recipe, "--data", data, "--output",
             folder / "pruned", "--structure", "units", "--targets", "0.5", "--steps", "100", *held]
    found["pruned"] = make(folder / "pruned" / "model.safetensors", prune)
    for parent in ("float32", "pruned"):
        for precision, budget in BUDGETS.items():
            form = precision if parent == "float32" else f"pruned {precision}"
            output = folder / form.replace(" ", "-")
            quantize = [a.triptych, "quantize", "--checkpoint", found[parent], "--precision", precision, "--data", data,
                        "--budget", budget, "--budget-of", "mAP", "--output"]
            found[form] = make(output / "model.safetensors", [*quantize, output])
            if a.steps and precision == "int8":
                output = tuned(a, folder, form)
                make(output / "model.safetensors", [*quantize, output, "--steps", a.steps, "--learning-rate", a.learning_rate])
    return found


def tuned(a, folder, form):
    """The folder of a fine-tuned model."""
    return folder / f"{form.replace(' ', '-')}-{a.steps}-{a.learning_rate}"


def figures(folder):
    """Of a run's parent and of what it has made, if it has ended."""
    file = folder / "figures.json"
    return json.loads(file.read_text())[:2] if file.exists() else None


def measured(a, network, seed):
    """By form, of those that are there."""
    folder, found = a.output / f"{NETWORKS[network]}-{seed}", {}
    for form in FORMS[1:]:
        if not (pair := figures(folder / form.replace(" ", "-"))):
            continue
        parent, model = pair
        base = "pruned" if form.startswith("pruned ") else "float32"
        if base == "float32":
            found["float32"] = {"mAP": parent["metrics"]["mAP"] * 100, "bytes": parent["file_bytes"], "speed": 1, "wider": 0}
        speed = model["throughput"][-1]["speedup"] * (found[base]["speed"] if base in found else 1)
        wider = provenance(folder / form.replace(" ", "-") / "model.safetensors").get("wider", [])
        found[form] = {"mAP": model["metrics"]["mAP"] * 100, "bytes": model["file_bytes"], "speed": speed, "wider": len(wider)}
    return found


def provenance(file):
    """What a file says of its quantising."""
    with open(file, "rb") as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
    return json.loads(header["__metadata__"]["triptych"]).get("quantization", {})


def table(found, seeds):
    lines = ["| | mAP of each seed | mean | beside its parent | times as fast | file, MB | layers that stayed wider |",
             "|---|---|---|---|---|---|---|"]
    for network, rows in found.items():
        for form in FORMS:
            if not all(form in rows[str(seed)] for seed in seeds):
                continue
            of = [rows[str(seed)][form] for seed in seeds]
            parent = "pruned" if form.startswith("pruned ") else "float32"
            beside = [row["mAP"] - rows[str(seed)][parent]["mAP"] for seed, row in zip(seeds, of)]
            each, mean = ", ".join(f"{row['mAP']:.2f}" for row in of), statistics.mean(row["mAP"] for row in of)
            speed, size = statistics.median(row["speed"] for row in of), of[0]["bytes"] / 1e6
            lines.append(f"| {network}, {form} | {each} | {mean:.2f} | {', '.join(f'{d:+.2f}' for d in beside)} | "
                         f"{speed:.2f} | {size:.2f} | {', '.join(str(row['wider']) for row in of)} |")
    return "\n".join(lines)


def tuning(a):
    """What fine-tuning changes: the mean of 1 - cosine to the parent over the queries, and mAP beside it, of each seed."""
    lines = ["| int8 of | 1 - cosine, millionths | fine-tuned | mAP beside the parent | fine-tuned | fine-tuned one stayed |",
             "|---|---|---|---|---|---|"]
    for network in a.networks:
        for form in ("int8", "pruned int8"):
            columns = []
            for seed in a.seeds:
                folder = a.output / f"{NETWORKS[network]}-{seed}"
                columns.append([])
                for output in (folder / form.replace(" ", "-"), tuned(a, folder, form)):
                    parent, model = figures(output)
                    columns[-1] += [f"{(1 - model['embedding_space']['mean_cosine']) * 1e6:.1f}",
                                    f"{(model['metrics']['mAP'] - parent['metrics']['mAP']) * 100:+.2f}"]
                columns[-1].append("yes" if "fine_tuning" in provenance(output / "model.safetensors") else "no")
            cells = [", ".join(column[i] for column in columns) for i in (0, 2, 1, 3, 4)]
            lines.append(f"| {network}{', pruned' if 'pruned' in form else ''} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def chart(found, seeds):
    """A panel a network: mAP against speed, a circle a seed, as large as the file."""
    width, height, left, right, top, bottom = 470, 300, 50, 20, 46, 48
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width * len(found)} {height}" '
           f'width="{width * len(found)}" font-family="sans-serif" font-size="11">'
           '<rect width="100%" height="100%" fill="white"/>']
    for panel, (network, rows) in enumerate(found.items()):
        points = [(form, rows[str(seed)][form]) for form in FORMS for seed in seeds if form in rows[str(seed)]]
        low, high = min(p["mAP"] for _, p in points) - 1, max(p["mAP"] for _, p in points) + 1
        fastest, largest = max(p["speed"] for _, p in points) * 1.1, max(p["bytes"] for _, p in points)
        x = lambda v: panel * width + left + v / fastest * (width - left - right)
        y = lambda v: top + (high - v) / (high - low) * (height - top - bottom)
        out.append(f'<text x="{panel * width + left}" y="16" font-size="13" font-weight="bold">{escape(network)}</text>')
        step = max(1, round((high - low) / 5))
        for tick in range(int(low) + 1, int(high) + 1, step):
            out.append(f'<path d="M{x(0)} {y(tick):.1f}H{x(fastest):.1f}" stroke="#ddd"/>'
                       f'<text x="{x(0) - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick}</text>')
        for tick in range(int(fastest) + 1):
            out.append(f'<text x="{x(tick):.1f}" y="{height - 30}" text-anchor="middle">{tick}</text>')
        for form, point in points:
            colour, radius = COLOURS[FORMS.index(form)], 14 * (point["bytes"] / largest) ** 0.5
            out.append('<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s" fill-opacity="0.45" stroke="%s"/>'
                       % (x(point["speed"]), y(point["mAP"]), radius, colour, colour))
        out.append(f'<text x="{panel * width + width / 2}" y="{height - 12}" text-anchor="middle">times as fast as '
                   'float32; circles as large as the file</text>')
        out.append(f'<text transform="translate({panel * width + 14} {height / 2}) rotate(-90)" text-anchor="middle">'
                   'mAP, percent</text>')
        for index, form in enumerate(FORMS):
            at = panel * width + left + index * 70
            out.append(f'<circle cx="{at}" cy="30" r="4" fill="{COLOURS[index]}"/><text x="{at + 7}" y="34" '
                       f'font-size="10">{form}</text>')
    return "\n".join(out) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--triptych", default=".build/release/triptych")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--steps", type=int, default=0, help="of fine-tuning")
    parser.add_argument("--learning-rate", default="1e-5", help="of fine-tuning")
    parser.add_argument("--report", action="store_true", help="make nothing")
    a = parser.parse_args()
    a.output.mkdir(parents=True, exist_ok=True)
    if not a.report:
        make(a.output / "data" / "dataset.json", [
            a.triptych, "synthesize", "--output", a.output / "data", "--identities", 300, "--cameras", 4, "--sightings", 3,
            "--height", 64, "--width", 128, "--seed", 1])
        for network in a.networks:
            for seed in a.seeds:
                models(a, network, seed)
    found = {network: {str(seed): measured(a, network, seed) for seed in a.seeds} for network in a.networks}
    (a.output / "quantization.json").write_text(json.dumps(found, indent=1) + "\n")
    (a.output / "quantization.svg").write_text(chart(found, a.seeds))
    print(table(found, a.seeds))
    if a.steps:
        print("\n" + tuning(a))


if __name__ == "__main__":
    main()
