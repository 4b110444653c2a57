"""Copy a network and replace every part that has a rule."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from mobilebench.deploy.target import Target
from mobilebench.errors import ImageSizeError


@dataclass(frozen=True)
class Rewriter:
    """Replace parts by rules, which use it to ask for sizes and to rewrite inner parts."""

    rules: Mapping[type[nn.Module], Rule]
    target: Target
    shapes: Mapping[nn.Module, Sequence[torch.Size]]
    """Shapes of the first input of every part, one for each call; none of one that never ran."""
    done: dict[nn.Module, nn.Module] = field(default_factory=dict)
    """What became of each part: one that stands in two places is replaced by one."""

    def __call__(self, part: nn.Module) -> nn.Module:
        """Return the deployment form of a part.

        That is the result of its rule, or without a rule the part itself with its children
        rewritten.
        """
        if part not in self.done:
            rule = self.rules.get(type(part))
            self.done[part] = rule(part, self) if rule else _with_children(part, self)
        return self.done[part]

    def map_size(self, part: nn.Module) -> tuple[int, int]:
        """Return (H, W) of the map that a part had as its input, (1, 1) where it never ran.

        Raises `ImageSizeError` where it had maps of several sizes.
        """
        if not self.shapes[part]:
            return 1, 1
        sizes = list(dict.fromkeys(tuple(shape[2:]) for shape in self.shapes[part]))
        if len(sizes) > 1:
            maps = " and ".join(f"{height} x {width}" for height, width in sizes)
            raise ImageSizeError(
                f"The network calls a {type(part).__name__} with maps of {maps}, and its "
                f"deployment form is made for one size; export the plain form (--no-deploy)."
            )
        [(height, width)] = sizes
        return height, width

    def channels(self, part: nn.Module) -> int:
        """Return the channels of the map that a part had as its input, 1 where it never ran."""
        return self.shapes[part][0][1] if self.shapes[part] else 1


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
        return rewrite(part) if type(part) in networks else _with_children(part, rewrite_networks)

    # Once more, for the parts that the rules created.
    return rewrite_networks(network).eval().requires_grad_(False)


def _with_children(part: nn.Module, change: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """Return a part with every child changed, also one that it has under two names."""
    for name, child in list(part._modules.items()):
        if child is not None:
            setattr(part, name, change(child))
    return part


def _input_shapes(
    module: nn.Module, example: tuple[Tensor, ...]
) -> dict[nn.Module, list[torch.Size]]:
    shapes: dict[nn.Module, list[torch.Size]] = {part: [] for part in module.modules()}

    def record_shape(part: nn.Module, inputs: tuple[Any, ...]) -> None:
        if inputs and isinstance(inputs[0], Tensor):
            shapes[part].append(inputs[0].shape)

    handles = [part.register_forward_pre_hook(record_shape) for part in module.modules()]
    try:
        with torch.no_grad():
            module(*example)
    finally:
        for handle in handles:
            handle.remove()
    return shapes
