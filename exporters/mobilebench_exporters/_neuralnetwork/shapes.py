"""Layers that move elements and compute none: slices, concatenations, constants."""

from __future__ import annotations

import torch
from torch import Tensor

from mobilebench_exporters._neuralnetwork.layer import KINDS, Layer, kind

KINDS |= {
    "concatND": lambda layer, inputs: torch.cat(inputs, layer.parameters.axis),
    "expandDims": lambda layer, inputs: _expanded(inputs[0], list(layer.parameters.axes)),
    "loadConstantND": lambda layer, _: layer.weights("data", layer.parameters.shape),
    "reshapeStatic": lambda layer, inputs: inputs[0].reshape(list(layer.parameters.targetShape)),
    "transpose": lambda layer, inputs: inputs[0].permute(list(layer.parameters.axes)),
}


@kind("concat")
def _concat(layer: Layer, inputs: list[Tensor]) -> Tensor:
    """Along the axis "channel", the third from the end."""
    if layer.parameters.sequenceConcat:
        raise layer.refusal("it joins sequences")
    return torch.cat(inputs, -3)


@kind("slice")
def _slice(layer: Layer, inputs: list[Tensor]) -> Tensor:
    its, x = layer.parameters, inputs[0]
    axis = {its.CHANNEL_AXIS: -3, its.HEIGHT_AXIS: -2, its.WIDTH_AXIS: -1}[its.axis]
    positions = range(*slice(its.startIndex, its.endIndex, its.stride).indices(x.shape[axis]))
    return x.index_select(axis, torch.tensor(list(positions), dtype=torch.long))


@kind("sliceStatic")
def _slice_static(layer: Layer, inputs: list[Tensor]) -> Tensor:
    """A mask of true leaves its bound out, whatever number stands there."""
    its, x = layer.parameters, inputs[0]
    if any(its.squeezeMasks):
        raise layer.refusal("it drops dimensions")
    for axis in range(x.ndim):
        bounds = slice(
            None if its.beginMasks[axis] else its.beginIds[axis],
            None if its.endMasks[axis] else its.endIds[axis],
            its.strides[axis],
        )
        positions = range(*bounds.indices(x.shape[axis]))
        x = x.index_select(axis, torch.tensor(list(positions), dtype=torch.long))
    return x


@kind("squeeze")
def _squeeze(layer: Layer, inputs: list[Tensor]) -> Tensor:
    its = layer.parameters
    return inputs[0].squeeze() if its.squeezeAll else inputs[0].squeeze(tuple(its.axes))


@kind("splitND")
def _split(layer: Layer, inputs: list[Tensor]) -> list[Tensor]:
    its, x = layer.parameters, inputs[0]
    sizes = list(its.splitSizes) or [x.shape[its.axis] // its.numSplits] * its.numSplits
    return list(torch.split(x, sizes, its.axis))


def _expanded(x: Tensor, axes: list[int]) -> Tensor:
    for axis in sorted(axis % (x.ndim + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x
