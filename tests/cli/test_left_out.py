"""A shell's `FOLDER/*` measures what can be measured here, and says what is left out and why."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mobilebench.errors import UserError
from mobilebench.measuring.setting import Setting, plan_pairs
from mobilebench.values.artifact import Artifact
from mobilebench.values.protocol import protocol
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
    (tmp_path / "old.json").write_text("old")
    alone = mobilebench("bench", folders[0], "--protocol", "smoke-1", "--out", "old.json")
    assert alone.code == 2 and "cannot be measured on host" in alone.stderr
    assert "not written: old.json, since no measurement was finished" in alone.stderr
    assert (tmp_path / "old.json").read_text() == "old"


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
    assert "left out: difference tflite-given: difference takes b_10 1x4 float32" in done.stderr


def _damaged(artifact: Artifact, folder: Path) -> list[Path]:
    """Return paths in a folder, as a shell makes of `FOLDER/*`: two good files among others."""
    folder.mkdir()
    shutil.copytree(artifact.folder, folder / "bundle")
    shutil.copytree(artifact.folder, folder / "lost")
    (folder / "lost" / artifact.manifest.model_file).unlink()
    whole = artifact.model_path.read_bytes()
    (folder / "good.onnx").write_bytes(whole)
    (folder / "broken.onnx").write_bytes(whole[: len(whole) // 2])
    (folder / "other.tflite").write_bytes(whole)
    (folder / "notes.txt").write_text("notes")
    (folder / "empty").mkdir()
    for suffix in ("onnx", "tflite", "pte"):
        (folder / f"folder.{suffix}").mkdir()
    os.mkfifo(folder / "pipe.onnx")
    (folder / "cut").mkdir()
    (folder / "cut" / "manifest.json").write_text("{")
    return sorted(folder.iterdir())


BAD = (
    "broken.onnx",
    "cut/manifest.json",
    "folder.onnx is a folder",
    "folder.pte is a folder",
    "folder.tflite is a folder",
    "lost has lost its model file",
    "other.tflite",
    "pipe.onnx is a device or a pipe",
)


def test_bench_measures_what_is_whole_and_says_what_is_not(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    paths = _damaged(tiny_artifacts["onnx-fp32"], tmp_path / "files")
    twice = [path for path in paths if path.name in ("good.onnx", "other.tflite")]
    done = mobilebench("bench", *paths, *twice, "--protocol", "smoke-1", "--json")
    assert done.code == 1, done.stderr
    names = [record["model"]["name"] for record in json.loads(done.stdout)]
    assert sorted(names) == ["good", "good", "models.tiny"]
    for name in BAD:
        assert sum(name in line for line in done.stderr.splitlines()) == 1, name
    for name in ("notes.txt", "empty"):
        assert f"{name} is neither a bundle nor a model file" in done.stderr


def test_nothing_but_damaged_files_is_an_error(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    paths = _damaged(tiny_artifacts["onnx-fp32"], tmp_path / "files")
    bad = [path for path in paths if path.name in ("broken.onnx", "lost", "notes.txt")]
    for verb in ("bench", "verify"):
        done = mobilebench(verb, *bad)
        assert done.code == 2 and "error: " in done.stderr and done.stdout == ""


def test_verify_goes_on_after_files_that_fail(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    paths = _damaged(tiny_artifacts["onnx-fp32"], tmp_path / "files")
    # Opens, and its reference is another network's: it fails when it is compared.
    artifact = Artifact.load(tmp_path / "files" / "bundle")
    (artifact.folder / "reference.npz").unlink()
    paths.append(tiny_artifacts["tflite-fp32"].folder)
    done = mobilebench("verify", *paths, "--json")
    assert done.code == 1, done.stderr
    results = {Path(result["folder"]).name: result for result in json.loads(done.stdout)}
    assert len(results) == 11
    assert {name for name, result in results.items() if result["error"]} == {
        "broken.onnx",
        "bundle",
        "cut",
        "folder.onnx",
        "folder.pte",
        "folder.tflite",
        "lost",
        "other.tflite",
        "pipe.onnx",
    }
    assert results[paths[-1].name]["parity"][0]["passed"]
    assert results["files"]["trials"][0]["finite"], "a model file is in the folder files"
    assert "verify 3/3 0:0" in done.stderr

    good = mobilebench("verify", paths[-1])
    assert good.code == 0 and "verify 1/1 0:0" in good.stderr
    assert "tflite-fp32: equal, relative error " in good.stderr


def _without_litert(folder: Path) -> dict[str, str]:
    """Return an environment in which LiteRT cannot be imported, as if it were not installed."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys; sys.modules['ai_edge_litert'] = None")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


def test_a_runtime_that_is_not_installed_leaves_the_others(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    env = _without_litert(tmp_path / "without")
    folders = [tiny_artifacts[f"{name}-fp32"].folder for name in ("tflite", "onnx")]
    done = mobilebench("bench", *folders, "--protocol", "smoke-1", "--json", env=env)
    assert done.code == 1, done.stderr
    assert [record["recipe"]["format"] for record in json.loads(done.stdout)] == ["onnx"]
    assert "left out: The runtime litert needs the package 'ai_edge_litert'" in done.stderr
    done = mobilebench("verify", *folders, env=env)
    assert done.code == 1 and "onnx-fp32-opset20: equal" in done.stdout
    assert "FAILED: The runtime litert needs the package" in done.stdout
    alone = mobilebench("bench", folders[0], "--protocol", "smoke-1", env=env)
    assert alone.code == 2 and "pip install 'mobilebench[tflite]'" in alone.stderr


def test_sides_of_ab_are_never_shifted_by_a_file_that_is_left_out(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    folders = [tiny_artifacts[f"onnx-{name}"].folder for name in ("fp32", "int8", "fp32")]
    for stray in ("notes.txt", "broken.onnx"):
        path = tmp_path / stray
        path.write_text("notes")
        done = mobilebench("bench", "--ab", path, *folders, "--pairs", "1")
        assert done.code == 2 and stray in done.stderr and done.stdout == ""


@pytest.mark.skipif(sys.platform == "darwin", reason="on macOS Core ML files can be measured")
def test_ab_leaves_out_pairs_that_nothing_here_runs(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    both = [tiny_artifacts["coreml-fp32"], tiny_artifacts["onnx-fp32"]]
    setting = Setting(device_id="host", protocol=protocol("ci-ab-1"))
    planned = plan_pairs(both, both, setting)
    assert [cells[0].artifact for cells in planned.cells] == both[1:]
    assert len(planned.left_out) == 1 and "coreml-fp32-iOS16" in planned.left_out[0]
    with pytest.raises(UserError, match="cannot be measured on host"):
        plan_pairs(both[:1], both[:1], setting)
    with pytest.raises(UserError, match="No runtime runs both"):
        plan_pairs(both, both[::-1], setting)


def test_eval_goes_on_after_damaged_files(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    for index in range(10):
        folder = tmp_path / "data" / f"class{index}"
        folder.mkdir(parents=True)
        Image.new("RGB", (40, 40), (25 * index, 120, 9)).save(folder / "image.png")
    words = ("--data", tmp_path / "data", "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25")
    paths = _damaged(tiny_artifacts["onnx-fp32"], tmp_path / "files")
    done = mobilebench("eval", *paths, *words, "--json", "--out", "accuracy.json")
    assert done.code == 1, done.stderr
    assert len(json.loads(done.stdout)) == 2
    assert json.loads((tmp_path / "accuracy.json").read_text()) == json.loads(done.stdout)
    for name in BAD:
        assert name in done.stderr
