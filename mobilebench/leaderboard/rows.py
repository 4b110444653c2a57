"""Compute the rows of the leaderboard: one per cell, from its newest record."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mobilebench.leaderboard.judgement import UNJUDGED, Judgement, by_file, data_title
from mobilebench.leaderboard.naming import Naming
from mobilebench.notation import escapes
from mobilebench.notation.quantities import counted, duration
from mobilebench.results import Entry
from mobilebench.values import value, wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.device import DeviceKind
from mobilebench.values.measurement import Failure, Validity
from mobilebench.values.recipe import Calibration, ExportRecipe
from mobilebench.values.record import Record
from mobilebench.values.tensor import TensorSpec
from mobilebench.values.wishes import FIXED_PERFORMANCE, THERMAL_STATUS

_NS_PER_MS = 1e6
AS_AUTHORS = "top-1: images prepared as the network's own authors do"
"""How the mark begins of a network that has another preparation than most others."""


@value
class Row:
    """One line of the leaderboard; what is not known is None."""

    model: str
    artifact: str
    """The recipe's label."""
    format: str
    precision: str
    target: str | None
    delegate: str | None
    image_input: bool
    class_labels: bool
    runtime: str | None
    compute_unit: str | None
    threads: int | None
    inputs: tuple[str, ...]
    """Name, shape and element type of each input of the network."""
    device: str
    device_model: str
    device_kind: DeviceKind
    protocol: str | None
    p50_ms: float | None
    p90_ms: float | None
    min_ms: float | None
    spread_low_ms: float | None
    spread_high_ms: float | None
    spread_kind: str | None
    """What the two are, in words: an interval of the median, or a range of medians."""
    first_load_ms: float | None
    peak_memory_bytes: int | None
    size_bytes: int | None
    relative_error: float | None
    """Largest of the artifact's parity results."""
    snr_db: float | None
    agreement: float | None
    """Share of inputs for which a quantized artifact names PyTorch's class."""
    unverified: str | None
    """Why no output was compared with PyTorch; None where one was, or no file was exported."""
    params: int | None
    macs: int | None
    measured_top1: float | None
    """In percent, of this very file, on `accuracy_images` images of one data set."""
    top1_low: float | None
    """Lower end of Wilson's interval at 95 %, in percent."""
    top1_high: float | None
    accuracy_images: int | None
    accuracy_data: str | None
    """The data set, with the images that were evaluated and that there are."""
    accuracy_preparation: str | None
    """How its images were resized, cropped and normalised."""
    accuracy_apart: bool
    """True where that is another way than for the other rows: then it does not compare."""
    published_top1: float | None
    published_source: str | None
    weights: str | None
    """What tells the weights from others of the same network."""
    marks: tuple[str, ...]
    """What a reader must know before trusting the numbers; shown wherever the numbers are."""
    failure: str | None
    name: str
    """Of the cell, in words; no other cell has the same, and it stays the same over time."""
    file_sha256: str | None
    """Of the model file, by which an accuracy belongs to a row."""
    record_id: str
    created: str

    def __repr__(self) -> str:
        result = self.failure or ("" if self.p50_ms is None else duration(self.p50_ms * 1e6))
        return f"<Row {self.name}: {result}>"

    @property
    def top1(self) -> float | None:
        """The measured accuracy, else the published one, in percent."""
        return self.published_top1 if self.measured_top1 is None else self.measured_top1


def rank(
    records: Iterable[Record | Entry],
    accuracies: Iterable[Accuracy] = (),
    *,
    data: str | None = None,
    names: Mapping[str, str] | None = None,
    others: Iterable[str] = (),
) -> list[Row]:
    """Return rows by device, compute unit and protocol, the fastest first, failures last.

    Of several records of one cell with the same weights the newest counts; one with wished
    settings, such as a rehearsal, does not stand for one without. A failed export is shown until
    the same recipe of the same model has been measured. An accuracy belongs to the records of
    the same file; of several data sets one is shown, by default or by `data` (see
    `judgement.by_file`). `names` are other names for models, and `others` models without a record
    that may be named too. Raises `UserError` for a data set or a model that is not there.
    """
    entries = [each if isinstance(each, Entry) else Entry.of(each) for each in records]
    newest = {entry.line: entry for entry in sorted(entries, key=lambda entry: entry.created)}
    exported = {entry.network for entry in newest.values() if entry.file}
    shown = [entry for entry in newest.values() if entry.file or entry.network not in exported]
    judgements = by_file(accuracies, {entry.file.sha256 for entry in shown if entry.file}, data)
    naming = Naming.of(names or {}, [*(entry.model.title for entry in shown), *others])
    rows = [
        _row(entry, judgements.get(entry.file.sha256, UNJUDGED), naming)
        if entry.file
        else _row(entry, UNJUDGED, naming)
        for entry in shown
    ]
    return sorted(_named_apart(rows), key=_order)


def _named_apart(rows: Sequence[Row]) -> list[Row]:
    """Return the rows; those that share a name have their weights, or their record, in it."""
    for difference in (lambda row: f"weights {row.weights}", lambda row: row.record_id):
        counts = Counter(row.name for row in rows)
        rows = [
            row if counts[row.name] == 1 else replace(row, name=f"{row.name}, {difference(row)}")
            for row in rows
        ]
    return list(rows)


