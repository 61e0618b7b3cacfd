"""docs/benchmarks.md's tables and docs/images' pictures, from docs/benchmarks.json."""
import re

import bars
import kernels
import profiling

PEERS = ["triptych", "PyTorch", "ONNX Runtime", "OpenVINO"]
NAMES = {"triptych": "Triptych", "triptych bf16": "Triptych bf16", "triptych int8": "Triptych int8"}


def table(heading, rows):
    align = ["---"] + ["---:"] * (len(heading) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [heading, align, *rows])


def title(peer):
    return NAMES.get(peer, peer)


def times(f, digits=1):
    return f"{f['median_ms']:.{digits}f} ({f['minimum_ms']:.{digits}f}, {f['spread_ms']:.{digits}f})" if f else "–"


def ratio(figures, key):
    return f"{figures[key]:.2f}" if key in figures else "–"


def present(figures):
    return [p for p in PEERS if any(p in f["peers"] for f in figures)]


def comparison(figures, label, digits=1):
    peers = present(figures)
    heading = ["", *map(title, peers), "ratio of medians", "of minima"]
    return table(heading, [
        [label(f), *(times(f["peers"].get(p), digits) for p in peers), ratio(f, "median_ratio"), ratio(f, "minimum_ratio")]
        for f in figures])


def memory(figures, label):
    peers = present(figures)

    def cell(f):
        if not f:
            return "–"
        imports = f.get("imports_megabytes")
        return f"{f['peak_megabytes']:.0f}" + (f" ({imports:.0f})" if imports else "")

    return table(["", *map(title, peers)], [[label(f), *(cell(f["peers"].get(p)) for p in peers)] for f in figures])


def variants(figures, label):
    peers = [p for p in present(figures) if p != "triptych"]
    return table(["", *peers], [[label(f), *(f["peers"].get(p, {}).get("variant", "–") for p in peers)] for f in figures])


def by_model(f):
    return f"{f['model']}, {f['batch']}"


def origin(part):
    m = part["machine"]
    versions = ", ".join(f"{n} {v}" for n, v in m["versions"].items())
    commands = ", ".join(f"`{c}`" for c in dict.fromkeys(f["command"] for f in part["figures"]))
    return (f"Measured on {m['date']} with {commands}: {m['cpu']}, {part['threads']} threads on {m['cores']} cores "
            f"({', '.join(m['instructions'])}), {m['memory_gb']} GB, {m['system']}; Triptych {m['triptych']} with oneDNN "
            f"{m['onednn']}; {versions}. The machine's load average at the end was {m['load_at_end']:.1f}.")


def encoders_text(part):
    figures = part["figures"]
    worst = max(f["difference"] for r in figures for f in r["peers"].values())
    left_out = sorted({f"{r['model']}, {r['batch']}: {v}" for r in figures for v in r["failures"]})
    parts = [
        origin(part), "Milliseconds: median (minimum, spread between the quartiles). Ratios are Triptych's time over the "
        "fastest peer's; below 1 Triptych is faster.", comparison(figures, by_model),
        "![The medians as bars](images/benchmark-encoders.svg)",
        "Peak memory in MB, in brackets that of the bare interpreter with its imports:", memory(figures, by_model),
        "The variant of each peer that was the fastest and therefore measured:", variants(figures, by_model),
        f"All embeddings agree with the reference; the largest difference between unit vectors is {worst:.1e}."]
    if left_out:
        parts.append("Variants that did not work here: " + "; ".join(left_out) + ".")
    return "\n\n".join(parts)


def narrow_text(part):
    figures = part["figures"]
    peers = list(dict.fromkeys(p for f in figures for p in f["peers"]))
    table_of = lambda cell: table(["", *map(title, peers)], [
        [by_model(f), *(cell(f["peers"][p]) if p in f["peers"] else "–" for p in peers)] for f in figures])
    megabytes = lambda f: f"{f['file_bytes'] / 1e6:.0f}" if f["file_bytes"] else "–"
    keys = [f"{p}_median_over_{what}" for p in ("bf16", "int8") for what in ("float32", "peers")]
    left_out = sorted({f"{r['model']}, {r['batch']}: {v}" for r in figures for v in r["failures"]})
    parts = [
        origin(part), "Milliseconds: median (minimum, spread between the quartiles).", table_of(times),
        "How many times as fast Triptych is, by medians: as its own float32, and as the fastest peer of the same precision.",
        table(["", "bf16, float32", "bf16, peers", "int8, float32", "int8, peers"],
              [[by_model(f), *(ratio(f["ratios"], k) for k in keys)] for f in figures]),
        "The least cosine to the reference's float32 embedding, over the triples of a batch:",
        table_of(lambda f: f"{f['cosine']:.6f}"), "Peak memory in MB:", table_of(lambda f: f"{f['peak_megabytes']:.0f}"),
        "Size of the file in MB, where there is one in that precision:", table_of(megabytes)]
    if left_out:
        parts.append("What did not work here: " + "; ".join(left_out) + ".")
    return "\n\n".join(parts)


