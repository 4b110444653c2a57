"""Layers that work element by element, and sums over dimensions."""

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
    """Over all inputs; of a single one and the number `alpha`."""

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
    its = layer.parameters
    if its.scale == 0:
        raise layer.refusal("a scale of 0, which may stand for a scale that is not set")
    x = its.scale * inputs[0] + its.shift
    functions: dict[int, Callable[[Tensor], Tensor]] = {
        its.SQRT: torch.sqrt,
        its.RSQRT: lambda x: torch.rsqrt(x + its.epsilon),
        its.INVERSE: lambda x: torch.reciprocal(x + its.epsilon),
        its.POWER: lambda x: torch.pow(x, its.alpha),
        its.EXP: torch.exp,
        its.LOG: lambda x: torch.log(x + its.epsilon),
        its.ABS: torch.abs,
    }
    if its.type not in functions:
        raise layer.refusal(f"its function {its.Operation.Name(its.type)}")
    return functions[its.type](x)


def _reduction(function: Callable[[Tensor, list[int], bool], Tensor]) -> Meaning:
    def meaning(layer: Layer, inputs: list[Tensor]) -> Tensor:
        its, x = layer.parameters, inputs[0]
        axes = list(range(x.ndim)) if its.reduceAll else list(its.axes)
        return function(x, axes, its.keepDims)

    return meaning


KINDS |= {
    "reduceMax": _reduction(lambda x, axes, keep: torch.amax(x, axes, keep)),
    "reduceMean": _reduction(lambda x, axes, keep: torch.mean(x, axes, keep)),
    "reduceMin": _reduction(lambda x, axes, keep: torch.amin(x, axes, keep)),
    "reduceSum": _reduction(lambda x, axes, keep: torch.sum(x, axes, keep)),
}
