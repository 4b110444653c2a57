"""Merge the branches that blocks have for training only, by the blocks' own methods.

RepVGG, MobileOne, FastViT, RepViT, RepGhost and others train parallel branches that one convolution
replaces in inference. Their blocks offer that as a method, by the names of `METHODS`, which are
those that timm's `reparameterize_model` and the official repositories use.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

METHODS = ("fuse", "reparameterize", "switch_to_deploy", "convert_to_deploy", "reparam")
"""A method that returns a module names its replacement; any other works in place."""
_ROUNDING = 5e-6
"""Share of the largest output by which the merged form may differ. Folding a BatchNorm costs about
1e-6, and parity allows 1e-5 for this and the toolkit's own rounding together."""


def has_branches(module: nn.Module) -> bool:
    """Return whether a part of a network offers to merge its branches."""
    return any(_method(part) is not None for part in module.modules())


def merged(module: nn.Module) -> tuple[nn.Module, int]:
    """Return a copy of a network whose blocks have merged their branches, and their number.

    The network itself merges only where no part of it does. Raises whatever a block raises.
    """
    network = copy.deepcopy(module).eval()
    with torch.no_grad():
        blocks = _merge_children(network)
        method = _method(network)
        if blocks == 0 and method is not None:
            network, blocks = _result(method, network), 1
    return network.eval().requires_grad_(False), blocks


def computes_the_same(one: nn.Module, other: nn.Module, *example: Tensor) -> bool:
    """Return whether two networks give the same outputs, but for the rounding of float32."""
    with torch.no_grad():
        expected, actual = (_tensors(net(*[t.clone() for t in example])) for net in (one, other))
    return len(expected) == len(actual) and all(map(_close, expected, actual))


def _close(expected: Tensor, actual: Tensor) -> bool:
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        return False
    if not expected.is_floating_point():
        return bool(torch.equal(expected, actual))
    if expected.numel() == 0:
        return True
    return float((expected - actual).abs().max()) <= _ROUNDING * float(expected.abs().max())


def _tensors(result: Any) -> list[Tensor]:
    leaves, _ = torch.utils._pytree.tree_flatten(result)
    return [leaf for leaf in leaves if isinstance(leaf, Tensor)]


def _merge_children(part: nn.Module) -> int:
    blocks = 0
    for name, child in part.named_children():
        method = _method(child)
        if method is not None:
            blocks += 1
            setattr(part, name, _result(method, child))
        blocks += _merge_children(getattr(part, name))
    return blocks


def _result(method: Callable[[], Any], part: nn.Module) -> nn.Module:
    result = method()
    return result if isinstance(result, nn.Module) else part


def _method(part: nn.Module) -> Callable[[], Any] | None:
    """Return the method by which a part merges its branches; None where it has none."""
    for name in METHODS:
        method = getattr(part, name, None)
        if callable(method) and not isinstance(method, nn.Module) and _takes_nothing(method):
            return method  # type: ignore[no-any-return]
    return None


def _takes_nothing(method: Callable[..., Any]) -> bool:
    """Return whether a method needs no arguments: `fuse(x, y)` joins two inputs instead."""
    try:
        inspect.signature(method).bind()
    except (TypeError, ValueError):
        return False
    return True
