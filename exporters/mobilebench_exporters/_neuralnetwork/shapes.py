"""Compute layers that only move elements: slices, concatenations, constants."""

from __future__ import annotations

import torch
from torch import Tensor

from mobilebench_exporters._neuralnetwork.layer import KINDS, Layer, kind

KINDS |= {
    "concatND": lambda layer, inputs: torch.cat(inputs, layer.parameters.axis),
    "expandDims": lambda layer, inputs: _expand(inputs[0], list(layer.parameters.axes)),
    "loadConstantND": lambda layer, _: layer.weights("data", layer.parameters.shape),
    "reshapeStatic": lambda layer, inputs: inputs[0].reshape(list(layer.parameters.targetShape)),
    "transpose": lambda layer, inputs: inputs[0].permute(list(layer.parameters.axes)),
}


@kind("concat")
def _concat(layer: Layer, inputs: list[Tensor]) -> Tensor:
    """Concatenate along the channel axis, the third from the end."""
    if layer.parameters.sequenceConcat:
        raise layer.refusal("it concatenates sequences")
    return torch.cat(inputs, -3)


@kind("slice")
def _slice(layer: Layer, inputs: list[Tensor]) -> Tensor:
    params, x = layer.parameters, inputs[0]
    axis = {params.CHANNEL_AXIS: -3, params.HEIGHT_AXIS: -2, params.WIDTH_AXIS: -1}[params.axis]
    positions = range(
        *slice(params.startIndex, params.endIndex, params.stride).indices(x.shape[axis])
    )
    return x.index_select(axis, torch.tensor(list(positions), dtype=torch.long))


@kind("sliceStatic")
def _slice_static(layer: Layer, inputs: list[Tensor]) -> Tensor:
    """Slice every dimension; a mask of true ignores the bound beside it."""
    params, x = layer.parameters, inputs[0]
    if any(params.squeezeMasks):
        raise layer.refusal("it drops dimensions")
    for axis in range(x.ndim):
        bounds = slice(
            None if params.beginMasks[axis] else params.beginIds[axis],
            None if params.endMasks[axis] else params.endIds[axis],
            params.strides[axis],
        )
        positions = range(*bounds.indices(x.shape[axis]))
        x = x.index_select(axis, torch.tensor(list(positions), dtype=torch.long))
    return x


@kind("squeeze")
def _squeeze(layer: Layer, inputs: list[Tensor]) -> Tensor:
    params = layer.parameters
    return inputs[0].squeeze() if params.squeezeAll else inputs[0].squeeze(tuple(params.axes))


@kind("splitND")
def _split(layer: Layer, inputs: list[Tensor]) -> list[Tensor]:
    params, x = layer.parameters, inputs[0]
    sizes = list(params.splitSizes) or [x.shape[params.axis] // params.numSplits] * params.numSplits
    return list(torch.split(x, sizes, params.axis))


def _expand(x: Tensor, axes: list[int]) -> Tensor:
    for axis in sorted(axis % (x.ndim + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x
