"""Compute layers that slide a window, and layers that resize images."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from mobilebench_exporters._neuralnetwork.layer import Layer, kind

_Pads = tuple[int, int, int, int]
"""Left, right, top, bottom: the order of `torch.nn.functional.pad`."""


def _pads(layer: Layer, x: Tensor, kernel: list[int], stride: list[int]) -> _Pads:
    """Return the padding for windows that cover `kernel` pixels."""
    params = layer.parameters
    if params.HasField("same"):
        height, width = (
            max(0, (-(-size // step) - 1) * step + reach - size)
            for size, reach, step in zip(x.shape[-2:], kernel, stride, strict=True)
        )
        top, left = height // 2, width // 2
        if params.same.asymmetryMode == params.same.TOP_LEFT_HEAVY:
            top, left = height - top, width - left
        return left, width - left, top, height - top
    amounts: list[Any] = list(params.valid.paddingAmounts.borderAmounts)
    if not amounts:
        return 0, 0, 0, 0
    rows, columns = amounts
    return columns.startEdgeSize, columns.endEdgeSize, rows.startEdgeSize, rows.endEdgeSize


@kind("convolution")
def _convolution(layer: Layer, inputs: list[Tensor]) -> Tensor:
    params, x = layer.parameters, inputs[0]
    if params.isDeconvolution or len(inputs) != 1:
        raise layer.refusal("it is a deconvolution, or its weights are computed")
    kernel, stride, dilation = (
        list(params.kernelSize),
        list(params.stride),
        list(params.dilationFactor),
    )
    weight = layer.weights("weights", (params.outputChannels, params.kernelChannels, *kernel))
    bias = layer.weights("bias", (params.outputChannels,)) if params.hasBias else None
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True)]
    x = F.pad(x, _pads(layer, x, reach, stride))
    return F.conv2d(x, weight, bias, stride=stride, dilation=dilation, groups=params.nGroups)


@kind("pooling")
def _pooling(layer: Layer, inputs: list[Tensor]) -> Tensor:
    params, x = layer.parameters, inputs[0]
    if params.type not in (params.MAX, params.AVERAGE):
        raise layer.refusal("it is neither a mean nor a maximum")
    if params.globalPooling:
        axes = (-2, -1)
        return (
            x.mean(axes, keepdim=True)
            if params.type == params.AVERAGE
            else x.amax(axes, keepdim=True)
        )
    if params.HasField("includeLastPixel"):
        raise layer.refusal("its last window always includes the last pixel")
    kernel, stride = list(params.kernelSize), list(params.stride)
    pads = _pads(layer, x, kernel, stride)
    if params.type == params.MAX:
        return F.max_pool2d(F.pad(x, pads, value=float("-inf")), kernel, stride)
    mean = F.avg_pool2d(F.pad(x, pads), kernel, stride)
    if not params.avgPoolExcludePadding:
        return mean
    return mean / F.avg_pool2d(F.pad(x.new_ones(x.shape), pads), kernel, stride)


@kind("upsample")
def _upsample(layer: Layer, inputs: list[Tensor]) -> Tensor:
    params, x = layer.parameters, inputs[0]
    if params.fractionalScalingFactor:
        raise layer.refusal("its factors are not whole numbers")
    height, width = params.scalingFactor
    if params.mode == params.NN:
        return x.repeat_interleave(height, -2).repeat_interleave(width, -1)
    if params.linearUpsampleMode == params.DEFAULT:
        raise layer.refusal("it does not define where pixels lie")
    size = [x.shape[-2] * height, x.shape[-1] * width]
    corners = params.linearUpsampleMode == params.ALIGN_CORNERS_TRUE
    return F.interpolate(x, size, mode="bilinear", align_corners=corners)
