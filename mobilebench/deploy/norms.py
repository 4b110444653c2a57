"""Layer normalisation over channels of tokens or maps, in a form for each target.

Core ML has it as one operation, which keeps its sums in single precision. XNNPACK leaves it out of
its delegate, so for the CPU it is written out: means over channels are linear layers with equal
weights.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobilebench.deploy import folding
from mobilebench.deploy.target import Target


class TokenNorm(nn.Module):
    """Layer normalisation of (N, L, C) over C.

    Before: `native_layer_norm`. After: d = x - mean, d / sqrt(mean of d^2 + eps) * gain + shift.
    With `centred` x has mean 0 already.
    """

    ones: Tensor

    def __init__(self, norm: nn.LayerNorm, *, centred: bool = False) -> None:
        super().__init__()
        channels = norm.weight.shape[0]
        self.eps, self.centred = norm.eps, centred
        self.gain, self.shift = norm.weight, norm.bias
        self.register_buffer("ones", norm.weight.new_full((1, channels), 1.0 / channels))

    def forward(self, x: Tensor) -> Tensor:
        if not self.centred:
            x = x - F.linear(x, self.ones)
        return x * torch.rsqrt(F.linear(x * x, self.ones) + self.eps) * self.gain + self.shift


def token_norm(norm: nn.LayerNorm, target: Target) -> nn.Module:
    """Return the form of a layer normalisation for a target."""
    return norm if target is Target.COREML else TokenNorm(norm)


def normalised_projection(
    projection: nn.Conv2d, norm: nn.LayerNorm, target: Target, gain: float = 1.0
) -> nn.Module:
    """Return gain * norm(projection(x)) for tokens (N, L, C) and a 1x1 projection.

    The mean over output channels of W x is (mean of the rows of W) x. Subtracting the mean row from
    every row therefore centres the outputs before they are computed.
    """
    linear = folding.as_linear(projection)
    with torch.no_grad():
        norm.weight.mul_(gain)
        norm.bias.mul_(gain)
    if target is Target.COREML:
        return nn.Sequential(linear, norm)
    weight, bias = linear.weight.double(), folding.bias_of(linear)
    centred = folding.linear(weight - weight.mean(0), bias - bias.mean(), linear.weight)
    return nn.Sequential(centred, TokenNorm(norm, centred=True))


class PooledNorm(nn.Module):
    """Mean over pixels of each pixel's layer normalisation: (N, C, H, W) -> (N, C).

    Before: the map is turned into tokens, normalised, given gain and shift, and averaged. After:
    gain and shift are part of the classifier, because they commute with the mean, and means over
    channels are 1x1 convolutions with equal weights.
    """

    ones: Tensor

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        channels = norm.weight.shape[0]
        self.eps = norm.eps
        self.register_buffer("ones", norm.weight.new_full((1, channels, 1, 1), 1.0 / channels))

    def forward(self, x: Tensor) -> Tensor:
        x = x - F.conv2d(x, self.ones)
        x = x * torch.rsqrt(F.conv2d(x * x, self.ones) + self.eps)
        return x.mean((2, 3), keepdim=True).flatten(1)
