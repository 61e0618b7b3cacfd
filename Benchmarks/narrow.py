"""Every encoder in bfloat16 and in 8 bits, by every framework that does either: how long, how near to float32, how large.

Weights are random, and what static ranges are fitted to are other images of the same noise. So cosines say how exact the
arithmetic is, not what a trained model loses: see docs/quantization.md for that.
"""
import subprocess
import sys

import encoders
import models
import turns

OURS = ["triptych", "triptych bf16", "triptych int8"]
CALIBRATION = 16  # Triples that static ranges are fitted to.


def variants(name):
    """(peer and precision, variant) worth trying."""
    transformer = models.is_transformer(name)
    graphs = ["plain"] + ["sdpa"] * transformer
    return ([(p, "") for p in OURS]
            + [("OpenVINO bf16", v) for v in graphs] + [("OpenVINO int8", "plain")]
            + [("ONNX Runtime int8", v) for v in (["dynamic"] * transformer + ["static"])]
            + [("PyTorch bf16", "eager" if transformer else "channels_last")]
            + [("PyTorch int8", "dynamic" if transformer else "static")])


def prepare(name, folder):
    """Our checkpoint in every precision, and the peers' graphs in 8 bits, unless an earlier run left them."""
    checkpoint = encoders.prepare(name, folder)
    if not (folder / name / "narrow-done").exists():
        print(f"{name}: quantising graphs", file=sys.stderr, flush=True)
        images = folder / f"{name}-calibration.safetensors"
        models.make_input(name, CALIBRATION, images, seed=2)
        with open(folder / f"{name}-quantising.log", "w") as log:
            subprocess.run([sys.executable, models.ROOT / "Benchmarks" / "quantising.py", name, folder / name, images],
                           check=True, stdout=log, stderr=log)
        (folder / name / "narrow-done").touch()
    return checkpoint


def narrow(checkpoint, precision, o):
    """Made anew: it is Triptych that is measured."""
    folder = o.work / f"{checkpoint.stem}-{precision}"
    file = folder / "model.safetensors"
    if file.exists():
        file.unlink()
    subprocess.run([o.triptych, "quantize", "--checkpoint", checkpoint, "--precision", precision, "--output", folder],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return file


def cosine(found, expected):
    """The least of any triple; 0 of something else than embeddings."""
    from torch.nn.functional import cosine_similarity

    if found.shape != expected.shape:
        return 0.0
    return cosine_similarity(found.double(), expected.double(), dim=1).min().item()


def graph_bytes(folder, peer, variant):
    """Of the file that the peer reads; None where it narrows on the way."""
    files = {"OpenVINO int8": ["int8.xml", "int8.bin"], "ONNX Runtime int8": [f"{variant}.int8.onnx"]}.get(peer, [])
    return sum((folder / f).stat().st_size for f in files) or None


def measure(name, batch, o):
    from safetensors.torch import load_file

    checkpoint = prepare(name, o.work)
    images, outputs, files = o.work / f"{name}-{batch}.safetensors", {}, {}
    models.make_input(name, batch, images)
    expected = encoders.reference(name, checkpoint, images)

    def start(peer, variant):
        label = f"narrow-{name}-{batch}-{peer}-{variant}".replace(" ", "-")
        output = outputs[peer, variant] = o.work / f"{label}-output.safetensors"
        log = o.work / f"{label}.log"
        if peer in OURS:
            own = files[peer] = checkpoint if peer == "triptych" else narrow(checkpoint, peer.split()[1], o)
            subprocess.run([o.triptych, "embed", "--checkpoint", own, "--input", images, "--output", output],
                           check=True, stdout=subprocess.DEVNULL)
            return turns.Worker(peer, variant, encoders.ours(own, batch, o), log)
        return turns.Worker(peer, variant, [
            sys.executable, models.ROOT / "Benchmarks" / "peers" / "narrow_encoder.py", peer, variant, name,
            "--checkpoint", checkpoint, "--graphs", o.work / name, "--input", images, "--output", output,
            "--calibration", o.work / f"{name}-calibration.safetensors", "--threads", o.threads], log)

    print(f"{name}, {batch} triple(s), narrow", file=sys.stderr, flush=True)
    result = turns.compare(start, variants(name), trial=2, rounds=o.rounds, runs=o.runs[batch])
    for peer, f in result["peers"].items():
        f["cosine"] = cosine(load_file(outputs[peer, f["variant"]])["embedding"], expected)
        f["file_bytes"] = files[peer].stat().st_size if peer in OURS else graph_bytes(o.work / name, peer, f["variant"])
        print(f"  {peer:18s} {f['variant']:14s} median {f['median_ms']:8.2f}  minimum {f['minimum_ms']:8.2f}  "
              f"peak {f['peak_megabytes']:6.0f} MB  cosine {f['cosine']:.6f}", file=sys.stderr, flush=True)
    return {"model": name, "batch": batch} | result | {"ratios": ratios(result["peers"])}


def ratios(peers):
    """How many times as fast as our float32, and as the fastest peer of the same precision: above 1 Triptych is faster."""
    found = {}
    for precision in ("bf16", "int8"):
        own = peers[f"triptych {precision}"]
        others = [f for p, f in peers.items() if p.endswith(precision) and p not in OURS]
        for key in ("median", "minimum"):
            found[f"{precision}_{key}_over_float32"] = peers["triptych"][f"{key}_ms"] / own[f"{key}_ms"]
            if others:
                found[f"{precision}_{key}_over_peers"] = min(f[f"{key}_ms"] for f in others) / own[f"{key}_ms"]
    return found


def run(o):
    return (measure(name, batch, o) for name in o.models for batch in o.batches)
