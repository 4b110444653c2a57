"""What a reader must know of one row before trusting its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mobilebench.leaderboard.judgement import Judgement
from mobilebench.notation.quantities import counted
from mobilebench.results import Entry
from mobilebench.values.device import DeviceKind
from mobilebench.values.measurement import Validity
from mobilebench.values.wishes import FIXED_PERFORMANCE, THERMAL_STATUS

AS_AUTHORS = "top-1: images prepared as the network's own authors do"
"""How the mark begins of a network that has another preparation than most others."""


def marks(entry: Entry, judgement: Judgement) -> Iterator[str]:
    """Yield what has to be known, in the order in which it is shown."""
    yield from _choice_marks(entry)
    yield from _each_mark(entry)
    if entry.job is None or entry.job.choice is None:
        yield from _accuracy_marks(judgement)


def _choice_marks(entry: Entry) -> Iterator[str]:
    """Yield what chose the widths, and what the frames in time were worth."""
    if entry.job is None or entry.job.choice is None:
        return
    yield f"widths chosen by {entry.job.choice}"
    top1 = entry.measured.figures.on_time_top1 if entry.measured else None
    if top1 is not None:
        sources = "; ".join(entry.job.accuracy_sources)
        yield f"on-time top-1 {top1:.2f}% (accuracies: {sources})"


def _each_mark(entry: Entry) -> Iterable[str]:
    file, measured, wished = entry.file, entry.measured, entry.wished
    if entry.device.kind != DeviceKind.PHONE:
        yield f"measured on {entry.device.kind} ({entry.device.model}), not on a phone"
    if entry.job is not None and entry.job.protocol.indicative:
        yield f"{entry.job.protocol.id}: too short for a result"
    if file is not None and file.given:
        yield "weights inside the file"
    elif entry.model.weights is None:
        yield "weights not stated"
    elif not entry.model.weights.from_checkpoint:
        yield entry.model.weights.description
    if file is not None and file.unverified:
        yield f"not verified: {file.unverified}"
    if entry.recipe.calibration is not None and not entry.recipe.calibration.on_images:
        yield "calibrated on noise: good for speed and size, not for accuracy"
    if file is not None and file.on_calibration:
        yield "compared on the images that it was calibrated on"
    for description in file.failed_parity if file else ():
        yield f"differs from PyTorch: {description}"
    if file is not None and file.agreement is not None and not file.agreement.passed:
        yield f"differs from PyTorch: {file.agreement.description}"
    if THERMAL_STATUS in wished:
        yield f"rehearsal: thermal status {wished[THERMAL_STATUS]} was set by hand"
    if FIXED_PERFORMANCE in wished:
        yield "in the fixed-performance mode, which lowers the highest clock"
    if not entry.signed:
        yield "not signed"
    if measured is not None and measured.reasons:
        doubtful = measured.validity != Validity.VALID
        yield f"{'suspect' if doubtful else 'note'}: {', '.join(measured.reasons)}"
    if measured is not None and entry.job is not None:
        more = measured.figures.remark(entry.job.protocol)
        if more is not None:
            yield more


def _accuracy_marks(judgement: Judgement) -> Iterable[str]:
    accuracy = judgement.accuracy
    if accuracy is not None and accuracy.not_finite:
        images = counted(accuracy.not_finite, "image")
        yield f"top-1: scores of {images} are not finite and count as wrong"
    if accuracy is not None and accuracy.data.unreadable:
        yield f"top-1: {len(accuracy.data.unreadable)} images could not be read and are left out"
    if accuracy is not None and judgement.apart:
        yield (
            f"top-1 with *: images prepared otherwise than for the other rows "
            f"({accuracy.preparation}), so it does not compare with them"
        )
    if accuracy is not None and judgement.unusual:
        yield f"{AS_AUTHORS} ({accuracy.preparation})"
    for each in judgement.hidden:
        yield f"evaluated on images prepared otherwise too ({each}), which is not shown"
    if accuracy is None and judgement.elsewhere:
        yield f"accuracy known on other images only: {'; '.join(judgement.elsewhere)}"
