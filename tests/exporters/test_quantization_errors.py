"""A network that fails in 8 bits: which operation, which line, and what works instead."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from mobilebench import plugins
from mobilebench.errors import CellFailed
from mobilebench.failures import failure_of
from mobilebench.values.recipe import Calibration, ExportRecipe, Precision
from tests.conftest import Ran

NETWORK = """
import torch
from torch import nn


class LayerNorm2d(nn.Module):
    def forward(self, x):
        u = x.mean(1, keepdim=True)
        v = (x - u).pow(2).mean(1, keepdim=True)
        return (x - u) / torch.sqrt(v + 1e-6)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.norm = nn.Conv2d(3, 16, 4, 4, bias=False), LayerNorm2d()
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        y = x * 2 / 2.5
        return self.head(self.norm(self.stem(y)).mean((2, 3)))


def make():
    return Net()
"""
# Norms are kept in floats, so this failure is provoked by a quantizer without that rule.
WITHOUT_THE_RULE = """
from mobilebench_exporters import _tflite_precision

_tflite_precision._scopes_of_divisions = lambda path: []
"""


def _images(folder: Path) -> Path:
    """Make images that are even in one half: there the variance is 0, and the kernel refuses it."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(8):
        pixels = random.integers(0, 256, (32, 32, 3), np.uint8)
        pixels[:16] = 127
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def test_a_kernel_that_refuses_8_bits_is_named_with_its_line_and_with_what_works(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    patch = tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(WITHOUT_THE_RULE)
    env = {"PYTHONPATH": os.pathsep.join([str(patch), os.environ.get("PYTHONPATH", "")])}
    mean = ",".join(["0.498039"] * 3)
    words = ("--input", "1x3x32x32", "--calibration", _images(tmp_path / "images"))
    words += ("--mean", mean, "--std", "0.25,0.25,0.25", "-f", "tflite", "--json")
    failed = mobilebench("export", "net.py:make", *words, "--precision", "int8", env=env)
    assert failed.code == 1, failed.stderr
    failure = json.loads(failed.stdout)[0]["failure"]
    message = failure["message"]
    assert message.startswith("in quantization to int8: DIV ") and "in the layer norm" in message
    # The other division, of the input by 2.5, is not to blame.
    line = "net.py, line 10: return (x - u) / torch.sqrt(v + 1e-6))"
    assert message.endswith(line) and f"(from {tmp_path}" in message
    assert failure["advice"] == (
        "tflite also offers int8-dynamic, int8-weights, fp16-weights and fp32, which round less"
    )
    works = mobilebench("export", "net.py:make", *words, "--precision", "int8-dynamic", env=env)
    assert works.code == 0, works.stderr


def _refusal(node: Any, dtype: int, shape: list[int]) -> str:
    """Return what ONNX Runtime says about a model of one node, loaded and run."""
    values = [
        onnx.helper.make_tensor_value_info(name, dtype, [None, 4]) for name in ("input", "output")
    ]
    three = onnx.numpy_helper.from_array(np.array([3], np.int64), "three")
    graph = onnx.helper.make_graph([node], "graph", values[:1], values[1:], [three])
    opset = [onnx.helper.make_opsetid("", 20)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=10)
    with pytest.raises(Exception) as caught:
        session = onnxruntime.InferenceSession(model.SerializeToString())
        session.run(None, {"input": np.zeros(shape, np.float32)})
    return str(caught.value)


def test_onnx_runtime_names_the_node_while_it_loads_and_while_it_runs() -> None:
    exporter = plugins.exporter("onnx")
    reshape = onnx.helper.make_node(
        "Reshape", ["input", "three"], ["output"], name="layer/Reshape_1"
    )
    message = _refusal(reshape, onnx.TensorProto.FLOAT, [1, 4])
    assert "while running" in message and exporter.operation_in(message) == "layer/Reshape_1"
    erf = onnx.helper.make_node("Erf", ["input"], ["output"], name="node_erf")
    for dtype, code in (("INT32", "INVALID_GRAPH"), ("DOUBLE", "NOT_IMPLEMENTED")):
        message = _refusal(erf, getattr(onnx.TensorProto, dtype), [1, 4])
        assert code in message and exporter.operation_in(message) == "node_erf"


def test_a_message_without_an_operation_names_none() -> None:
    for name in plugins.exporter_names():
        for message in ("", "out of memory", "node", "Node number"):
            assert plugins.exporter(name).operation_in(message) is None


OFFERS = [
    (name, precision)
    for name in plugins.exporter_names()
    for precision in sorted(plugins.exporter(name).precisions())
    if precision.quantized
]


@pytest.mark.parametrize(("name", "precision"), OFFERS)
def test_what_is_offered_instead_exists_and_rounds_less(name: str, precision: Precision) -> None:
    exporter = plugins.exporter(name)
    recipe = exporter.recipe(precision)
    for error in ("ValueError", "ParityFailed"):
        message = "in quantization to x: new" if error == "ValueError" else "relative error 1"
        failure = failure_of(CellFailed("parity", error, message), recipe)
        assert failure.advice is not None
        offer = next(part for part in failure.advice.split("; ") if "also offers" in part)
        listed = offer.removeprefix(f"{name} also offers ").removesuffix(", which round less")
        others = [Precision(word) for word in listed.replace(" and ", ", ").split(", ")]
        assert others[-1] is Precision.FP32 and precision not in others
        assert set(others) <= exporter.precisions(recipe.target, recipe.delegate)
        if precision.calibrated:
            assert not any(other.calibrated for other in others)
        assert ("--allow-parity-failure" in failure.advice) == (error == "ParityFailed")
        noise = "ranges come from noise" in failure.advice
        assert noise == (error == "ParityFailed" and precision.calibrated)


def test_advice_fits_the_failure() -> None:
    exporter = plugins.exporter("tflite")
    on_images = exporter.recipe(Precision.INT8, calibration=Calibration(source="0" * 64))
    inaccurate = CellFailed("parity", "ParityFailed", "relative error 1")
    advice = failure_of(inaccurate, on_images).advice
    assert advice is not None and "noise" not in advice
    for error in (inaccurate, CellFailed("run", "RuntimeError", "new")):
        assert failure_of(error, exporter.recipe(Precision.FP32)).advice is None
    elsewhere = CellFailed("run", "RuntimeError", "in a file that ran before")
    assert failure_of(elsewhere, on_images).advice is None
    alone = ExportRecipe(
        format=plugins.exporter("executorch").format,
        precision=Precision.INT8,
        delegate="ethos-u",
        calibration=Calibration(),
    )
    advice = failure_of(inaccurate, alone).advice
    assert advice is not None and "also offers" not in advice
