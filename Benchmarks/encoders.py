"""Every encoder in every framework: the same weights and images, checked against one another, then measured in turns."""
import subprocess
import sys

import models
import turns

TOLERANCE = 1e-4


def variants(name, compiled=True):
    """(peer, variant) worth trying: what an expert would try too."""
    resnet, shared = not models.is_transformer(name), models.is_shared(name)
    torch = ["eager"] + ["channels_last"] * resnet + ["compiled channels_last" if resnet else "compiled"] * compiled
    onnx = ["plain"] + ["apart"] * shared + ["sdpa"] * (not resnet)
    return ([("triptych", "")] + [("PyTorch", v) for v in torch] + [("ONNX Runtime", v) for v in onnx]
            + [("OpenVINO", v) for v in onnx])


def prepare(name, folder):
    """The checkpoint and its graphs, unless an earlier run left them."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{name}.safetensors"
    if not checkpoint.exists():
        models.make_checkpoint(name, checkpoint)
    if not (folder / name / "done").exists():
        print(f"{name}: exporting", file=sys.stderr, flush=True)
        with open(folder / f"{name}-export.log", "w") as log:
            subprocess.run([sys.executable, models.ROOT / "Benchmarks" / "exporting.py", name, checkpoint, folder / name],
                           check=True, stdout=log, stderr=log)
        (folder / name / "done").touch()
    return checkpoint


def difference(found, expected):
    """The largest between unit vectors."""
    from torch.nn.functional import normalize

    return (normalize(found.float(), dim=1) - normalize(expected.float(), dim=1)).abs().max().item()


def reference(name, checkpoint, images):
    import torch
    from safetensors.torch import load_file

    with torch.no_grad():
        return models.load(name, checkpoint).embed(load_file(images))


def ours(checkpoint, batch, o):
    """The command that encodes triples in memory with Triptych, whenever a line asks it to."""
    return [o.triptych, "benchmark", "--interactive", "--checkpoint", checkpoint, "--batch", batch, "--threads", o.threads]


def measure(name, batch, o):
    """Figures of one model and one batch. `o`: triptych, work, rounds, runs, threads, compiled."""
    from safetensors.torch import load_file

    checkpoint = prepare(name, o.work)
    images, outputs = o.work / f"{name}-{batch}.safetensors", {}
    models.make_input(name, batch, images)
    expected = reference(name, checkpoint, images)

    def start(peer, variant):
        label = f"{name}-{batch}-{peer}-{variant}".replace(" ", "-")
        output = outputs[peer, variant] = o.work / f"{label}-output.safetensors"
        log = o.work / f"{label}.log"
        if peer == "triptych":
            subprocess.run([o.triptych, "embed", "--checkpoint", checkpoint, "--input", images, "--output", output],
                           check=True, stdout=subprocess.DEVNULL)
            return turns.Worker(peer, variant, ours(checkpoint, batch, o), log)
        command = [sys.executable, models.ROOT / "Benchmarks" / "peers" / "encoder.py", peer, variant, name,
                   "--checkpoint", checkpoint, "--graphs", o.work / name, "--input", images, "--output", output,
                   "--threads", o.threads]
        return agreeing(turns.Worker(peer, variant, command, log))

    def agreeing(worker):
        found = difference(load_file(outputs[worker.peer, worker.variant])["embedding"], expected)
        if not found <= TOLERANCE:
            worker.end()
            raise turns.Failed(f"{worker.peer} ({worker.variant}): differs from the reference by {found:.1e}")
        return worker

    print(f"{name}, {batch} triple(s)", file=sys.stderr, flush=True)
    result = turns.compare(start, variants(name, o.compiled), trial=2, rounds=o.rounds, runs=o.runs[batch])
    found = {p: difference(load_file(outputs[p, f["variant"]])["embedding"], expected)
             for p, f in result["peers"].items()}
    for peer, f in result["peers"].items():
        f["difference"] = found[peer]
        print(f"  {peer:13s} {f['variant']:24s} median {f['median_ms']:8.2f}  minimum {f['minimum_ms']:8.2f}  "
              f"peak {f['peak_megabytes']:6.0f} MB  difference {f['difference']:.1e}", file=sys.stderr, flush=True)
    if not found["triptych"] <= TOLERANCE:
        raise SystemExit(f"{name}: Triptych differs from the reference by {found['triptych']:.1e}")
    return {"model": name, "batch": batch} | result | turns.ratios(result["peers"])


def run(o):
    return (measure(name, batch, o) for name in o.models for batch in o.batches)
