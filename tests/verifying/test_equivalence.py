"""Two files are compared on the same inputs, and equal means without any difference."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from mobilebench.errors import CellFailed, UserError
from mobilebench.inspecting.given import open_artifacts
from mobilebench.values.artifact import Artifact
from mobilebench.values.recipe import Precision
from mobilebench.verifying.equivalence import Equivalence, compare
from tests import foreign


def _compared(first: Path, second: Path, within: Precision = Precision.FP32) -> Equivalence:
    return compare(*open_artifacts([first, second]), within)


def _with_weight_changed(path: Path, out: Path, share: float) -> Path:
    model = onnx.load(path)
    [weight] = [entry for entry in model.graph.initializer if entry.name == "weight"]
    values = numpy_helper.to_array(weight) * np.float32(1 + share)
    weight.CopyFrom(numpy_helper.from_array(values, "weight"))
    onnx.save(model, out)
    return out


def test_a_copy_is_equal_and_a_changed_weight_is_not(tmp_path: Path) -> None:
    path = foreign.convolution(tmp_path / "a.onnx", sizes=(1, 3, 8, 8))
    copy = Path(shutil.copyfile(path, tmp_path / "b.onnx"))
    result = _compared(path, copy)
    assert result.verdict == "equal in every element"
    assert result.inputs == "16 inputs of seeded noise"
    close = _compared(path, _with_weight_changed(path, tmp_path / "c.onnx", 3e-7))
    assert close.verdict == "different, within the limits of fp32"
    far = _compared(path, _with_weight_changed(path, tmp_path / "d.onnx", 1e-3))
    assert far.verdict == "different, NOT within the limits of fp32"
    assert far.parity.max_relative_error == pytest.approx(1e-3, rel=1e-2)


def test_layouts_names_and_order_of_two_toolkits_are_matched(tmp_path: Path) -> None:
    first = foreign.image_sum(tmp_path / "a.onnx", (1, 3, 4, 5), (2, 3), "b")
    last = foreign.image_sum(tmp_path / "b.onnx", (1, 4, 5, 3), (1, 2), "a")
    result = _compared(first, last)
    assert result.parity.passed and result.outputs == ("b_mean", "b_double")
    assert result.notes == (
        "inputs are turned to channels last",
        "outputs are matched by order, because their names differ",
        "outputs are turned to channels first",
    )


def test_files_of_one_network_in_two_formats_agree(tiny_artifacts: dict[str, Artifact]) -> None:
    onnx_file, tflite = (tiny_artifacts[f"{name}-fp32"] for name in ("onnx", "tflite"))
    result = compare(onnx_file, tflite, Precision.FP32)
    assert result.parity.passed
    assert result.inputs == f"the 16 seeded inputs of {onnx_file.name}"
    coarse = compare(onnx_file, tiny_artifacts["tflite-int8"], Precision.FP32)
    assert coarse.verdict == "different, NOT within the limits of fp32"
    assert compare(onnx_file, tiny_artifacts["tflite-int8"], Precision.INT8).parity.passed


def test_a_bare_file_takes_the_inputs_of_the_bundle_beside_it(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    bundle = tiny_artifacts["onnx-fp32"]
    [bare] = open_artifacts([bundle.model_path])
    for pair in ((bare, bundle), (bundle, bare)):
        result = compare(*pair, Precision.FP32)
        assert result.inputs == f"the 16 seeded inputs of {bundle.name}"
        assert result.verdict == "equal in every element"


def test_networks_with_other_inputs_are_refused(tmp_path: Path) -> None:
    one = foreign.convolution(tmp_path / "a.onnx", sizes=(1, 3, 8, 8))
    other = foreign.convolution(tmp_path / "b.onnx", sizes=(1, 3, 9, 8))
    with pytest.raises(UserError, match="inputs of the two files do not match"):
        _compared(one, other)


def test_a_file_that_does_not_run_is_named(tmp_path: Path) -> None:
    good = foreign.difference(tmp_path / "good.tflite")
    bad = foreign.convolution(tmp_path / "bad.onnx", sizes=(1, 3, 8, 8))
    model = onnx.load(bad)
    model.graph.node[0].op_type = "Convolute"
    onnx.save(model, bad)
    with pytest.raises(CellFailed, match="bad@8 onnx-given: .*Convolute"):
        _compared(bad, bad)
    assert _compared(good, good).verdict == "equal in every element"
