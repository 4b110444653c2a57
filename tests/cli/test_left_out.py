"""A shell's `FOLDER/*` measures what can be measured here, and says what is left out and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mobilebench.values.artifact import Artifact
from tests import foreign
from tests.conftest import Ran

Program = Callable[..., Ran]


@pytest.mark.skipif(sys.platform == "darwin", reason="on macOS Core ML files can be measured")
def test_bench_leaves_out_what_no_runtime_here_takes(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    folders = [tiny_artifacts[f"{name}-fp32"].folder for name in ("coreml", "onnx")]
    stray = tmp_path / "board.html"
    stray.write_text("a page")
    done = mobilebench("bench", *folders, stray, "--protocol", "smoke-1", "--json")
    assert done.code == 0, done.stderr
    assert [record["recipe"]["format"] for record in json.loads(done.stdout)] == ["onnx"]
    assert "coreml-fp32-iOS16 cannot be measured on host" in done.stderr
    assert f"left out: {stray} is neither a bundle nor a model file" in done.stderr
    alone = mobilebench("bench", folders[0], "--protocol", "smoke-1")
    assert alone.code == 2 and "cannot be measured on host" in alone.stderr


def test_a_path_that_does_not_exist_is_an_error_among_others(
    mobilebench: Program, tmp_path: Path
) -> None:
    path = foreign.difference(tmp_path / "difference.tflite")
    for mistyped in ("diference.tflite", "artefacts"):
        done = mobilebench("bench", path, tmp_path / mistyped, "--protocol", "smoke-1")
        assert done.code == 2 and mistyped in done.stderr and done.stdout == ""


def test_eval_leaves_out_what_cannot_be_judged(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    for index in range(10):
        folder = tmp_path / "data" / f"class{index}"
        folder.mkdir(parents=True)
        Image.new("RGB", (40, 40), (25 * index, 120, 9)).save(folder / "image.png")
    words = ("--data", tmp_path / "data", "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25")
    other = foreign.difference(tmp_path / "difference.tflite")
    done = mobilebench("eval", other, tiny_artifacts["onnx-fp32"].folder, *words, "--json")
    assert done.code == 0, done.stderr
    assert len(json.loads(done.stdout)) == 1
    assert "left out: difference takes b_10 1x4 float32" in done.stderr
