"""Measures Triptych beside PyTorch, ONNX Runtime and OpenVINO, and writes docs/benchmarks.md's tables and pictures.

Benchmarks/run starts it. Without options it measures everything, for hours on a small machine; --quick shows in minutes
that everything works, and its figures are not for showing. Figures go to docs/benchmarks.json, part by part, so that parts
may be measured at different times; --report writes the tables and pictures from it without measuring.
"""
import argparse
import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import encoders  # noqa: E402
import kernels  # noqa: E402
import machine  # noqa: E402
import models  # noqa: E402
import narrow  # noqa: E402
import profiling  # noqa: E402
import report  # noqa: E402
import services  # noqa: E402
import training  # noqa: E402

PARTS = {"encoders": encoders.run, "narrow": narrow.run, "kernels": kernels.run, "training": training.run, "service": services.run,
         "profile": profiling.run}


def arguments():
    p = argparse.ArgumentParser(prog="Benchmarks/run", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)} (default: all)")
    p.add_argument("--quick", action="store_true", help="few rounds, two small models, no torch.compile")
    p.add_argument("--report", action="store_true", help="measure nothing")
    p.add_argument("--triptych", type=pathlib.Path, required=True)
    p.add_argument("--models", nargs="+", choices=models.ENCODERS, default=list(models.ENCODERS))
    p.add_argument("--batches", nargs="+", type=int, default=[1, 8], help="triples at a time")
    p.add_argument("--rounds", type=int, default=20, help="turns of each program, five runs each (two of larger batches)")
    p.add_argument("--training-rounds", type=int, default=10, help="turns of each program, a step each")
    p.add_argument("--service-rounds", type=int, default=5)
    p.add_argument("--seconds", type=float, default=20, help="of load a turn")
    p.add_argument("--service-model", choices=models.ENCODERS, default="unicat-resnet-50")
    p.add_argument("--identities", type=int, default=100, help="rendered for the service's gallery and queries")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--no-compile", dest="compiled", action="store_false", help="PyTorch without torch.compile")
    p.add_argument("--work", type=pathlib.Path, default=models.ROOT / "Benchmarks" / "work")
    p.add_argument("--docs", type=pathlib.Path, default=models.ROOT / "docs", help="where figures and pictures go")
    o = p.parse_args()
    if unknown := set(o.parts) - set(PARTS):
        p.error(f"expected parts among {', '.join(PARTS)}, found {', '.join(unknown)}")
    if o.quick:
        p.set_defaults(rounds=2, training_rounds=1, service_rounds=1, seconds=3, identities=20, compiled=False,
                       models=["unicat-resnet-50", "graft"], batches=[1])
        o = p.parse_args()
    o.runs = {batch: 5 if batch == 1 else 2 for batch in o.batches}
    o.parts, o.triptych, o.work = o.parts or list(PARTS), o.triptych.resolve(), o.work.resolve()
    return o


def main():
    o = arguments()
    # So that whoever ends this ends the stopped processes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    o.work.mkdir(parents=True, exist_ok=True)
    path = o.docs / "benchmarks.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for part in [] if o.report else o.parts:
        for figure in PARTS[part](o):  # Kept one by one: whoever interrupts a long run keeps what it has measured.
            results[part] = {"machine": machine.described(o.triptych), "threads": o.threads,
                             "figures": merged(results.get(part, {}), figure | {"command": shown_command()}, o)}
            path.write_text(json.dumps(results, indent=1) + "\n")
    report.write(results, o.docs)


def merged(part, figure, o):
    """What is known already of the same build of Triptych stays, in the models' order."""
    what = lambda f: (list(models.ALL).index(f["model"]), f.get("batch", 0))
    same = part.get("machine", {}).get("triptych") == machine.build(o.triptych) and part.get("threads") == o.threads
    return sorted([f for f in part.get("figures", []) if same and what(f) != what(figure)] + [figure], key=what)


def shown_command():
    """As somebody would type it: without what Benchmarks/run adds."""
    words = sys.argv[1:]
    at = words.index("--triptych")
    return " ".join(["Benchmarks/run", *words[:at], *words[at + 2:]])


if __name__ == "__main__":
    main()
