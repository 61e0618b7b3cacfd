"""PyTorch's training step, as `triptych benchmark --training` takes it, answering lines of standard input.

    training.py VARIANT MODEL --checkpoint FILE --batch B --threads N
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import torch  # noqa: E402

import models  # noqa: E402
from peers.serving import answer, resident_megabytes  # noqa: E402

import losses  # noqa: E402  The reference's; `models` made it importable.


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("variant")
    p.add_argument("model")
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--batch", type=int, required=True)
    p.add_argument("--threads", type=int, required=True)
    a = p.parse_args()
    imports = resident_megabytes()
    torch.set_num_threads(a.threads)
    models.use_fused_attention()
    system, config = models.load(a.model, a.checkpoint).train(), models.ALL[a.model]
    torch.manual_seed(1)
    images = {m: torch.rand(a.batch, 3, config["input"]["height"], config["input"]["width"]) * 2 - 1
              for m in config["modalities"]}
    labels = torch.arange(a.batch) // 2
    if "channels_last" in a.variant:
        system = system.to(memory_format=torch.channels_last)
        images = {m: i.contiguous(memory_format=torch.channels_last) for m, i in images.items()}
    optimizer = torch.optim.AdamW(system.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    forward = torch.compile(system, dynamic=False) if "compiled" in a.variant else system

    def once():
        optimizer.zero_grad(set_to_none=True)
        loss = losses.late_fusion(forward(images), labels, smoothing=0.1)
        loss.backward()
        optimizer.step()
        return loss.item()

    answer(once, imports)


if __name__ == "__main__":
    main()
