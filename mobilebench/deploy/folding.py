"""Fold layers before and after a convolution into its weights.

Everything is computed in float64 and rounded once to the type of the weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import torch
from torch import Tensor, nn

_Layer = TypeVar("_Layer", nn.Conv2d, nn.Linear)


def affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return a BatchNorm in eval mode as scale and shift of y = scale * x + shift.

    Both are (C) in float64. Raises `ValueError` for a BatchNorm without running statistics.
    """
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise ValueError("a BatchNorm without running statistics is not a constant map")
    scale = (variance.double() + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight.double()
    shift = -mean.double() * scale
    return scale, shift + norm.bias.double() if norm.affine else shift


def norm_after(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """Return norm(conv(x)) as one convolution.

    Before: y = s * (W x + b) + t. After: y = (s W) x + (s b + t), per output channel.
    """
    scale, shift = affine(norm)
    weight = conv.weight.double() * scale.view(-1, 1, 1, 1)
    return with_weights(conv, weight, bias_of(conv) * scale + shift)


def norm_before(norm: nn.BatchNorm2d, conv: nn.Conv2d) -> nn.Conv2d:
    """Return conv(norm(x)) as one convolution, for a dense one without padding.

    Before: y = W (s * x + t) + b. After: y = (W s) x + (W t + b). With padding the border would see
    zeros that are not normalised, so a padded convolution raises `ValueError`, as does a grouped
    one.
    """
    if conv.padding != (0, 0) or conv.groups != 1:
        raise ValueError("a BatchNorm moves forward only into a dense convolution without padding")
    scale, shift = affine(norm)
    weight = conv.weight.double() * scale.view(1, -1, 1, 1)
    offset = torch.einsum("oihw,i->o", conv.weight.double(), shift)
    return with_weights(conv, weight, bias_of(conv) + offset)


def scaled(conv: nn.Conv2d, factors: Tensor) -> nn.Conv2d:
    """Return factors * conv(x) as one convolution.

    There is one factor per output channel (a layer scale).
    """
    flat = factors.detach().double().reshape(-1)
    return with_weights(conv, conv.weight.double() * flat.view(-1, 1, 1, 1), bias_of(conv) * flat)


def with_identity(conv: nn.Conv2d) -> nn.Conv2d:
    """Return x + conv(x) as one convolution, for a depthwise one of odd size and stride 1.

    Before: y = x + W x + b. After: the centre tap of every channel's kernel is one larger.
    """
    weight = conv.weight.double().clone()
    height, width = weight.shape[2:]
    weight[:, :, height // 2, width // 2] += 1.0
    return with_weights(conv, weight, bias_of(conv))


def relative_to_sum(conv: nn.Conv2d, sign: float) -> nn.Conv2d:
    """Rewrite a 1x1 convolution of [x, r], r = sign * (m - x), as one of [x, m].

    Before: y = W1 x + sign W2 (m - x) + b. After: y = (W1 - sign W2) x + (sign W2) m + b; this
    saves the subtraction over a whole map.
    """
    own, relative = conv.weight.double().chunk(2, dim=1)
    weight = torch.cat([own - sign * relative, sign * relative], dim=1)
    return with_weights(conv, weight, bias_of(conv))


def composed(first: nn.Conv2d, second: nn.Conv2d) -> nn.Conv2d:
    """Return second(first(x)) as one convolution, for two 1x1 convolutions.

    Before: y = W2 (W1 x + b1) + b2. After: y = (W2 W1) x + (W2 b1 + b2).
    """
    outer = second.weight.double().flatten(1)
    weight = (outer @ first.weight.double().flatten(1))[:, :, None, None]
    conv = nn.Conv2d(first.in_channels, second.out_channels, 1)
    return _filled(conv, weight, outer @ bias_of(first) + bias_of(second), first.weight.dtype)


def as_linear(conv: nn.Conv2d) -> nn.Linear:
    """Return a 1x1 convolution of a map of one pixel as a linear layer."""
    linear = nn.Linear(conv.in_channels, conv.out_channels)
    return _filled(linear, conv.weight.double().flatten(1), bias_of(conv), conv.weight.dtype)


def mean_of(layers: Iterable[nn.Linear]) -> nn.Linear:
    """Return one linear layer that computes the mean of several on the same input."""
    members = list(layers)
    weight = torch.stack([layer.weight.double() for layer in members]).mean(0)
    bias = torch.stack([bias_of(layer) for layer in members]).mean(0)
    linear = nn.Linear(members[0].in_features, members[0].out_features)
    return _filled(linear, weight, bias, members[0].weight.dtype)


def linear(weight: Tensor, bias: Tensor | None, like: Tensor) -> nn.Linear:
    """Return a linear layer with these weights, (out, in) and (out), in the type of `like`."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    return _filled(layer, weight, bias, like.dtype)


def with_weights(conv: nn.Conv2d, weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    """Return a convolution of the same geometry and type with other weights."""
    other = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        conv.padding,  # type: ignore[arg-type]
        conv.dilation,  # type: ignore[arg-type]
        conv.groups,
        bias=bias is not None,
    )
    return _filled(other, weight, bias, conv.weight.dtype)


def _filled(layer: _Layer, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> _Layer:
    layer.to(dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None and layer.bias is not None:
            layer.bias.copy_(bias)
    return layer


def bias_of(layer: nn.Conv2d | nn.Linear) -> Tensor:
    """Return the bias of a layer in float64, or zeros where it has none."""
    if layer.bias is None:
        return torch.zeros(layer.weight.shape[0], dtype=torch.float64)
    return layer.bias.detach().double()
