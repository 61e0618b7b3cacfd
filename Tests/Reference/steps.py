"""The loss of a logged step, by system."""
import re

import torch

import losses
import partial
from pixels import images


def indices(texts, vocabulary, longest):
    """Captions as indices and the mask of their words."""
    known = {w.lower(): i for i, w in enumerate(vocabulary) if i}
    rows = [[known[w] for w in re.findall(r"[^\W_]+", t.lower()) if w in known][:longest] for t in texts]
    width = max(map(len, rows))
    return (torch.tensor([r + [0] * (width - len(r)) for r in rows]),
            torch.tensor([[i < len(r) for i in range(width)] for r in rows]))


def graft(z, logits, data, y, centers, record, loss):
    """The loss, and its terms."""
    t, pick = torch.tensor(record["triples"]), {"F": z, "D": data[:, loss.get("data_token", 0)]}
    kind = loss.get("combination", "FFD")
    terms = {"triplet": losses.augmented_triplet(*(pick[c][t[:, i]] for i, c in enumerate(kind))),
             "center": losses.center(z, y, centers),
             "cross_entropy": losses.cross_entropy(logits, y, loss.get("label_smoothing", 0.0))}
    total = sum(loss.get(k, {"triplet": 0.5, "center": 0, "cross_entropy": 0.5}[k]) * v for k, v in terms.items())
    return total, {k: v.item() for k, v in terms.items()}


def identity(z, logits, y, loss, squared=False):
    """The batch-hard triplet loss, 0 where there is one identity alone, and the cross-entropy."""
    triplet = losses.batch_hard_triplet(z, y, loss.get("margin", 0.0), squared) if len(y.unique()) > 1 else 0
    return (loss.get("triplet", 1.0) * triplet
            + loss.get("cross_entropy", 1.0) * losses.cross_entropy(logits, y, loss.get("label_smoothing", 0.0)))


def ieee(heads, y, loss):
    """Cross-entropies of every part, and the margin between the modalities' centers of identities that have two."""
    smoothing, units = loss.get("label_smoothing", 0.0), {}
    for m, (z, logits, rows) in heads.items():
        units[m] = (torch.nn.functional.normalize(z, dim=1), y[rows])
    margins = []
    for i in y.unique():
        centers = [unit[own == i].mean(0) for unit, own in units.values() if (own == i).any()]
        gaps = [(loss.get("distance", 1.0) - (a - b).pow(2).sum().clamp_min(1e-12).sqrt()).abs()
                for k, a in enumerate(centers) for b in centers[k + 1 :]]
        margins += [torch.stack(gaps).max()] if gaps else []
    entropies = sum(losses.cross_entropy(l, y[rows], smoothing) for _, logits, rows in heads.values() for l in logits)
    return entropies + loss.get("multi_modal_margin", 1.0) * (torch.stack(margins).mean() if margins else 0)


def mixer(model, x, y, loss, config):
    weights = (loss.get("modality", 0.4), loss.get("orthogonality", 0.6), loss.get("fused", 0.4))
    present = [m for m in config["modalities"] if m in x]
    which = torch.cat([torch.full((len(x[m][1]),), config["modalities"].index(m)) for m in present])
    return losses.mixer(model(torch.cat([x[m][0] for m in present])), torch.cat([y[x[m][1]] for m in present]), which,
                        len(config["modalities"]), weights, (loss.get("erased", 1.0), loss.get("related", 1.0)),
                        loss.get("label_smoothing", 0.0))


def step(model, centers, record, loss, config, data):
    """The loss of a step that was logged, and GraFT's terms of it."""
    y, system = torch.tensor(record["identities"]), config["system"]
    if record.get("texts"):
        text = config["head"]["text"]
        z = model.text(*indices(record["texts"], text["vocabulary"], text["max_tokens"]))
        return identity(z, model.classify(z), y, loss, True), {}
    x = images(data, record, config)
    if system == "dmf":
        z = partial.mean_of({m: (model.image(image, m), rows) for m, (image, rows) in x.items()}, len(y))
        return identity(z, model.classify(z), y, loss, True), {}
    if system == "mixer":
        return mixer(model, x, y, loss, config), {}
    if system == "graft":
        z, tokens = partial.graft(model, x, len(y))
        return graft(z, model.classifier(model.neck(z)), tokens, y, centers, record, loss)
    if system == "ieee":
        return ieee(partial.ieee(model, x, len(y)), y, loss), {}
    heads = partial.late_fusion(model, x, len(y))
    return sum(identity(z, logits, y[rows], loss) for z, logits, rows in heads.values()), {}
