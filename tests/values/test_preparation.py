"""State how images are prepared, and refuse what contradicts an artifact."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact, Manifest
from mobilebench.values.modelspec import (
    Interpolation,
    ModelSpec,
    Preprocessing,
    Source,
    prepared,
)
from mobilebench.values.tensor import parse_tensor
from tests.records import measured

HALF = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
OTHER = replace(HALF, mean=(0.4, 0.5, 0.5))
SOURCE = Source(paper="p", repository="r", commit="c", licence="MIT")


def _artifact(stated: Preprocessing | None, source: Source | None = None) -> Artifact:
    record = measured()
    assert record.artifact is not None
    model: ModelSpec = replace(record.model, preprocessing=stated, source=source)
    manifest = Manifest(
        created=record.created,
        mobilebench_version="0.1",
        model=model,
        recipe=record.recipe,
        model_file="model.onnx",
        facts=record.artifact,
    )
    return Artifact(Path("bundle"), manifest)


def _crop(artifact: Artifact) -> float | None:
    preprocessing = artifact.manifest.model.preprocessing
    return None if preprocessing is None else preprocessing.crop_pct


@pytest.mark.parametrize("size", [(224, 224), (299, 299), (256, 192), (7, 9)])
def test_the_shorter_side_has_the_pixels_that_were_asked_for(size: tuple[int, int]) -> None:
    for pixels in range(min(size), min(size) + 300):
        share = HALF.resized(pixels, size).crop_pct
        assert math.floor(min(size) / share) == pixels == HALF.resized(pixels, size).resize(size)
        assert share == pytest.approx(min(size) / pixels, rel=1e-15)


def test_a_crop_larger_than_the_image_is_refused() -> None:
    with pytest.raises(UserError, match="--resize was given as 223; .* at least 224 pixels"):
        HALF.resized(223, (224, 224))


def test_a_size_that_no_memory_holds_is_refused() -> None:
    with pytest.raises(UserError, match="1000000; an image is resized to at most 8192 pixels"):
        HALF.resized(1_000_000, (224, 224))
    assert HALF.resized(8192, (224, 224)).resize((224, 224)) == 8192


def test_an_artifact_that_states_nothing_takes_everything_from_the_caller() -> None:
    assert _artifact(None).preprocessed(HALF, None).manifest.model.preprocessing == HALF
    assert _crop(_artifact(None).preprocessed(HALF, 256)) == 224 / 256
    assert _artifact(None).preprocessed(None, None).manifest.model.preprocessing is None
    with pytest.raises(UserError, match="give --mean and --std too"):
        _artifact(None).preprocessed(None, 256)


def test_a_network_of_the_callers_states_no_crop() -> None:
    assert _crop(_artifact(HALF).preprocessed(None, 256)) == 224 / 256
    assert _crop(_artifact(HALF).preprocessed(HALF, 256)) == 224 / 256


def test_what_contradicts_the_artifact_is_refused() -> None:
    authors = _artifact(replace(HALF, crop_pct=0.875), SOURCE)
    assert authors.preprocessed(HALF, 256) == authors, "the same as it states"
    for artifact, normalised, resize, sentence in (
        (authors, OTHER, None, "leave --mean and --std out"),
        (authors, None, 248, "resized to 256 pixels on the shorter side; leave --resize out"),
        (_artifact(HALF, SOURCE), None, 256, "resized to 224 pixels"),
        (_artifact(HALF), OTHER, 256, "leave --mean and --std out"),
    ):
        with pytest.raises(UserError, match=sentence):
            artifact.preprocessed(normalised, resize)


def _filter(artifact: Artifact) -> Interpolation | None:
    preprocessing = artifact.manifest.model.preprocessing
    assert preprocessing is not None
    return preprocessing.interpolation


def test_an_own_network_is_resized_as_torchvision_does_unless_the_caller_says_otherwise() -> None:
    own = Preprocessing.stated(HALF.mean, HALF.std)
    assert own.interpolation is None and own.filter is Interpolation.BILINEAR
    for artifact, stated in ((_artifact(None), own), (_artifact(own), None)):
        assert _filter(artifact.preprocessed(stated)) is Interpolation.BILINEAR
        chosen = artifact.preprocessed(stated, None, Interpolation.NEAREST)
        assert _filter(chosen) is Interpolation.NEAREST


def test_an_interpolation_that_contradicts_the_artifact_is_refused() -> None:
    authors = _artifact(HALF, SOURCE)
    assert authors.preprocessed(None, None, Interpolation.BICUBIC) == authors
    with pytest.raises(UserError, match="by bicubic interpolation; leave --interpolation out"):
        authors.preprocessed(None, None, Interpolation.BILINEAR)
    with pytest.raises(UserError, match="--interpolation was given, .* give --mean and --std too"):
        _artifact(None).preprocessed(None, None, Interpolation.BILINEAR)


def test_documents_without_an_interpolation_are_of_a_time_when_it_was_bicubic() -> None:
    old = wire.loads(Preprocessing, '{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}')
    assert old.filter is Interpolation.BICUBIC
    open_one = Preprocessing.stated(HALF.mean, HALF.std)
    assert wire.loads(Preprocessing, wire.dumps(open_one)) == open_one


def test_an_export_states_resizing_together_with_means_alone() -> None:
    inputs = (parse_tensor("1x3x64x64"),)
    stated = prepared(HALF, 72, Interpolation.BICUBIC, inputs)
    assert stated is not None and stated.resize((64, 64)) == 72
    assert stated.described((64, 64)) == (
        "shorter side 72 bicubic, crop 64x64, mean 0.5,0.5,0.5, std 0.25,0.25,0.25"
    )
    assert prepared(HALF, None, None, inputs) == HALF
    assert prepared(None, None, None, inputs) is None
    for resize, interpolation, shape, sentence in (
        (72, None, "1x3x64x64", "--resize was given without --mean"),
        (None, Interpolation.BOX, "1x3x64x64", "--interpolation was given without --mean"),
    ):
        with pytest.raises(UserError, match=sentence):
            prepared(None, resize, interpolation, (parse_tensor(shape),))
    with pytest.raises(UserError, match="takes no images"):
        prepared(HALF, 72, None, (parse_tensor("1x77"),))
