"""Makes graft.safetensors: a tiny GraFT's weights, an input, and what the reference computes from them.

    python3 Tests/InferenceTests/Fixtures/make_graft.py          # torch, safetensors; seed 20

Tensors besides the weights: `input.<modality>` (B,3,H,W); `embedding.<subset>` (B,D) in evaluation mode for every
subset of the modalities; `loss.*` of GraFT's objective in training mode without dropout, on the identities and triples
below, with a center loss over `centers`; `gradient.<parameter>` of the whole objective; `statistics.*` the neck's
running statistics afterwards; `triplet.<XYZ>` for all eight combinations of fusion and data tokens.
"""
import itertools
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[1] / "Reference"))
import configs  # noqa: E402
import losses  # noqa: E402
import systems  # noqa: E402
from export import randomise, sample, state  # noqa: E402

IDENTITIES = torch.tensor([0, 0, 1, 2])
TRIPLES = torch.tensor([[0, 1, 2], [1, 0, 3], [0, 1, 3], [1, 0, 2]])
ALPHA, BETA, GAMMA, SMOOTHING = 0.5, 0.0005, 0.5, 0.1

config = dict(configs.config("graft", configs.vit(24, 2, 3, patch=8, stride=6, distilled=True), 16, 32,
                             {"fusion_tokens": 2, "heads": 4, "feedforward": 40, "dropout": 0.0}), identities=3)
torch.manual_seed(20)
model = systems.build(config, 3)
randomise(model)
x = sample(config, 4)
out = {f"input.{m}": v for m, v in x.items()}
out.update({f"weights.{k}": v.clone() for k, v in state(model).items()})  # before training changes the statistics

model.eval()
with torch.no_grad():
    for r in (1, 2, 3):
        for subset in itertools.combinations(configs.M3, r):
            out[f"embedding.{'+'.join(subset)}"] = model.embed({m: x[m] for m in subset})

model.train()
centers = torch.randn(3, 24, requires_grad=True)
o = model(x)
(z, logits), data = o["fused"], o["data"][:, 0]
pick = {"F": z, "D": data}
for kind in map("".join, itertools.product("FD", repeat=3)):
    out[f"triplet.{kind}"] = losses.augmented_triplet(*(pick[c][TRIPLES[:, i]] for i, c in enumerate(kind)))
triplet = losses.augmented_triplet(z[TRIPLES[:, 0]], z[TRIPLES[:, 1]], data[TRIPLES[:, 2]])
center = losses.center(z, IDENTITIES, centers)
entropy = losses.cross_entropy(logits, IDENTITIES, SMOOTHING)
loss = ALPHA * triplet + BETA * center + GAMMA * entropy
loss.backward()
out.update({"loss.triplet": triplet, "loss.center": center, "loss.cross_entropy": entropy, "loss.total": loss})
out.update({f"gradient.{n}": p.grad for n, p in model.named_parameters() if p.grad is not None})
out.update({"centers": centers, "gradient.centers": centers.grad, "logits": logits, "data": o["data"]})
out.update({f"statistics.{k}": v.clone() for k, v in model.state_dict().items() if k.startswith("neck.running")})

# Position embeddings of a 3x5 grid, with two prefix tokens, fitted to 4x3 and 6x8.
import backbones  # noqa: E402
positions = torch.randn(1, 2 + 15, 4)
out["positions.3x5"] = positions
for rows, columns in ((4, 3), (6, 8)):
    out[f"positions.{rows}x{columns}"] = backbones.resize_position_embedding(positions, 2, (3, 5), (rows, columns))

save_file({k: v.detach().reshape(v.shape or (1,)).contiguous() for k, v in out.items()}, here / "graft.safetensors",
          metadata={"triptych": json.dumps(config)})
