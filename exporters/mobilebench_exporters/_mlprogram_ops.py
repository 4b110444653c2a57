"""What each operation of an ML Program computes, in torch: the table behind `MLProgram.evaluate`.

The meaning of every operation is taken from coremltools' definitions, iOS 15 to 18
(`coremltools/converters/mil/mil/ops/defs`); none of its code is run here. Operands have the dtype
in which they are stored, so a half-precision program is computed with half tensors. What an
operation leaves open is refused with an `EvaluationError`, never guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from coremltools import target
from torch import Tensor

from mobilebench.errors import MobilebenchError

Value = Tensor | str
Pairs = list[tuple[int, int]]
"""What is added before and after each dimension; a negative number takes away."""


class EvaluationError(MobilebenchError):
    """An ML Program, or a part of one, that the evaluator cannot compute."""


class Call:
    """One operation together with the values of its operands.

    `dtype` is the torch dtype that the program declares for the (first) result.
    """

    def __init__(self, op: Any, values: Mapping[Any, Value], dtype: torch.dtype) -> None:
        self._op = op
        self._values = values
        self.dtype = dtype

    @property
    def outputs(self) -> int:
        return len(self._op.outputs)

    @property
    def opset(self) -> int:
        """The specification version that defined this form of the operation."""
        return int(self._op.opset_version)

    def has(self, name: str) -> bool:
        return name in self._op.inputs

    def tensor(self, name: str = "x") -> Tensor:
        return self._tensor(name, self._op.inputs[name])

    def real(self, name: str = "x") -> Tensor:
        """The tensor in the dtype of the result; from iOS 17 on a parameter may have another."""
        return self.tensor(name).to(self.dtype)

    def maybe_real(self, name: str) -> Tensor | None:
        return self.real(name) if self.has(name) else None

    def tensors(self, name: str) -> list[Tensor]:
        return [self._tensor(name, variable) for variable in self._op.inputs[name]]

    def _tensor(self, name: str, variable: Any) -> Tensor:
        value = self._values[variable]
        if not isinstance(value, Tensor):
            raise self.refusal(f"its {name} is text: {value!r}")
        return value

    def ints(self, name: str) -> list[int]:
        return [int(number) for number in self.tensor(name).reshape(-1).tolist()]

    def flags(self, name: str, count: int) -> list[bool]:
        """Absent means all false."""
        return [bool(n) for n in self.ints(name)] if self.has(name) else [False] * count

    def integer(self, name: str) -> int:
        return int(self.tensor(name).item())

    def number(self, name: str) -> float:
        return float(self.tensor(name).item())

    def flag(self, name: str, default: bool = False) -> bool:
        return bool(self.tensor(name).item()) if self.has(name) else default

    def text(self, name: str) -> str:
        value = self._values[self._op.inputs[name]]
        if not isinstance(value, str):
            raise self.refusal(f"its {name} is not text")
        return value

    def refusal(self, found: str) -> EvaluationError:
        return EvaluationError(
            f"The evaluator does not compute this form of {self._op.op_type!r} "
            f"(operation {self._op.name!r}): {found}."
        )


Operation = Callable[[Call], Tensor | Sequence[Tensor]]
OPERATIONS: dict[str, Operation] = {}
"""By type of operation; `const` is read, not computed, and is not here."""


def operation(*types: str) -> Callable[[Operation], Operation]:
    """Enter a function in the table as the meaning of these types of operation."""

    def enter(function: Operation) -> Operation:
        OPERATIONS.update(dict.fromkeys(types, function))
        return function

    return enter


# --- element by element -----------------------------------------------------------------------


_UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs, "ceil": torch.ceil, "cos": torch.cos, "erf": torch.erf, "exp": torch.exp,
    "floor": torch.floor, "identity": torch.clone, "logical_not": torch.logical_not,
    "relu": torch.relu, "relu6": F.relu6, "round": torch.round, "sigmoid": torch.sigmoid,
    "sign": torch.sign, "silu": F.silu, "sin": torch.sin, "softplus": F.softplus,
    "softsign": F.softsign, "sqrt": torch.sqrt, "square": torch.square, "tanh": torch.tanh,
}  # fmt: skip
_BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add, "equal": torch.eq, "floor_div": torch.floor_divide, "greater": torch.gt,
    "greater_equal": torch.ge, "less": torch.lt, "less_equal": torch.le,
    "logical_and": torch.logical_and, "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor, "maximum": torch.maximum, "minimum": torch.minimum,
    "mod": torch.remainder, "mul": torch.mul, "not_equal": torch.ne, "pow": torch.pow,
    "real_div": torch.div, "sub": torch.sub,
}  # fmt: skip


def _unary(function: Callable[[Tensor], Tensor]) -> Operation:
    return lambda call: function(call.tensor())


def _binary(function: Callable[[Tensor, Tensor], Tensor]) -> Operation:
    return lambda call: function(call.tensor("x"), call.tensor("y"))


OPERATIONS |= {name: _unary(function) for name, function in _UNARY.items()}
OPERATIONS |= {name: _binary(function) for name, function in _BINARY.items()}
OPERATIONS |= {
    "cast": lambda call: call.tensor().to(call.dtype),
    "clip": lambda call: torch.clamp(call.real(), call.real("alpha"), call.real("beta")),
    "elu": lambda call: F.elu(call.real(), call.number("alpha")),
    "inverse": lambda call: torch.reciprocal(call.real() + call.real("epsilon")),
    "leaky_relu": lambda call: F.leaky_relu(call.real(), call.number("alpha")),
    "linear_activation": lambda call: call.real("alpha") * call.real() + call.real("beta"),
    "log": lambda call: torch.log(call.real() + call.real("epsilon")),
    "prelu": lambda call: F.prelu(call.real(), call.real("alpha")),
    "rsqrt": lambda call: torch.rsqrt(call.real() + call.real("epsilon")),
    "select": lambda call: torch.where(call.tensor("cond"), call.tensor("a"), call.tensor("b")),
    "sigmoid_hard": lambda call: torch.clamp(
        call.real("alpha") * call.real() + call.real("beta"), 0, 1
    ),
    "thresholded_relu": lambda call: torch.where(call.real() >= call.real("alpha"), call.real(), 0),
}


@operation("gelu")
def _gelu(call: Call) -> Tensor:
    match call.text("mode"):
        case "EXACT":
            return F.gelu(call.tensor())
        case "TANH_APPROXIMATION":
            return F.gelu(call.tensor(), approximate="tanh")
        case "SIGMOID_APPROXIMATION":
            return call.tensor() * torch.sigmoid(1.702 * call.tensor())
        case mode:
            raise call.refusal(f"mode {mode!r}")


# --- sums over dimensions ---------------------------------------------------------------------


def _reduction(function: Callable[[Tensor, list[int], bool], Tensor]) -> Operation:
    def reduce(call: Call) -> Tensor:
        x = call.tensor()
        axes = call.ints("axes") if call.has("axes") else list(range(x.ndim))
        if not axes:
            raise call.refusal("its list of axes is empty")
        return function(x, axes, call.flag("keep_dims"))

    return reduce


OPERATIONS |= {
    f"reduce_{name}": _reduction(function)
    for name, function in {
        "l1_norm": lambda x, axes, keep: torch.sum(x.abs(), axes, keep),
        "l2_norm": lambda x, axes, keep: torch.linalg.vector_norm(x, 2, axes, keep),
        "log_sum_exp": lambda x, axes, keep: torch.logsumexp(x, axes, keep),
        "max": lambda x, axes, keep: torch.amax(x, axes, keep),
        "mean": lambda x, axes, keep: torch.mean(x, axes, keep),
        "min": lambda x, axes, keep: torch.amin(x, axes, keep),
        "sum": lambda x, axes, keep: torch.sum(x, axes, keep),
        "sum_square": lambda x, axes, keep: torch.sum(x * x, axes, keep),
    }.items()
}
OPERATIONS |= {
    "reduce_argmax": lambda call: torch.argmax(
        call.tensor(), call.integer("axis"), call.flag("keep_dims")
    ),
    "reduce_argmin": lambda call: torch.argmin(
        call.tensor(), call.integer("axis"), call.flag("keep_dims")
    ),
    "softmax": lambda call: torch.softmax(call.tensor(), call.integer("axis")),
}


@operation("topk")
def _topk(call: Call) -> Sequence[Tensor]:
    x, axis, k = call.tensor(), call.integer("axis"), call.integer("k")
    k = x.shape[axis] if k == -1 else k
    both = torch.topk(x, k, axis, largest=not call.flag("ascending"), sorted=True)
    return [both.values, both.indices][: call.outputs]


@operation("cumsum")
def _cumsum(call: Call) -> Tensor:
    x, axis = call.tensor(), call.integer("axis")
    x = x.flip(axis) if call.flag("reverse") else x
    sums = torch.cumsum(x, axis)
    if call.flag("exclusive"):
        kept = sums.narrow(axis, 0, x.shape[axis] - 1)
        sums = torch.cat([torch.zeros_like(sums.narrow(axis, 0, 1)), kept], axis)
    return sums.flip(axis) if call.flag("reverse") else sums


# --- normalisation ----------------------------------------------------------------------------

OPERATIONS |= {
    "batch_norm": lambda call: F.batch_norm(
        call.real(), call.real("mean"), call.real("variance"),
        call.maybe_real("gamma"), call.maybe_real("beta"), eps=call.number("epsilon"),
    ),
    "instance_norm": lambda call: F.instance_norm(
        call.real(), weight=call.maybe_real("gamma"), bias=call.maybe_real("beta"),
        eps=call.number("epsilon"),
    ),
}  # fmt: skip


@operation("layer_norm")
def _layer_norm(call: Call) -> Tensor:
    x = call.real()
    axes = sorted({axis % x.ndim for axis in call.ints("axes")})
    last = list(range(x.ndim - len(axes), x.ndim))
    moved = x.movedim(axes, last)
    gamma, beta = call.maybe_real("gamma"), call.maybe_real("beta")
    shape = moved.shape[last[0] :]
    return F.layer_norm(moved, shape, gamma, beta, call.number("epsilon")).movedim(last, axes)


# --- products ---------------------------------------------------------------------------------

OPERATIONS |= {
    "einsum": lambda call: torch.einsum(call.text("equation"), *call.tensors("values")),
    "linear": lambda call: F.linear(call.real(), call.real("weight"), call.maybe_real("bias")),
    "scaled_dot_product_attention": lambda call: F.scaled_dot_product_attention(
        call.tensor("query"), call.tensor("key"), call.tensor("value"),
        attn_mask=call.tensor("attn_mask") if call.has("attn_mask") else None,
    ),
}  # fmt: skip


@operation("matmul")
def _matmul(call: Call) -> Tensor:
    x, y = call.real("x"), call.real("y")
    x = x.mT if call.flag("transpose_x") and x.ndim > 1 else x
    y = y.mT if call.flag("transpose_y") and y.ndim > 1 else y
    return x @ y


_CONV = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}
_CONV_TRANSPOSE = {3: F.conv_transpose1d, 4: F.conv_transpose2d, 5: F.conv_transpose3d}


def _window_pads(call: Call, size: Sequence[int], window: list[int], stride: list[int]) -> Pairs:
    """Padding of each spatial dimension for windows that reach over `window` elements."""
    kind = call.text("pad_type")
    if kind == "valid":
        return [(0, 0)] * len(size)
    if kind == "custom":
        pads = call.ints("pad")
        return list(zip(pads[::2], pads[1::2], strict=True))
    if kind not in ("same", "same_lower"):
        raise call.refusal(f"pad_type {kind!r}")
    # ceil(size / stride) windows fit; an odd element goes to the end, or to the start (lower).
    totals = [
        max(0, (-(-n // s) - 1) * s + w - n) for n, w, s in zip(size, window, stride, strict=True)
    ]
    halves = [(total // 2, total - total // 2) for total in totals]
    return halves if kind == "same" else [(after, before) for before, after in halves]


def _padded(x: Tensor, pairs: Pairs, value: float = 0.0) -> Tensor:
    """Pad, or crop, the last dimensions."""
    return F.pad(x, [count for pair in reversed(pairs) for count in pair], value=value)


def _reach(weight: Tensor, dilation: list[int]) -> list[int]:
    return [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], dilation, strict=True)]


@operation("conv")
def _conv(call: Call) -> Tensor:
    x, weight, bias = call.real(), call.real("weight"), call.maybe_real("bias")
    stride, dilation = call.ints("strides"), call.ints("dilations")
    x = _padded(x, _window_pads(call, x.shape[2:], _reach(weight, dilation), stride))
    return _CONV[x.ndim](
        x, weight, bias, stride=stride, dilation=dilation, groups=call.integer("groups")
    )


@operation("conv_transpose")
def _conv_transpose(call: Call) -> Tensor:
    x, weight, bias = call.real(), call.real("weight"), call.maybe_real("bias")
    stride, dilation = call.ints("strides"), call.ints("dilations")
    full = _CONV_TRANSPOSE[x.ndim](
        x, weight, stride=stride, dilation=dilation, groups=call.integer("groups")
    )
    length = list(full.shape[2:])
    match call.text("pad_type"):
        case "valid":
            starts, wanted = [0] * len(length), length
        case "custom":
            pads = call.ints("pad")
            starts = pads[::2]
            wanted = [n - b - a for n, b, a in zip(length, starts, pads[1::2], strict=True)]
        case "same":
            wanted = [n * s for n, s in zip(x.shape[2:], stride, strict=True)]
            starts = [max(n - w, 0) // 2 for n, w in zip(length, wanted, strict=True)]
        case kind:
            raise call.refusal(f"pad_type {kind!r}")
    if call.has("output_shape") and call.ints("output_shape")[2:] != wanted:
        raise call.refusal("output_shape is not the one that follows from its padding")
    # The whole result is cropped; where strides leave it too short, zeros follow.
    crops = [(-start, w - n + start) for start, w, n in zip(starts, wanted, length, strict=True)]
    result = _padded(full, crops)
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
    return _MAX_POOL[x.ndim](_padded(x, pairs, -math.inf), kernel, stride)


@operation("avg_pool")
def _avg_pool(call: Call) -> Tensor:
    x, pool = call.tensor(), _AVG_POOL[call.tensor().ndim]
    kernel, stride, pairs, ceil = _pool_windows(call)
    exclude = call.flag("exclude_padding_from_average")
    if all(before == after for before, after in pairs):
        half = [before for before, _ in pairs]
        return pool(x, kernel, stride, half, ceil_mode=ceil, count_include_pad=not exclude)
    mean = pool(_padded(x, pairs), kernel, stride)
    return mean / pool(_padded(torch.ones_like(x), pairs), kernel, stride) if exclude else mean


# --- shape and order --------------------------------------------------------------------------

OPERATIONS |= {
    "crop": lambda call: _padded(
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
        raise call.refusal("a 0 in a shape of another rank, which has a meaning only from iOS 17")
    # A 0 stands for the size of the input's dimension, counted from the right, or else for 1.
    sizes = [1] * len(shape) + list(x.shape)
    return x.reshape([size or sizes[i - len(shape)] for i, size in enumerate(shape)])


@operation("pad")
def _pad(call: Call) -> Tensor:
    x, counts, mode = call.tensor(), call.ints("pad"), call.text("mode")
    pairs = list(zip(counts[::2], counts[1::2], strict=True))
    if mode == "constant":
        return _padded(x, pairs, call.number("constant_val"))
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
    """Positions to gather; a negative one counts from the end, but since iOS 17 is undefined."""
    indices = call.tensor("indices").long()
    if call.opset >= target.iOS17 and bool((indices < 0).any()):
        raise call.refusal("a negative index, which iOS 17 and later leave undefined")
    return torch.where(indices < 0, indices + size, indices)


def _take(x: Tensor, indices: Tensor, axis: int, batch_dims: int) -> Tensor:
    if batch_dims:
        pairs = zip(x, indices, strict=True)
        return torch.stack([_take(a, i, axis - 1, batch_dims - 1) for a, i in pairs])
    taken = x.index_select(axis, indices.reshape(-1))
    return taken.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


@operation("gather")
def _gather(call: Call) -> Tensor:
    x, batch_dims = call.tensor(), call.integer("batch_dims") if call.has("batch_dims") else 0
    axis = call.integer("axis") % x.ndim
    return _take(x, _indices(call, x.shape[axis]), axis, batch_dims)


@operation("gather_along_axis")
def _gather_along_axis(call: Call) -> Tensor:
    x, axis = call.tensor(), call.integer("axis")
    return torch.gather(x, axis, _indices(call, x.shape[axis]))


# --- images -----------------------------------------------------------------------------------


def _grid(call: Call, mode: str, n: int, out: int) -> Tensor:
    """Where each of `out` samples lies on an axis of `n` elements, as `resize_bilinear` has it."""
    i = torch.arange(out, dtype=torch.float64)
    match mode:
        case "STRICT_ALIGN_CORNERS" | "ALIGN_CORNERS" if out > 1:
            grid = i * (n - 1) / (out - 1)
        case "ALIGN_CORNERS":
            grid = i + (n - 1) / 2
        case "DEFAULT" | "STRICT_ALIGN_CORNERS":
            grid = i * n / out
        case "OFFSET_CORNERS":
            grid = (i + 0.5) * max(1, n - 1) / out
        case "UNALIGN_CORNERS":
            grid = (i + 0.5) * n / out - 0.5
        case _:
            raise call.refusal(f"sampling_mode {mode!r}")
    return grid.clamp(0, n - 1)


def _bilinear(call: Call, mode: str, size: tuple[int, int]) -> Tensor:
    x = call.tensor()
    for axis, out in zip((-2, -1), size, strict=True):
        grid = _grid(call, mode, x.shape[axis], out)
        low = grid.floor().long()
        high = (low + 1).clamp(max=x.shape[axis] - 1)
        share = (grid - low).to(x.dtype).reshape(-1, *[1] * (-1 - axis))
        x = x.index_select(axis, low) * (1 - share) + x.index_select(axis, high) * share
    return x


def _scaled_size(call: Call) -> tuple[int, int]:
    height, width = call.tensor().shape[-2:]
    scales = call.tensor("scale_factor_height"), call.tensor("scale_factor_width")
    return int(torch.floor(height * scales[0])), int(torch.floor(width * scales[1]))


def _target_size(call: Call) -> tuple[int, int]:
    return call.integer("target_size_height"), call.integer("target_size_width")


@operation("upsample_bilinear")
def _upsample_bilinear(call: Call) -> Tensor:
    corners = call.flag("align_corners")
    if call.flag("half_pixel_centers", default=not corners) == corners:
        raise call.refusal("half_pixel_centers and align_corners must differ")
    mode = "STRICT_ALIGN_CORNERS" if corners else "UNALIGN_CORNERS"
    return _bilinear(call, mode, _scaled_size(call))


def _nearest(call: Call, size: tuple[int, int]) -> Tensor:
    x = call.tensor()
    for axis, out in zip((-2, -1), size, strict=True):
        if out % x.shape[axis]:
            raise call.refusal(
                f"{x.shape[axis]} elements to {out}, no whole multiple, so that which one is "
                "nearest is not defined"
            )
        x = x.repeat_interleave(out // x.shape[axis], axis)
    return x


OPERATIONS |= {
    "resize_bilinear": lambda call: _bilinear(call, call.text("sampling_mode"), _target_size(call)),
    "resize_nearest_neighbor": lambda call: _nearest(call, _target_size(call)),
    "upsample_nearest_neighbor": lambda call: _nearest(call, _scaled_size(call)),
}


# --- quantised activations, compressed weights ------------------------------------------------


def _along(call: Call, name: str, data: Tensor) -> Tensor:
    """A scalar or vector parameter, shaped to lie along its axis of `data`."""
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
    """The first `count` bits of a vector of bytes, least significant first."""
    return ((packed[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1).flatten()[:count]


@operation("constexpr_lut_to_dense")
def _lut_to_dense(call: Call) -> Tensor:
    table, indices = call.tensor("lut"), call.tensor("indices")
    if call.has("shape"):  # before iOS 18: one table, indices packed into bytes
        shape = call.ints("shape")
        width = table.numel().bit_length() - 1
        bits = _bits(indices, width * math.prod(shape)).reshape(-1, width)
        return table[sum(bits[:, i].long() << i for i in range(width))].reshape(shape)
    # One table for each block of indices; an entry is a vector that is laid along `vector_axis`.
    block = torch.zeros([1] * indices.ndim, dtype=torch.long)
    for axis, (size, tables) in enumerate(zip(indices.shape, table.shape, strict=False)):
        position = torch.arange(size) // (size // tables)
        block = block * tables + position.reshape(-1, *[1] * (indices.ndim - 1 - axis))
    entries, vector = table.shape[-2:]
    found = table.reshape(-1, vector)[block * entries + indices.long()]
    if vector == 1:
        return found.squeeze(-1)
    axis = call.integer("vector_axis") % indices.ndim
    return found.movedim(-1, axis + 1).flatten(axis, axis + 1)


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
