"""Compare an artifact's outputs with PyTorch eager, and limit how far they may differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from mobilebench.inputs.seeded import Array
from mobilebench.values.artifact import Parity, ParityLimits, PartParity
from mobilebench.values.recipe import Precision
from mobilebench.verifying.parts import Part, divide

_NEGLIGIBLE = 1e-6
"""Share of the largest output below which a part is judged by that output: float32 rounds sums of
such numbers by as much."""
INPUTS = 16
"""Number of inputs that an artifact is compared on."""

_LIMITS = {
    Precision.FP32: ParityLimits(
        max_relative_error=1e-5,
        min_snr_db=100.0,
        min_cosine=0.999999,
        min_top1_agreement=1.0,
        reason=(
            "float32 sums in another order differ by about 1e-6 of the largest output over a "
            "network of this depth; the smallest real mistake seen, a tanh GELU, is 1e-4"
        ),
    ),
    Precision.FP16: ParityLimits(
        max_relative_error=1e-2,
        min_snr_db=40.0,
        min_cosine=0.9999,
        min_top1_agreement=15 / 16,
        reason=(
            "half precision has 11 bits: each operation rounds by up to 5e-4, and tens of layers "
            "in a row leave some 1e-3; among near-equal scores one of 16 winners may change"
        ),
    ),
}


def _quantized(snr_db: float, relative: float, measured: str) -> ParityLimits:
    return ParityLimits(
        max_relative_error=relative,
        min_snr_db=snr_db,
        # A signal to noise of s decibels leaves a cosine of about 1 - 10^(-s/10) / 2.
        min_cosine=1 - 10 ** (-snr_db / 10),
        # Near-equal scores of random weights change their order; agreement judges classes.
        min_top1_agreement=0.0,
        reason=f"measured over the zoo with random weights: {measured}; a range or a scale that "
        f"is wrong costs 10 dB and more",
    )


_LIMITS |= {
    Precision.FP16_WEIGHTS: _LIMITS[Precision.FP16],
    Precision.INT8: _quantized(20.0, 0.15, "27 to 31 dB"),
    Precision.INT8_IO: _quantized(20.0, 0.15, "27 to 31 dB"),
    Precision.INT8_DYNAMIC: _quantized(25.0, 0.1, "30 to 35 dB"),
    Precision.INT8_WEIGHTS: _quantized(25.0, 0.1, "31 to 36 dB"),
    Precision.PALETTE6: _quantized(15.0, 0.25, "22 to 25 dB"),
    Precision.PALETTE4: _quantized(5.0, 0.8, "10 to 12 dB"),
}
_LEAST_AGREEMENT = {
    Precision.INT8: 0.7,
    Precision.INT8_IO: 0.7,
    Precision.INT8_DYNAMIC: 0.8,
    Precision.INT8_WEIGHTS: 0.8,
    Precision.PALETTE6: 0.7,
    Precision.PALETTE4: 0.5,
}
"""Measured with random weights, whose scores lie close together: 0.86 to 1.0 for int8, 0.89 to 1.0
for weights in 8 bits, at least 0.77 and 0.63 for 6 and 4."""


def least_agreement(precision: Precision) -> float:
    """Return the share of inputs where a quantized artifact must name PyTorch's class."""
    return _LEAST_AGREEMENT[precision]


def limits(precision: Precision, half_precision_error: float | None = None) -> ParityLimits:
    """Return the limits of parity for an artifact of that precision.

    A network that decides by thresholds jumps where half precision rounds across one, in PyTorch
    too. Where PyTorch's own error on the same inputs is known and twice that is above the usual
    limit, it becomes the limit.
    """
    usual = _LIMITS[precision]
    if precision is not Precision.FP16 or half_precision_error is None:
        return usual
    wider = 2 * half_precision_error / usual.max_relative_error
    if wider <= 1:
        return usual
    return ParityLimits(
        max_relative_error=2 * half_precision_error,
        min_snr_db=usual.min_snr_db - 20 * math.log10(wider),
        min_cosine=1 - (1 - usual.min_cosine) * wider**2,
        min_top1_agreement=usual.min_top1_agreement,
        reason=(
            f"PyTorch's own half precision is off by {half_precision_error:.1e} on these inputs, "
            f"since the network decides by thresholds; twice that is allowed"
        ),
    )


