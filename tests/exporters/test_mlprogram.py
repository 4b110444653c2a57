"""Test the ML Program evaluator against PyTorch, against NumPy, and with wrong functions."""

from __future__ import annotations

import gc
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("coremltools")
torch = pytest.importorskip("torch")

import coremltools as ct  # noqa: E402
import coremltools.optimize.coreml as cto  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from coremltools.converters.mil import Builder  # noqa: E402
from coremltools.converters.mil.mil import get_new_symbol, types  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from mobilebench.errors import MobilebenchError  # noqa: E402
from mobilebench_exporters import _mlprogram as ops  # noqa: E402
from mobilebench_exporters._mlprogram import MLProgram, UnknownOperation  # noqa: E402

# coremltools 9.0 calls functions that it deprecates itself, and leaves the temporary folder of each
# conversion to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Function _TORCH_OPS_REGISTRY:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning"),
]

mb = Builder
Array = np.ndarray[Any, Any]

FP32 = 1e-5
"""Sums in another order differ by about 1e-6 of the largest value; a tanh GELU by 1e-4."""
FP16 = 5e-3
"""Ten operations in sequence, each of which rounds to 11 bits, 5e-4."""

IOS16, IOS17, IOS18 = ct.target.iOS16, ct.target.iOS17, ct.target.iOS18


@pytest.fixture(scope="module", autouse=True)
def _quick_garbage_collection() -> Iterator[None]:
    # ct.convert collects garbage every time, which takes 0.25 s unless torch's objects are frozen.
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.collect()


def relative_error(actual: Array, expected: Array) -> float:
    assert actual.shape == expected.shape
    assert np.isfinite(actual).all()
    scale = float(np.abs(expected).max()) or 1.0
    return float(np.abs(actual.astype(np.float64) - expected).max()) / scale


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def build_program(
    folder: Path,
    function: Callable[..., Any],
    shapes: list[tuple[int, ...]],
    *,
    target: Any = IOS16,
    dtype: Any = types.fp32,
) -> MLProgram:
    """Write a program with coremltools' builder, save it without passes, and read it back."""
    inputs = [mb.TensorSpec(shape=shape, dtype=dtype) for shape in shapes]
    program = mb.program(input_specs=inputs, opset_version=target)(function)
    model = ct.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=target,
        compute_precision=ct.precision.FLOAT32,
        pass_pipeline=ct.PassPipeline.EMPTY,
        skip_model_load=True,
    )
    return save_and_load(model, folder)


def save_and_load(model: Any, folder: Path) -> MLProgram:
    path = folder / "model.mlpackage"
    model.save(str(path))
    return MLProgram.load(path)


def convert(module: nn.Module, x: Tensor, *, half: bool = False, target: Any = IOS16) -> Any:
    exported = torch.export.export(module.eval(), (x,)).run_decompositions({})
    return ct.convert(
        exported,
        convert_to="mlprogram",
        compute_precision=ct.precision.FLOAT16 if half else ct.precision.FLOAT32,
        minimum_deployment_target=target,
        skip_model_load=True,
    )


# --- PyTorch modules, convert -----------------------------------------------------------------


class GraphConv(nn.Module):
    """Max-relative graph convolution by shifts, gated by the L1 distance."""

    def __init__(self) -> None:
        super().__init__()
        self.fold = nn.Conv2d(32, 16, 1)
        self.norm = nn.BatchNorm2d(16)

    def forward(self, x: Tensor) -> Tensor:
        down = torch.cat([x[:, :, -2:], x[:, :, :-2]], 2)
        right = torch.cat([x[..., -2:], x[..., :-2]], 3)
        far = x - torch.minimum(torch.minimum(x, down), right)
        gate = torch.exp(-(x - down).abs().sum(1, keepdim=True) / 8.0)
        return F.gelu(self.norm(self.fold(torch.cat([x, far * gate], 1))))


