"""Twenty steps of every optimiser, schedule, change to images and option of the loop, of a tiny model, repeated in PyTorch.

    python3 Tests/Reference/options.py .build/release/triptych --output /tmp/options [NAME…] [--page docs/parity.md]

Each case is trained from its log's beginning by `triptych train`, then replayed by replay.py, from the log and nothing else. Printed
are the worst difference of a loss, relative; that of a learning rate from what PyTorch's own scheduler says; and how far apart the
weights are that both end with (those that are published: averaged ones where they are averaged), as a share of how far they have come.
Fails where a loss differs by more than 5e-4 before rounding may turn the run elsewhere (replay.py), a rate by more than 1e-6, or weights by
more than 1e-2, of ResNets 3e-2: AdamW follows a gradient's sign also where that is nothing but rounding. --page writes the table into a document. NAMEs choose cases.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from rates import rates  # noqa: E402
from replay import replay  # noqa: E402

BEGIN, END = "<!-- options -->\n", "<!-- /options -->\n"
HALF = {m: [0.5, 0.5, 0.5] for m in ("rgb", "nir", "tir")}
BASE = {
    "model": {"system": "fusion_concat", "modalities": ["rgb", "nir", "tir"],
              "backbone": {"kind": "vit", "width": 32, "depth": 2, "heads": 2, "mlp_ratio": 2, "patch": 8},
              "input": {"height": 32, "width": 64, "mean": HALF, "std": HALF}},
    "batch": {"identities": 4, "sightings": 4}, "augment": "none", "validation": {"identities": 0, "every": 0},
    "stages": [{"name": "all", "steps": 20, "learning_rate": 0.0001}],
}
GRAFT = ["model.system=graft", "model.head={fusion_tokens: 1, heads: 2, feedforward: 64, dropout: 0}"]
RESNET = ["model.backbone={kind: resnet, depth: 18}", "stages.0.learning_rate=0.00001"]
IEEE = ["model.system=ieee", "model.head={parts: 2, reduced: 32, part_width: 16, attention_ratio: 16}", *RESNET]
DMF = ["model.system=dmf", "model.head={text: {width: 16, max_tokens: 8}}"]


def stage(**values):
    return [f"stages.0.{key}={json.dumps(value)}" for key, value in values.items()]


def schedule(**values):
    return stage(schedule=values)


def augment(**values):
    return [f"augment={json.dumps({'flip': 0, 'erase': 0, **values})}"]


def loss(**values):
    return stage(loss=values)


CASES = {
    "optimiser": {
        "adamw": stage(optimizer="adamw"),
        "adamw, betas, epsilon and decay": stage(betas=[0.8, 0.99], epsilon=1e-4, weight_decay=0.5),
        "adam, decay": stage(optimizer="adam", weight_decay=0.05),
        "sgd, momentum and decay": stage(optimizer="sgd", learning_rate=0.002, weight_decay=0.01),
        "sgd, no momentum": stage(optimizer="sgd", learning_rate=0.005, momentum=0),
        "sgd, nesterov": stage(optimizer="sgd", learning_rate=0.002, nesterov=True),
        "groups of rate and decay": stage(optimizer="sgd", learning_rate=0.002, weight_decay=0.01, groups=[
            {"match": ["*.bias"], "rate": 2}, {"match": ["*norm*"], "decay": 0}, {"match": ["encoders."], "rate": 0.1}]),
        "clip_norm": stage(clip_norm=0.5),
    },
    "schedule": {
        "constant": schedule(decay="constant"),
        "warmup, from a share": schedule(warmup=8, warmup_start=0.2),
        "cosine, warmup": schedule(decay="cosine", warmup=5),
        "cosine, minimum": schedule(decay="cosine", minimum=0.1),
        "linear": schedule(decay="linear", minimum=0.2, warmup=4),
        "polynomial": schedule(decay="polynomial", power=2),
        "polynomial, minimum": schedule(decay="polynomial", power=0.9, minimum=0.1),
        "step": schedule(decay="step", milestones=[8, 14], gamma=0.3, warmup=3),
        "step, in epochs": stage(steps=None, epochs=4) + schedule(decay="step", milestones=["2 epochs"], warmup="1 epoch"),
        "square_root, cooldown": schedule(decay="square_root", warmup=4, cooldown=0.3),
    },
    "augment": {
        "flip": augment(flip=0.5), "flip_vertical": augment(flip_vertical=0.5), "shift": augment(shift=3), "pad": augment(pad=4),
        "part": augment(part={"probability": 0.7, "area": [0.3, 1]}),
        "jitter": augment(jitter={"brightness": 0.4, "contrast": 0.4, "saturation": 0.4}),
        "channel": augment(channel=0.7), "channel, or brightness": augment(channel={"probability": 0.7, "grey": True}),
        "grey": augment(grey=0.7), "erase, mean": augment(erase=0.7),
        "erase, constant": augment(erase={"probability": 0.7, "fill": "constant", "level": 90}),
        "erase, noise": augment(erase={"probability": 0.7, "fill": "noise"}),
        "erase, independent": augment(erase={"probability": 0.7, "fill": "noise", "independent": True}),
        "independent, all of it": augment(flip=0.5, shift=2, pad=2, grey=0.3, erase={"probability": 0.5, "fill": "noise"}, independent=True),
    },
    "loop": {
        "modality_dropout by batch": ["modality_dropout=0.7"],
        "modality_dropout by triple, fusion_concat": ["modality_dropout={share: 0.5, by: triple}"],
        "the same, fusion_concat after its neck": ["modality_dropout={share: 0.5, by: triple}", "model.neck_feature=after"],
        "by batch, fusion_concat after its neck": ["modality_dropout=0.7", "model.neck_feature=after"],
        "the same, fusion_average": ["modality_dropout={share: 0.5, by: triple}", "model.system=fusion_average"],
        "the same, two networks": ["modality_dropout={share: 0.5, by: triple}", "model.system=unicat", "model.networks=2"],
        "the same, graft": ["modality_dropout={share: 0.5, by: triple}", *GRAFT],
        "the same, graft vanilla": ["modality_dropout={share: 0.5, by: triple}", *GRAFT, "model.head.fusion=vanilla_cls"],
        "the same, ieee": ["modality_dropout={share: 0.5, by: triple}", *IEEE],
        "the same, mixer": ["modality_dropout={share: 0.5, by: triple}", "model.system=mixer"],
        "the same, dmf": ["modality_dropout={share: 0.5, by: triple}", *DMF, *stage(texts=0)],
        "dropout": [*GRAFT, "dropout=0.3"],
        "drop_path": ["drop_path=0.4"],
        "ema": ["ema=0.9"],
        "freeze": stage(freeze=["encoders.rgb.", "*.norm1.*"]),
        "freeze_for": stage(freeze=["encoders."], freeze_for=10),
        "freeze_for, in epochs": stage(freeze=["encoders."], freeze_for="2 epochs"),
        "batch.at_once": ["batch.at_once=3"],
        "batch.at_once, unicat": ["batch.at_once=5", "model.system=unicat"],
        "batch.triplets": [*GRAFT, "batch={triplets: 5}", "positives=3"],
        "two stages": ["stages=" + json.dumps([
            {"name": "first", "steps": 10, "learning_rate": 0.0001},
            {"name": "second", "steps": 10, "learning_rate": 0.002, "optimizer": "sgd"}])],
        "texts": [*DMF, *stage(texts=0.5)],
        "classifier, kaiming": ["classifier=kaiming", *stage(learning_rate=0.00002)],
    },
    "loss": {
        "unicat": ["model.system=unicat"],
        "fusion_average": ["model.system=fusion_average"],
        "two networks": ["model.networks=2"],
        "margin, weights, label_smoothing": loss(triplet=0.5, cross_entropy=0.7, margin=0.3, label_smoothing=0.1),
        **{f"graft, {kind}": [*GRAFT, *loss(combination=kind, center=0.01, label_smoothing=0.1, data_token=2)]
           for kind in ("FFD", "DDD", "FFF", "FDD", "DFF", "DFD", "DDF", "FDF")},
        **{f"graft, {fusion}": [*GRAFT, f"model.head.fusion={fusion}"]
           for fusion in ("cls", "average", "vanilla_cls", "vanilla_average")},
        "graft, positives": [*GRAFT, "positives=2"],
        "ieee": [*IEEE, *loss(multi_modal_margin=0.5, distance=0.7, label_smoothing=0.1)],
        "ieee, plain": [*IEEE, "model.head.interaction=false", "model.head.relation=false", *loss(multi_modal_margin=0)],
        "mixer": ["model.system=mixer", *loss(modality=0.3, orthogonality=0.5, fused=0.6, label_smoothing=0.1)],
        "mixer, erased alone": ["model.system=mixer", "model.head={embedding: erased}", *loss(related=0, orthogonality=0), *stage(weight_decay=0.5)],
        "mixer, related alone": ["model.system=mixer", "model.head={embedding: related}", *loss(erased=0, modality=0, orthogonality=0), *stage(weight_decay=0.5)],
        "mixer, cross_attention": ["model.system=mixer", "model.head={fusion: cross_attention}", "model.backbone.width=64"],
        "dmf": DMF,
    },
}


def run(command):
    result = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stdout}")


def rate_difference(folder):
    """The worst of the logged rates, from what PyTorch's schedulers say."""
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text())
    records, worst = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()], 0.0
    for place, stage in enumerate(recipe["stages"]):
        own = [record for record in records if record["stage"] == stage.get("name", f"stages.{place}")]
        for record, rate in zip(own, rates(stage, own)):
            worst = max(worst, abs(record["learning_rate"] - rate) / stage["learning_rate"])
    return worst


