"""Set initial values of parameters: the official ones, or ones for verification."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def for_training(module: nn.Module) -> None:
    """Set the official initial values of convolutions: Kaiming-normal weights, zero biases."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


@torch.no_grad()
def for_verification(module: nn.Module, seed: int = 0) -> None:
    """Draw random weights that let every branch of the network change its output.

    The official initial values would hide most of a network from a numeric check. A layer scale of
    1e-5 silences whole blocks, fresh BatchNorm statistics make BatchNorm the identity, and a
    temperature of 1 shuts AdaptViG's gates. The values of a tensor depend only on the seed and on
    the tensor's place in the state dict.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(tensor: Tensor, low: float, high: float) -> None:
        tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)

    def normal(tensor: Tensor, std: float) -> None:
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * std)

    for name, tensor in module.state_dict().items():
        leaf = name.rpartition(".")[2]
        if not tensor.is_floating_point():
            continue
        if leaf == "running_var":
            uniform(tensor, 0.5, 1.5)
        elif leaf == "running_mean":
            normal(tensor, 0.1)
        elif leaf.startswith("layer_scale") or leaf == "gamma":
            uniform(tensor, 0.1, 0.4)
        elif leaf == "temperature":
            uniform(tensor, 100.0, 500.0)
        elif leaf == "A_log":
            uniform(tensor, 0.0, math.log(16.0))
        elif leaf == "D":
            uniform(tensor, 0.5, 1.5)
        elif leaf in ("direction_Bs", "pos_embed"):
            normal(tensor, 0.5)
        elif name.endswith("dt_proj.bias"):
            uniform(tensor, -2.0, 0.0)
        elif leaf == "weight" and tensor.ndim == 1:
            uniform(tensor, 0.8, 1.2)
        elif tensor.ndim >= 2:
            normal(tensor, 1.0 / math.sqrt(math.prod(tensor.shape[1:])))
        else:
            normal(tensor, 0.05)