class Scan(nn.Module):
    """Selective scan of 8 steps in 4 directions, by prefix products and sums."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(16)
        self.delta = nn.Linear(16, 16)
        self.register_buffer("order", torch.tensor([7, 6, 5, 4, 3, 2, 1, 0]))

    def forward(self, x: Tensor) -> Tensor:
        u = self.norm(x.flatten(2).transpose(1, 2)[:, :8])
        u = torch.stack([u, u.index_select(1, self.order)], 1)
        step = F.softplus(self.delta(u))
        decay, value = torch.exp(-step), step * F.silu(u)
        for shift in (1, 2, 4):
            value = value + decay * F.pad(value, (0, 0, shift, 0))[:, :, :-shift]
            decay = decay * F.pad(decay, (0, 0, shift, 0), value=1.0)[:, :, :-shift]
        return value.mean((1, 2))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(16, 48, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x.flatten(2).transpose(1, 2)).chunk(3, -1)
        return (torch.softmax(q @ k.transpose(1, 2) / 4.0, -1) @ v).squeeze(0).unsqueeze(1)


class Norms(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.instance = nn.InstanceNorm2d(16, affine=True)
        self.group = nn.GroupNorm(4, 16)

    def forward(self, x: Tensor) -> Tensor:
        x = self.group(self.instance(x)).clamp(-2, 3)
        top, where = torch.topk(x.flatten(1), 5)
        return torch.cat([top, torch.gather(x.flatten(1), 1, where)], 1) * torch.rsqrt(
            x.var((1, 2, 3))
        )


MODULES: dict[str, Callable[[], nn.Module]] = {
    "graph_conv": GraphConv,
    "scan": Scan,
    "attention": Attention,
    "norms": Norms,
    "mobile_block": lambda: nn.Sequential(
        nn.Conv2d(16, 32, 1), nn.BatchNorm2d(32), nn.Hardswish(),
        nn.Conv2d(32, 32, 3, 2, 1, groups=32), nn.ReLU6(), nn.Conv2d(32, 24, 3, padding="same"),
        nn.Hardsigmoid(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 10),
    ),
    "pooling": lambda: nn.Sequential(
        nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(3, 1, 1, count_include_pad=False), nn.PReLU(16),
        nn.AvgPool2d(2, 2, ceil_mode=True), nn.LeakyReLU(0.1), nn.MaxPool2d(2, 2, ceil_mode=True),
    ),
    "decoder": lambda: nn.Sequential(
        nn.ConvTranspose2d(16, 8, 3, 2, 1, output_padding=1), nn.ELU(),
        nn.Upsample(scale_factor=2, mode="nearest"), nn.ReflectionPad2d((1, 2, 0, 3)),
        nn.Upsample(scale_factor=2, mode="bilinear"), nn.ReplicationPad2d(1),
        nn.Upsample(size=(31, 33), mode="bilinear", align_corners=True), nn.PixelShuffle(2),
        nn.GELU(),
    ),
}  # fmt: skip


def compare_with_eager(
    name: str, folder: Path, *, half: bool = False, target: Any = IOS16
) -> float:
    torch.manual_seed(0)
    module = MODULES[name]().eval()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.5, 0.5)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
    x = torch.from_numpy(normal(1, 16, 9, 9))
    program = save_and_load(convert(module, x, half=half, target=target), folder)
    assert program.input_shapes == [(1, 16, 9, 9)]
    (actual,) = program.evaluate([x.numpy()])
    with torch.no_grad():
        return relative_error(actual, module(x).numpy())


@pytest.mark.parametrize("name", MODULES)
def test_float32_programs_agree_with_eager(name: str, tmp_path: Path) -> None:
    assert compare_with_eager(name, tmp_path) <= FP32


@pytest.mark.parametrize("name", MODULES)
def test_float16_programs_agree_with_eager_in_half_precision_only(
    name: str, tmp_path: Path
) -> None:
    # An error below 1e-6 means that nothing was rounded to half precision.
    assert 1e-6 < compare_with_eager(name, tmp_path, half=True) <= FP16


@pytest.mark.parametrize("target", [ct.target.iOS15, IOS17, IOS18], ids=lambda target: target.name)
@pytest.mark.parametrize("name", ["scan", "decoder"])
def test_every_deployment_target_is_read(name: str, target: Any, tmp_path: Path) -> None:
    assert compare_with_eager(name, tmp_path, target=target) <= FP32


def test_a_real_mistake_of_the_converter_shows(tmp_path: Path) -> None:
    # coremltools 9.0 ignores the keyword `approximate` of an exported GELU and writes the exact one
    # without a warning. Remove this test once a version no longer does.
    x = torch.from_numpy(normal(1, 100))
    gelu = nn.GELU(approximate="tanh")
    (actual,) = save_and_load(convert(gelu, x), tmp_path).evaluate([x.numpy()])
    assert relative_error(actual, F.gelu(x).numpy()) <= FP32
    assert relative_error(actual, gelu(x).numpy()) > 5 * FP32


# --- single operations, written with the builder ------------------------------------------------


@dataclass(frozen=True)
class Case:
    """An operation that the builder writes, and its formula in NumPy."""

    op: str
    build: Callable[..., Any]
    formula: Callable[..., Any]
    inputs: tuple[Array, ...]
    target: Any = IOS16
    note: str = ""

    @property
    def id(self) -> str:
        return f"{self.op}-{self.note}" if self.note else self.op


X = normal(2, 3, 4, 5)
Y = normal(2, 3, 4, 5, seed=1)
POSITIVE = np.abs(X) + np.float32(0.1)


def erf(x: Array) -> Array:
    return np.vectorize(math.erf)(x.astype(np.float64))


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def as_float(x: Any) -> Any:
    return mb.cast(x=x, dtype="fp32")


def unary(op: str, formula: Callable[[Array], Array], x: Array = X, **parameters: Any) -> Case:
    return Case(op, lambda x: getattr(mb, op)(x=x, **parameters), formula, (x,))


def binary(op: str, formula: Callable[[Array, Array], Array], x: Array = X) -> Case:
    return Case(op, lambda x, y: getattr(mb, op)(x=x, y=y), formula, (x, Y[:, :1]))


def comparison(op: str, formula: Callable[[Array, Array], Array]) -> Case:
    rounded = (np.round(X), np.round(Y))
    return Case(op, lambda x, y: as_float(getattr(mb, op)(x=x, y=y)), formula, rounded)


def logical(op: str, formula: Callable[[Array, Array], Array]) -> Case:
    def build(x: Any, y: Any) -> Any:
        return as_float(getattr(mb, op)(x=mb.greater(x=x, y=0.0), y=mb.greater(x=y, y=0.0)))

    return Case(op, build, lambda x, y: formula(x > 0, y > 0), (X, Y))


ELEMENTWISE = [
    unary("abs", np.abs), unary("ceil", np.ceil), unary("cos", np.cos), unary("erf", erf),
    unary("exp", np.exp), unary("floor", np.floor), unary("identity", lambda x: x),
    unary("relu", lambda x: np.maximum(x, 0)), unary("round", np.round, np.round(4 * X) / 2),
    unary("relu6", lambda x: np.clip(x, 0, 6), 8 * X), unary("sigmoid", sigmoid),
    unary("sign", np.sign), unary("silu", lambda x: x * sigmoid(x)), unary("sin", np.sin),
    unary("softplus", lambda x: np.logaddexp(x, 0), 12 * X),
    unary("softsign", lambda x: x / (1 + np.abs(x))), unary("sqrt", np.sqrt, POSITIVE),
    unary("square", np.square), unary("tanh", np.tanh),
    unary("clip", lambda x: np.clip(x, -0.5, 0.7), alpha=-0.5, beta=0.7),
    unary("elu", lambda x: np.where(x > 0, x, 0.7 * (np.exp(x) - 1)), alpha=0.7),
    unary("inverse", lambda x: 1 / (x + 0.5), POSITIVE, epsilon=0.5),
    unary("leaky_relu", lambda x: np.where(x >= 0, x, 0.3 * x), alpha=0.3),
    unary("linear_activation", lambda x: 2 * x - 3, alpha=2.0, beta=-3.0),
    unary("log", lambda x: np.log(x + 0.5), POSITIVE, epsilon=0.5),
    unary("log", lambda x: np.log(x + 1e-45), POSITIVE),
    unary("rsqrt", lambda x: 1 / np.sqrt(x + 0.5), POSITIVE, epsilon=0.5),
    unary("sigmoid_hard", lambda x: np.clip(0.4 * x + 0.6, 0, 1), alpha=0.4, beta=0.6),
    unary("thresholded_relu", lambda x: np.where(x >= -0.2, x, 0), alpha=-0.2),
    unary("prelu", lambda x: np.where(x > 0, x, x * np.array([[0.1], [0.2], [-0.3]])[..., None]),
          alpha=np.array([0.1, 0.2, -0.3], np.float32)),
    unary("gelu", lambda x: x / 2 * (1 + erf(x / math.sqrt(2))), mode="EXACT"),
    unary("gelu", lambda x: x * sigmoid(1.702 * x), mode="SIGMOID_APPROXIMATION"),
    unary("gelu", lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
          mode="TANH_APPROXIMATION"),
    binary("add", np.add), binary("floor_div", np.floor_divide), binary("maximum", np.maximum),
    binary("minimum", np.minimum), binary("mod", np.mod), binary("mul", np.multiply),
    binary("pow", np.power, POSITIVE), binary("real_div", np.divide), binary("sub", np.subtract),
    comparison("equal", np.equal), comparison("greater", np.greater),
    comparison("greater_equal", np.greater_equal), comparison("less", np.less),
    comparison("less_equal", np.less_equal), comparison("not_equal", np.not_equal),
    logical("logical_and", np.logical_and), logical("logical_or", np.logical_or),
    logical("logical_xor", np.logical_xor),
    Case("logical_not", lambda x: as_float(mb.logical_not(x=mb.greater(x=x, y=0.0))),
         lambda x: x <= 0, (X,)),
    Case("cast", lambda x: as_float(mb.cast(x=x, dtype="int32")), np.trunc, (5 * X,), note="int"),
    Case("cast", lambda x: as_float(mb.cast(x=x, dtype="fp16")), lambda x: x.astype(np.float16),
         (X,), note="half"),
    Case("select", lambda x, y: mb.select(cond=mb.greater(x=x, y=y), a=x, b=y), np.maximum, (X, Y)),
]  # fmt: skip


def layer_norm(x: Array, axes: tuple[int, ...], gamma: Any = 1.0, beta: Any = 0.0) -> Array:
    x = x.astype(np.float64)
    deviation = np.sqrt(x.var(axes, keepdims=True) + 1e-3)
    return (x - x.mean(axes, keepdims=True)) / deviation * gamma + beta


def reduction(op: str, formula: Callable[..., Any], x: Array = X) -> list[Case]:
    return [
        Case(op, lambda x: getattr(mb, op)(x=x, axes=[1, -1], keep_dims=True),
             lambda x: formula(x, axis=(1, 3), keepdims=True), (x,), note="kept"),
        Case(op, lambda x: mb.expand_dims(x=getattr(mb, op)(x=x), axes=[0]),
             lambda x: np.reshape(formula(x, axis=(0, 1, 2, 3), keepdims=False), 1), (x,),
             note="all"),
    ]  # fmt: skip


def top(x: Array, k: int, axis: int) -> Array:
    return np.flip(np.sort(x, axis), axis).take(range(k), axis)


GAMMA, BETA = normal(3, seed=2), normal(3, seed=3)
CHANNEL = (slice(None), None, None)

REDUCTIONS = [
    *reduction("reduce_max", np.max), *reduction("reduce_min", np.min),
    *reduction("reduce_mean", np.mean), *reduction("reduce_sum", np.sum),
    *reduction("reduce_l1_norm", lambda x, **kwargs: np.abs(x).sum(**kwargs)),
    *reduction("reduce_l2_norm", lambda x, **kwargs: np.sqrt((x**2).sum(**kwargs))),
    *reduction("reduce_sum_square", lambda x, **kwargs: (x**2).sum(**kwargs)),
    *reduction("reduce_log_sum_exp", lambda x, **kwargs: np.log(np.exp(x).sum(**kwargs))),
    Case("reduce_argmax", lambda x: as_float(mb.reduce_argmax(x=x, axis=1)),
         lambda x: x.argmax(1), (X,)),
    Case("reduce_argmin", lambda x: as_float(mb.reduce_argmin(x=x, axis=-1, keep_dims=True)),
         lambda x: x.argmin(-1, keepdims=True), (X,)),
    Case("softmax", lambda x: mb.softmax(x=x, axis=1),
         lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True), (X,)),
    Case("topk", lambda x: mb.topk(x=x, k=2, axis=2)[0], lambda x: top(x, 2, 2), (X,)),
    Case("topk", lambda x: mb.topk(x=x, k=2, axis=-1, ascending=True, return_indices=False),
         lambda x: np.sort(x, -1)[..., :2], (X,), note="ascending"),
    Case("topk", lambda x: as_float(mb.topk(x=x, k=2, axis=2)[1]),
         lambda x: np.argsort(-x, 2)[:, :, :2], (X,), note="indices"),
    Case("cumsum", lambda x: mb.cumsum(x=x, axis=1), lambda x: np.cumsum(x, 1), (X,)),
    Case("cumsum", lambda x: mb.cumsum(x=x, axis=2, exclusive=True, reverse=True),
         lambda x: np.cumsum(x[:, :, ::-1], 2)[:, :, ::-1] - x, (X,), note="exclusive_reverse"),
    Case("layer_norm", lambda x: mb.layer_norm(x=x, axes=[1], gamma=GAMMA, beta=BETA, epsilon=1e-3),
         lambda x: layer_norm(x, (1,), GAMMA[CHANNEL], BETA[CHANNEL]), (X,), note="channels"),
    Case("layer_norm", lambda x: mb.layer_norm(x=x, axes=[-1, 1], epsilon=1e-3),
         lambda x: layer_norm(x, (1, 3)), (X,), note="apart"),
    Case("instance_norm",
         lambda x: mb.instance_norm(x=x, gamma=GAMMA, beta=BETA, epsilon=1e-3),
         lambda x: layer_norm(x, (2, 3), GAMMA[CHANNEL], BETA[CHANNEL]), (X,)),
    Case("batch_norm",
         lambda x: mb.batch_norm(x=x, mean=BETA, variance=GAMMA**2, gamma=GAMMA, beta=BETA),
         lambda x: (x - BETA[CHANNEL]) / np.sqrt(GAMMA[CHANNEL] ** 2 + 1e-5) * GAMMA[CHANNEL]
         + BETA[CHANNEL], (X,)),
]  # fmt: skip


def patches(x: Array, kernel: tuple[int, ...], stride: int, dilation: int) -> Array:
    """Return the windows of (N, C, *size) as (N, C, *positions, *kernel)."""
    spatial = tuple(range(2, x.ndim))
    reach = tuple((k - 1) * dilation + 1 for k in kernel)
    windows = np.lib.stride_tricks.sliding_window_view(x, reach, spatial)
    places = (slice(None, None, stride),) * len(kernel)
    return windows[
        (slice(None), slice(None), *places, *[slice(None, None, dilation)] * len(kernel))
    ]


def padded(x: Array, *pairs: tuple[int, int], value: float = 0.0) -> Array:
    return np.pad(x, [(0, 0), (0, 0), *pairs], constant_values=value)


def convolved(x: Array, w: Array, stride: int = 1, dilation: int = 1, groups: int = 1) -> Array:
    spatial = x.ndim - 2
    parts = []
    for part, weight in zip(np.split(x, groups, 1), np.split(w, groups), strict=True):
        windows = patches(part.astype(np.float64), w.shape[2:], stride, dilation)
        axes = [1, *range(2 + spatial, 2 + 2 * spatial)]
        parts.append(
            np.moveaxis(np.tensordot(windows, weight, (axes, [1, *range(2, w.ndim)])), -1, 1)
        )
    return np.concatenate(parts, 1)


def spread(x: Array, w: Array, stride: int, dilation: int = 1, groups: int = 1) -> Array:
    """Compute a transposed 2-D convolution: each input element adds a multiple of the kernel."""
    n, _, height, width = x.shape
    kh, kw = w.shape[2:]
    size = [(s - 1) * stride + (k - 1) * dilation + 1 for s, k in ((height, kh), (width, kw))]
    parts = []
    for part, weight in zip(np.split(x, groups, 1), np.split(w, groups), strict=True):
        out = np.zeros((n, w.shape[1], *size))
        for i, j, a, b in itertools.product(range(height), range(width), range(kh), range(kw)):
            row, column = i * stride + a * dilation, j * stride + b * dilation
            out[:, :, row, column] += part[:, :, i, j] @ weight[:, :, a, b]
        parts.append(out)
    return np.concatenate(parts, 1)


IMAGE = normal(1, 4, 7, 8, seed=4)
KERNEL, EVEN, GROUPED = normal(6, 4, 3, 3), normal(6, 4, 2, 4), normal(6, 2, 3, 3)
BIAS = normal(6, seed=5)
LINE, LINE_KERNEL = normal(2, 3, 9), normal(5, 3, 2)
CUBE, CUBE_KERNEL = normal(1, 2, 4, 5, 4), normal(3, 2, 2, 3, 2)
SMALL, BACK, BACK_GROUPED = normal(1, 4, 3, 4), normal(4, 3, 3, 2), normal(4, 3, 3, 3)


def mean_of(x: Array, stride: int, kernel: int = 3) -> Array:
    return np.nanmean(patches(x, (kernel, kernel), stride, 1), (-2, -1))


def max_of(x: Array, stride: int, kernel: int = 3) -> Array:
    return patches(x, (kernel, kernel), stride, 1).max((-2, -1))


WINDOWS = [
    Case("conv", lambda x: mb.conv(x=x, weight=KERNEL, bias=BIAS, pad_type="valid"),
         lambda x: convolved(x, KERNEL) + BIAS[CHANNEL], (IMAGE,), note="valid"),
    Case("conv", lambda x: mb.conv(x=x, weight=KERNEL, strides=[2, 2], pad_type="custom",
                                   pad=[1, 0, 2, 3]),
         lambda x: convolved(padded(x, (1, 0), (2, 3)), KERNEL, 2), (IMAGE,), note="custom"),
    # 7 x 8 with kernel 2 x 4 and stride 2: 4 x 4 windows need 1 more row and 2 more columns.
    Case("conv", lambda x: mb.conv(x=x, weight=EVEN, strides=[2, 2], pad_type="same"),
         lambda x: convolved(padded(x, (0, 1), (1, 1)), EVEN, 2), (IMAGE,), note="same"),
    Case("conv", lambda x: mb.conv(x=x, weight=EVEN, strides=[2, 2], pad_type="same_lower"),
         lambda x: convolved(padded(x, (1, 0), (1, 1)), EVEN, 2), (IMAGE,), note="same_lower"),
    Case("conv", lambda x: mb.conv(x=x, weight=GROUPED, dilations=[2, 2], groups=2,
                                   pad_type="valid"),
         lambda x: convolved(x, GROUPED, 1, 2, 2), (IMAGE,), note="dilated_groups"),
    Case("conv", lambda x: mb.conv(x=x, weight=LINE_KERNEL, strides=[3], pad_type="valid"),
         lambda x: convolved(x, LINE_KERNEL, 3), (LINE,), note="1d"),
    Case("conv", lambda x: mb.conv(x=x, weight=CUBE_KERNEL, pad_type="valid"),
         lambda x: convolved(x, CUBE_KERNEL), (CUBE,), note="3d"),
    Case("conv", lambda x, w: mb.conv(x=x, weight=w, pad_type="valid"),
         convolved, (IMAGE, KERNEL), note="weight_computed"),
    Case("conv_transpose", lambda x: mb.conv_transpose(x=x, weight=BACK, bias=BIAS[:3],
                                                       strides=[2, 2], pad_type="valid"),
         lambda x: spread(x, BACK, 2) + BIAS[:3][CHANNEL], (SMALL,), note="valid"),
    Case("conv_transpose", lambda x: mb.conv_transpose(x=x, weight=BACK, strides=[2, 2],
                                                       pad_type="custom", pad=[1, 0, 2, 1]),
         lambda x: spread(x, BACK, 2)[:, :, 1:, 2:-1], (SMALL,), note="custom"),
    # The output is twice the size: kernel 3 gives 1 row too many, kernel 2 fits the columns.
    Case("conv_transpose", lambda x: mb.conv_transpose(x=x, weight=BACK, strides=[2, 2],
                                                       pad_type="same"),
         lambda x: spread(x, BACK, 2)[:, :, :-1], (SMALL,), note="same"),
    # Stride 3 and kernel 2 give one column too few: the last one contains only the bias.
    Case("conv_transpose", lambda x: mb.conv_transpose(x=x, weight=BACK, bias=BIAS[:3],
                                                       strides=[3, 3], pad_type="same"),
         lambda x: padded(spread(x, BACK, 3), (0, 0), (0, 1)) + BIAS[:3][CHANNEL], (SMALL,),
         note="short"),
    Case("conv_transpose", lambda x: mb.conv_transpose(x=x, weight=BACK_GROUPED, dilations=[2, 2],
                                                       groups=2, pad_type="valid"),
         lambda x: spread(x, BACK_GROUPED, 1, 2, 2), (SMALL,), note="dilated_groups"),
    Case("max_pool", lambda x: mb.max_pool(x=x, kernel_sizes=[3, 3], strides=[2, 2],
                                           pad_type="custom", pad=[1, 0, 2, 1]),
         lambda x: max_of(padded(x, (1, 0), (2, 1), value=-np.inf), 2), (IMAGE,)),
    Case("max_pool", lambda x: mb.max_pool(x=x, kernel_sizes=[3, 3], strides=[2, 2],
                                           pad_type="same_lower"),
         lambda x: max_of(padded(x, (1, 1), (1, 0), value=-np.inf), 2), (IMAGE,),
         note="same_lower"),
    Case("max_pool", lambda x: mb.max_pool(x=x, kernel_sizes=[2, 2], strides=[2, 2],
                                           pad_type="valid", ceil_mode=True),
         lambda x: max_of(padded(x, (0, 1), (0, 0), value=-np.inf), 2, 2), (IMAGE,), note="ceil"),
    Case("avg_pool", lambda x: mb.avg_pool(x=x, kernel_sizes=[3, 3], strides=[2, 2],
                                           pad_type="custom", pad=[1, 1, 1, 1]),
         lambda x: mean_of(padded(x, (1, 1), (1, 1)), 2), (IMAGE,), note="include"),
    Case("avg_pool", lambda x: mb.avg_pool(x=x, kernel_sizes=[3, 3], pad_type="custom",
                                           pad=[1, 1, 1, 1], exclude_padding_from_average=True),
         lambda x: mean_of(padded(x, (1, 1), (1, 1), value=np.nan), 1), (IMAGE,), note="exclude"),
    Case("avg_pool", lambda x: mb.avg_pool(x=x, kernel_sizes=[3, 3], strides=[2, 2],
                                           pad_type="same", exclude_padding_from_average=True),
         lambda x: mean_of(padded(x, (1, 1), (0, 1), value=np.nan), 2), (IMAGE,), note="same"),
    Case("avg_pool", lambda x: mb.avg_pool(x=x, kernel_sizes=[2, 2], strides=[2, 2],
                                           pad_type="valid", ceil_mode=True),
         lambda x: mean_of(padded(x, (0, 1), (0, 0), value=np.nan), 2, 2), (IMAGE,), note="ceil"),
    Case("avg_pool", lambda x: mb.avg_pool(x=x, kernel_sizes=[3], pad_type="valid"),
         lambda x: patches(x, (3,), 1, 1).mean(-1), (LINE,), note="1d"),
]  # fmt: skip

MATRIX, WEIGHT = normal(2, 4, 6, seed=6), normal(5, 6, seed=7)
QUERY, KEY, SEEN = normal(2, 3, 4), normal(2, 5, 4, seed=8), normal(2, 5, 6, seed=9)


def attention(q: Array, k: Array, v: Array) -> Array:
    scores = np.exp(q @ k.transpose(0, 2, 1) / 2)
    return scores / scores.sum(-1, keepdims=True) @ v


PRODUCTS = [
    Case("linear", lambda x: mb.linear(x=x, weight=WEIGHT, bias=BIAS[:5]),
         lambda x: x @ WEIGHT.T + BIAS[:5], (MATRIX,)),
    Case("matmul", lambda x, y: mb.matmul(x=x, y=y, transpose_x=True),
         lambda x, y: x.transpose(0, 2, 1) @ y, (MATRIX, normal(1, 4, 3))),
    Case("matmul", lambda x: mb.matmul(x=x, y=WEIGHT, transpose_y=True),
         lambda x: x @ WEIGHT.T, (MATRIX,), note="transpose_y"),
    Case("einsum", lambda x, y: mb.einsum(values=[x, y], equation="nchw,nwhu->nchu"),
         lambda x, y: np.einsum("nchw,nwhu->nchu", x, y), (X, normal(2, 5, 4, 6))),
    Case("scaled_dot_product_attention",
         lambda q, k, v: mb.scaled_dot_product_attention(query=q, key=k, value=v),
         attention, (QUERY, KEY, SEEN), IOS18),
]  # fmt: skip


def sliced(*indices: Any, **options: Any) -> Case:
    """Return the case of these slices; an int is squeezed, None is masked."""
    full = [s if isinstance(s, slice) else slice(s, s + 1) for s in indices]
    build = lambda x: mb.slice_by_index(  # noqa: E731
        x=x,
        begin=[s.start or 0 for s in full], end=[s.stop or 0 for s in full],
        stride=[s.step or 1 for s in full],
        begin_mask=[s.start is None for s in full], end_mask=[s.stop is None for s in full],
        squeeze_mask=[isinstance(s, int) for s in indices],
    )  # fmt: skip
    return Case("slice_by_index", build, lambda x: x[indices], (X,), **options)


def gathered(indices: Any, axis: int, **options: Any) -> Case:
    positions = np.array(indices, np.int32)
    return Case("gather", lambda x: mb.gather(x=x, indices=positions, axis=axis),
                lambda x: x.take(positions, axis), (X,), **options)  # fmt: skip


PLACES = np.argsort(X, axis=2)[:, :, :2].astype(np.int32)
PAIRS = np.array([[0, 2], [1, 1]], np.int32)
IN_TURN = np.random.default_rng(0).permutation(120).reshape(2, 3, 4, 5).astype(np.float32)

ORDER = [
    sliced(slice(None), slice(1, 3), slice(-3, -1), slice(None, None, 2)),
    sliced(slice(0, 2), slice(None), slice(None, None, -1), slice(4, 1, -2), note="backwards"),
    sliced(1, slice(None), -1, slice(2, None), note="squeezed"),
    Case("slice_by_size", lambda x: mb.slice_by_size(x=x, begin=[0, 1, -3, 2], size=[2, 1, 2, -1]),
         lambda x: x[:, 1:2, 1:3, 2:], (X,)),
    gathered([3, 0, 0, 2], 2), gathered([[0, 2], [1, 1]], 1, note="matrix"),
    gathered(2, 1, note="scalar"), gathered([-1, 0, -2], -1, note="negative"),
    gathered([1, 0], 3, note="ios17", target=IOS17),
    Case("gather", lambda x: mb.gather(x=x, indices=PAIRS, axis=1, batch_dims=1),
         lambda x: np.stack([row.take(where, 0) for row, where in zip(x, PAIRS, strict=True)]),
         (X,), note="batch_dims"),
    Case("gather_along_axis", lambda x: mb.gather_along_axis(x=x, indices=PLACES, axis=2),
         lambda x: np.take_along_axis(x, PLACES, 2), (X,)),
    Case("concat", lambda x, y: mb.concat(values=[x, y, x], axis=-2),
         lambda x, y: np.concatenate([x, y, x], 2), (X, Y)),
    Case("concat", lambda x, y: mb.concat(values=[x, y], axis=1, interleave=True),
         lambda x, y: np.stack([x, y], 2).reshape(2, 6, 4, 5), (X, Y), note="interleave"),
    Case("stack", lambda x, y: mb.stack(values=[x, y], axis=-1),
         lambda x, y: np.stack([x, y], -1), (X, Y)),
    Case("split", lambda x: mb.split(x=x, split_sizes=[1, 3], axis=2)[1],
         lambda x: x[:, :, 1:], (X,)),
    Case("split", lambda x: mb.split(x=x, num_splits=3, axis=1)[2], lambda x: x[:, 2:], (X,),
         note="even"),
    Case("expand_dims", lambda x: mb.expand_dims(x=x, axes=[-1, 1]),
         lambda x: x[:, None, ..., None], (X[0],)),
    Case("squeeze", lambda x: mb.squeeze(x=x, axes=[-1, 0]), lambda x: x[0, ..., 0],
         (X[:1, :, :, :1],)),
    Case("squeeze", lambda x: mb.squeeze(x=x), np.squeeze, (X[:1, :, :1],), note="all"),
    Case("transpose", lambda x: mb.transpose(x=x, perm=[2, 0, -1, 1]),
         lambda x: x.transpose(2, 0, 3, 1), (X,)),
    Case("reverse", lambda x: mb.reverse(x=x, axes=[1, -1]),
         lambda x: x[:, ::-1, :, ::-1], (X,)),
    Case("reverse", lambda x: mb.reverse(x=x), np.flip, (X,), note="all"),
    Case("tile", lambda x: mb.tile(x=x, reps=[1, 2, 1, 3]), lambda x: np.tile(x, (1, 2, 1, 3)),
         (X,)),
    Case("reshape", lambda x: mb.reshape(x=x, shape=[0, -1, 0, 1]),
         lambda x: x.reshape(2, 15, 4, 1), (X,)),
    Case("reshape", lambda x: mb.reshape(x=x, shape=[1, 0, -1, 0]),
         lambda x: x.reshape(1, 1, 2, 50), (normal(2, 50),), IOS17, note="zeros_from_the_right"),
    Case("shape", lambda x: as_float(mb.shape(x=x)), lambda x: np.array(x.shape), (X,)),
    Case("reshape", lambda x: mb.reshape(x=x, shape=mb.reverse(x=mb.shape(x=x))),
         lambda x: x.reshape(5, 4, 3, 2), (X,), note="shape_computed"),
    Case("fill", lambda x: mb.add(x=x, y=mb.fill(shape=[4, 5], value=2.5)), lambda x: x + 2.5,
         (X,)),
    Case("fill_like", lambda x: mb.add(x=x, y=mb.fill_like(ref_tensor=x, value=0.5)),
         lambda x: x + 0.5, (X,)),
    Case("pad", lambda x: mb.pad(x=x, pad=[1, 0, 0, 2], constant_val=3.0),
         lambda x: padded(x, (1, 0), (0, 2), value=3.0), (X,), note="constant"),
    Case("pad", lambda x: mb.pad(x=x, pad=[2, 1, 0, 3], mode="reflect"),
         lambda x: np.pad(x, [(0, 0), (0, 0), (2, 1), (0, 3)], "reflect"), (X,), note="reflect"),
    Case("pad", lambda x: mb.pad(x=x, pad=[1, 1, 2, 1, 0, 3], mode="replicate"),
         lambda x: np.pad(x, [(0, 0), (1, 1), (2, 1), (0, 3)], "edge"), (X,), note="replicate"),
    Case("crop", lambda x: mb.crop(x=x, crop_height=[1, 0], crop_width=[2, 1]),
         lambda x: x[:, :, 1:, 2:-1], (X,)),
    Case("pixel_shuffle", lambda x: mb.pixel_shuffle(x=x, upscale_factor=2),
         lambda x: x.reshape(1, 2, 2, 3, 2).transpose(0, 3, 1, 4, 2).reshape(1, 1, 6, 4),
         (IN_TURN.reshape(-1)[:24].reshape(1, 4, 3, 2),)),
]  # fmt: skip


def torch_resize(x: Array, size: tuple[int, int], **kwargs: Any) -> Array:
    result: Array = F.interpolate(torch.from_numpy(x), size, **kwargs).numpy()
    return result


def resized(mode: str, expected: list[float]) -> Case:
    """Return the case of a row [0, 1], which is resized to the grid that a mode defines."""
    return Case(
        "resize_bilinear",
        lambda x: mb.resize_bilinear(
            x=x, target_size_height=1, target_size_width=len(expected), sampling_mode=mode
        ),
        lambda x: np.array(expected)[None, None],
        (np.array([[[0.0, 1.0]]], np.float32),),
        note=f"{mode}_{len(expected)}",
    )


IMAGES = [
    Case("upsample_bilinear", lambda x: mb.upsample_bilinear(
             x=x, scale_factor_height=2.0, scale_factor_width=3.0, align_corners=False),
         lambda x: torch_resize(x, (8, 15), mode="bilinear"), (X,)),
    Case("upsample_bilinear", lambda x: mb.upsample_bilinear(
             x=x, scale_factor_height=1.5, scale_factor_width=0.6, align_corners=True),
         lambda x: torch_resize(x, (6, 3), mode="bilinear", align_corners=True), (X,),
         note="corners"),
    Case("upsample_nearest_neighbor", lambda x: mb.upsample_nearest_neighbor(
             x=x, scale_factor_height=2, scale_factor_width=3),
         lambda x: x.repeat(2, 2).repeat(3, 3), (X,)),
    Case("resize_nearest_neighbor", lambda x: mb.resize_nearest_neighbor(
             x=x, target_size_height=4, target_size_width=10),
         lambda x: x.repeat(2, 3), (X,)),
    resized("UNALIGN_CORNERS", [0, 0.1, 0.5, 0.9, 1]),
    resized("STRICT_ALIGN_CORNERS", [0, 0.25, 0.5, 0.75, 1]),
    resized("ALIGN_CORNERS", [0, 0.2, 0.4, 0.6, 0.8, 1]), resized("ALIGN_CORNERS", [0.5]),
    resized("DEFAULT", [0, 0.4, 0.8, 1, 1]), resized("DEFAULT", [0, 1 / 3, 2 / 3, 1, 1, 1]),
    resized("OFFSET_CORNERS", [0.1, 0.3, 0.5, 0.7, 0.9]),
]  # fmt: skip

SCALES, ZEROS = np.array([0.02, 0.05, 0.01], np.float32), np.array([3, -7, 100], np.int8)


def levels(x: Array, scale: Any, zero: Any, low: int, high: int) -> Array:
    return np.clip(np.round(x / scale) + zero, low, high)


QUANTISED = [
    Case("quantize", lambda x: as_float(mb.quantize(
             input=x, scale=np.float32(0.02), zero_point=np.uint8(120), output_dtype="uint8")),
         lambda x: levels(x, np.float32(0.02), 120, 0, 255), (X,), IOS17),
    Case("quantize", lambda x: as_float(mb.quantize(
             input=x, scale=SCALES, zero_point=ZEROS, axis=1, output_dtype="int8")),
         lambda x: levels(x, SCALES[CHANNEL], ZEROS[CHANNEL].astype(np.float32), -128, 127),
         (X,), IOS17, note="channels"),
    Case("dequantize", lambda x: mb.dequantize(
             input=mb.cast(x=x, dtype="int8"), scale=SCALES, zero_point=ZEROS, axis=-3),
         lambda x: (x - ZEROS[CHANNEL]) * SCALES[CHANNEL], (IN_TURN - 60,), IOS17),
    Case("dequantize", lambda x: mb.dequantize(
             input=mb.cast(x=x, dtype="int8"), scale=np.float32(0.1)),
         lambda x: x * np.float32(0.1), (IN_TURN,), IOS17, note="no_zero_point"),
]  # fmt: skip

CASES = [*ELEMENTWISE, *REDUCTIONS, *WINDOWS, *PRODUCTS, *ORDER, *IMAGES, *QUANTISED]


def check(case: Case, folder: Path) -> None:
    program = build_program(folder, case.build, [x.shape for x in case.inputs], target=case.target)
    assert case.op in program.op_histogram()
    (actual,) = program.evaluate(case.inputs)
    assert relative_error(actual, np.asarray(case.formula(*case.inputs))) <= FP32


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_operation_agrees_with_its_formula(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_every_operation_of_the_table_has_a_case() -> None:
    compressed = {name for name in ops.OPERATIONS if name.startswith("constexpr_")}
    assert set(ops.OPERATIONS) - {case.op for case in CASES} == compressed


# --- compressed weights -------------------------------------------------------------------------


class Compressible(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(16, 32, 3)
        self.head = nn.Linear(32, 64)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.conv(x)).mean((2, 3)))


def quantised(**kwargs: Any) -> Callable[[Any], Any]:
    config = cto.OpLinearQuantizerConfig(weight_threshold=0, **kwargs)
    return lambda model: cto.linear_quantize_weights(model, cto.OptimizationConfig(config))


def palettised(**kwargs: Any) -> Callable[[Any], Any]:
    config = cto.OpPalettizerConfig(weight_threshold=0, **kwargs)
    return lambda model: cto.palettize_weights(model, cto.OptimizationConfig(config))


def pruned(model: Any) -> Any:
    config = cto.OpMagnitudePrunerConfig(target_sparsity=0.6, weight_threshold=0)
    return cto.prune_weights(model, cto.OptimizationConfig(config))


COMPRESSIONS = {
    "affine": ("affine_dequantize", IOS16, quantised(mode="linear", dtype="uint8")),
    "blocks_of_int4": (
        "blockwise_shift_scale", IOS18,
        quantised(mode="linear", dtype="int4", granularity="per_block", block_size=8),
    ),
    "symmetric": ("blockwise_shift_scale", IOS18, quantised(mode="linear_symmetric")),
    "table_of_6_bits": ("lut_to_dense", IOS16, palettised(mode="uniform", nbits=6)),
    "tables_of_channels": (
        "lut_to_dense", IOS18,
        palettised(mode="uniform", nbits=2, granularity="per_grouped_channel", group_size=8),
    ),
    "table_of_vectors": ("lut_to_dense", IOS18, palettised(mode="kmeans", nbits=4, cluster_dim=2)),
    "sparse": ("sparse_to_dense", IOS16, pruned),
    "sparse_since_ios18": ("sparse_to_dense", IOS18, pruned),
}  # fmt: skip


@pytest.mark.parametrize("half", [False, True], ids=["fp32", "fp16"])
@pytest.mark.parametrize("name", COMPRESSIONS)
def test_compressed_weights_evaluate_as_the_decompressed_ones(
    name: str, half: bool, tmp_path: Path
) -> None:
    op, target, compress = COMPRESSIONS[name]
    torch.manual_seed(0)
    x = torch.from_numpy(normal(2, 16, 6, 6))
    model = compress(convert(Compressible(), x, half=half, target=target))
    compressed = save_and_load(model, tmp_path)
    (tmp_path / "dense").mkdir()
    # Here coremltools decompresses with its own code.
    dense = save_and_load(cto.decompress_weights(model), tmp_path / "dense")
    assert compressed.op_histogram()[f"constexpr_{op}"] == 2
    assert not any(name.startswith("constexpr_") for name in dense.op_histogram())
    actual, expected = compressed.evaluate([x.numpy()]), dense.evaluate([x.numpy()])
    np.testing.assert_array_equal(actual[0], expected[0])


# --- half precision -----------------------------------------------------------------------------


def test_half_precision_is_not_computed_in_float32(tmp_path: Path) -> None:
    def add_and_subtract(x: Any) -> Any:
        return mb.sub(x=mb.add(x=x, y=np.float16(1)), y=np.float16(2048))

    program = build_program(tmp_path, add_and_subtract, [(2,)], dtype=types.fp16)
    (actual,) = program.evaluate([np.array([2048.0, 1024.0], np.float32)])
    assert actual.dtype == np.float32
    assert actual.tolist() == [0.0, -1023.0]  # 2049 has 12 bits


def test_float32_parameters_of_a_half_precision_operation_are_rounded_first(tmp_path: Path) -> None:
    def linear(x: Any) -> Any:
        return mb.linear(x=x, weight=np.float32([[2049.0], [1.0]]))

    program = build_program(tmp_path, linear, [(1, 1)], dtype=types.fp16, target=IOS17)
    (actual,) = program.evaluate([np.float32([[1.0]])])
    assert actual.tolist() == [[2048.0, 1.0]]


def test_the_first_operation_that_overflows_is_named(tmp_path: Path) -> None:
    def overflow(x: Any) -> Any:
        masked = mb.minimum(x=x, y=np.float16(np.inf), name="masked")
        square = mb.square(x=masked, name="too_large")
        return mb.sub(x=square, y=square, name="not_a_number")

    program = build_program(tmp_path, overflow, [(3,)], dtype=types.fp16)
    assert program.first_non_finite([np.array([1.0, 300.0, 2.0])]) == "square too_large"
    assert program.first_non_finite([np.array([1.0, 200.0, 2.0])]) is None


# --- what is refused ----------------------------------------------------------------------------


def test_an_unknown_operation_is_named_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(call: ops.Call) -> Tensor:
        raise AssertionError("relu was computed")

    program = build_program(
        tmp_path, lambda x: mb.band_part(x=mb.relu(x=x), lower=0, name="lower"), [(3, 3)]
    )
    monkeypatch.setitem(ops.OPERATIONS, "relu", computed)
    with pytest.raises(UnknownOperation, match=r"does not know.*'band_part'.*'lower'"):
        program.evaluate([normal(3, 3)])
    assert program.op_histogram() == {"relu": 1, "band_part": 1}


@pytest.mark.parametrize("suffix", ["mlpackage", "mlmodel"])
def test_a_neural_network_is_refused_with_advice(suffix: str, tmp_path: Path) -> None:
    program = mb.program(input_specs=[mb.TensorSpec(shape=(1, 3))])(lambda x: mb.relu(x=x))
    model = ct.convert(program, convert_to="neuralnetwork")
    path = tmp_path / f"model.{suffix}"
    model.save(str(path))
    with pytest.raises(MobilebenchError, match="'neuralNetwork' model; convert it with"):
        MLProgram.load(path)


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(MobilebenchError, match=r"nothing\.mlpackage.*does not exist"):
        MLProgram.load(tmp_path / "nothing.mlpackage")


REFUSED: dict[str, tuple[Callable[..., Any], Any, str]] = {
    "fractional_nearest": (
        lambda x: mb.upsample_nearest_neighbor(
            x=x, scale_factor_height=1.5, scale_factor_width=1.0),
        IOS16, "4 elements to 6",
    ),
    "integer_division": (
        lambda x: mb.real_div(x=mb.cast(x=x, dtype="int32"), y=np.int32(2)), IOS16, "real_div",
    ),
    "legacy_bilinear": (
        lambda x: mb.upsample_bilinear(x=x, align_corners=False, half_pixel_centers=False),
        IOS16, "half_pixel_centers",
    ),
    "uneven_ceil": (
        lambda x: mb.max_pool(x=x, kernel_sizes=[2, 2], strides=[2, 2], pad_type="same_lower",
                              ceil_mode=True),
        IOS16, "ceil_mode with uneven padding",
    ),
    "no_axes": (
        lambda x: mb.reduce_sum(x=x, axes=np.zeros(0, np.int32), keep_dims=True), IOS16, "axes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_an_operation_leaves_open_is_refused(name: str, tmp_path: Path) -> None:
    build, target, message = REFUSED[name]
    program = build_program(tmp_path, build, [X.shape], target=target)
    with pytest.raises(MobilebenchError, match=message) as refused:
        program.evaluate([X])
    assert all("while evaluating" in note for note in getattr(refused.value, "__notes__", []))


def test_a_negative_position_is_an_error_from_ios17_on(tmp_path: Path) -> None:
    def gather(x: Any) -> Any:
        return mb.gather(x=x, indices=np.array([0, -1], np.int32), axis=1)

    program = build_program(tmp_path, gather, [X.shape], target=IOS17)
    with pytest.raises(MobilebenchError, match="a negative index"):
        program.evaluate([X])


def test_inputs_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    program = build_program(tmp_path, lambda x, y: mb.add(x=x, y=y), [(2, 3), (3,)])
    assert program.input_names == ["x", "y"]
    with pytest.raises(MobilebenchError, match=r"1 inputs were given.*\['x', 'y'\]"):
        program.evaluate([normal(2, 3)])
    with pytest.raises(MobilebenchError, match=r"'y'.*\(4,\).*\(3,\)"):
        program.evaluate([normal(2, 3), normal(4)])


# --- signatures ---------------------------------------------------------------------------------


def test_outputs_keep_the_declared_order_and_integers_stay_integers(tmp_path: Path) -> None:
    def several(x: Any) -> Any:
        best = mb.reduce_argmax(x=x, axis=1, name="best")
        return mb.relu(x=x, name="second"), best, mb.identity(x=x, name="first")

    program = build_program(tmp_path, several, [(2, 3)])
    x = normal(2, 3)
    second, best, first = program.evaluate([x])
    assert program.output_names == ["second", "best", "first"]
    np.testing.assert_array_equal(second, np.maximum(x, 0))
    np.testing.assert_array_equal(first, x)
    assert best.dtype == np.int32
    np.testing.assert_array_equal(best, x.argmax(1))


@pytest.mark.filterwarnings("ignore:Some dimensions in the input shape are unknown:UserWarning")
def test_a_flexible_dimension_is_none_and_takes_any_size(tmp_path: Path) -> None:
    program = build_program(tmp_path, lambda x: mb.softmax(x=x, axis=1), [(get_new_symbol(), 3)])
    assert program.input_shapes == [(None, 3)]
    (actual,) = program.evaluate([np.zeros((5, 3), np.float32)])
    np.testing.assert_allclose(actual, np.full((5, 3), 1 / 3), rtol=1e-6)


def test_every_function_of_a_package_is_evaluated_by_name(tmp_path: Path) -> None:
    descriptor = ct.utils.MultiFunctionDescriptor()
    for width in (4, 8):
        folder = tmp_path / str(width)
        folder.mkdir()
        torch.manual_seed(width)
        layer = nn.Linear(width, width)
        save_and_load(convert(layer, torch.zeros(1, width), target=IOS18), folder)
        descriptor.add_function(str(folder / "model.mlpackage"), "main", f"width_{width}")
    descriptor.default_function_name = "width_8"
    ct.utils.save_multifunction(descriptor, str(tmp_path / "both.mlpackage"))
    program = MLProgram.load(tmp_path / "both.mlpackage")
    assert sorted(program.functions) == ["width_4", "width_8"]
    for width in (4, 8):
        torch.manual_seed(width)
        layer = nn.Linear(width, width)
        x = normal(1, width)
        (actual,) = program.evaluate([x], function=f"width_{width}")
        assert relative_error(actual, layer(torch.from_numpy(x)).detach().numpy()) <= FP32
        assert program.op_histogram(f"width_{width}") == {"linear": 1}
    with pytest.raises(MobilebenchError, match="no function 'main'; it has width_"):
        program.evaluate([normal(1, 4)])


# --- these tests can fail -----------------------------------------------------------------------

WRONG: dict[str, Callable[[ops.Call], Any]] = {
    "gelu": lambda call: F.gelu(call.tensor(), approximate="tanh"),
    "floor_div": lambda call: torch.div(call.tensor("x"), call.tensor("y"), rounding_mode="trunc"),
    "log": lambda call: torch.log(call.tensor()),
    "softmax": lambda call: torch.softmax(call.tensor(), -2),
    "reduce_l1_norm": lambda call: call.tensor().sum(call.ints("axes"), call.flag("keep_dims")),
    "transpose": lambda call: call.tensor().permute(call.ints("perm")).flip(0),
    "round": lambda call: torch.floor(call.tensor() + 0.5),
    "batch_norm": lambda call: F.batch_norm(
        call.tensor(), call.tensor("mean"), call.tensor("variance"), eps=1e-5
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_meaning_of_an_operation_is_caught(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(case for case in CASES if case.op == name)
    check(case, tmp_path)
    monkeypatch.setitem(ops.OPERATIONS, name, WRONG[name])
    with pytest.raises(AssertionError):
        check(case, tmp_path)


def test_a_wrong_shape_or_kind_of_result_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = build_program(tmp_path, lambda x: mb.relu(x=x, name="rectified"), [X.shape])
    for wrong in (lambda call: call.tensor().sum(0), lambda call: call.tensor().int()):
        monkeypatch.setitem(ops.OPERATIONS, "relu", wrong)
        with pytest.raises(MobilebenchError, match="relu rectified was evaluated to"):
            program.evaluate([X])
