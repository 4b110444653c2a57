"""The file of a network that was trained for its widths.

    model    network.NAME: the shared weights; norms.WIDTH.NAME: BatchNorm of each narrower width
    about    the network, its classes, its image size and its widths, to build it again

`mobilebench export --checkpoint` reads it with `--width`, and so does `zoo.checkpoints`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mobilebench import files
from mobilebench.errors import CheckpointError
from mobilebench.slimmable.extraction import extract
from mobilebench.slimmable.shared import key_of, norm_tensors, with_norms
from mobilebench.values.width import Width
from mobilebench.zoo import saved
from mobilebench.zoo.checkpoints import load_weights


@dataclass(frozen=True)
class Trained:
    """A full network with the norms of its narrower widths."""

    model: str
    """Its name in the zoo."""
    resolution: int
    num_classes: int
    network: nn.Module
    norms: dict[str, dict[str, Tensor]]
    """By the width's name in the file, and by the tensor's."""

    def extract(self, width: Width, source: str) -> nn.Module:
        """Return the network of a width with its norms.

        `source` is for errors. Raises `CheckpointError` for a width without norms.
        """
        narrow = extract(self.network, width, name=self.model)
        if not width.is_full:
            with_norms(narrow, width, self.norms, source)
        return narrow

    def has(self, width: Width) -> bool:
        """Return whether there are norms for a width."""
        return width.is_full or key_of(width) in self.norms

    def add(self, width: Width, narrow: nn.Module) -> None:
        """Add the norms of a width from its network, or replace them."""
        self.norms[key_of(width)] = {
            name: tensor.detach().cpu().clone() for name, tensor in norm_tensors(narrow).items()
        }

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all. Raises `OutputError`."""
        state = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        for width, norms in self.norms.items():
            state |= {f"norms.{width}.{name}": tensor for name, tensor in norms.items()}
        about = {
            "model": self.model,
            "resolution": self.resolution,
            "num_classes": self.num_classes,
        }
        content = io.BytesIO()
        torch.save({"model": {k: v.cpu() for k, v in state.items()}, "about": about}, content)
        files.write_bytes(path, content.getvalue())


def read(path: Path, model: str) -> Trained:
    """Read the file of a network of the zoo that was trained for its widths.

    Raises `CheckpointError` for any other file, and for that of another network.
    """
    from mobilebench.zoo.references import require_checkpoint
    from mobilebench.zoo.registry import create_model

    require_checkpoint(path)
    content = saved.read(path)
    about: Any = content.get("about") if isinstance(content, Mapping) else None
    kinds = {"model": str, "resolution": int, "num_classes": int}
    if not isinstance(about, Mapping) or any(
        not isinstance(about.get(name), kind) for name, kind in kinds.items()
    ):
        raise CheckpointError(
            f"{path} is not the file of a network that was trained for its widths; give the "
            f"shared.pt that `mobilebench slim train` wrote."
        )
    if about["model"] != model:
        raise CheckpointError(f"{path} is of {about['model']}, not of {model}; name that network.")
    network = create_model(model, num_classes=about["num_classes"])
    norms = {width: dict(own) for width, own in load_weights(network, path).norms.items()}
    return Trained(model, about["resolution"], about["num_classes"], network.eval(), norms)