def kernels_text(part):
    rows = [[by_model(f), times(f["peers"]["triptych"]), times(f["peers"][kernels.KERNELS]), ratio(f, "median_ratio"),
             ratio(f, "minimum_ratio")] for f in part["figures"]]
    return "\n\n".join([origin(part), "Milliseconds, as above:", table(
        ["", "Triptych, all of it", kernels.KERNELS, "ratio of medians", "of minima"], rows)])


def training_text(part):
    figures = part["figures"]
    label = lambda f: f"{f['model']}, {f['batch']} images"
    return "\n\n".join([
        origin(part), "Milliseconds a step, as above:", comparison(figures, label, digits=0),
        "Peak memory in MB, as above:", memory(figures, label), "Variants:", variants(figures, label)])


def service_text(part):
    (figures,) = part["figures"]
    rows = []
    for name, f in figures["services"].items():
        for key, s in f.items():
            if key.endswith("_clients"):
                rows.append([title(name), key.removesuffix("_clients"), f"{s['per_second']:.1f}", f"{s['p50_ms']:.0f}",
                             f"{s['p99_ms']:.0f}", str(s["requests"]), f"{f['peak_megabytes']:.0f}"])
    a = figures["agreement"]
    return "\n\n".join([
        origin(part), f"{figures['model']}, a gallery of {figures['gallery']} triples:",
        table(["", "clients", "queries a second", "p50 ms", "p99 ms", "requests", "peak MB"], rows),
        f"The first matches of both are the same for {a['same_first_match']:.0%} of the queries compared, and their scores "
        f"differ by at most {a['largest_score_difference']:.1e}."])


def profile_text(part):
    kinds = [k for k in profiling.KINDS if any(f["kinds_ms"].get(k, 0) > 0.05 for f in part["figures"])]
    rows = [[by_model(f), f"{f['whole_ms']:.1f}", *(f"{f['kinds_ms'].get(k, 0):.1f}" for k in kinds),
             f"{f['whole_over_products']:.2f}" if f["whole_over_products"] else "–"] for f in part["figures"]]
    return "\n\n".join([
        origin(part), "Milliseconds of the fastest run, divided as the samples of all runs are; the last column is the whole "
        "over products alone:", table(["", "whole", *kinds, "ratio"], rows),
        "![Shares of each encoder's time](images/benchmark-profile.svg)"])


TEXTS = {"encoders": encoders_text, "narrow": narrow_text, "kernels": kernels_text, "training": training_text, "service": service_text, "profile": profile_text}


def pictures(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    if part := results.get("encoders"):
        groups = [(by_model(f), {title(p): f["peers"][p]["median_ms"] for p in PEERS if p in f["peers"]})
                  for f in part["figures"]]
        (folder / "benchmark-encoders.svg").write_text(bars.grouped(
            "Median time to encode triples (model, triples at a time)", [title(p) for p in PEERS], groups))
    if part := results.get("profile"):
        rows = [(by_model(f), f["kinds_ms"]) for f in part["figures"]]
        (folder / "benchmark-profile.svg").write_text(bars.stacked(
            "Where Triptych's time goes (model, triples at a time)", profiling.KINDS, rows))


def write(results, docs):
    page = docs / "benchmarks.md"
    text = page.read_text()
    for part, make in TEXTS.items():
        if part in results:
            body = f"<!-- {part}:begin -->\n\n{make(results[part])}\n\n<!-- {part}:end -->"
            pattern = rf"<!-- {part}:begin -->.*?<!-- {part}:end -->"
            text, count = re.subn(pattern, lambda _: body, text, flags=re.S)
            if not count:
                raise SystemExit(f"{page} has no markers for {part}")
    page.write_text(text)
    pictures(results, docs / "images")
