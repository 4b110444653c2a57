"""Run `inspect` and `diff` as a user does, on bundles and on bare model files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.values import wire
from mobilebench.values.artifact import MANIFEST_FILE, Artifact
from mobilebench.values.recipe import Format
from tests.conftest import Ran

Program = Callable[..., Ran]

# A convolution of 3 x 3 on 3 channels, one by depth, one of 1 x 1 on 16, and the head.
MACS = f"{16 * 16 * (8 * 27 + 8 * 9 + 16 * 16) + 16 * 10:,} MACs"


@pytest.mark.parametrize("file_format", list(Format))
def test_a_bundle_shows_its_tensors_operations_and_forecast(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], file_format: Format
) -> None:
    artifact = tiny_artifacts[f"{file_format}-fp32"]
    done = mobilebench("inspect", artifact.folder, env={"COLUMNS": "100"})
    assert done.code == 0, done.stderr
    for part in ("1x3x32x32 float32", "1x10 float32", MACS, "16 seeded inputs"):
        assert part in done.stdout
    assert "largest operations" in done.stdout and "placement forecast" in done.stdout
    assert "no phone was asked" in done.stdout


def test_a_bare_model_file_says_what_it_can(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact]
) -> None:
    for file_format in Format:
        path = tiny_artifacts[f"{file_format}-fp32"].model_path
        done = mobilebench("inspect", path)
        assert done.code == 0, done.stderr
        assert MACS in done.stdout and "preflight" not in done.stdout


def test_json_has_the_manifest_every_operation_and_every_refusal(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact]
) -> None:
    artifact = tiny_artifacts["coreml-fp16"]
    plain = json.loads(mobilebench("inspect", artifact.folder, "--json").stdout)
    manifest = json.loads((artifact.folder / MANIFEST_FILE).read_text())
    assert {key: plain[key] for key in manifest} == manifest
    assert plain["forecasts"] == plain["facts"]["forecast"]
    assert sum(operation["macs"] for operation in plain["operations"]) == plain["file"]["macs"]
    [ane] = [p for p in plain["placements"] if p["forecast"]["id"] == "coreml-ane"]
    assert [refusal["kind"] for refusal in ane["refusals"]] == ["cast"]
    assert ane["source"]["as_of"]


def test_every_operation_is_listed_on_demand(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact]
) -> None:
    path = tiny_artifacts["onnx-fp32"].model_path
    assert "node_gelu" not in mobilebench("inspect", path).stdout.lower()
    table = mobilebench("inspect", path, "--operations").stdout
    [line] = [line for line in table.splitlines() if line.startswith("node_conv2d_1 ")]
    assert "1x8x16x16 float32" in line and "18,432" in line and "depthwise" in line
    assert "XNNPACK EP" not in line  # takes it
    [gelu] = [line for line in table.splitlines() if line.lower().startswith("node_gelu")]
    assert "NNAPI EP, XNNPACK EP" in gelu


def test_a_manifest_from_before_forecasts_is_read(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    folder = tmp_path / "old"
    shutil.copytree(tiny_artifacts["onnx-fp32"].folder, folder)
    plain = json.loads((folder / MANIFEST_FILE).read_text())
    del plain["facts"]["forecast"]
    (folder / MANIFEST_FILE).write_text(json.dumps(plain))
    assert Artifact.load(folder).manifest.facts.forecast is None
    assert "NNAPI EP" in mobilebench("inspect", folder).stdout


def test_without_the_toolkit_the_manifest_still_tells(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    """A machine that only reads records shows the forecast from the time of the export."""
    for file_format, toolkit in (
        ("onnx", "onnx"),
        ("tflite", "ai_edge_litert"),
        ("executorch", "executorch"),
        ("coreml", "coremltools"),
    ):
        folder = tiny_artifacts[f"{file_format}-fp32"].folder
        script = (
            f"import sys; sys.modules[{toolkit!r}] = None\n"
            f"sys.argv = ['mobilebench', 'inspect', {str(folder)!r}]\n"
            "from mobilebench.cli import main\nmain()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert f"mobilebench[{file_format}]" in done.stdout
        assert "placement forecast" in done.stdout


def test_diff_says_what_half_precision_changed(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact]
) -> None:
    single, half = (tiny_artifacts[f"coreml-{p}"].folder for p in ("fp32", "fp16"))
    done = mobilebench("diff", single, half)
    assert done.code == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "precision fp32 fp16" in lines
    assert "cast 0 1 +1" in lines
    assert any(line.startswith("output 1 1x10 float32 1x10 float16") for line in lines)
    [ane] = [line for line in lines if line.startswith("Neural Engine takes")]
    assert "takes 0 of 13, islands 0, 100.0% of MACs off" in ane
    assert "takes 13 of 14, islands 1, 0.0% of MACs off" in ane
    assert "conv -3" in done.stdout and "cast +1" in done.stdout
    assert not any(line.startswith("model ") for line in lines)  # what is the same is not shown


def test_diff_as_json_and_of_bare_files(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact]
) -> None:
    from mobilebench.inspecting.differences import Differences

    one, two = (tiny_artifacts[name].model_path for name in ("onnx-fp32", "tflite-fp32"))
    diff = wire.loads(Differences, mobilebench("diff", one, two, "--json").stdout)
    assert [(c.name, c.before, c.after) for c in diff.facts] == [("format", "onnx", "tflite")]
    assert not any(change.name == "MACs" for change in diff.file)
    assert mobilebench("diff", one, one).stdout == "The two are the same.\n"
