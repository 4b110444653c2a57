"""Copy a network and replace every part that has a rule."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mobilebench.deploy.target import Target


@dataclass(frozen=True)
class Rewriter:
    """Replace parts by rules, which use it to ask for sizes and to rewrite inner parts."""

    rules: Mapping[type[nn.Module], Rule]
    target: Target
    shapes: Mapping[nn.Module, torch.Size]
    """Shape of the first input of every part that ran."""

    def __call__(self, part: nn.Module) -> nn.Module:
        """Return the deployment form of a part.

        That is the result of its rule, or without a rule the part itself with its children
        rewritten.
        """
        rule = self.rules.get(type(part))
        if rule is not None:
            return rule(part, self)
        for name, child in part.named_children():
            setattr(part, name, self(child))
        return part

    def map_size(self, part: nn.Module) -> tuple[int, int]:
        """Return (H, W) of the map that a part had as its input."""
        height, width = self.shapes[part][2:]
        return height, width


Rule = Callable[[Any, Rewriter], nn.Module]
"""Takes a part of a plain network, which it may take apart, and returns the replacement."""


def rewritten(
    module: nn.Module,
    networks: Collection[type[nn.Module]],
    rules: Mapping[type[nn.Module], Rule],
    example: tuple[Tensor, ...],
    target: Target,
) -> nn.Module:
    """Return a copy of a module in which every network of these types is rewritten.

    A module without such a network is returned itself. Nothing outside of those networks changes,
    because only inside them is it known how parts are called.
    """
    if not any(type(part) in networks for part in module.modules()):
        return module
    network = copy.deepcopy(module).eval().requires_grad_(False)
    rewrite = Rewriter(rules, target, _input_shapes(network, example))

    def rewrite_networks(part: nn.Module) -> nn.Module:
        if type(part) in networks:
            return rewrite(part)
        for name, child in part.named_children():
            setattr(part, name, rewrite_networks(child))
        return part

    # Once more, for the parts that the rules created.
    return rewrite_networks(network).eval().requires_grad_(False)


def _input_shapes(module: nn.Module, example: tuple[Tensor, ...]) -> dict[nn.Module, torch.Size]:
    shapes: dict[nn.Module, torch.Size] = {}

    def record_shape(part: nn.Module, inputs: tuple[Any, ...]) -> None:
        if inputs and isinstance(inputs[0], Tensor):
            shapes[part] = inputs[0].shape

    handles = [part.register_forward_pre_hook(record_shape) for part in module.modules()]
    try:
        with torch.no_grad():
            module(*example)
    finally:
        for handle in handles:
            handle.remove()
    return shapes
