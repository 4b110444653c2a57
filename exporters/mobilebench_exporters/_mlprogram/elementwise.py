"""Compute element-wise operations, reductions, normalisations and matrix products."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mobilebench_exporters._mlprogram.call import OPERATIONS, Call, Operation, operation

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
        earlier = sums.narrow(axis, 0, x.shape[axis] - 1)
        sums = torch.cat([torch.zeros_like(sums.narrow(axis, 0, 1)), earlier], axis)
    return sums.flip(axis) if call.flag("reverse") else sums


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


OPERATIONS |= {
    "einsum": lambda call: torch.einsum(call.text("equation"), *call.factors("values")),
    "linear": lambda call: F.linear(
        call.factor(), call.factor("weight"), call.maybe_factor("bias")
    ),
    "scaled_dot_product_attention": lambda call: F.scaled_dot_product_attention(
        call.tensor("query"), call.tensor("key"), call.tensor("value"),
        attn_mask=call.tensor("attn_mask") if call.has("attn_mask") else None,
    ),
}  # fmt: skip


@operation("matmul")
def _matmul(call: Call) -> Tensor:
    x, y = call.factor("x"), call.factor("y")
    x = x.mT if call.flag("transpose_x") and x.ndim > 1 else x
    y = y.mT if call.flag("transpose_y") and y.ndim > 1 else y
    return x @ y
