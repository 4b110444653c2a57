"""Model files that were not exported here: opened, run and kept as bundles."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from mobilebench.errors import BundleError, MobilebenchError, ModelFileError, UserError
from mobilebench.inspecting.given import NO_REFERENCE, adopt, open_artifacts
from mobilebench.values.artifact import Artifact, content_sha256
from mobilebench.values.modelspec import IN_FILE
from mobilebench.values.recipe import Format, Precision
from mobilebench.values.tensor import Sizes, parse_sizes
from mobilebench.verifying import prediction
from tests import foreign

SUFFIXES = {"onnx": ".onnx", "tflite": ".tflite", "executorch": ".pte", "coreml": ".mlpackage"}


def _opened(path: Path, *sizes: str) -> Artifact:
    [artifact] = open_artifacts([path], [parse_sizes(text) for text in sizes])
    return artifact


def _bare(artifact: Artifact, folder: Path) -> Path:
    """Copy the model file of a bundle to another place and name."""
    path = folder / f"theirs{SUFFIXES[artifact.manifest.recipe.format]}"
    copy = shutil.copytree if artifact.model_path.is_dir() else shutil.copyfile
    copy(artifact.model_path, path)
    return path


@pytest.mark.parametrize("file_format", list(Format))
def test_a_file_of_every_format_is_an_artifact_without_a_reference(
    tiny_artifacts: dict[str, Artifact], file_format: Format, tmp_path: Path
) -> None:
    bundle = tiny_artifacts[f"{file_format}-fp32"]
    artifact = _opened(_bare(bundle, tmp_path))
    facts, model = artifact.manifest.facts, artifact.manifest.model
    assert artifact.manifest.recipe.format is file_format
    assert artifact.manifest.recipe.precision is Precision.GIVEN
    assert artifact.manifest.recipe.delegate == bundle.manifest.recipe.delegate
    assert (facts.sha256, facts.size_bytes) == (
        bundle.manifest.facts.sha256,
        bundle.manifest.facts.size_bytes,
    )
    assert facts.given and facts.parity == () and facts.unverified == NO_REFERENCE
    assert model.name == "theirs" and model.weights is not None
    assert (model.weights.origin, model.weights.from_checkpoint) == (IN_FILE, False)
    assert [tensor.shape for tensor in artifact.manifest.inputs] == [(1, 3, 32, 32)]
    assert facts.forecast


def test_a_published_network_runs_by_its_own_names() -> None:
    artifact = _opened(foreign.light("squeezenet"))
    assert [str(tensor) for tensor in artifact.manifest.inputs] == ["data_0 1x3x224x224 float32"]
    batch = [np.zeros((1, 3, 224, 224), np.float32)]
    predicted = prediction.by_runtime(artifact.model_path, artifact.manifest.recipe, [batch])
    assert predicted is not None
    [[scores]] = predicted[1]
    assert scores.shape == (1, 1000, 1, 1)


def test_an_open_batch_is_one_and_other_open_sizes_are_asked_for(tmp_path: Path) -> None:
    batch = foreign.convolution(tmp_path / "batch.onnx", sizes=("N", 3, 8, 8))
    assert _opened(batch).manifest.inputs[0].shape == (1, 3, 8, 8)
    assert _opened(batch, "2x3x8x8").manifest.inputs[0].shape == (2, 3, 8, 8)
    image = foreign.convolution(tmp_path / "image.onnx")
    with pytest.raises(UserError, match=r"--input image/0:0=\?x3x\?x\? and a number for each \?"):
        _opened(image)
    for stated in ("1x3x8x12", "image/0:0=1x3x8x12"):
        assert _opened(image, stated).manifest.inputs[0].shape == (1, 3, 8, 12)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        (["pixels=1x3x8x8"], "no file has such an input; theirs are image/0:0"),
        (["1x4x8x8"], r"is \?x3x\?x\? float32.*state sizes that fit"),
        (["1x3x8"], "state sizes that fit"),
        (["1x3x8x8", "1x3x8x8"], "more inputs .* than leave sizes open"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tmp_path: Path, sizes: list[str], words: str) -> None:
    path = foreign.convolution(tmp_path / "image.onnx")
    with pytest.raises(UserError, match=words):
        _opened(path, *sizes)


def test_sizes_without_a_name_are_for_the_files_that_leave_sizes_open(tmp_path: Path) -> None:
    fixed = foreign.convolution(tmp_path / "fixed.onnx", sizes=(1, 3, 8, 8))
    left_open = foreign.convolution(tmp_path / "open.onnx")
    both = open_artifacts([fixed, left_open], [parse_sizes("1x3x16x16")])
    assert [artifact.manifest.inputs[0].shape[2] for artifact in both] == [8, 16]
    with pytest.raises(UserError, match="more inputs .* than leave sizes open"):
        open_artifacts([fixed], [parse_sizes("1x3x8x8")])


def test_sizes_of_a_bundle_are_refused(tiny_artifacts: dict[str, Artifact]) -> None:
    with pytest.raises(UserError, match="bundles have fixed sizes"):
        open_artifacts([tiny_artifacts["onnx-fp32"].folder], [Sizes(shape=(1, 3, 32, 32))])


@pytest.mark.parametrize("text", ["", "x", "1x", "1x0x2", "a=", "1x3:float32", "-1x3"])
def test_sizes_are_numbers_with_x_between_them(text: str) -> None:
    with pytest.raises(UserError, match="states no sizes"):
        parse_sizes(text)


def test_inputs_of_tflite_come_in_the_files_own_order(tmp_path: Path) -> None:
    artifact = _opened(foreign.difference(tmp_path / "difference.tflite"))
    assert [tensor.name for tensor in artifact.manifest.inputs] == ["b_10", "a_2"]
    first, second = np.full((1, 4), 5, np.float32), np.full((1, 4), 3, np.float32)
    predicted = prediction.by_runtime(
        artifact.model_path, artifact.manifest.recipe, [[first, second]]
    )
    assert predicted is not None
    assert predicted[1][0][0].tolist() == [[2.0] * 4]


def test_an_open_batch_of_tflite_is_resized(tmp_path: Path) -> None:
    path = foreign.difference(tmp_path / "difference.tflite", batch=-1)
    artifact = _opened(path, "b_10=3x4", "a_2=3x4")
    ones = np.ones((3, 4), np.float32)
    predicted = prediction.by_runtime(artifact.model_path, artifact.manifest.recipe, [[ones, ones]])
    assert predicted is not None
    assert predicted[1][0][0].shape == (3, 4)


def test_an_adopted_file_is_a_bundle_that_loads_again(tmp_path: Path) -> None:
    path = foreign.convolution(tmp_path / "their net.onnx")
    artifact = _opened(path, "1x3x8x8")
    bundle = adopt(artifact, tmp_path / "artifacts")
    assert bundle.folder.name == f"their_net_8-onnx-given-{content_sha256(path)[:12]}"
    assert Artifact.load(bundle.folder).manifest == artifact.manifest
    assert adopt(artifact, tmp_path / "artifacts").folder == bundle.folder
    assert sorted(p.name for p in bundle.folder.iterdir()) == ["manifest.json", "their net.onnx"]
    with pytest.raises(UserError, match="is a bundle already"):
        adopt(bundle, tmp_path / "artifacts")
    (bundle.folder / "their net.onnx").write_bytes(b"another")
    with pytest.raises(BundleError, match="is not the one"):
        Artifact.load(bundle.folder)


def test_weights_beside_an_onnx_file_are_part_of_it(tmp_path: Path) -> None:
    model = onnx.load(foreign.convolution(tmp_path / "inside.onnx", sizes=(1, 3, 8, 8)))
    path, other = tmp_path / "theirs.onnx", tmp_path / "other.onnx"
    beside = {"save_as_external_data": True, "size_threshold": 0}
    onnx.save(model, other, **beside, location="weights.bin")
    with pytest.raises(ModelFileError, match="keeps weights in weights.bin; save it with all"):
        _opened(other)
    onnx.save(onnx.load(other), path, **beside, location="theirs.onnx.data")
    first = _opened(path)
    bundle = adopt(first, tmp_path / "artifacts")
    assert (bundle.folder / "theirs.onnx.data").is_file()
    weights = tmp_path / "theirs.onnx.data"
    content = bytearray(weights.read_bytes())
    content[3] ^= 1
    weights.write_bytes(content)
    assert _opened(path).manifest.facts.sha256 != first.manifest.facts.sha256
    weights.unlink()
    with pytest.raises(ModelFileError, match="theirs.onnx.data, which is not beside it"):
        _opened(path)


@pytest.mark.parametrize("suffix", [".onnx", ".tflite", ".pte", ".mlmodel"])
@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"<html>not a model</html>" * 9])
def test_a_file_that_is_no_model_is_refused_in_a_sentence(
    tmp_path: Path, suffix: str, content: bytes
) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="was read as"):
        open_artifacts([path])


def test_a_file_cut_off_anywhere_is_refused_or_read(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    for file_format in ("onnx", "tflite", "executorch"):
        data = tiny_artifacts[f"{file_format}-fp32"].model_path.read_bytes()
        for part in range(1, 16):
            path = tmp_path / f"cut{SUFFIXES[file_format]}"
            path.write_bytes(data[: len(data) * part // 16])
            try:
                open_artifacts([path])
            except MobilebenchError as error:
                assert str(path) in str(error)


def test_what_is_no_model_file_says_which_endings_are() -> None:
    with pytest.raises(BundleError, match=r"\.onnx, \.tflite, \.pte, \.mlpackage or \.mlmodel"):
        open_artifacts([Path("network.pt")])
    with pytest.raises(BundleError, match="There is no model file nowhere.onnx"):
        open_artifacts([Path("nowhere.onnx")])
