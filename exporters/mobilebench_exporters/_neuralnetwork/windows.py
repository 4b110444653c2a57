"""Layers that slide a window, and those that resize images."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mobilebench_exporters._neuralnetwork.layer import Layer, kind

_Pads = tuple[int, int, int, int]
"""Left, right, top, bottom: the order of `torch.nn.functional.pad`."""


def _pads(layer: Layer, x: Tensor, kernel: list[int], stride: list[int]) -> _Pads:
    """Padding for windows that reach over `kernel` pixels."""
    its = layer.parameters
    if its.HasField("same"):
        height, width = (
            max(0, (-(-size // step) - 1) * step + reach - size)
            for size, reach, step in zip(x.shape[-2:], kernel, stride, strict=True)
        )
        top, left = height // 2, width // 2
        if its.same.asymmetryMode == its.same.TOP_LEFT_HEAVY:
            top, left = height - top, width - left
        return left, width - left, top, height - top
    amounts: list[Any] = list(its.valid.paddingAmounts.borderAmounts)
    if not amounts:
        return 0, 0, 0, 0
    rows, columns = amounts
    return columns.startEdgeSize, columns.endEdgeSize, rows.startEdgeSize, rows.endEdgeSize


@kind("convolution")
def _convolution(layer: Layer, inputs: list[Tensor]) -> Tensor:
    its, x = layer.parameters, inputs[0]
    if its.isDeconvolution or len(inputs) != 1:
        raise layer.refusal("it is a deconvolution, or its weights are computed")
    kernel, stride, dilation = list(its.kernelSize), list(its.stride), list(its.dilationFactor)
    weight = layer.weights("weights", (its.outputChannels, its.kernelChannels, *kernel))
    bias = layer.weights("bias", (its.outputChannels,)) if its.hasBias else None
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True)]
    x = F.pad(x, _pads(layer, x, reach, stride))
    return F.conv2d(x, weight, bias, stride=stride, dilation=dilation, groups=its.nGroups)


@kind("pooling")
def _pooling(layer: Layer, inputs: list[Tensor]) -> Tensor:
    its, x = layer.parameters, inputs[0]
    if its.type not in (its.MAX, its.AVERAGE):
        raise layer.refusal("it is neither a mean nor a maximum")
    if its.globalPooling:
        axes = (-2, -1)
        return x.mean(axes, keepdim=True) if its.type == its.AVERAGE else x.amax(axes, keepdim=True)
    if its.HasField("includeLastPixel"):
        raise layer.refusal("its last window always includes the last pixel")
    kernel, stride = list(its.kernelSize), list(its.stride)
    pads = _pads(layer, x, kernel, stride)
    if its.type == its.MAX:
        return F.max_pool2d(F.pad(x, pads, value=float("-inf")), kernel, stride)
    mean = F.avg_pool2d(F.pad(x, pads), kernel, stride)
    if not its.avgPoolExcludePadding:
        return mean
    return mean / F.avg_pool2d(F.pad(x.new_ones(x.shape), pads), kernel, stride)


@kind("upsample")
def _upsample(layer: Layer, inputs: list[Tensor]) -> Tensor:
    its, x = layer.parameters, inputs[0]
    if its.fractionalScalingFactor:
        raise layer.refusal("its factors are no whole numbers")
    height, width = its.scalingFactor
    if its.mode == its.NN:
        return x.repeat_interleave(height, -2).repeat_interleave(width, -1)
    if its.linearUpsampleMode == its.DEFAULT:
        raise layer.refusal("it does not say where pixels lie")
    size = [x.shape[-2] * height, x.shape[-1] * width]
    corners = its.linearUpsampleMode == its.ALIGN_CORNERS_TRUE
    return F.interpolate(x, size, mode="bilinear", align_corners=corners)
