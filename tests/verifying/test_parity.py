"""Parity figures against formulas, and limits that can fail."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Array
from mobilebench.values.artifact import apart
from mobilebench.values.recipe import Precision
from mobilebench.values.tensor import DType, TensorSpec
from mobilebench.verifying import parity


def _scores(seed: int = 0, count: int = 16) -> list[list[Array]]:
    rng = np.random.default_rng(seed)
    return [[rng.standard_normal((1, 100)).astype(np.float32)] for _ in range(count)]


def _compare(
    expected: list[list[Array]], found: list[list[Array]], precision: Precision = Precision.FP32
) -> parity.Parity:
    return parity.compare(expected, found, bound=parity.limits(precision), evaluated_by="test")


def test_equal_outputs_pass_without_noise() -> None:
    result = _compare(_scores(), _scores())
    assert result.passed
    assert (result.max_abs_error, result.snr_db, result.top1_agreement) == (0.0, None, 1.0)


def test_figures_are_those_of_their_definitions() -> None:
    expected = [[np.array([[1.0, 2.0, -4.0]], np.float32)]]
    outputs = [[np.array([[1.5, 2.0, -4.0]], np.float32)]]
    result = _compare(expected, outputs)
    assert result.max_abs_error == 0.5
    assert result.max_relative_error == 0.125
    assert result.snr_db == pytest.approx(10 * math.log10(21 / 0.25))
    assert result.cosine == pytest.approx(21.5 / math.sqrt(21 * 22.25))
    assert not result.passed


@pytest.mark.parametrize(
    ("precision", "fine", "coarse"),
    [
        (Precision.FP32, 1e-7, 1e-4),
        (Precision.FP16, 1e-3, 1e-1),
    ],
)
def test_limits_tell_rounding_from_a_mistake(
    precision: Precision, fine: float, coarse: float
) -> None:
    expected = _scores()

    def off_by(error: float) -> list[list[Array]]:
        return [[array + np.float32(error) * np.abs(array).max()] for [array] in expected]

    assert _compare(expected, off_by(fine), precision).passed
    assert not _compare(expected, off_by(coarse), precision).passed


def test_half_precision_may_be_twice_as_far_off_as_pytorchs_own() -> None:
    usual = parity.limits(Precision.FP16)
    assert parity.limits(Precision.FP16, 1e-3) == usual
    wider = parity.limits(Precision.FP16, 2e-2)
    assert wider.max_relative_error == 4e-2
    assert wider.min_snr_db == pytest.approx(usual.min_snr_db - 20 * math.log10(4))
    assert wider.min_cosine == pytest.approx(1 - 16 * (1 - usual.min_cosine))
    assert wider.min_top1_agreement == usual.min_top1_agreement
    assert "off by 2.0e-02" in wider.reason


def test_single_precision_has_one_limit() -> None:
    assert parity.limits(Precision.FP32, 2e-2) == parity.limits(Precision.FP32)


def test_every_winner_counts() -> None:
    expected = _scores()
    outputs = [[array.copy()] for [array] in expected]
    outputs[3][0][0, int(expected[3][0].argmin())] = 99.0
    assert _compare(expected, outputs).top1_agreement == 15 / 16


def test_outputs_that_are_no_scores_have_no_winner() -> None:
    maps = [[np.ones((1, 4, 8, 8), np.float32)]]
    assert _compare(maps, maps).top1_agreement is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_output_that_is_not_finite_fails(value: float) -> None:
    outputs = _scores()
    outputs[0][0][0, 0] = value
    result = _compare(_scores(), outputs)
    assert not result.passed
    assert result.max_abs_error is None
    assert "not finite" in result.description


def test_a_reference_that_is_not_finite_proves_nothing() -> None:
    expected = _scores()
    expected[0][0][0, 0] = np.nan
    assert not _compare(expected, _scores()).passed


def test_outputs_of_another_shape_are_another_network() -> None:
    with pytest.raises(ValueError, match="shapes"):
        _compare(_scores(), [[array[:, :99]] for [array] in _scores()])


def test_a_network_that_gives_only_zeros_passes_only_with_zeros() -> None:
    zeros = [[np.zeros((1, 4), np.float32)]]
    assert _compare(zeros, zeros).passed
    assert not _compare(zeros, [[np.full((1, 4), 1e-9, np.float32)]]).passed


def _detections(count: int = 4) -> list[list[Array]]:
    """Boxes in pixels beside scores in 0..1, (1, 4, 50) and (1, 8, 50)."""
    rng = np.random.default_rng(1)
    return [
        [
            (rng.random((1, 4, 50)) * 640).astype(np.float32),
            rng.random((1, 8, 50)).astype(np.float32),
        ]
        for _ in range(count)
    ]


def _joined(batches: list[list[Array]]) -> list[list[Array]]:
    return [[np.concatenate(batch, axis=1)] for batch in batches]


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16, Precision.INT8])
def test_scores_that_are_lost_beside_boxes_fail(precision: Precision) -> None:
    expected = _detections()
    lost = [[boxes, np.zeros_like(scores)] for boxes, scores in expected]
    apart = _compare(expected, lost, precision)
    assert not apart.passed and apart.max_relative_error == pytest.approx(1.0)
    assert [part.passed for part in apart.parts] == [True, False]
    assert "failed: output 1 (no signal any more)" in apart.description
    joined = _compare(_joined(expected), _joined(lost), precision)
    assert [part.name for part in joined.parts] == [
        "output 0 at 0 to 3 of axis 1",
        "output 0 at 4 to 11 of axis 1",
    ]
    assert [(part.passed, part.silent) for part in joined.parts] == [(True, False), (False, True)]
    assert "failed: output 0 at 4 to 11 of axis 1 (no signal any more)" in joined.description


def test_classes_that_are_seldom_seen_stay_with_the_scores() -> None:
    expected = _joined(_detections())
    for [array] in expected:
        array[:, 6] *= 1e-4
    assert [part.name for part in _compare(expected, expected).parts] == [
        "output 0 at 0 to 3 of axis 1",
        "output 0 at 4 to 11 of axis 1",
    ]


def test_a_detector_of_one_class_has_a_part_of_one_slice() -> None:
    expected = [[array[:, :5]] for [array] in _joined(_detections())]
    assert [part.name for part in _compare(expected, expected).parts] == [
        "output 0 at 0 to 3 of axis 1",
        "output 0 at 4 to 4 of axis 1",
    ]


def test_a_small_mistake_in_the_smaller_part_shows() -> None:
    expected = _joined(_detections())
    outputs = [[array.copy()] for [array] in expected]
    for [array] in outputs:
        array[:, 4:] += 1e-4
    assert not _compare(expected, outputs).passed
    assert _compare(expected, expected).passed


def test_a_map_whose_channels_differ_is_one_part() -> None:
    rng = np.random.default_rng(2)
    for _ in range(100):
        scales = np.exp(rng.normal(0, 0.9, (1, 32, 1, 1)))
        maps = [[(rng.standard_normal((1, 32, 5, 5)) * scales).astype(np.float32)]]
        assert [part.name for part in _compare(maps, maps).parts] == ["output 0"]
    assert [part.name for part in _compare(_scores(), _scores()).parts] == ["output 0"]


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.bool_, np.uint8])
def test_whole_numbers_and_masks_are_judged_by_agreement(dtype: type) -> None:
    rng = np.random.default_rng(3)
    expected = [[rng.integers(0, 2, (1, 1000)).astype(dtype).reshape(1, 1, 1000)] for _ in range(4)]
    one_off = [[array.copy()] for [array] in expected]
    one_off[0][0][0, 0, 0] = 1 - one_off[0][0][0, 0, 0].astype(int)
    exact, off = _compare(expected, expected), _compare(expected, one_off)
    assert exact.passed and not off.passed, "fp32 has to agree everywhere"
    assert off.parts[0].equal_share == 1 - 1 / 4000 and off.max_relative_error == 0.0
    assert _compare(expected, one_off, Precision.INT8).passed
    flipped = [[(1 - array.astype(int)).astype(dtype)] for [array] in expected]
    assert not _compare(expected, flipped, Precision.INT8).passed


def test_a_part_of_zeros_is_judged_by_the_rest() -> None:
    zeros = np.zeros((1, 50), np.float32)
    expected = [[boxes, zeros] for boxes, _ in _detections()]
    rounding = [[boxes, zeros + np.float32(1e-10)] for boxes, _ in expected]
    assert _compare(expected, rounding).passed
    assert not _compare(expected, [[boxes, zeros + 1] for boxes, _ in expected]).passed


def test_seeded_inputs_are_the_same_everywhere() -> None:
    image = TensorSpec(name="image", shape=(1, 3, 2, 2))
    tokens = TensorSpec(name="tokens", shape=(1, 4), dtype=DType.INT64)
    first, second = seeded.sample([image, tokens], 0), seeded.sample([image, tokens], 0)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    # numpy promises this stream; the figure is numpy's own PCG64(0).standard_normal().
    assert first[0].ravel()[0] == np.float32(0.12573022)
    assert first[1].dtype == np.int64 and set(first[1].ravel()) <= {0, 1}


def test_batches_survive_the_trip_through_a_file(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "batches.npz"
    batches = [[np.full((1, 2), index + 10 * part) for part in range(11)] for index in range(12)]
    seeded.save_batches(path, batches)
    loaded = seeded.load_batches(path)
    assert [[int(a[0, 0]) for a in batch] for batch in loaded] == [
        [index + 10 * part for part in range(11)] for index in range(12)
    ]


def test_a_missed_limit_is_shown_with_enough_digits_to_see_it() -> None:
    expected = [[np.array([[1.0, 2.0, -4.0, 0.5]], np.float32)]]
    outputs = [[np.array([[1.0, 2.0, -4.0, 0.5 + 0.6004]], np.float32)]]
    words = _compare(expected, outputs, Precision.INT8).description
    assert "relative error 1.501e-01 (at most 1.500e-01)" in words
    assert "signal to noise 18 dB (at least 20 dB)" in words
    outputs = [[np.array([[4.0, 2.0, 1.0, 0.5]], np.float32)]]
    words = _compare(expected, outputs).description
    assert (
        "same class for 0% (at least 100%)" in words
        and "cosine 0.200000 (at least 0.999999)" in words
    )


def test_limits_that_are_kept_stay_in_the_background() -> None:
    words = _compare(_scores(), _scores()).description
    assert words == (
        "relative error 0.0e+00 (at most 1.0e-05), signal to noise bit-equal, "
        "same class for 100%, computed by test"
    )


def test_numbers_are_told_apart() -> None:
    assert apart(0.15002, 0.15, "e", 1) == ("1.5002e-01", "1.5000e-01")
    assert apart(19.96, 20.0, "f", 0) == ("19.96", "20.00")
    assert apart(16.0, 20.0, "f", 0) == ("16", "20")
    assert apart(0.5, 0.5, "f", 0) == ("0", "0")
