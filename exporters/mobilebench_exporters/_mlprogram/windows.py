"""Compute operations that slide a window: convolutions and pooling."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mobilebench_exporters._mlprogram.call import Call, Pairs, operation
from mobilebench_exporters._mlprogram.shapes import padded

_CONV = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}
_CONV_TRANSPOSE = {3: F.conv_transpose1d, 4: F.conv_transpose2d, 5: F.conv_transpose3d}


def _window_pads(call: Call, size: Sequence[int], window: list[int], stride: list[int]) -> Pairs:
    """Return the padding of each spatial dimension for windows of `window` elements."""
    kind = call.text("pad_type")
    if kind == "valid":
        return [(0, 0)] * len(size)
    if kind == "custom":
        pads = call.ints("pad")
        return list(zip(pads[::2], pads[1::2], strict=True))
    if kind not in ("same", "same_lower"):
        raise call.refusal(f"pad_type {kind!r}")
    # ceil(size / stride) windows fit. An odd padding element goes to the end, or to the start for
    # "same_lower".
    totals = [
        max(0, (-(-n // s) - 1) * s + w - n) for n, w, s in zip(size, window, stride, strict=True)
    ]
    halves = [(total // 2, total - total // 2) for total in totals]
    return halves if kind == "same" else [(after, before) for before, after in halves]


def _reach(weight: Tensor, dilation: list[int]) -> list[int]:
    return [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], dilation, strict=True)]


@operation("conv")
def _conv(call: Call) -> Tensor:
    x, weight, bias = call.factor(), call.factor("weight"), call.maybe_factor("bias")
    stride, dilation = call.ints("strides"), call.ints("dilations")
    x = padded(x, _window_pads(call, x.shape[2:], _reach(weight, dilation), stride))
    return _CONV[x.ndim](
        x, weight, bias, stride=stride, dilation=dilation, groups=call.integer("groups")
    )


@operation("conv_transpose")
def _conv_transpose(call: Call) -> Tensor:
    x, weight, bias = call.factor(), call.factor("weight"), call.maybe_factor("bias")
    stride, dilation = call.ints("strides"), call.ints("dilations")
    full = _CONV_TRANSPOSE[x.ndim](
        x, weight, stride=stride, dilation=dilation, groups=call.integer("groups")
    )
    length = list(full.shape[2:])
    match call.text("pad_type"):
        case "valid":
            starts, sizes = [0] * len(length), length
        case "custom":
            pads = call.ints("pad")
            starts = pads[::2]
            sizes = [n - b - a for n, b, a in zip(length, starts, pads[1::2], strict=True)]
        case "same":
            sizes = [n * s for n, s in zip(x.shape[2:], stride, strict=True)]
            starts = [max(n - w, 0) // 2 for n, w in zip(length, sizes, strict=True)]
        case kind:
            raise call.refusal(f"pad_type {kind!r}")
    if call.has("output_shape") and call.ints("output_shape")[2:] != sizes:
        raise call.refusal("its output_shape does not follow from its padding")
    # The full result is cropped; zeros are appended if strides leave it too short.
    crops = [(-start, w - n + start) for start, w, n in zip(starts, sizes, length, strict=True)]
    result = padded(full, crops)
    return result if bias is None else result + bias.reshape(-1, *[1] * len(length))


_MAX_POOL = {3: F.max_pool1d, 4: F.max_pool2d, 5: F.max_pool3d}
_AVG_POOL = {3: F.avg_pool1d, 4: F.avg_pool2d, 5: F.avg_pool3d}


def _pool_windows(call: Call) -> tuple[list[int], list[int], Pairs, bool]:
    kernel, stride = call.ints("kernel_sizes"), call.ints("strides")
    pairs = _window_pads(call, call.tensor().shape[2:], kernel, stride)
    ceil = call.flag("ceil_mode")
    if ceil and any(before != after for before, after in pairs):
        raise call.refusal("ceil_mode with uneven padding")
    return kernel, stride, pairs, ceil


@operation("max_pool")
def _max_pool(call: Call) -> Tensor:
    x = call.tensor()
    kernel, stride, pairs, ceil = _pool_windows(call)
    if ceil:
        half = [before for before, _ in pairs]
        return _MAX_POOL[x.ndim](x, kernel, stride, half, ceil_mode=True)
    return _MAX_POOL[x.ndim](padded(x, pairs, -math.inf), kernel, stride)


@operation("avg_pool")
def _avg_pool(call: Call) -> Tensor:
    x, pool = call.tensor(), _AVG_POOL[call.tensor().ndim]
    kernel, stride, pairs, ceil = _pool_windows(call)
    exclude = call.flag("exclude_padding_from_average")
    if all(before == after for before, after in pairs):
        half = [before for before, _ in pairs]
        return pool(x, kernel, stride, half, ceil_mode=ceil, count_include_pad=not exclude)
    mean = pool(padded(x, pairs), kernel, stride)
    return mean / pool(padded(torch.ones_like(x), pairs), kernel, stride) if exclude else mean
