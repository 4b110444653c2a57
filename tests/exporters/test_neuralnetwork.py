"""Test the neural network evaluator against torch, layer by layer, and on invalid files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("coremltools")
torch = pytest.importorskip("torch")

import coremltools as ct  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from coremltools.models import datatypes  # noqa: E402
from coremltools.models.neural_network import NeuralNetworkBuilder  # noqa: E402
from torch import Tensor  # noqa: E402

from mobilebench_exporters import _neuralnetwork as layers  # noqa: E402
from mobilebench_exporters._mlprogram import EvaluationError  # noqa: E402
from mobilebench_exporters._neuralnetwork import NeuralNetwork, UnknownLayer  # noqa: E402

Array = np.ndarray[Any, Any]

FP32 = 1e-6
"""Of one layer: a few roundings to 24 bits, 6e-8 each."""


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


WEIGHT, BIAS = normal(6, 2, 3, 3, seed=1), normal(6, seed=2)
MATRIX, ROW = normal(5, 4, seed=3), normal(5, seed=4)
SCALE, SHIFT = normal(3, 1, 1, seed=5), normal(3, 1, 1, seed=6)
IMAGE = (1, 4, 8, 9)


@dataclass(frozen=True)
class Case:
    """A layer that the builder writes, and the torch function that it must equal."""

    build: Callable[[NeuralNetworkBuilder, dict[str, Any]], Any]
    expected: Callable[..., Tensor]
    shapes: tuple[tuple[int, ...], ...] = (IMAGE,)
    positive: bool = False


def one(name: str, **options: Any) -> Callable[[NeuralNetworkBuilder, dict[str, Any]], Any]:
    """Return a builder of a layer with one input, `x0`."""
    return lambda b, names: getattr(b, f"add_{name}")(
        name="layer", input_name="x0", output_name="y", **options
    )


def many(name: str, **options: Any) -> Callable[[NeuralNetworkBuilder, dict[str, Any]], Any]:
    """Return a builder of a layer over all inputs."""
    return lambda b, names: getattr(b, f"add_{name}")(
        name="layer", input_names=list(names["inputs"]), output_name="y", **options
    )


def unary(mode: str, **options: Any) -> Any:
    return one("unary", mode=mode, **options)


def reduction(name: str) -> Any:
    return one(f"reduce_{name}", axes=[1, 3], keepdims=False, reduce_all=False)


def convolution(border: str, *, padding: int = 0, **options: Any) -> Any:
    return one(
        "convolution",
        kernel_channels=2,
        output_channels=6,
        height=3,
        width=3,
        stride_height=2,
        stride_width=1,
        border_mode=border,
        groups=2,
        W=WEIGHT.transpose(2, 3, 1, 0),
        b=BIAS,
        has_bias=True,
        padding_top=padding,
        padding_bottom=0,
        padding_left=0,
        padding_right=padding,
        **options,
    )


def conv(x: Tensor, pad: tuple[int, int, int, int]) -> Tensor:
    weight, bias = torch.from_numpy(WEIGHT), torch.from_numpy(BIAS)
    return F.conv2d(F.pad(x, pad), weight, bias, stride=(2, 1), groups=2)


def pool(kind: str, *, exclude: bool = False, padding: int = 0) -> Any:
    return one(
        "pooling",
        height=3,
        width=2,
        stride_height=2,
        stride_width=2,
        layer_type=kind,
        padding_type="VALID",
        exclude_pad_area=exclude,
        padding_top=padding,
        padding_bottom=padding,
        padding_left=padding,
        padding_right=padding,
    )


def _with_constant(b: NeuralNetworkBuilder, names: dict[str, Any]) -> None:
    b.add_load_constant_nd("constant", "c", normal(1, 4, 8, 9, seed=7), IMAGE)
    b.add_add_broadcastable("layer", ["x0", "c"], "y")


def _split(b: NeuralNetworkBuilder, names: dict[str, Any]) -> None:
    b.add_split_nd("layer", "x0", ["a", "b"], axis=1, num_splits=2)
    b.add_subtract_broadcastable("difference", ["a", "b"], "y")


TWO, ROWS = (IMAGE, IMAGE), (IMAGE, (1, 1, 1, 9))
CASES: dict[str, Case] = {
    "activation ReLU": Case(one("activation", non_linearity="RELU"), torch.relu),
    "activation linear": Case(
        one("activation", non_linearity="LINEAR", params=[-2.0, 0.5]), lambda x: 0.5 - 2 * x
    ),
    "activation sigmoid": Case(one("activation", non_linearity="SIGMOID"), torch.sigmoid),
    "activation softplus": Case(one("activation", non_linearity="SOFTPLUS"), F.softplus),
    "activation tanh": Case(one("activation", non_linearity="TANH"), torch.tanh),
    "add": Case(many("elementwise", mode="ADD"), torch.add, TWO),
    "add alpha": Case(many("elementwise", mode="ADD", alpha=0.7), lambda x: x + 0.7),
    "addBroadcastable": Case(many("add_broadcastable"), torch.add, ROWS),
    "batchedMatmul": Case(
        many("batched_mat_mul", transpose_b=True), lambda a, b: a @ b.mT, ((2, 3, 4), (2, 5, 4))
    ),
    "batchedMatmul weights": Case(
        many(
            "batched_mat_mul", weight_matrix_rows=4, weight_matrix_columns=5, W=MATRIX.T, bias=ROW
        ),
        lambda a: a @ torch.from_numpy(MATRIX).mT + torch.from_numpy(ROW),
        ((2, 3, 4),),
    ),
    "batchnorm": Case(
        one(
            "batchnorm", channels=4, gamma=normal(4), beta=normal(4, seed=1),
            mean=normal(4, seed=2), variance=normal(4, seed=3) ** 2, epsilon=1e-3,
        ),
        lambda x: F.batch_norm(
            x, torch.from_numpy(normal(4, seed=2)), torch.from_numpy(normal(4, seed=3) ** 2),
            torch.from_numpy(normal(4)), torch.from_numpy(normal(4, seed=1)), eps=1e-3,
        ),
    ),
    "clip": Case(one("clip", min_value=-0.5, max_value=1.0), lambda x: x.clamp(-0.5, 1.0)),
    "concat": Case(
        many("elementwise", mode="CONCAT"), lambda a, b: torch.cat([a, b], 1), TWO
    ),
    "concatND": Case(many("concat_nd", axis=2), lambda a, b: torch.cat([a, b], 2), TWO),
    "convolution valid": Case(convolution("valid"), lambda x: conv(x, (0, 0, 0, 0))),
    "convolution padded": Case(convolution("valid", padding=1), lambda x: conv(x, (0, 1, 1, 0))),
    "convolution same": Case(convolution("same"), lambda x: conv(x, (1, 1, 0, 1))),
    "convolution same, top": Case(
        convolution("same", same_padding_asymmetry_mode="TOP_LEFT_HEAVY"),
        lambda x: conv(x, (1, 1, 1, 0)),
    ),
    "divideBroadcastable": Case(many("divide_broadcastable"), torch.div, ROWS, positive=True),
    "expandDims": Case(one("expand_dims", axes=[0, 3]), lambda x: x[None, :, :, None], ((4, 5),)),
    "gelu": Case(one("gelu", mode="EXACT"), F.gelu),
    "gelu tanh": Case(
        one("gelu", mode="TANH_APPROXIMATION"), lambda x: F.gelu(x, approximate="tanh")
    ),
    "gelu sigmoid": Case(
        one("gelu", mode="SIGMOID_APPROXIMATION"), lambda x: x * torch.sigmoid(1.702 * x)
    ),
    "innerProduct": Case(
        one(
            "inner_product", W=MATRIX, b=ROW, input_channels=4, output_channels=5, has_bias=True
        ),
        lambda x: x @ torch.from_numpy(MATRIX).mT + torch.from_numpy(ROW),
        ((2, 3, 4),),
    ),
    "loadConstantND": Case(
        _with_constant, lambda x: x + torch.from_numpy(normal(1, 4, 8, 9, seed=7))
    ),
    "max": Case(many("elementwise", mode="MAX"), torch.maximum, TWO),
    "maxBroadcastable": Case(many("max_broadcastable"), torch.maximum, ROWS),
    "min": Case(many("elementwise", mode="MIN"), torch.minimum, TWO),
    "minBroadcastable": Case(many("min_broadcastable"), torch.minimum, ROWS),
    "multiply": Case(many("elementwise", mode="MULTIPLY"), torch.mul, TWO),
    "multiply alpha": Case(many("elementwise", mode="MULTIPLY", alpha=-1.5), lambda x: -1.5 * x),
    "multiplyBroadcastable": Case(many("multiply_broadcastable"), torch.mul, ROWS),
    "mvn": Case(
        one("mvn", across_channels=False, normalize_variance=True, epsilon=1e-2),
        lambda x: F.layer_norm(x, x.shape[-2:], eps=1e-2),
    ),
    "mvn channels": Case(
        one("mvn", across_channels=True, normalize_variance=True, epsilon=1e-2),
        lambda x: F.layer_norm(x, x.shape[-3:], eps=1e-2),
    ),
    "pooling global": Case(
        one(
            "pooling", height=0, width=0, stride_height=0, stride_width=0, layer_type="AVERAGE",
            padding_type="VALID", is_global=True,
        ),
        lambda x: x.mean((2, 3), keepdim=True),
    ),
    "pooling max": Case(
        pool("MAX", padding=1), lambda x: F.max_pool2d(x, (3, 2), 2, padding=1)
    ),
    "pooling average": Case(
        pool("AVERAGE", padding=1), lambda x: F.avg_pool2d(x, (3, 2), 2, padding=1)
    ),
    "pooling average of what is there": Case(
        pool("AVERAGE", exclude=True, padding=1),
        lambda x: F.avg_pool2d(x, (3, 2), 2, padding=1, count_include_pad=False),
    ),
    "reduceMax": Case(reduction("max"), lambda x: x.amax((1, 3))),
    "reduceMean": Case(reduction("mean"), lambda x: x.mean((1, 3))),
    "reduceMin": Case(reduction("min"), lambda x: x.amin((1, 3))),
    "reduceSum": Case(reduction("sum"), lambda x: x.sum((1, 3))),
    "reshapeStatic": Case(
        one("reshape_static", output_shape=(2, -1, 9)), lambda x: x.reshape(2, -1, 9)
    ),
    "scale": Case(
        one("scale", W=SCALE, b=SHIFT, has_bias=True, shape_scale=[3, 1, 1], shape_bias=[3, 1, 1]),
        lambda x: x * torch.from_numpy(SCALE) + torch.from_numpy(SHIFT),
        ((1, 3, 5, 5),),
    ),
    "slice": Case(
        one("slice", axis="height", start_index=1, end_index=-2, stride=2),
        lambda x: x[:, :, 1:-2:2],
    ),
    "slice channels": Case(
        one("slice", axis="channel", start_index=1, end_index=3), lambda x: x[:, 1:3]
    ),
    "sliceStatic": Case(
        one(
            "slice_static", begin_ids=[0, 1, 7, 2], end_ids=[1, -1, 5, 5], strides=[1, 1, 1, 2],
            begin_masks=[True, False, True, False], end_masks=[True, False, False, True],
        ),
        lambda x: x[:, 1:-1, :5, 2::2],
    ),
    "softmaxND": Case(one("softmax_nd", axis=-2), lambda x: torch.softmax(x, -2)),
    "splitND": Case(_split, lambda x: x[:, :2] - x[:, 2:]),
    "squeeze": Case(one("squeeze", axes=[0, 2]), lambda x: x.squeeze((0, 2)), ((1, 4, 1, 3),)),
    "subtractBroadcastable": Case(many("subtract_broadcastable"), torch.sub, ROWS),
    "transpose": Case(one("transpose", axes=(0, 3, 1, 2)), lambda x: x.permute(0, 3, 1, 2)),
    "unary abs": Case(unary("abs"), torch.abs),
    "unary exp": Case(unary("exp", scale=0.5, shift=0.1), lambda x: torch.exp(0.5 * x + 0.1)),
    "unary inverse": Case(
        unary("inverse", epsilon=0.1), lambda x: 1 / (x + 0.1), positive=True
    ),
    "unary log": Case(unary("log", epsilon=0.1), lambda x: torch.log(x + 0.1), positive=True),
    "unary power": Case(unary("power", alpha=3.0), lambda x: x**3),
    "unary rsqrt": Case(
        unary("rsqrt", epsilon=0.1), lambda x: torch.rsqrt(x + 0.1), positive=True
    ),
    "unary sqrt": Case(unary("sqrt"), torch.sqrt, positive=True),
    "upsample nearest": Case(
        one("upsample", scaling_factor_h=2, scaling_factor_w=3),
        lambda x: F.interpolate(x, scale_factor=(2, 3), mode="nearest"),
    ),
    "upsample bilinear": Case(
        one(
            "upsample", scaling_factor_h=4, scaling_factor_w=4, mode="BILINEAR",
            linear_upsample_mode="ALIGN_CORNERS_FALSE",
        ),
        lambda x: F.interpolate(x, scale_factor=4, mode="bilinear", align_corners=False),
    ),
    "upsample corners": Case(
        one(
            "upsample", scaling_factor_h=2, scaling_factor_w=2, mode="BILINEAR",
            linear_upsample_mode="ALIGN_CORNERS_TRUE",
        ),
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    ),
}  # fmt: skip


def build_network(case: Case, folder: Path, *, half: bool = False) -> NeuralNetwork:
    names = {"inputs": [f"x{index}" for index in range(len(case.shapes))]}
    builder = NeuralNetworkBuilder(
        [(name, datatypes.Array(*s)) for name, s in zip(names["inputs"], case.shapes, strict=True)],
        [("y", None)],
        disable_rank5_shape_mapping=True,
    )
    case.build(builder, names)
    spec = builder.spec
    if half:
        from coremltools.models.neural_network import quantization_utils

        model = ct.models.MLModel(spec, skip_model_load=True)
        spec = quantization_utils.quantize_weights(model, nbits=16).get_spec()
    path = folder / "model.mlmodel"
    ct.utils.save_spec(spec, str(path))
    return NeuralNetwork.load(path)


def _inputs(case: Case) -> list[Array]:
    arrays = [normal(*shape, seed=20 + index) for index, shape in enumerate(case.shapes)]
    return [np.abs(array) + np.float32(0.1) for array in arrays] if case.positive else arrays


@pytest.mark.parametrize("name", CASES)
def test_a_layer_is_what_torch_computes(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    network, inputs = build_network(case, tmp_path), _inputs(case)
    assert name.partition(" ")[0] in {layer.kind for layer in network._layers}
    [actual] = network.evaluate(inputs)
    expected = case.expected(*map(torch.from_numpy, inputs)).numpy()
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=FP32 * np.abs(expected).max() * 3)


def test_every_kind_of_layer_has_a_case() -> None:
    assert {name.partition(" ")[0] for name in CASES} == set(layers.KINDS)


def test_half_precision_weights_are_read_as_they_are_stored(tmp_path: Path) -> None:
    case = CASES["innerProduct"]
    [x] = _inputs(case)
    [actual] = build_network(case, tmp_path, half=True).evaluate([x])
    rounded = (a.astype(np.float16).astype(np.float32) for a in (MATRIX, ROW))
    matrix, row = rounded
    np.testing.assert_allclose(actual, x @ matrix.T + row, rtol=0, atol=1e-5)
    assert np.abs(actual - (x @ MATRIX.T + ROW)).max() > 1e-5, "the rounding is visible"


def test_an_unknown_layer_is_named_before_anything_is_computed(tmp_path: Path) -> None:
    case = Case(one("lrn", alpha=1e-4, beta=0.75, local_size=5), torch.clone)
    with pytest.raises(UnknownLayer, match="'lrn'"):
        build_network(case, tmp_path).evaluate([normal(*IMAGE)])


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (Case(one("activation", non_linearity="ELU", params=1.0), F.elu), "its function 'ELU'"),
        (
            Case(one("upsample", scaling_factor_h=2, scaling_factor_w=2, mode="BILINEAR"), F.relu),
            "does not define where pixels lie",
        ),
        (
            Case(
                one(
                    "inner_product",
                    W=normal(5, 288),
                    b=None,
                    input_channels=288,
                    output_channels=5,
                    has_bias=False,
                ),
                F.relu,
            ),
            "an input of 4 dimensions",
        ),
    ],
)
def test_what_the_format_leaves_open_is_refused(case: Case, message: str, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=message):
        build_network(case, tmp_path).evaluate([normal(*IMAGE)])


def test_inputs_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    network = build_network(CASES["gelu"], tmp_path)
    with pytest.raises(EvaluationError, match=r"declares \(1, 4, 8, 9\)"):
        network.evaluate([normal(1, 4, 8, 8)])
    with pytest.raises(EvaluationError, match="2 inputs were given"):
        network.evaluate([normal(*IMAGE)] * 2)


def test_a_file_of_another_kind_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="does not exist"):
        NeuralNetwork.load(tmp_path / "none.mlmodel")
