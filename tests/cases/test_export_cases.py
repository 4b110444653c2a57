"""Networks that users had, through the program: each with what is right for it.

Slow: `make test-cases` runs them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Ran

pytestmark = pytest.mark.slow
Program = Callable[..., Ran]
NETWORKS = Path(__file__).parent / "networks"


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Copy the files of the case that the test is named for into the user's folder."""
    name = request.param
    for path in (NETWORKS / name).iterdir():
        if path.is_file():
            shutil.copyfile(path, tmp_path / path.name)
    return tmp_path


def _of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [name], indirect=True)


def _manifests(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*/manifest.json"))]


def _photographs(folder: Path, count: int) -> Path:
    """Write images whose colours and structure differ, as photographs' do."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:96, 0:128]
    for index in range(count):
        angle, period = rng.uniform(0, np.pi), rng.uniform(8, 60)
        wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
        colour, noise = rng.uniform(0, 255, 3), rng.normal(0, 12, (96, 128, 3))
        pixels = colour + wave[..., None] * rng.uniform(-90, 90, 3) + noise
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index:03}.png")
    return folder


@_of("masked_outputs")
def test_scores_beside_boxes_are_judged_by_their_own_scale(
    mobilebench: Program, case: Path
) -> None:
    words = ("--input", "1x3x64x64", "--out", "out")
    done = mobilebench(
        "export", "my_model.py:joined", *words, "-f", "onnx", "-f", "tflite", "--precision", "int8"
    )
    assert done.code == 1
    assert "no signal any more" in done.stderr + done.stdout
    done = mobilebench("export", "my_model.py:two", *words, "-f", "coreml")
    assert done.code == 1 and "output 1" in done.stderr + done.stdout


@_of("stale_artifact")
def test_a_changed_helper_makes_another_file(mobilebench: Program, case: Path) -> None:
    words = ("export", "net.py:make", "--input", "1x3x16x16", "-f", "onnx", "--out", "out")
    assert mobilebench(*words).code == 0
    again = mobilebench(*words)
    assert again.code == 0 and "cached" in again.stdout
    ops = case / "ops.py"
    ops.write_text(ops.read_text().replace("relu", "sigmoid"))
    changed = mobilebench(*words)
    assert changed.code == 0 and "cached" not in changed.stdout
    assert len(_manifests(case / "out")) == 2


@_of("stale_artifact")
def test_another_function_as_an_attribute_makes_another_file(
    mobilebench: Program, case: Path
) -> None:
    for name in ("relu", "silu"):
        words = ("--input", "1x3x16x16", "-f", "onnx", "--out", "out")
        done = mobilebench("export", f"in_memory.py:{name}", *words)
        assert done.code == 0 and "cached" not in done.stdout
    digests = {manifest["facts"]["sha256"] for manifest in _manifests(case / "out")}
    assert len(digests) == 2


@_of("stale_normalisation")
def test_means_above_one_are_refused_and_other_means_make_another_file(
    mobilebench: Program, case: Path
) -> None:
    images = _photographs(case / "images", 24)
    words = ("export", "my_model.py:make", "--input", "1x3x96x96", "-f", "onnx", "--out", "out")
    words += ("--precision", "int8", "--calibration", str(images))
    raw = mobilebench(*words, "--mean", "123.675,116.28,103.53", "--std", "58.395,57.12,57.375")
    assert raw.code == 2 and "0.485,0.456,0.406" in raw.stderr
    for mean in ("0.485,0.456,0.406", "0.5,0.5,0.5"):
        done = mobilebench(*words, "--mean", mean, "--std", "0.229,0.224,0.225")
        assert done.code == 0 and "cached" not in done.stdout, done.stderr
    assert len(_manifests(case / "out")) == 2


@_of("calibration_judges_itself")
def test_a_file_judged_on_its_calibration_images_says_so(mobilebench: Program, case: Path) -> None:
    images = _photographs(case / "images", 28)
    words = ("export", "my_model.py:make", "--input", "1x3x96x96", "-f", "onnx", "--out", "out")
    words += ("--precision", "int8", "--calibration", str(images))
    done = mobilebench(*words, "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225")
    assert done.code == 0, done.stderr
    [manifest] = _manifests(case / "out")
    assert all(parity["on_calibration"] for parity in manifest["facts"]["parity"])
    assert "calibration images" in done.stdout


@_of("noise_for_a_network_of_pixels")
def test_a_network_of_pixels_is_judged_on_pixels(mobilebench: Program, case: Path) -> None:
    pixel = "0.00392156862,0.00392156862,0.00392156862"
    words = ("export", "my_model.py:make", "--input", "1x3x64x64", "-f", "coreml", "--out", "out")
    words += ("--mean", "0,0,0", "--std", pixel)
    half = mobilebench(*words, "--precision", "fp16")
    assert half.code == 1 and "parity" in half.stdout
    single = mobilebench(*words)
    assert single.code == 0, single.stderr


@_of("integer_and_bool_inputs")
@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        ("pixels", ["image=1x3x32x32:uint8"]),
        ("masked", ["1x3x32x32", "mask=1x1x32x32:bool"]),
        ("tokens", ["tokens=1x7:int64"]),
    ],
)
def test_pixels_masks_and_indices_are_inputs(
    mobilebench: Program, case: Path, function: str, inputs: list[str]
) -> None:
    words = [word for text in inputs for word in ("--input", text)]
    formats = ("-f", "onnx", "-f", "tflite", "-f", "executorch")
    done = mobilebench("export", f"my_model.py:{function}", *words, *formats, "--out", "out")
    assert done.code == 0, done.stderr + done.stdout


@_of("input_changed_in_place")
def test_an_input_that_is_changed_is_named_with_the_cure(mobilebench: Program, case: Path) -> None:
    done = mobilebench("export", "my_model.py:make", "--input", "1x3x32x32", "--out", "out")
    assert done.code == 2 and "clone()" in done.stderr


@_of("false_refusal_state_in_forward")
def test_a_network_that_keeps_anchors_is_exported(mobilebench: Program, case: Path) -> None:
    words = ("--input", "1x3x32x32", "-f", "onnx", "--out", "out")
    done = mobilebench("export", "my_model.py:make", *words)
    assert done.code == 0, done.stderr


@_of("ignored_options")
def test_options_that_cannot_be_used_are_refused(mobilebench: Program, case: Path) -> None:
    words = ("export", "my_model.py:make", "--input", "1x3x32x32", "-f", "onnx", "--out", "out")
    for option in (("--num-classes", "100"), ("--resolution", "64")):
        done = mobilebench(*words, *option)
        assert done.code == 2 and option[0] in done.stderr


@_of("crashes_in_preflight")
@pytest.mark.parametrize(
    ("function", "word"),
    [
        ("float64", "float64"),
        ("int16", "int16"),
        ("bfloat16", "bfloat16"),
        ("complex_", "complex"),
        ("lazy", "lazy"),
        ("scripted", "script"),
        ("none", "None"),
        ("sometimes_nan", "not finite"),
    ],
)
def test_a_network_that_is_not_allowed_says_why(
    mobilebench: Program, case: Path, function: str, word: str
) -> None:
    words = ("--input", "1x3x14x14", "-f", "onnx", "--out", "out")
    done = mobilebench("export", f"my_model.py:{function}", *words)
    assert done.code == 2 and word in done.stderr and "Traceback" not in done.stderr


@_of("crashes_in_preflight")
def test_a_script_that_reads_its_command_line_says_so(mobilebench: Program, case: Path) -> None:
    words = ("--input", "1x3x14x14", "-f", "onnx", "--out", "out")
    done = mobilebench("export", "main.py:make", *words)
    assert done.code == 2 and "__main__" in done.stderr and "Traceback" not in done.stderr


@_of("checkpoint_keys")
def test_checkpoints_load_as_pytorch_loads_them(mobilebench: Program, case: Path) -> None:
    subprocess.run([sys.executable, "save.py"], cwd=case, check=True, capture_output=True)
    words = ("--input", "1x3x16x16", "-f", "onnx", "--out", "out")
    pairs = [("wrapped", "wrapped.pth")]
    pairs += [("make", f"{name}.pth") for name in ("old_weight_norm", "no_counts")]
    pairs += [("make", f"{name}.pth") for name in ("compiled", "net")]
    for function, checkpoint in pairs:
        done = mobilebench("export", f"my_model.py:{function}", "--checkpoint", checkpoint, *words)
        assert done.code == 0, f"{checkpoint}: {done.stderr}"
    scripted = mobilebench("export", "my_model.py:make", "--checkpoint", "scripted.pt", *words)
    assert scripted.code == 2 and "TorchScript" in scripted.stderr


@_of("handwritten_norm_int8")
def test_a_norm_written_by_hand_is_kept_in_floats(mobilebench: Program, case: Path) -> None:
    images = _photographs(case / "images", 8)
    words = ("--input", "1x3x64x64", "-f", "tflite", "--precision", "int8", "--out", "out")
    words += ("--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225")
    done = mobilebench("export", "ln.py:make", *words, "--calibration", images)
    assert done.code == 0, done.stderr + done.stdout


@_of("large_onnx")
def test_weights_above_two_gigabytes_are_beside_the_file(mobilebench: Program, case: Path) -> None:
    words = ("--input", "1x24000", "-f", "onnx", "--out", "out")
    done = mobilebench("export", "my_model.py:make", *words)
    assert done.code == 0, done.stderr
    [manifest] = _manifests(case / "out")
    assert manifest["facts"]["size_bytes"] > 2 << 30
