"""Compute operations that only move elements: slices, concatenations, gathers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from coremltools import target
from torch import Tensor

from mobilebench_exporters._mlprogram.call import OPERATIONS, Call, Pairs, operation


def padded(x: Tensor, pairs: Pairs, value: float = 0.0) -> Tensor:
    """Pad or crop the last dimensions."""
    return F.pad(x, [count for pair in reversed(pairs) for count in pair], value=value)


OPERATIONS |= {
    "crop": lambda call: padded(
        call.tensor(),
        [(-start, -end) for start, end in (call.ints("crop_height"), call.ints("crop_width"))],
    ),
    "fill": lambda call: torch.full(
        call.ints("shape"), call.tensor("value").item(), dtype=call.dtype
    ),
    "fill_like": lambda call: torch.full(
        call.tensor("ref_tensor").shape, call.tensor("value").item(), dtype=call.dtype
    ),
    "pixel_shuffle": lambda call: F.pixel_shuffle(call.tensor(), call.integer("upscale_factor")),
    "shape": lambda call: torch.tensor(call.tensor().shape, dtype=call.dtype),
    "stack": lambda call: torch.stack(call.tensors("values"), call.integer("axis")),
    "tile": lambda call: call.tensor().tile(call.ints("reps")),
    "transpose": lambda call: call.tensor().permute(call.ints("perm")),
}


@operation("concat")
def _concat(call: Call) -> Tensor:
    values, axis = call.tensors("values"), call.integer("axis")
    if values[0].ndim == 0:
        return torch.stack(values)
    axis %= values[0].ndim
    if call.flag("interleave"):
        return torch.stack(values, axis + 1).flatten(axis, axis + 1)
    return torch.cat(values, axis)


@operation("split")
def _split(call: Call) -> Sequence[Tensor]:
    x, axis = call.tensor(), call.integer("axis")
    if call.has("split_sizes"):
        return torch.split(x, call.ints("split_sizes"), axis)
    return torch.split(x, x.shape[axis] // call.integer("num_splits"), axis)


@operation("expand_dims")
def _expand_dims(call: Call) -> Tensor:
    x, axes = call.tensor(), call.ints("axes")
    for axis in sorted(axis % (x.ndim + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


@operation("squeeze")
def _squeeze(call: Call) -> Tensor:
    x = call.tensor()
    return x.squeeze(tuple(call.ints("axes"))) if call.has("axes") else x.squeeze()


@operation("reverse")
def _reverse(call: Call) -> Tensor:
    x = call.tensor()
    return x.flip(call.ints("axes") if call.has("axes") else list(range(x.ndim)))


@operation("reshape")
def _reshape(call: Call) -> Tensor:
    x, shape = call.tensor(), call.ints("shape")
    if 0 in shape and call.opset < target.iOS17 and len(shape) != x.ndim:
        raise call.refusal("a 0 in a shape of another rank, which is defined only from iOS 17")
    # A 0 stands for the size of that dimension of the input, counted from the right, or for 1.
    sizes = [1] * len(shape) + list(x.shape)
    return x.reshape([size or sizes[i - len(shape)] for i, size in enumerate(shape)])


@operation("pad")
def _pad(call: Call) -> Tensor:
    x, counts, mode = call.tensor(), call.ints("pad"), call.text("mode")
    pairs = list(zip(counts[::2], counts[1::2], strict=True))
    if mode == "constant":
        return padded(x, pairs, call.number("constant_val"))
    if mode not in ("reflect", "replicate"):
        raise call.refusal(f"mode {mode!r}")
    for axis, (before, after) in enumerate(pairs, start=x.ndim - len(pairs)):
        last = x.shape[axis] - 1
        positions = torch.arange(-before, last + 1 + after)
        if mode == "replicate":
            positions = positions.clamp(0, last)
        else:
            positions = last - (last - positions.abs()).abs()
        x = x.index_select(axis, positions)
    return x


@operation("slice_by_index")
def _slice_by_index(call: Call) -> Tensor:
    x, begin, end = call.tensor(), call.ints("begin"), call.ints("end")
    stride = call.ints("stride") if call.has("stride") else [1] * x.ndim
    from_edge, to_edge = call.flags("begin_mask", x.ndim), call.flags("end_mask", x.ndim)
    squeezed = call.flags("squeeze_mask", x.ndim)
    for axis in range(x.ndim):
        size = x.shape[axis]
        if squeezed[axis]:
            first = 0 if from_edge[axis] else begin[axis]
            positions = torch.tensor([first + size if first < 0 else first])
        else:
            bounds = slice(
                None if from_edge[axis] else begin[axis],
                None if to_edge[axis] else end[axis],
                stride[axis],
            )
            positions = torch.arange(*bounds.indices(size))
        x = x.index_select(axis, positions)
    return x.squeeze([axis for axis in range(x.ndim) if squeezed[axis]])


@operation("slice_by_size")
def _slice_by_size(call: Call) -> Tensor:
    x = call.tensor()
    for axis, (begin, size) in enumerate(zip(call.ints("begin"), call.ints("size"), strict=True)):
        first = begin + x.shape[axis] if begin < 0 else begin
        x = x.narrow(axis, first, x.shape[axis] - first if size == -1 else size)
    return x


def _indices(call: Call, size: int) -> Tensor:
    """Return the positions to gather; a negative one counts from the end.

    Raises `EvaluationError` for a negative position from iOS 17 on, which leaves it undefined.
    """
    indices = call.tensor("indices").long()
    if call.opset >= target.iOS17 and bool((indices < 0).any()):
        raise call.refusal("a negative index, which iOS 17 and later leave undefined")
    return torch.where(indices < 0, indices + size, indices)


def _take(x: Tensor, indices: Tensor, axis: int, batch_dims: int) -> Tensor:
    if batch_dims:
        pairs = zip(x, indices, strict=True)
        return torch.stack([_take(a, i, axis - 1, batch_dims - 1) for a, i in pairs])
    elements = x.index_select(axis, indices.reshape(-1))
    return elements.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


@operation("gather")
def _gather(call: Call) -> Tensor:
    x, batch_dims = call.tensor(), call.integer("batch_dims") if call.has("batch_dims") else 0
    axis = call.integer("axis") % x.ndim
    return _take(x, _indices(call, x.shape[axis]), axis, batch_dims)


@operation("gather_along_axis")
def _gather_along_axis(call: Call) -> Tensor:
    x, axis = call.tensor(), call.integer("axis")
    return torch.gather(x, axis, _indices(call, x.shape[axis]))
