"""One training step of one network: forward, cross-entropy and triplet loss, backward, AdamW."""
import sys

import encoders
import models
import turns

BATCH = 16


def measure(name, o):
    checkpoint = o.work / f"{name}.safetensors"
    if not checkpoint.exists():
        models.make_checkpoint(name, checkpoint)

    def start(peer, variant):
        log = o.work / f"{name}-training-{peer}-{variant}.log".replace(" ", "-")
        if peer == "triptych":
            command = [o.triptych, "benchmark", "--training", "--interactive", "--checkpoint", checkpoint, "--batch",
                       BATCH, "--threads", o.threads]
        else:
            command = [sys.executable, models.ROOT / "Benchmarks" / "peers" / "training.py", variant, name,
                       "--checkpoint", checkpoint, "--batch", BATCH, "--threads", o.threads]
        return turns.Worker(peer, variant, command, log)

    tried = [v for v in encoders.variants(name, o.compiled) if v[0] in ("triptych", "PyTorch")]
    print(f"{name}, training step of {BATCH} images", file=sys.stderr, flush=True)
    result = turns.compare(start, tried, trial=1, rounds=o.training_rounds, runs=1)
    for peer, f in result["peers"].items():
        print(f"  {peer:13s} {f['variant']:24s} median {f['median_ms']:8.1f}  minimum {f['minimum_ms']:8.1f}  "
              f"peak {f['peak_megabytes']:6.0f} MB", file=sys.stderr, flush=True)
    return {"model": name, "batch": BATCH} | result | turns.ratios(result["peers"])


def run(o):
    return (measure(name, o) for name in models.TRAINED)
