"""What differs between two artifacts is written in words, whatever of the recipe it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mobilebench.cli import diff as verb
from mobilebench.inspecting.differences import Differences, differences
from mobilebench.inspecting.inspection import Inspection
from mobilebench.values.artifact import Manifest, WidthInFile
from mobilebench.values.recipe import (
    Calibration,
    ExportRecipe,
    Form,
    Format,
    ImageInput,
    Precision,
)
from mobilebench.values.record import Record
from tests.records import measured

ONE = ExportRecipe(
    format=Format.COREML, precision=Precision.INT8, target="iOS16", calibration=Calibration()
)
OTHERS = {
    "format": ("format", {"format": Format.TFLITE}),
    "precision": ("precision", {"precision": Precision.INT8_IO}),
    "target": ("target", {"target": "iOS17"}),
    "delegate": ("delegate", {"delegate": "xnnpack"}),
    "form": ("form", {"form": Form.PLAIN}),
    "calibration": ("calibrated on", {"calibration": Calibration(source="57fe3c01" * 8)}),
    "image_input": (
        "image input",
        {"image_input": ImageInput(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))},
    ),
    "class_labels": ("class labels", {"class_labels": "ab" * 32}),
    "widths": ("widths", {"widths": ("w1", "w0.5")}),
}


def _inspection(recipe: ExportRecipe) -> Inspection:
    record = measured()
    assert record.artifact is not None
    manifest = Manifest(
        created=record.created,
        mobilebench_version="0.1",
        model=record.model,
        recipe=recipe,
        model_file="model",
        facts=record.artifact,
        widths=tuple(_width(record, name) for name in recipe.widths),
    )
    return Inspection(Path("model"), recipe.format, 1, "0" * 64, manifest, None, None, ())


def _width(record: Record, name: str) -> WidthInFile:
    facts = record.artifact
    assert facts is not None
    return WidthInFile(
        name=name,
        entry=name,
        model=record.model,
        preflight=facts.of_export(),
        parity=facts.parity,
        own_bytes=0,
        shared_bytes=facts.size_bytes,
    )


def _differences(**changes: object) -> Differences:
    return differences(_inspection(ONE), _inspection(dataclasses.replace(ONE, **changes)))  # type: ignore[arg-type]


def test_every_setting_of_a_recipe_is_tried() -> None:
    assert set(OTHERS) == {field.name for field in dataclasses.fields(ExportRecipe)}


@pytest.mark.parametrize("field", OTHERS)
def test_a_setting_that_differs_is_shown_in_words(
    field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, changes = OTHERS[field]
    diff = _differences(**changes)
    of_widths = {
        f"{width} {fact}"
        for width in ("w1", "w0.5")
        for fact in ("entry", "params", "own bytes", "parity")
    }
    assert [change.name for change in diff.facts if change.name not in of_widths] == [name]
    assert bool(of_widths & {change.name for change in diff.facts}) == (field == "widths")
    verb.show(diff)
    text = capsys.readouterr().out
    assert name in text and not any(mark in text for mark in "{}'=_")


def test_calibrations_and_image_inputs_are_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    calibration = Calibration(source="57fe3c01" * 8, inputs=128)
    diff = _differences(
        calibration=calibration, image_input=OTHERS["image_input"][1]["image_input"]
    )
    verb.show(diff)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1:3] == [
        "calibrated on 32 inputs of noise, which are not images 128 images, sha256 57fe3c0157fe",
        "image input - RGB images, normalised inside the file by mean 0.485, 0.456, 0.406 and "
        "deviation 0.229, 0.224, 0.225",
    ]
