"""Makes evaluation.json and embeddings.safetensors: re-ranked distances, metrics with ties, sets of modalities, cameras, and open-set
identification.

    python3 Tests/TrainingTests/Fixtures/make_evaluation.py          # numpy, torch, safetensors; seed 86

Metrics, re-ranking and the comparison of sets are those of Tests/Reference. Open-set identification is computed here, a query and a
threshold at a time; its draws are SplitMix64's, as the project's are.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.numpy import save_file

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[1] / "Reference"))
import comparison  # noqa: E402
import metrics  # noqa: E402

rng = np.random.default_rng(86)


def summary(m):
    return {"mAP": m["mAP"], "mINP": m["mINP"], "skipped": m["skipped"], **{f"r{k}": v for k, v in m["CMC"].items()}}


# Vectors of which every norm and product is exact, so that equal distances are equal everywhere: halves, four of sixteen.
def lattice(count, identity):
    base = {i: rng.permutation(16)[:4] for i in range(12)}
    signs = {i: rng.choice([-0.5, 0.5], 4) for i in range(12)}
    rows = np.zeros((count, 16), np.float32)
    for row, i in enumerate(identity):
        place, sign = base[i].copy(), signs[i].copy()
        for _ in range(rng.integers(0, 5)):
            at = rng.integers(4)
            place[at] = rng.choice([p for p in range(16) if p not in place])
            sign[at] = rng.choice([-0.5, 0.5])
        rows[row, place] = sign
    return rows


q, g = 24, 90
identities = np.concatenate([rng.integers(0, 12, q), rng.integers(0, 10, g)])  # 10 and 11 are not in the gallery
vectors = lattice(q + g, identities)
query, gallery = vectors[:q], vectors[q:]
query_id, gallery_id = identities[:q], identities[q:]
query_camera, gallery_camera = rng.integers(1, 4, q), rng.integers(1, 4, g)
save_file({"query": query, "gallery": gallery, "query_identity": query_id, "gallery_identity": gallery_id,
           "query_camera": query_camera, "gallery_camera": gallery_camera}, here / "embeddings.safetensors")
excluded = metrics.same_identity_and(query_id, gallery_id, query_camera, gallery_camera)
double = lambda v: v.astype(np.float64)
cosine = metrics.cosine_distance(double(query), double(gallery))
reranked = metrics.k_reciprocal(double(query), double(gallery))
small = metrics.k_reciprocal(double(query), double(gallery), k1=5, k2=1, weight=0.5)
evaluate = lambda d: summary(metrics.evaluate(d, query_id, gallery_id, excluded))

# Cameras: the queries of one against what another saw.
cameras = []
for a in (1, 2, 3):
    for b in (1, 2, 3):
        rows, columns = np.flatnonzero(query_camera == a), np.flatnonzero(gallery_camera == b)
        m = metrics.evaluate(cosine[np.ix_(rows, columns)], query_id[rows], gallery_id[columns],
                             excluded[np.ix_(rows, columns)])
        cameras.append({"query": a, "gallery": b, **summary(m)})


# Open set.
MASK = (1 << 64) - 1


def scrambled(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class SplitMix:
    def __init__(self, seed, *keys):
        self.state = scrambled(seed)
        for key in keys:
            self.state = scrambled(((self.state ^ key) + 0x9E3779B97F4A7C15) & MASK)

    def below(self, bound):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        return scrambled(self.state) % bound


def shuffled(values, generator):
    values = list(values)
    for i in reversed(range(1, len(values))):
        j = generator.below(i + 1)
        values[i], values[j] = values[j], values[i]
    return values


def open_set(score, share, rates, seed, resamples):
    admissible = ~excluded
    own = query_id[:, None] == gallery_id[None]
    name = lambda i: str(i)
    mated = sorted({name(query_id[k]) for k in range(q) if (own & admissible)[k].any()})
    removed = set(shuffled(mated, SplitMix(seed, 0))[:int(share * len(mated) + 0.5)])
    left = np.array([name(i) not in removed for i in gallery_id])
    known, unknown = [], []
    for k in range(q):
        mates, others = (own & admissible & left)[k], (~own & admissible & left)[k]
        best = np.float32(score[k][others].max())
        if mates.any():
            top = score[k][mates].max()
            order = np.flatnonzero(admissible[k] & left)
            first = order[np.argmax(score[k][order])]  # the earliest of equals
            known.append((name(query_id[k]), np.float32(top), bool(own[k][first])))
        else:
            unknown.append((name(query_id[k]), best))

    def threshold(rate, searches):
        scores = sorted((s for _, s in searches), reverse=True)
        return np.nextafter(scores[int(rate * len(scores) + 1e-9)], np.float32(np.inf), dtype=np.float32)

    def errors(t, known):
        return (float(np.mean([s < t for _, s, _ in known])),
                float(np.mean([s < t or not first for _, s, first in known])))

    def drawn(searches, generator):
        names = sorted({n for n, *_ in searches})
        times = [0] * len(names)
        for _ in names:
            times[generator.below(len(names))] += 1
        return [s for s in searches for _ in range(times[names.index(s[0])])]

    samples = {rate: [] for rate in rates}
    for number in range(resamples):
        generator = SplitMix(seed, 1, number)
        others, mates = drawn(unknown, generator), drawn(known, generator)
        for rate in rates:
            t = threshold(rate, others)
            samples[rate].append((float(t), *errors(t, mates)))
    points = []
    for rate in rates:
        t = threshold(rate, unknown)
        miss, first = errors(t, known)
        low, high = np.percentile(np.array(samples[rate]), [2.5, 97.5], axis=0)
        points.append({"rate": rate, "threshold": float(t), "falsePositives": sum(bool(s >= t) for _, s in unknown),
                       "missed": miss, "missedAtRank1": first, "low": low.tolist(), "high": high.tolist()})
    curve = [{"threshold": float(t), "falsePositiveRate": float(np.mean([s >= t for _, s in unknown])),
              "missed": errors(t, known)[0]} for t in sorted({s for _, s in unknown})]
    return {"removed": len(removed), "mated": len(known), "unmated": len(unknown), "gallery": int(left.sum()),
            "points": points, "curve": curve}


# Sets of modalities: a vector of 6 elements a modality; of IEEE each set has its own.
sets = [list(s) for s in comparison.subsets(["rgb", "nir", "tir"])]
parts = {"+".join(s): rng.standard_normal((5, 6 * len(s))).round(4).tolist() for s in sets}
table = []
for system in ("graft", "unicat", "ieee"):
    config = {"system": system, "modalities": ["rgb", "nir", "tir"]}
    for a in sets:
        for b in sets:
            side = lambda s: {name: torch.tensor(rows, dtype=torch.float64) for name, rows in parts.items()
                              if set(name.split("+")) <= set(s) and (system == "ieee" or "+" not in name)}
            scores = comparison.scores({n: v[:3] for n, v in side(a).items()}, {n: v[3:] for n, v in side(b).items()}, config)
            table.append({"system": system, "query": a, "gallery": b,
                          "scores": None if scores is None else scores.tolist()})

(here / "evaluation.json").write_text(json.dumps({
    "cosine": evaluate(cosine), "euclidean": evaluate(metrics.euclidean_distance(double(query), double(gallery))),
    "reranked": {"distances": reranked.tolist(), "metrics": evaluate(reranked)},
    "small": evaluate(small), "cameras": cameras,
    "openSet": open_set(np.float32(1 - cosine), 0.4, [0.0, 0.1, 0.3], 7, 200),
    "parts": parts, "table": table}))
