"""What rows of a table need, and how they are matched with what a user has."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilebench.errors import UserError
from mobilebench.inputs.source import InputSource
from mobilebench.reproducing.plan import Name, plan
from mobilebench.reproducing.supplies import Supplies
from mobilebench.values.modelspec import CALLER, IN_FILE, ModelSpec, Source, Weights
from mobilebench.values.recipe import Calibration, ExportRecipe, Format, Precision
from mobilebench.values.record import Record
from mobilebench.values.request import Request
from mobilebench.values.tensor import TensorSpec
from mobilebench.values.width import Width
from mobilebench.zoo.registry import model_spec
from tests.records import measured

NOTHING = Supplies()


def _own(name: str = "net.make", origin: str = CALLER, key: str | None = None) -> Record:
    spec = ModelSpec(
        name=name,
        inputs=(TensorSpec(name="input", shape=(1, 3, 64, 64)),),
        weights=Weights(origin=origin, state_sha256="4" * 64, key=key),
    )
    return replace(measured(), model=spec)


def _request(record: Record, supplies: Supplies = NOTHING, *names: Name) -> Request:
    [task] = plan([record], supplies, names).tasks
    assert task.request is not None
    return task.request


def _reason(record: Record) -> str:
    [left] = plan([record], NOTHING).not_tried
    return left.reason


def test_a_network_of_the_zoo_is_named_by_itself() -> None:
    record = replace(measured(), model=model_spec("mobilevig_ti", 256))
    assert _request(record) == Request(
        reference="mobilevig_ti", resolution=256, num_classes=1000, preprocessing=None
    )


def test_a_cut_network_is_cut_again() -> None:
    shares = (1.0, 0.75, 0.5, 0.5)
    spec = replace(model_spec("mobilevig_ti"), stage_widths=shares)
    assert _request(replace(measured(), model=spec)).width == Width(shares=shares)


def test_a_network_of_timm_keeps_its_size_and_classes() -> None:
    source = Source(paper="-", repository="-", commit="timm 1.0.31", licence="-")
    spec = ModelSpec(
        name="resnet18.a1", inputs=(TensorSpec(name="image", shape=(1, 3, 96, 96)),),
        num_classes=7, source=source,
    )  # fmt: skip
    request = _request(replace(measured(), model=spec))
    assert request.reference == "timm:resnet18.a1"
    assert (request.inputs, request.resolution, request.num_classes) == (spec.inputs, None, 7)


def test_a_network_of_the_authors_is_found_beside_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _reason(_own()) == (
        "net.make is a network of its author's own; name it with --model net.make=FILE.py:FUNCTION."
    )
    named = _request(_own(), NOTHING, Name.parse("net.make=code/net.py:make"))
    assert named.reference == "code/net.py:make"
    (tmp_path / "net.py").touch()
    assert _request(_own()).reference == "net.py:make"
    assert _request(_own()).inputs == _own().model.inputs


@pytest.mark.parametrize("text", ["net.make", "=net.py:make", "net.make="])
def test_a_name_without_a_reference_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="write NAME=REFERENCE"):
        Name.parse(text)


def test_a_name_that_no_row_has_is_refused() -> None:
    with pytest.raises(UserError, match=r"'other\.make'; the rows are about net\.make"):
        plan([_own()], NOTHING, [Name.parse("other.make=other.py:make")])


def test_checkpoints_are_found_by_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "renamed.bin"
    path.write_bytes(b"weights" * 1000)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    record = _own(origin=digest, key="model_ema")
    assert _reason(record) == (
        f"It needs the checkpoint of net.make (sha256 {digest[:12]}); give it with --with PATH."
    )
    request = _request(record, Supplies.read([path]), Name.parse("net.make=net.py:make"))
    assert (request.checkpoint, request.checkpoint_key) == (str(path), "model_ema")


def test_a_file_that_no_row_was_made_from_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(b"other")
    with pytest.raises(UserError, match=r"other\.pth .*the rows need no file of their author"):
        plan([_own()], Supplies.read([path]))
    with pytest.raises(UserError, match="the rows need the checkpoint of net.make"):
        plan([_own(origin="5" * 64)], Supplies.read([path]))


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no .*gone"):
        Supplies.read([tmp_path / "gone"])


def test_calibration_images_are_found_by_their_content(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(3):
        pixels = np.full((8, 8, 3), 40 * number, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    calibration = InputSource(folder).calibration()
    recipe = ExportRecipe(
        format=Format.ONNX, precision=Precision.INT8, target="opset20", calibration=calibration
    )
    record = replace(measured(), model=model_spec("mobilevig_ti", 224), recipe=recipe)
    assert "the folder of the 3 calibration images" in _reason(record)
    [task] = plan([record], Supplies.read([folder])).tasks
    assert task.terms.source == InputSource(folder)
    on_noise = replace(recipe, calibration=Calibration())
    [task] = plan([replace(record, recipe=on_noise)], NOTHING).tasks
    assert task.terms.source == InputSource(None)


def test_class_labels_are_found_by_their_content(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("cat\r\ndog")
    digest = hashlib.sha256(b"cat\ndog\n").hexdigest()
    record = replace(
        measured(),
        model=model_spec("mobilevig_ti", 224),
        recipe=replace(measured().recipe, format=Format.COREML, class_labels=digest, target=None),
    )
    assert "the class labels" in _reason(record)
    [task] = plan([record], Supplies.read([path])).tasks
    assert task.terms.class_labels == ("cat", "dog")


def test_a_model_file_that_was_given_is_found_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "given.onnx"
    path.write_bytes(b"not read by the plan")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    record = _own(name="given", origin=IN_FILE)
    assert record.artifact is not None
    facts = replace(record.artifact, sha256=digest, preflight=None, parity=(), unverified="given")
    record = replace(
        record, artifact=facts, recipe=ExportRecipe(format=Format.ONNX, precision=Precision.GIVEN)
    )
    assert "the model file given" in _reason(record)
    [task] = plan([record], Supplies.read([path])).tasks
    assert (task.request, task.file) == (None, path)


def test_rows_about_one_network_are_one_task() -> None:
    one = replace(measured(), model=model_spec("mobilevig_ti", 224))
    rows = [one, replace(one, record_id="c" * 32, recipe=replace(one.recipe, target="opset18"))]
    other = replace(one, record_id="d" * 32, model=model_spec("mobilevig_s", 224))
    planned = plan([*rows, other], NOTHING)
    assert [len(task.records) for task in planned.tasks] == [2, 1]
    assert all(task.terms.force for task in planned.tasks)
