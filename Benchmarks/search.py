"""Exact search beside NumPy, FAISS and USearch: the same vectors, the same queries, in turns in one run, with two threads.

    python3 -m venv V && V/bin/pip install faiss-cpu==1.15.1 usearch==2.26.6 numpy
    V/bin/python Benchmarks/search.py --triptych .build/release/triptych [--rows 10000 100000 1000000] [--rounds 3]

Vectors of identities with twenty sightings each: with the flat spectrum every direction has the same variance, with the
decaying one the i-th has 1/(1 + i/8)^1.5 of the first's, as features of trained networks have; directions are not those of the
axes. Queries are further sightings. Each library's answers are compared with float64 products. Peers hold the vectors in memory;
`triptych benchmark search` reads the few that it scores in the end from the file. Writes docs/search.json, the table in
docs/benchmarks.md and docs/images/search.svg; the file of vectors (3 GB for a million) is temporary.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

THREADS = 2
os.environ |= {"OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "passive"}

import faiss  # noqa: E402  after the number of threads
import numpy  # noqa: E402
import usearch  # noqa: E402
from usearch.index import search as usearch_search, MetricKind  # noqa: E402

import bars  # noqa: E402

ROOT = pathlib.Path(__file__).parent.parent
DIMENSION, QUERIES, BATCH, LIMIT, PER_IDENTITY = 768, 20, 32, 10, 20
NAMES = ["Triptych", "FAISS flat", "FAISS Panorama", "NumPy", "USearch exact"]


def write_vectors(path, rows, spectrum):
    generator = numpy.random.default_rng(11)
    deviations = numpy.ones(DIMENSION, numpy.float32)
    if spectrum == "decaying":
        deviations = ((1 + numpy.arange(DIMENSION) / 8) ** -0.75).astype(numpy.float32)
    rotation = numpy.linalg.qr(generator.standard_normal((DIMENSION, DIMENSION)))[0].astype(numpy.float32)
    count, extra = max(QUERIES, BATCH), []

    def sightings(centres):
        made = deviations * (centres + 0.6 * generator.standard_normal(centres.shape, numpy.float32)) @ rotation
        return (made / numpy.linalg.norm(made, axis=1, keepdims=True)).astype("<f4")

    with open(path, "wb") as file:
        for first in range(0, rows, 20000):
            n = min(20000, rows - first)
            centres = generator.standard_normal((-(-n // PER_IDENTITY), DIMENSION), numpy.float32)
            if len(extra) < count:
                extra += list(sightings(centres[:count]))
            file.write(sightings(numpy.repeat(centres, PER_IDENTITY, 0)[:n]).tobytes())
        file.write(numpy.stack(extra[:count]).tobytes())


def timed(work):
    start = time.perf_counter()
    answer = work()
    return (time.perf_counter() - start) * 1000, answer


def measured(name, search, queries):
    one = [timed(lambda q=q: search(q[None]))[0] for q in queries[:QUERIES]]
    together = [timed(lambda: search(queries[:BATCH]))[0] for _ in range(3)]
    return {"one": one, "together": together}


def top(scores):
    best = numpy.argpartition(scores, -LIMIT, axis=1)[:, -LIMIT:]
    return numpy.take_along_axis(best, numpy.argsort(-numpy.take_along_axis(scores, best, 1), axis=1), 1)


def peers(gallery, queries):
    yield "NumPy", lambda q: top(q @ gallery.T)
    flat = faiss.IndexFlatIP(DIMENSION)
    flat.add(gallery)
    yield "FAISS flat", lambda q: flat.search(q, LIMIT)[1]
    del flat
    panorama = faiss.IndexFlatIPPanorama(DIMENSION, 8, 1024) if hasattr(faiss, "IndexFlatIPPanorama") else None
    if panorama is not None:
        panorama.add(gallery)
        yield "FAISS Panorama", lambda q: panorama.search(q, LIMIT)[1]
    del panorama
    yield "USearch exact", lambda q: usearch_search(gallery, q, LIMIT, MetricKind.IP, exact=True, threads=THREADS).keys.reshape(len(q), -1)


def ours(o, path, rows):
    command = [o.triptych, "benchmark", "search", "--vectors", path, "--dimension", DIMENSION, "--queries", QUERIES,
               "--batch", BATCH, "--limit", LIMIT, "--threads", THREADS, "--json"]
    return json.loads(subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True).stdout)


def run(o, rows, spectrum, folder):
    path = folder / "vectors"
    write_vectors(path, rows, spectrum)
    vectors = numpy.memmap(path, "<f4", "r", shape=(rows + max(QUERIES, BATCH), DIMENSION))
    gallery, queries = numpy.array(vectors[:rows]), numpy.array(vectors[rows:])
    exact = [set(numpy.argsort(-(gallery.astype(numpy.float64) @ q))[:LIMIT]) for q in queries[:3].astype(numpy.float64)] \
        if rows <= 200_000 else None
    times, figures = {}, {"rows": rows, "spectrum": spectrum, "peers": {}}
    for _ in range(o.rounds):
        for name, search in peers(gallery, queries):
            if exact and [set(map(int, a)) for a in search(queries[:3])] != exact:
                raise SystemExit(f"{name} does not find what float64 products do")
            found = measured(name, search, queries)
            for key, values in found.items():
                times.setdefault(name, {}).setdefault(key, []).extend(values)
        mine = ours(o, path, rows)
        figures |= {"start_seconds": mine["start_seconds"], "index_megabytes": mine["index_megabytes"]}
        for key, ours_key in (("one", "one"), ("together", "batch")):
            times.setdefault("Triptych", {}).setdefault(key, []).append(mine[ours_key]["median_ms"])
            times["Triptych"].setdefault(key + "_minimum", []).append(mine[ours_key]["minimum_ms"])
        print(f"{rows} {spectrum}: " + ", ".join(f"{n} {statistics.median(times[n]['one']):.1f}" for n in NAMES if n in times),
              file=sys.stderr, flush=True)
    for name, found in times.items():
        figures["peers"][name] = {
            key: {"median_ms": statistics.median(found[key]), "minimum_ms": min(found.get(key + "_minimum", found[key]))}
            for key in ("one", "together")}
    return figures


def report(results):
    lines = ["| sightings, spectrum | | " + " | ".join(NAMES) + " | fastest peer / Triptych |", "|---" * 2 + "|---:" * 6 + "|"]
    for f in results["figures"]:
        for key, title in (("one", "one query"), ("together", f"{BATCH} together")):
            cells = [f["peers"].get(n, {}).get(key) for n in NAMES]
            fastest = min(c["median_ms"] for c in cells[1:] if c)
            lines.append(f"| {f['rows']:,} {f['spectrum']} | {title} | ".replace(",", " ") + " | ".join(
                f"{c['median_ms']:.1f} ({c['minimum_ms']:.1f})" if c else "–" for c in cells)
                + f" | {fastest / cells[0]['median_ms']:.1f} |")
    page = ROOT / "docs" / "benchmarks.md"
    text = (f"Measured on {results['date']} with `Benchmarks/search.py --rounds {results['rounds']}`: {results['cpu']}, {THREADS} "
            f"threads; Triptych {results['triptych']}, {results['versions']}. Milliseconds, medians (minima).\n\n" + "\n".join(lines))
    page.write_text(re.sub(r"(<!-- search:begin -->\n).*?(<!-- search:end -->)", lambda m: m[1] + "\n" + text + "\n\n" + m[2],
                           page.read_text(), flags=re.S))
    groups = [(f"{f['rows']:,}".replace(",", " ") + f", {f['spectrum']}", {n: f["peers"][n]["one"]["median_ms"] for n in NAMES if n in f["peers"]})
              for f in results["figures"]]
    (ROOT / "docs" / "images" / "search.svg").write_text(bars.grouped("One query, exact, 768 elements: milliseconds", NAMES, groups))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triptych", default=ROOT / ".build/release/triptych")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="for the vectors")
    parser.add_argument("--report", action="store_true", help="write the page from docs/search.json alone")
    o = parser.parse_args()
    if o.report:
        return report(json.loads((ROOT / "docs" / "search.json").read_text()))
    faiss.omp_set_num_threads(THREADS)
    cpu = open("/proc/cpuinfo").read()
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    figures = []
    for rows in o.rows:
        for spectrum in ("decaying", "flat"):
            with tempfile.TemporaryDirectory(dir=o.folder) as folder:
                figures.append(run(o, rows, spectrum, pathlib.Path(folder)))
    results = {"date": datetime.date.today().isoformat(), "rounds": o.rounds, "triptych": commit, "figures": figures,
               "cpu": re.search(r"model name\s*: (.*)", cpu)[1] + f" ({'AVX-512 VNNI' if 'avx512_vnni' in cpu else 'AVX2'})",
               "versions": f"FAISS {faiss.__version__}, NumPy {numpy.__version__}, USearch {usearch.__version__}"}
    (ROOT / "docs" / "search.json").write_text(json.dumps(results, indent=1) + "\n")
    report(results)


if __name__ == "__main__":
    main()
