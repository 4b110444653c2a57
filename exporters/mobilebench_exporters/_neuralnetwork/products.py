"""Layers that multiply by matrices or by numbers per channel, and normalisation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mobilebench_exporters._neuralnetwork.layer import Layer, kind


@kind("innerProduct")
def _inner_product(layer: Layer, inputs: list[Tensor]) -> Tensor:
    its, x = layer.parameters, inputs[0]
    if x.ndim > 3:
        raise layer.refusal(f"an input of {x.ndim} dimensions, of which it would join the last")
    weight = layer.weights("weights", (its.outputChannels, its.inputChannels))
    bias = layer.weights("bias", (its.outputChannels,)) if its.hasBias else None
    return F.linear(x, weight, bias)


@kind("batchedMatmul")
def _batched_matmul(layer: Layer, inputs: list[Tensor]) -> Tensor:
    its, a = layer.parameters, inputs[0]
    a = a.mT if its.transposeA else a
    if len(inputs) == 1:
        # Stored column after column, as coremltools' builder writes it.
        b = layer.weights(
            "weights", (its.weightMatrixSecondDimension, its.weightMatrixFirstDimension)
        ).mT
    else:
        b = inputs[1].mT if its.transposeB else inputs[1]
    if not its.hasBias:
        return a @ b
    return a @ b + layer.weights("bias", (b.shape[-1],))


@kind("scale")
def _scale(layer: Layer, inputs: list[Tensor]) -> Tensor:
    its = layer.parameters
    y = inputs[0] * layer.weights("scale", its.shapeScale)
    return y + layer.weights("bias", its.shapeBias) if its.hasBias else y


@kind("batchnorm")
def _batchnorm(layer: Layer, inputs: list[Tensor]) -> Tensor:
    its = layer.parameters
    if its.computeMeanVar or its.instanceNormalization:
        raise layer.refusal("it takes mean and variance from its input")
    shape = (its.channels,)
    names = ("mean", "variance", "gamma", "beta")
    mean, variance, gamma, beta = (layer.weights(name, shape) for name in names)
    return F.batch_norm(inputs[0], mean, variance, gamma, beta, eps=its.epsilon)


@kind("mvn")
def _mean_variance_normalised(layer: Layer, inputs: list[Tensor]) -> Tensor:
    """Over the last two dimensions, or three; the specification does not say where epsilon
    stands, and here it is under the root, as in the layer normalisation that it is written for."""
    its, x = layer.parameters, inputs[0]
    if x.ndim < 3:
        raise layer.refusal(f"an input of {x.ndim} dimensions")
    axes = [-3, -2, -1] if its.acrossChannels else [-2, -1]
    centred = x - x.mean(axes, keepdim=True)
    if not its.normalizeVariance:
        return centred
    variance = centred.square().mean(axes, keepdim=True)
    return centred / torch.sqrt(variance + (its.epsilon or 1e-5))
