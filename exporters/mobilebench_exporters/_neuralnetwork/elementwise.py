"""Compute layers that work element by element, and reductions over dimensions."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from mobilebench_exporters._neuralnetwork.layer import KINDS, Layer, Meaning, kind


def _over_all(function: Callable[[Tensor, Tensor], Tensor]) -> Meaning:
    return lambda _, inputs: functools.reduce(function, inputs)


def _with_alpha(function: Callable[[Tensor, Tensor], Tensor]) -> Meaning:
    """Apply a function over all inputs, or to a single input and the number `alpha`."""

    def meaning(layer: Layer, inputs: list[Tensor]) -> Tensor:
        if len(inputs) == 1:
            return function(inputs[0], torch.tensor(layer.parameters.alpha))
        return functools.reduce(function, inputs)

    return meaning


KINDS |= {
    "add": _with_alpha(torch.add),
    "addBroadcastable": _over_all(torch.add),
    "divideBroadcastable": _over_all(torch.div),
    "max": _over_all(torch.maximum),
    "maxBroadcastable": _over_all(torch.maximum),
    "min": _over_all(torch.minimum),
    "minBroadcastable": _over_all(torch.minimum),
    "multiply": _with_alpha(torch.mul),
    "multiplyBroadcastable": _over_all(torch.mul),
    "subtractBroadcastable": _over_all(torch.sub),
    "clip": lambda layer, inputs: inputs[0].clamp(layer.parameters.minVal, layer.parameters.maxVal),
    "softmaxND": lambda layer, inputs: torch.softmax(inputs[0], layer.parameters.axis),
}

_ACTIVATIONS: dict[str, Callable[[Tensor, Layer], Tensor]] = {
    "ReLU": lambda x, _: torch.relu(x),
    "sigmoid": lambda x, _: torch.sigmoid(x),
    "softplus": lambda x, _: F.softplus(x),
    "tanh": lambda x, _: torch.tanh(x),
    "linear": lambda x, layer: layer.parameters.linear.alpha * x + layer.parameters.linear.beta,
}


@kind("activation")
def _activation(layer: Layer, inputs: list[Tensor]) -> Tensor:
    which = str(layer.parameters.WhichOneof("NonlinearityType"))
    if which not in _ACTIVATIONS:
        raise layer.refusal(f"its function {which!r}")
    return _ACTIVATIONS[which](inputs[0], layer)


@kind("gelu")
def _gelu(layer: Layer, inputs: list[Tensor]) -> Tensor:
    parameters, x = layer.parameters, inputs[0]
    if parameters.mode == parameters.EXACT:
        return F.gelu(x)
    if parameters.mode == parameters.TANH_APPROXIMATION:
        return F.gelu(x, approximate="tanh")
    return x * torch.sigmoid(1.702 * x)


@kind("unary")
def _unary(layer: Layer, inputs: list[Tensor]) -> Tensor:
    params = layer.parameters
    if params.scale == 0:
        raise layer.refusal("a scale of 0, which may mean that the scale is not set")
    x = params.scale * inputs[0] + params.shift
    functions: dict[int, Callable[[Tensor], Tensor]] = {
        params.SQRT: torch.sqrt,
        params.RSQRT: lambda x: torch.rsqrt(x + params.epsilon),
        params.INVERSE: lambda x: torch.reciprocal(x + params.epsilon),
        params.POWER: lambda x: torch.pow(x, params.alpha),
        params.EXP: torch.exp,
        params.LOG: lambda x: torch.log(x + params.epsilon),
        params.ABS: torch.abs,
    }
    if params.type not in functions:
        raise layer.refusal(f"its function {params.Operation.Name(params.type)}")
    return functions[params.type](x)


def _reduction(function: Callable[[Tensor, list[int], bool], Tensor]) -> Meaning:
    def meaning(layer: Layer, inputs: list[Tensor]) -> Tensor:
        params, x = layer.parameters, inputs[0]
        axes = list(range(x.ndim)) if params.reduceAll else list(params.axes)
        return function(x, axes, params.keepDims)

    return meaning


KINDS |= {
    "reduceMax": _reduction(lambda x, axes, keep: torch.amax(x, axes, keep)),
    "reduceMean": _reduction(lambda x, axes, keep: torch.mean(x, axes, keep)),
    "reduceMin": _reduction(lambda x, axes, keep: torch.amin(x, axes, keep)),
    "reduceSum": _reduction(lambda x, axes, keep: torch.sum(x, axes, keep)),
}
