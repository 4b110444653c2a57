"""Norms and divisions stay in floats in int8, recognised by what they compute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from mobilebench import export, plugins
from mobilebench.values.artifact import Artifact
from mobilebench.values.graph import Graph
from mobilebench_exporters._divisions import Step, in_floats, plain_kind

# The toolkits run in this process and raise their own warnings.
pytestmark = pytest.mark.filterwarnings("ignore")


class Between(nn.Module):
    """(1, 3, 32, 32) -> (1, 10), with a function between two convolutions."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 16, 4, 4), nn.Conv2d(16, 32, 1)
        self.head, self.function = nn.Linear(32, 10), function

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(F.relu(self.second(self.function(self.first(x)))).mean((2, 3)))
        return y


def _layer_norm(x: Tensor) -> Tensor:
    u = x.mean(1, keepdim=True)
    return (x - u) / torch.sqrt((x - u).pow(2).mean(1, keepdim=True) + 1e-6)


def _by_variance(x: Tensor) -> Tensor:
    variance, mean = torch.var_mean(x, 1, keepdim=True, unbiased=False)
    return (x - mean) * torch.rsqrt(variance + 1e-6)


def _root_mean_square(x: Tensor) -> Tensor:
    return x * (x * x).mean(1, keepdim=True).add(1e-6).pow(-0.5)


def _linear_attention(x: Tensor) -> Tensor:
    q = F.relu(x).flatten(2)
    v = F.pad(q, (0, 0, 0, 1), value=1.0)
    y = v @ q.transpose(1, 2) @ q
    return (y[:, :-1] / (y[:, -1:] + 1e-6)).reshape(x.shape)


FUNCTIONS = {
    "layer norm": _layer_norm,
    "variance": _by_variance,
    "root mean square": _root_mean_square,
    "linear attention": _linear_attention,
}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write eight smooth images: their flat parts give small variances, which noise does not."""
    folder, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    for index in range(8):
        pixels = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((80, 64), Image.Resampling.BICUBIC).save(
            folder / f"{index}.png"
        )
    return folder


def _export(name: str, format_: str, photographs: Path, out: Path) -> Artifact:
    return export(
        Between(FUNCTIONS[name]).eval(),
        format_,
        precision="int8",
        inputs=["1x3x32x32"],
        calibration=photographs,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        out_dir=out,
    )


def _graph(artifact: Artifact) -> Graph:
    return plugins.exporter(artifact.manifest.recipe.format).graph(artifact.model_path)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_divisions_of_ones_own_work_in_int8_in_tflite(
    name: str, photographs: Path, tmp_path: Path
) -> None:
    artifact = _export(name, "tflite", photographs, tmp_path)
    [parity] = artifact.manifest.facts.parity
    assert parity.snr_db is not None and parity.snr_db > 30
    operations = _graph(artifact).operations
    kinds = {o.kind: {tensor.dtype for tensor in o.inputs[:1]} for o in operations}
    assert kinds["CONV_2D"] == {"int8"}, "the convolutions are quantized all the same"
    inexact = {"DIV", "SQRT", "RSQRT", "POW", "SUB", "SUM"} & kinds.keys()
    assert inexact and all(kinds[kind] == {"float32"} for kind in inexact)


def test_a_norm_of_ones_own_stays_in_floats_in_onnx(photographs: Path, tmp_path: Path) -> None:
    graph = onnx.load(_export("layer norm", "onnx", photographs, tmp_path).model_path).graph
    producers = {name: node.op_type for node in graph.node for name in node.output}
    [divide] = [node for node in graph.node if node.op_type == "Div"]
    assert [producers[name] for name in divide.input] == ["Sub", "Sqrt"]
    reductions = [node for node in graph.node if node.op_type == "ReduceMean"]
    of_squares = [node for node in reductions if producers[node.input[0]] in ("Pow", "Mul")]
    assert len(of_squares) == 1, "no 8 bits lie between the squares and their mean"


@pytest.mark.parametrize(
    ("name", "format_"), [("root mean square", "executorch"), ("layer norm", "coreml")]
)
def test_a_norm_of_ones_own_works_in_int8_elsewhere(
    name: str, format_: str, photographs: Path, tmp_path: Path
) -> None:
    [parity] = _export(name, format_, photographs, tmp_path).manifest.facts.parity
    assert parity.snr_db is not None and parity.snr_db > 30


def _step(name: str, kind: str, *reads: str, constant: bool = False) -> Step:
    return Step(name, plain_kind(kind), reads, (name,), constant)


def test_the_way_to_a_statistic_does_not_lead_through_the_network() -> None:
    steps = [
        _step("conv", "CONV_2D", "x", constant=True),
        _step("residual", "ADD", "conv", "x"),
        _step("mean", "MEAN", "residual"),
        _step("difference", "SUB", "residual", "mean"),
        _step("square", "MUL", "difference", "difference"),
        _step("variance", "MEAN", "square"),
        _step("sum", "ADD", "variance", constant=True),
        _step("root", "RSQRT", "sum"),
        _step("normal", "MUL", "difference", "root"),
        _step("scaled", "MUL", "normal", constant=True),
        _step("pooled", "MEAN", "scaled"),
    ]
    assert in_floats(steps) == {
        "mean", "difference", "square", "variance", "sum", "root", "normal",
    }  # fmt: skip


def test_a_network_without_divisions_is_quantized_whole() -> None:
    steps = [
        _step("conv", "aten.conv2d.default", "x", constant=True),
        _step("gate", "aten.mul.Tensor", "conv", "x"),
        _step("pooled", "aten.mean.dim", "gate"),
        _step("energy", "aten.pow.Tensor_Scalar", "pooled", constant=True),
        _step("total", "aten.sum.dim_IntList", "energy"),
    ]
    assert in_floats(steps) == set()