# Of a loss. In twenty steps rounding may decide a tie of batch-hard mining, or of the nearest of 255 levels of a resized pixel.
LIMIT = 5e-4


def trial(a, data, group, name, settings):
    """A row of the table, and whether all is well."""
    folder = a.output / f"{group}-{name}".replace(" ", "-").replace(",", "")
    if not (folder / "model.safetensors").exists():
        options = [part for setting in settings for part in ("--set", setting)]
        run([a.triptych, "train", "--config", a.output / "base.yaml", "--data", data, "--output", folder, "--seed", 1, *options])
    outcome, rate = replay(folder, data, tolerance=LIMIT), rate_difference(folder)
    steps = len(outcome.losses) if outcome.horizon is None else outcome.horizon
    most = 3e-2 if RESNET[0] in settings else 1e-2
    good = outcome.failed is None and rate < 1e-6 and outcome.weights < most
    print(f"{group}: {name}: {'ok' if good else 'FAILED'}: loss {outcome.worst:.1e} over {steps} steps, rate {rate:.1e}, "
          f"weights {outcome.weights:.1e}", flush=True)
    return f"| {group}: {name} | {steps} | {outcome.worst:.1e} | {rate:.1e} | {outcome.weights:.1e} |", good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("triptych", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--page", type=pathlib.Path)
    a = parser.parse_args()
    a.output.mkdir(parents=True, exist_ok=True)
    (a.output / "base.yaml").write_text(yaml.safe_dump(BASE))
    data = a.output / "data"
    if not data.exists():
        run([a.triptych, "synthesize", "--output", data, "--identities", 24, "--cameras", 2, "--sightings", 3, "--height", 32, "--width", 64])
    lines, all_good = ["| option | steps | loss | rate | weights |", "|---" * 5 + "|"], True
    for group, cases in CASES.items():
        for name, settings in cases.items():
            if not a.names or any(chosen in f"{group}: {name}" for chosen in a.names):
                line, good = trial(a, data, group, name, settings)
                lines, all_good = lines + [line], all_good and good
    if a.page and not a.names:
        head, rest = a.page.read_text().split(BEGIN)
        a.page.write_text(head + BEGIN + "\n".join(lines) + "\n" + END + rest.split(END)[1])
    sys.exit(not all_good)


if __name__ == "__main__":
    main()
