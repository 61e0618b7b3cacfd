"""Where an encoder's time goes, by what oneDNN says of itself (DNNL_VERBOSE=1); what it does not see is the rest."""
import json
import os
import statistics
import subprocess
import sys

import encoders

KINDS = ["linear layers", "convolutions", "attention products", "softmax", "layer norm", "pooling", "other primitives",
         "the rest"]
DIRECT = {"convolution": "convolutions", "inner_product": "linear layers", "softmax": "softmax", "softmax_v2": "softmax",
          "layer_normalization": "layer norm", "pooling": "pooling", "pooling_v2": "pooling"}


def kind(primitive, problem):
    """Products whose second factor is the same for the whole batch are layers; the others are attention's."""
    if primitive != "matmul":
        return DIRECT.get(primitive, "other primitives")
    weights = problem.split(":")[1].split("x")
    return "attention products" if any(d != "1" for d in weights[:-2]) else "linear layers"


def executed(line):
    """(kind, milliseconds) of a line about a primitive that ran; None for another line."""
    fields = line.rstrip().split(",")
    if not fields[0].endswith("onednn_verbose") or "exec" not in fields[1:4]:
        return None
    at = fields.index("exec")  # 3.x has fields before it that 2.x has not.
    return kind(fields[at + 2], fields[-2]), float(fields[-1])


def turn(process, runs):
    """Milliseconds by kind, and of the whole, of each run."""
    process.stdin.write(f"{runs}\n")
    process.stdin.flush()
    totals = {}
    for line in process.stdout:
        if line.startswith("{"):
            break
        if found := executed(line):
            totals[found[0]] = totals.get(found[0], 0) + found[1] / runs
    else:
        raise SystemExit("triptych benchmark ended early")
    whole = statistics.mean(json.loads(line)["milliseconds"])
    totals["the rest"] = whole - sum(totals.values())
    return totals, whole


def measure(name, batch, o):
    checkpoint = encoders.prepare(name, o.work)
    command = [o.triptych, "benchmark", "--interactive", "--checkpoint", checkpoint, "--batch", batch, "--threads",
               o.threads]
    with subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=os.environ | {"DNNL_VERBOSE": "1"}) as process:
        turn(process, 1)  # Everything before it is loading and warming up.
        # The fastest of several: what noise adds, it adds anywhere.
        totals, whole = min((turn(process, 3) for _ in range(o.rounds)), key=lambda t: t[1])
        process.stdin.close()
    heavy = totals.get("linear layers", 0) + totals.get("convolutions", 0) + totals.get("attention products", 0)
    figures = {"model": name, "batch": batch, "whole_ms": whole, "kinds_ms": {k: totals.get(k, 0) for k in KINDS},
               "whole_over_products_and_convolutions": whole / heavy}
    print(f"profile of {name}, {batch} triple(s): {whole:.1f} ms, {whole / heavy:.2f} times its products and convolutions",
          file=sys.stderr, flush=True)
    return figures


def run(o):
    return (measure(name, batch, o) for name in o.models for batch in o.batches)