def _order(row: Row) -> tuple[object, ...]:
    place = (row.device, row.device_model, row.compute_unit or "", row.protocol or "")
    return (row.protocol is None, *place, row.p50_ms is None, row.p50_ms or 0.0, row.model)


def _row(entry: Entry, judgement: Judgement, naming: Naming) -> Row:
    job, file, model, measured = entry.job, entry.file, entry.model, entry.measured
    figures = measured.figures if measured else None
    spread = figures.spread if figures else None
    chosen = job.choice if job else None
    # No single accuracy is that of a run at several widths.
    published = None if chosen else model.published_top1
    accuracy = None if chosen else judgement.accuracy
    share = accuracy.top1 if accuracy else None
    interval = share.interval if share else None
    return Row(
        model=naming.shown(model.title),
        artifact=f"{entry.recipe.label} {file.sha256[:8]}"
        if file and file.given
        else entry.recipe.label,
        format=entry.recipe.format,
        precision=entry.recipe.precision,
        target=entry.recipe.target,
        delegate=entry.recipe.delegate,
        image_input=entry.recipe.image_input is not None,
        class_labels=entry.recipe.class_labels is not None,
        runtime=f"{measured.runtime.name} {measured.runtime.version}"
        if measured
        else (job.runtime if job else None),
        compute_unit=job.compute_unit if job else None,
        threads=job.threads if job else None,
        inputs=tuple(str(tensor) for tensor in model.inputs),
        device=entry.device.id,
        device_model=entry.device.model,
        device_kind=entry.device.kind,
        protocol=job.protocol.id if job else None,
        p50_ms=figures.p50_ns / _NS_PER_MS if figures else None,
        p90_ms=figures.p90_ns / _NS_PER_MS if figures else None,
        min_ms=figures.min_ns / _NS_PER_MS if figures else None,
        spread_low_ms=spread.low_ns / _NS_PER_MS if spread else None,
        spread_high_ms=spread.high_ns / _NS_PER_MS if spread else None,
        spread_kind=spread.kind if spread else None,
        first_load_ms=measured.first_load_ns / _NS_PER_MS if measured else None,
        peak_memory_bytes=measured.peak_memory_bytes if measured else None,
        size_bytes=file.size_bytes if file else None,
        relative_error=file.relative_error if file else None,
        snr_db=file.snr_db if file else None,
        agreement=file.agreement.top1 if file and file.agreement else None,
        unverified=file.unverified if file else None,
        params=model.params,
        macs=model.macs.total if model.macs else None,
        measured_top1=100 * share.value if share and share.value is not None else None,
        top1_low=100 * interval[0] if interval else None,
        top1_high=100 * interval[1] if interval else None,
        accuracy_images=accuracy.images if accuracy else None,
        accuracy_data=data_title(accuracy) if accuracy else None,
        accuracy_preparation=accuracy.preparation if accuracy else None,
        accuracy_apart=judgement.apart,
        published_top1=published.top1 if published else None,
        published_source=published.source if published else None,
        weights=model.weights.label if model.weights else None,
        marks=(
            *_choice_marks(entry),
            *_each_mark(entry),
            *(() if chosen else _accuracy_marks(judgement)),
        ),
        failure=_why(entry.failure) if entry.failure else None,
        name=_name(entry, naming),
        file_sha256=file.sha256 if file else None,
        record_id=entry.record_id,
        created=entry.created,
    )


def _choice_marks(entry: Entry) -> Iterator[str]:
    """Yield what chose the widths, and what the frames in time were worth."""
    if entry.job is None or entry.job.choice is None:
        return
    yield f"widths chosen by {entry.job.choice}"
    top1 = entry.measured.figures.on_time_top1 if entry.measured else None
    if top1 is not None:
        sources = "; ".join(entry.job.accuracy_sources)
        yield f"on-time top-1 {top1:.2f}% (accuracies: {sources})"


def _name(entry: Entry, naming: Naming) -> str:
    """Return a name for tools that follow a row from one commit to the next.

    It holds everything that makes a cell. What has no short word, such as the images of a
    calibration, is in a digest at the end.
    """
    job, device, recipe, model = entry.job, entry.device, entry.recipe, entry.model
    how = f"{job.runtime} {job.compute_unit} x{job.threads}, " if job else ""
    rule = job.protocol.id if job else "export"
    choice = f", {job.choice}" if job and job.choice else ""
    usual = len(model.inputs) == 1 and _is_image(model.inputs[0])
    inputs = "" if usual else f" ({', '.join(map(str, model.inputs))})"
    plain = ExportRecipe(
        format=recipe.format,
        precision=recipe.precision,
        target=recipe.target,
        delegate=recipe.delegate,
        form=recipe.form,
        calibration=Calibration() if recipe.precision.calibrated else None,
    )
    digest = hashlib.sha256(wire.dumps(recipe).encode()).hexdigest()[:8]
    end = "" if recipe == plain else f", {digest}"
    what = f"{naming.shown(model.title)}{inputs} {recipe.label}"
    return escapes.visible(f"{what}, {how}{device.model} ({device.id}), {rule}{choice}{end}")


def _is_image(tensor: TensorSpec) -> bool:
    """Return whether a tensor is the usual input, of which the title states the size."""
    return tensor == TensorSpec(name="image", shape=(1, 3, *tensor.shape[2:4]))


def _why(failure: Failure) -> str:
    return f"{failure.stage}: {failure.error}: {failure.message}"


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
