"""Decompress quantised activations and compressed weights by their definitions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mobilebench_exporters._mlprogram.call import OPERATIONS, Call, operation


def _along(call: Call, name: str, data: Tensor) -> Tensor:
    """Return a scalar or vector parameter, shaped to broadcast along its axis of `data`."""
    parameter = call.tensor(name)
    if parameter.ndim == 0:
        return parameter
    axis = call.integer("axis") % data.ndim
    return parameter.reshape([-1 if i == axis else 1 for i in range(data.ndim)])


@operation("quantize")
def _quantize(call: Call) -> Tensor:
    x = call.tensor("input")
    levels = torch.round(x / _along(call, "scale", x))
    if call.has("zero_point"):
        levels = levels + _along(call, "zero_point", x).to(x.dtype)
    bounds = torch.iinfo(call.dtype)
    return levels.clamp(bounds.min, bounds.max).to(call.dtype)


@operation("dequantize", "constexpr_affine_dequantize")
def _dequantize(call: Call) -> Tensor:
    data = call.tensor("input" if call.has("input") else "quantized_data")
    levels = data.to(call.dtype)
    if call.has("zero_point"):
        levels = levels - _along(call, "zero_point", data).to(call.dtype)
    return _along(call, "scale", data) * levels


@operation("constexpr_blockwise_shift_scale")
def _blockwise_shift_scale(call: Call) -> Tensor:
    data = call.real("data")

    def blocks(name: str) -> Tensor:
        parameter = call.real(name)
        for axis, size in enumerate(data.shape):
            parameter = parameter.repeat_interleave(size // parameter.shape[axis], axis)
        return parameter

    return blocks("scale") * (data - blocks("offset") if call.has("offset") else data)


def _bits(packed: Tensor, count: int) -> Tensor:
    """Return the first `count` bits of a vector of bytes, least significant first."""
    return ((packed[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1).flatten()[:count]


@operation("constexpr_lut_to_dense")
def _lut_to_dense(call: Call) -> Tensor:
    table, indices = call.tensor("lut"), call.tensor("indices")
    if call.has("shape"):  # before iOS 18: one table, indices packed into bytes
        shape = call.ints("shape")
        width = table.numel().bit_length() - 1
        bits = _bits(indices, width * math.prod(shape)).reshape(-1, width)
        return table[sum(bits[:, i].long() << i for i in range(width))].reshape(shape)
    # One table for each block of indices; an entry is a vector along `vector_axis`.
    block = torch.zeros([1] * indices.ndim, dtype=torch.long)
    for axis, (size, tables) in enumerate(zip(indices.shape, table.shape, strict=False)):
        position = torch.arange(size) // (size // tables)
        block = block * tables + position.reshape(-1, *[1] * (indices.ndim - 1 - axis))
    entries, vector = table.shape[-2:]
    dense = table.reshape(-1, vector)[block * entries + indices.long()]
    if vector == 1:
        return dense.squeeze(-1)
    axis = call.integer("vector_axis") % indices.ndim
    return dense.movedim(-1, axis + 1).flatten(axis, axis + 1)


@operation("constexpr_sparse_to_dense")
def _sparse_to_dense(call: Call) -> Tensor:
    values, mask = call.tensor("nonzero_data"), call.tensor("mask")
    if call.has("shape"):  # before iOS 18: the mask is packed into bytes
        shape = call.ints("shape")
        mask = _bits(mask, math.prod(shape)).reshape(shape)
    dense = torch.zeros(mask.shape, dtype=values.dtype)
    dense[mask.bool()] = values
    return dense


OPERATIONS["constexpr_cast"] = lambda call: call.real("source_val")