def compare(
    reference: Sequence[Sequence[Array]],
    outputs: Sequence[Sequence[Array]],
    *,
    bound: ParityLimits,
    evaluated_by: str,
) -> Parity:
    """Compare outputs with the reference; both are lists of batches of the same tensors.

    Raises `ValueError` where the number or shape of the outputs differs: then they are not the
    outputs of the same network.
    """
    expected, actual = _flat(reference), _flat(outputs)
    shapes = [[a.shape for a in batch] for batch in reference]
    if shapes != [[a.shape for a in batch] for batch in outputs]:
        raise ValueError(
            f"outputs have the shapes {_shapes(outputs)}, the model's have {_shapes(reference)}"
        )
    if not (np.isfinite(actual).all() and np.isfinite(expected).all()):
        return Parity(
            evaluated_by=evaluated_by,
            inputs=len(reference),
            max_abs_error=None,
            max_relative_error=None,
            snr_db=None,
            cosine=None,
            top1_agreement=None,
            limits=bound,
            passed=False,
        )
    largest = float(np.abs(expected).max(initial=0.0))
    parts = tuple(_judge(part, largest, bound) for part in divide(reference, outputs))
    floats = [part for part in parts if part.equal_share is None]
    relative = [part.max_relative_error for part in floats]
    agreement = _top1_agreement(reference, outputs)
    return Parity(
        evaluated_by=evaluated_by,
        inputs=len(reference),
        max_abs_error=max(part.max_abs_error for part in parts),
        max_relative_error=_worst_error(relative),
        snr_db=_least(part.snr_db for part in floats),
        cosine=_least(part.cosine for part in floats),
        top1_agreement=agreement,
        limits=bound,
        passed=all(part.passed for part in parts)
        and (agreement is None or agreement >= bound.min_top1_agreement),
        parts=parts,
    )


def _judge(part: Part, largest: float, bound: ParityLimits) -> PartParity:
    """Judge one part by its own scale, or whole numbers and masks by the share that is equal."""
    expected, actual = (a.astype(np.float64).ravel() for a in (part.expected, part.actual))
    error = actual - expected
    max_abs = float(np.abs(error).max(initial=0.0))
    silent = bool(np.ptp(expected) > 0 and np.ptp(actual) == 0) if expected.size > 1 else False
    if not np.issubdtype(part.expected.dtype, np.floating):
        share = float((error == 0).mean()) if error.size else 1.0
        return PartParity(
            name=part.name,
            max_abs_error=max_abs,
            max_relative_error=None,
            snr_db=None,
            cosine=None,
            equal_share=share,
            silent=silent,
            passed=share >= (bound.min_top1_agreement or 1 - bound.max_relative_error),
        )
    # What is far below the rounding of everything else is judged by that: a part of zeros, too.
    scale = max(float(np.abs(expected).max(initial=0.0)), _NEGLIGIBLE * largest)
    relative = max_abs / scale if scale > 0 else (0.0 if max_abs == 0 else math.inf)
    snr, cosine = _snr_db(expected, error), _cosine(expected, actual)
    if scale <= _NEGLIGIBLE * largest:
        snr = cosine = None
    return PartParity(
        name=part.name,
        max_abs_error=max_abs,
        max_relative_error=relative if math.isfinite(relative) else None,
        snr_db=snr,
        cosine=cosine,
        equal_share=None,
        silent=silent,
        passed=relative <= bound.max_relative_error
        and (snr is None or snr >= bound.min_snr_db)
        and (cosine is None or cosine >= bound.min_cosine),
    )


def _worst_error(errors: Sequence[float | None]) -> float | None:
    """Return the largest error; None where one is infinite, 0 where there are no floats."""
    if any(error is None for error in errors):
        return None
    return max((error for error in errors if error is not None), default=0.0)


def _least(figures: Iterable[float | None]) -> float | None:
    """Return the lowest figure; None where no part has one."""
    return min((figure for figure in figures if figure is not None), default=None)


def _shapes(batches: Sequence[Sequence[Array]]) -> str:
    return str([array.shape for array in batches[0]] if batches else [])


def _flat(batches: Sequence[Sequence[Array]]) -> Array:
    return np.concatenate([a.astype(np.float64).ravel() for batch in batches for a in batch])


def _snr_db(expected: Array, error: Array) -> float | None:
    """Return the power of the signal over that of the error, in dB; None if either is 0."""
    noise = float(np.square(error).sum())
    signal = float(np.square(expected).sum())
    if noise == 0 or signal == 0:
        return None
    return 10 * math.log10(signal / noise)


def _cosine(expected: Array, actual: Array) -> float | None:
    scale = float(np.linalg.norm(expected) * np.linalg.norm(actual))
    return float(expected @ actual) / scale if scale > 0 else None


def _top1_agreement(
    reference: Sequence[Sequence[Array]], outputs: Sequence[Sequence[Array]]
) -> float | None:
    """Return the share of inputs with the same largest score.

    None unless the first output is (N, C > 1).
    """
    if any(batch[0].ndim != 2 or batch[0].shape[1] < 2 for batch in reference):
        return None
    same = [
        bool(equal)
        for expected, actual in zip(reference, outputs, strict=True)
        for equal in expected[0].argmax(axis=1) == actual[0].argmax(axis=1)
    ]
    return sum(same) / len(same)
