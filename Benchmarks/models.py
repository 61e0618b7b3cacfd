"""The models that are measured, made from the reference's definitions: configuration, checkpoint, module.

torch is imported only where a module is needed, so that a peer's process that does without it stays small.
"""
import functools
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "Reference"))
import configs  # noqa: E402

IDENTITIES = 50
RESNET_50, DEIT_SMALL = configs.resnet(50), configs.vit(384, 12, 6, distilled=True)
ENCODERS = {
    "graft": configs.PAPER["graft"],
    "unicat-vit-b": configs.config("unicat", configs.vit(768, 12, 12), 256, 128),
    "unicat-resnet-50": configs.config("unicat", RESNET_50, 256, 128),
    "ieee": configs.PAPER["ieee"],
    "mixer": configs.config("mixer", RESNET_50, 256, 128),
}
# One modality: a step is then one network's, which every framework can be asked for in the same way.
TRAINED = {
    "resnet-50": configs.config("unicat", RESNET_50, 256, 128, modalities=["rgb"]),
    "deit-small": configs.config("unicat", DEIT_SMALL, 224, 224, modalities=["rgb"]),
}
ALL = ENCODERS | TRAINED


def is_transformer(name):
    return ALL[name]["backbone"]["kind"] == "vit"


def is_shared(name):
    """Whether all modalities go through one network, so that they can be one batch."""
    return ALL[name]["system"] in ("graft", "mixer")


def make_checkpoint(name, path, seed=1):
    import torch
    from export import randomise, state
    from safetensors.torch import save_file

    import systems

    torch.manual_seed(seed)
    config = dict(ALL[name], identities=IDENTITIES)
    model = systems.build(config, IDENTITIES)
    randomise(model)
    save_file(state(model), path, metadata={"triptych": json.dumps(config)})


def make_input(name, batch, path, seed=1):
    import torch
    from export import sample
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    save_file(sample(ALL[name], batch), path)


@functools.cache
def encoder_classes():
    """Modules that take the modalities' images one by one and give an embedding; made late because they need torch."""
    import torch
    from torch import nn

    class Encoder(nn.Module):
        """As the reference computes it: one modality after the other."""

        def __init__(self, system):
            super().__init__()
            self.system = system

        def forward(self, *images):
            return self.system.embed(dict(zip(self.system.modalities, images)))

    class Joined(Encoder):
        """With a shared network: all modalities as one batch, as one would write it for speed."""

        def forward(self, *images):
            system, batch = self.system, torch.cat(images)
            if type(system).__name__ == "MixER":
                return system.features(batch)[2].unflatten(0, (len(images), -1)).mean(0)
            token = system.fusion_token.expand(images[0].shape[0], -1, -1)
            tokens = system.backbone(batch).unflatten(0, (len(images), -1))
            encoded = [system.encoders[m](torch.cat([token, t], 1)) for m, t in zip(system.modalities, tokens)]
            return torch.stack([e[:, :token.shape[1]].mean(1) for e in encoded]).mean(0)

    return Encoder, Joined


def load(name, checkpoint):
    """The reference's system with a checkpoint's weights, in evaluation."""
    from safetensors.torch import load_file

    import systems

    system = systems.build(ALL[name], IDENTITIES)
    system.load_state_dict(load_file(checkpoint), strict=False)
    return system.eval()


def encoder(name, checkpoint, joined=True):
    plain, one_batch = encoder_classes()
    return (one_batch if joined and is_shared(name) else plain)(load(name, checkpoint)).eval()


def use_fused_attention():
    """PyTorch's own kernel in place of the reference's three operations, in the backbones that are built from now on."""
    import torch.nn.functional as F

    import backbones

    def forward(self, x, mask=None):
        b, n, _ = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, self.head_width).permute(2, 0, 3, 1, 4).unbind(0)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, -1))

    backbones.Attention.forward = forward
