"""Compute layers that multiply by matrices or by channel, and normalisations."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mobilebench_exporters._neuralnetwork.layer import Layer, kind


@kind("innerProduct")
def _inner_product(layer: Layer, inputs: list[Tensor]) -> Tensor:
    params, x = layer.parameters, inputs[0]
    if x.ndim > 3:
        raise layer.refusal(f"an input of {x.ndim} dimensions, whose last it would flatten")
    weight = layer.weights("weights", (params.outputChannels, params.inputChannels))
    bias = layer.weights("bias", (params.outputChannels,)) if params.hasBias else None
    return F.linear(x, weight, bias)


@kind("batchedMatmul")
def _batched_matmul(layer: Layer, inputs: list[Tensor]) -> Tensor:
    params, a = layer.parameters, inputs[0]
    a = a.mT if params.transposeA else a
    if len(inputs) == 1:
        # Stored in column-major order, as the builder of coremltools writes it.
        b = layer.weights(
            "weights", (params.weightMatrixSecondDimension, params.weightMatrixFirstDimension)
        ).mT
    else:
        b = inputs[1].mT if params.transposeB else inputs[1]
    if not params.hasBias:
        return a @ b
    return a @ b + layer.weights("bias", (b.shape[-1],))


@kind("scale")
def _scale(layer: Layer, inputs: list[Tensor]) -> Tensor:
    params = layer.parameters
    y = inputs[0] * layer.weights("scale", params.shapeScale)
    return y + layer.weights("bias", params.shapeBias) if params.hasBias else y


@kind("batchnorm")
def _batchnorm(layer: Layer, inputs: list[Tensor]) -> Tensor:
    params = layer.parameters
    if params.computeMeanVar or params.instanceNormalization:
        raise layer.refusal("it computes mean and variance from its input")
    shape = (params.channels,)
    names = ("mean", "variance", "gamma", "beta")
    mean, variance, gamma, beta = (layer.weights(name, shape) for name in names)
    return F.batch_norm(inputs[0], mean, variance, gamma, beta, eps=params.epsilon)


@kind("mvn")
def _mean_variance_normalisation(layer: Layer, inputs: list[Tensor]) -> Tensor:
    """Normalise over the last two dimensions, or the last three.

    The specification does not define the place of epsilon. Here it is under the root, as in the
    layer normalisation that this layer implements.
    """
    params, x = layer.parameters, inputs[0]
    if x.ndim < 3:
        raise layer.refusal(f"an input of {x.ndim} dimensions")
    axes = [-3, -2, -1] if params.acrossChannels else [-2, -1]
    centred = x - x.mean(axes, keepdim=True)
    if not params.normalizeVariance:
        return centred
    variance = centred.square().mean(axes, keepdim=True)
    return centred / torch.sqrt(variance + (params.epsilon or 1e-5))
