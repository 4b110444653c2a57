"""The verbs on model files from anywhere, as a user runs them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mobilebench.store import RecordStore
from mobilebench.values.artifact import Artifact
from tests import foreign
from tests.conftest import Ran

Program = Callable[..., Ran]


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return foreign.convolution(tmp_path / "theirs.onnx", sizes=("N", 3, 8, 8))


def test_a_given_file_is_measured_and_marked_wherever_it_is_shown(
    mobilebench: Program, theirs: Path
) -> None:
    done = mobilebench("bench", theirs, "--protocol", "smoke-1")
    assert done.code == 0, done.stderr
    assert "theirs@8" in done.stdout and "onnx-given" in done.stdout
    for verb in (("leaderboard",), ("leaderboard", "--as", "markdown")):
        shown = mobilebench(*verb)
        assert "weights inside the file" in shown.stdout
        assert "not verified: no reference" in shown.stdout


@pytest.mark.slow
def test_two_files_of_one_name_are_two_rows(
    mobilebench: Program, theirs: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = foreign.convolution(tmp_path / "other" / "theirs.onnx", sizes=(1, 3, 8, 8))
    assert mobilebench("bench", theirs, other, "--protocol", "smoke-1").code == 0
    rows = json.loads(mobilebench("leaderboard", "--as", "json").stdout)
    assert len({row["artifact"] for row in rows}) == 2


def test_verify_has_nothing_to_compare_with_and_says_so(mobilebench: Program, theirs: Path) -> None:
    done = mobilebench("verify", theirs)
    assert done.code == 3
    assert "NOT VERIFIED: no reference: the file was given, not exported here" in done.stdout
    assert "outputs for 16 inputs of seeded noise are finite and the same twice" in done.stdout
    assert "equal" not in done.stdout
    [plain] = json.loads(mobilebench("verify", theirs, "--json").stdout)
    assert plain["parity"] == [] and plain["trials"][0]["repeatable"] is True


def test_adopt_keeps_the_file_as_a_bundle(
    mobilebench: Program, theirs: Path, tmp_path: Path
) -> None:
    done = mobilebench("inspect", theirs, "--adopt", "--input", "2x3x8x8")
    assert done.code == 0, done.stderr
    [folder] = (tmp_path / "artifacts").iterdir()
    assert f"kept as artifacts/{folder.name}" in done.stderr
    assert "inside the file" in done.stdout and "2x3x8x8" in done.stdout
    again = mobilebench("bench", folder, "--protocol", "smoke-1")
    assert again.code == 0, again.stderr
    refused = mobilebench("bench", folder, "--adopt")
    assert refused.code == 2 and "bundles already" in refused.stderr


def test_open_sizes_are_asked_for_before_anything_runs(
    mobilebench: Program, tmp_path: Path
) -> None:
    path = foreign.convolution(tmp_path / "open.onnx")
    for verb in ("bench", "verify", "compare"):
        done = mobilebench(verb, path, *([path] if verb == "compare" else []))
        assert done.code == 2
        assert "--input image/0:0=?x3x?x?" in done.stderr
    assert mobilebench("verify", path, "--input", "1x3x8x8").code == 3


def test_eval_needs_to_know_how_images_are_prepared(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    for index in range(10):
        folder = tmp_path / "data" / f"class{index}"
        folder.mkdir(parents=True)
        Image.new("RGB", (40, 40), (25 * index, 120, 200 - 20 * index)).save(folder / "image.png")
    path = Path(
        shutil.copyfile(tiny_artifacts["tflite-fp32"].model_path, tmp_path / "theirs.tflite")
    )
    asked = mobilebench("eval", path, "--data", tmp_path / "data")
    assert asked.code == 2 and "--mean and --std" in asked.stderr
    words = ("--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25")
    done = mobilebench("eval", path, "--data", tmp_path / "data", *words, "--json")
    assert done.code == 0, done.stderr
    [result] = json.loads(done.stdout)
    assert result["preprocessing"]["mean"] == [0.5, 0.5, 0.5]
    assert result["data"]["images"] == 10 and result["outputs"] == 10
    assert result["preprocessing"]["crop_pct"] == 1.0
    assert result["preprocessing"]["interpolation"] == "bilinear", "as torchvision's Resize"
    table = mobilebench("eval", path, "--data", tmp_path / "data", *words, "--limit", "4")
    size = result["model"]["inputs"][0]["shape"][-1]
    assert f"{size} bilinear" in table.stdout
    assert (
        f"Images: shorter side {size} bilinear, crop {size}x{size}, mean 0.5,0.5,0.5, "
        f"std 0.25,0.25,0.25." in table.stderr
    )
    [shape] = [tensor["shape"] for tensor in result["model"]["inputs"]]
    alone = mobilebench("eval", path, "--data", tmp_path / "data", "--resize", "40")
    assert alone.code == 2 and "give --mean and --std too" in alone.stderr
    words = (*words, "--resize", str(2 * shape[-1]))
    words = (*words, "--interpolation", "nearest")
    larger = mobilebench("eval", path, "--data", tmp_path / "data", *words, "--json")
    assert larger.code == 0, larger.stderr
    assert json.loads(larger.stdout)[0]["preprocessing"]["crop_pct"] == 0.5
    assert json.loads(larger.stdout)[0]["preprocessing"]["interpolation"] == "nearest"
    small = mobilebench("eval", path, "--data", tmp_path / "data", *words, "--resize", "1")
    assert small.code == 2 and "--resize was given as 1" in small.stderr
    with RecordStore(tmp_path / "records.sqlite", create=False) as store:
        kept = [accuracy.preprocessing.crop_pct for accuracy in store.find_accuracies()]
    assert kept == [1.0, 1.0, 0.5], "what was evaluated is in the store, what was refused is not"


def test_compare_shows_outputs_size_latency_and_placement(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact]
) -> None:
    first = tiny_artifacts["onnx-fp32"].folder
    second = tiny_artifacts["tflite-int8"].model_path
    done = mobilebench("compare", first, second, "--pairs", "2", "--json")
    assert done.code == 0, done.stderr
    plain = json.loads(done.stdout)
    assert plain["outputs"]["verdict"] == "different, NOT within the limits of fp32"
    assert {change["name"] for change in plain["differences"]["file"]} >= {"size", "sha256"}
    metrics = {comparison["metric"] for comparison in plain["latency"]["comparisons"]}
    assert {"latency p50", "size"} <= metrics
    ignored = mobilebench("compare", first, second, "--no-latency", "--pairs", "2")
    assert ignored.code == 2 and "--pairs is about latency" in ignored.stderr
    refused = mobilebench("compare", first, second, "--no-latency", "--within", "fp32")
    assert refused.code == 1 and "NOT within the limits of fp32" in refused.stdout
    assert "Latency is not measured" in refused.stderr


@pytest.mark.slow
def test_compare_tells_why_a_file_cannot_be_measured(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact]
) -> None:
    artifact = tiny_artifacts["coreml-fp32"]
    done = mobilebench("compare", artifact.folder, artifact.model_path)
    assert done.code == 0, done.stderr
    assert "equal in every element" in done.stdout
    assert "Latency is not measured" in done.stderr
