"""The systems' training pass over a batch of which triples have lost modalities, each its own. Images, and what is made of them, are
{modality: (rows, which triples they are of)}."""
import torch
import torch.nn.functional as F


def placed(x, rows, count):
    """Rows at their places in the batch, with zeros for triples that lack them."""
    return torch.zeros(count, *x.shape[1:]).index_copy(0, rows, x)


def mean_of(parts, count):
    """The mean over what each triple has."""
    total = sum(placed(x, rows, count) for x, rows in parts.values())
    number = sum(placed(torch.ones(len(x)), rows, count) for x, rows in parts.values())
    return total / number.reshape(-1, *[1] * (total.dim() - 1))


def graft(model, x, count):
    """(fused (B,D), data (B,L,D))"""
    k, tokens = model.fusion_token.shape[1], {}
    features = dict(zip(x, model.backbone(torch.cat([image for image, _ in x.values()])).split([len(r) for _, r in x.values()])))
    if model.fusion.startswith("vanilla"):
        mean = together(model, {m: (features[m], rows) for m, (_, rows) in x.items()}, count)
    else:
        for m, (_, rows) in x.items():
            first = model.fusion_token.expand(len(rows), -1, -1)
            tokens[m] = (model.encoders[m](torch.cat([first, features[m]], 1)), rows)
        mean = mean_of(tokens, count)
    fused = {"token": mean[:, :k].mean(1), "vanilla_cls": mean[:, :k].mean(1), "cls": mean[:, k]}
    return fused.get(model.fusion, mean[:, k:].mean(1)), mean[:, k:]


def together(model, features, count):
    """One encoder layer over all that a triple has; triples of the same set go through it together."""
    k, own = model.fusion_token.shape[1], {}
    for m, (_, rows) in features.items():
        for place, row in enumerate(rows.tolist()):
            own.setdefault(row, {})[m] = place
    tokens = [None] * count
    for names in {tuple(places) for places in own.values()}:
        group = [row for row in range(count) if tuple(own.get(row, ())) == names]
        parts = [features[m][0][[own[row][m] for row in group]] for m in names]
        e = model.encoder(torch.cat([model.fusion_token.expand(len(group), -1, -1)] + parts, 1))
        mean = torch.cat([e[:, :k], torch.stack(e[:, k:].chunk(len(parts), 1)).mean(0)], 1)
        for row, t in zip(group, mean):
            tokens[row] = t
    return torch.stack(tokens)


def side_by_side(model, features, count):
    """A block a modality, zeros where it is absent."""
    width = next(iter(features.values()))[0].shape[1]
    return torch.cat([placed(*features[m], count) if m in features else torch.zeros(count, width) for m in model.modalities], 1)


def late_fusion(model, x, count):
    """{head: (features, logits, which triples)}"""
    apart = {m: model.apart({m: image})[m] for m, (image, _) in x.items()}
    if model.kind == "unicat":
        name = (lambda m, k: m) if model.networks == 1 else (lambda m, k: f"{m}.{k}")
        return {name(m, k): (z, model.members(model.classifiers, m)[k](model.members(model.necks, m)[k](z)), x[m][1])
                for m, features in apart.items() for k, z in enumerate(features)}
    average = model.kind == "fusion_average"
    features = {m: (torch.stack(f).mean(0) if average else torch.cat(f, 1), x[m][1]) for m, f in apart.items()}
    if average:
        z = mean_of(features, count)
    else:
        z = side_by_side(model, features, count)
        if model.after:
            necked = {m: (model.normalised(m, f), rows) for m, (f, rows) in features.items()}
            return {"fused": (z, model.classifier(side_by_side(model, necked, count)), torch.arange(count))}
    return {"fused": (z, model.classifier(model.neck(z)), torch.arange(count))}


def ieee(model, x, count):
    """{modality: (features, [logits of each part], which triples)}"""
    maps = {m: model.encoders[m](image) for m, (image, _) in x.items()}
    whole = {m: placed(maps[m], rows, count) for m, (_, rows) in x.items()}
    heads = {}
    for m, (_, rows) in x.items():
        rest = sum((whole[j][rows] for j in maps if j != m), torch.zeros_like(maps[m]))
        y = model.interaction[m](maps[m], rest) if model.interaction else maps[m]
        parts = model.reduction[m](F.adaptive_avg_pool2d(y, (model.parts, 1))).squeeze(3).transpose(1, 2)
        embedded = model.relation[m](parts, model.reduction[m](F.adaptive_avg_pool2d(y, 1)).flatten(1)) if model.relation else parts
        out = torch.stack([model.part_layers[m][p](embedded[:, p]) for p in range(model.parts)], 1)
        heads[m] = (out.flatten(1), [model.classifiers[m][p](out[:, p]) for p in range(model.parts)], rows)
    return heads
