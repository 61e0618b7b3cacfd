"""Makes explanations.json: where each system looks, as PyTorch's hooks and gradients say.

    python3 Tests/TrainingTests/Fixtures/make_explanations.py          # torch, numpy

Weights and inputs are golden.py's. Of transformers: attention in the named layer, the mean over heads, of the tokens that are the
embedding to the patches. Of ResNets: the last map times the gradient of the score of the best class, summed over channels, negative
sums as 0. A map, less the mean of each image's, is committed as golden.py's summary, classes as they are.
"""
import json
import pathlib
import sys

import torch

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[1] / "Reference"))
import golden  # noqa: E402

CASES = ["graft", "unicat-vit", "mixer-vit", "dmf", "unicat-resnet-18", "ieee", "mixer-resnet-18"]


def catch(module, seen, get):
    module.register_forward_hook(lambda module, inputs, output: seen.append(get(module, inputs, output)))


def pre_norm(block, seen):
    """Attention of a block of backbones.py, from what its qkv gives."""
    def get(module, inputs, output):
        b, n, _ = output.shape
        q, k, _ = output.reshape(b, n, 3, block.attn.heads, block.attn.head_width).permute(2, 0, 3, 1, 4)
        return ((q @ k.transpose(-2, -1)) * block.attn.head_width ** -0.5).softmax(-1).mean(1)
    catch(block.attn.qkv, seen, get)


def attention(case, model, x):
    config, seen = golden.CASES[case], {}
    c, modalities = config["backbone"], list(x)
    side = [(s - c["patch"]) // c.get("stride", c["patch"]) + 1 for s in
            (config["input"]["height"], config["input"]["width"])]
    patches = side[0] * side[1]
    with torch.no_grad():
        if config["system"] == "graft":
            model.train()  # PyTorch's fast path for evaluation passes the hook by; there is no dropout.
            model.neck.eval()
            for m in modalities:
                seen[m] = []
                # Asked again, with weights.
                layer = model.encoders[m]
                catch(layer, seen[m], lambda layer, inputs, output:
                      layer.self_attn(*[inputs[0]] * 3, need_weights=True, average_attn_weights=True)[1])
            model.embed(x)
        elif config["system"] == "unicat":
            for m in modalities:
                seen[m] = []
                pre_norm(model.encoders[m].blocks[-1], seen[m])
            model.embed(x)
        elif config["system"] == "dmf":
            each = []
            pre_norm(model.blocks[-1], each)
            model.embed(x)
            seen = {m: [a] for m, a in zip(modalities, each)}
        else:
            erased, related = [], []
            pre_norm(model.erased.block, erased)
            pre_norm(model.related.block, related)
            model.embed(x)
            seen = {m: [e, r] for m, e, r in zip(modalities, erased, related)}
    tokens = config["head"]["fusion_tokens"] if config["system"] == "graft" else 1
    return {m: torch.stack(a).mean(0)[:, :tokens, -patches:].mean(1).reshape(-1, *side) for m, a in seen.items()}, None


def activation(case, model, x):
    system, modalities, maps = golden.CASES[case]["system"], list(x), {}

    def keep(m):
        def hook(module, inputs, output):
            output.retain_grad()
            maps.setdefault(m, []).append(output)
        return hook

    if system == "mixer":
        model.erased.layer4.register_forward_hook(keep("all"))
        model.related.layer4.register_forward_hook(keep("all"))
        logits = model(torch.cat([x[m] for m in modalities]))["fused"][1]
        scores = sum(logits.chunk(len(modalities)))
    else:
        for m in modalities:
            model.encoders[m].layer4.register_forward_hook(keep(m))
        heads = model(x).values()
        scores = sum(sum(logits) if isinstance(logits, list) else logits for _, logits in heads)
    classes = scores.argmax(1)
    scores.gather(1, classes[:, None]).sum().backward()
    looks = {m: torch.stack([(v * v.grad).sum(1).relu() for v in found]).mean(0) for m, found in maps.items()}
    if system == "mixer":
        looks = dict(zip(modalities, looks["all"].chunk(len(modalities))))
    return looks, classes.tolist()


result = {}
for case in CASES:
    model, x, _ = golden.made(case, golden.INPUTS.get(case, 0))
    model.eval()
    maps, classes = (activation if golden.CASES[case]["backbone"]["kind"] == "resnet" else attention)(case, model, x)
    result[case] = {"classes": classes, "maps": {
        m: {"shape": list(v.shape), "summary": golden.summary(f"map {m}", v - v.mean((1, 2), keepdim=True))} for m, v in maps.items()}}
(here / "explanations.json").write_text(json.dumps(golden.compact(result)) + "\n")
