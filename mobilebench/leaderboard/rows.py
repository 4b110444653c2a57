"""Compute the rows of the leaderboard: one per cell, from its newest record."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mobilebench.leaderboard import headline
from mobilebench.leaderboard.judgement import UNJUDGED, Judgement, by_file, data_title
from mobilebench.leaderboard.naming import Naming
from mobilebench.leaderboard.spread import spread
from mobilebench.notation import escapes
from mobilebench.notation.quantities import counted, duration
from mobilebench.stats import summarise
from mobilebench.values import value, wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.artifact import ArtifactFacts, Parity
from mobilebench.values.device import DeviceKind
from mobilebench.values.measurement import Failure, Measurement, Validity
from mobilebench.values.recipe import Calibration, ExportRecipe
from mobilebench.values.record import CellKey, Record
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
    records: Iterable[Record],
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
    newest: dict[tuple[CellKey, str | None, tuple[str, ...]], Record] = {}
    for record in sorted(records, key=lambda record: record.created):
        weights = record.model.weights
        label = weights.label if weights else None
        newest[record.cell, label, record.device_settings] = record
    exported = {record.network for record in newest.values() if record.artifact}
    shown = [
        record for record in newest.values() if record.artifact or record.network not in exported
    ]
    files = {record.artifact.sha256 for record in shown if record.artifact}
    judgements = by_file(accuracies, files, data)
    naming = Naming.of(names or {}, [*(record.model.title for record in shown), *others])
    rows = [
        _row(record, judgements.get(record.artifact.sha256, UNJUDGED), naming)
        if record.artifact
        else _row(record, UNJUDGED, naming)
        for record in shown
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


def _row(record: Record, judgement: Judgement, naming: Naming) -> Row:
    outcome, job, facts, model = record.outcome, record.job, record.artifact, record.model
    measured = outcome if isinstance(outcome, Measurement) else None
    summary = summarise(measured.samples.latencies_ns()) if measured else None
    chosen = job.choice if job else None
    # No single accuracy is that of a run at several widths.
    published = None if chosen else model.published_top1
    between = spread(job.protocol, measured.samples) if measured and job else None
    accuracy = None if chosen else judgement.accuracy
    share = accuracy.top1 if accuracy else None
    interval = share.interval if share else None
    return Row(
        model=naming.shown(model.title),
        artifact=f"{record.recipe.label} {facts.sha256[:8]}"
        if facts and facts.given
        else record.recipe.label,
        format=record.recipe.format,
        precision=record.recipe.precision,
        target=record.recipe.target,
        delegate=record.recipe.delegate,
        image_input=record.recipe.image_input is not None,
        class_labels=record.recipe.class_labels is not None,
        runtime=f"{measured.runtime.name} {measured.runtime.version}"
        if measured
        else (job.runtime if job else None),
        compute_unit=job.compute_unit if job else None,
        threads=job.threads if job else None,
        inputs=tuple(str(tensor) for tensor in model.inputs),
        device=record.device.id,
        device_model=record.device.model,
        device_kind=record.device.kind,
        protocol=job.protocol.id if job else None,
        p50_ms=summary.p50_ns / _NS_PER_MS if summary else None,
        p90_ms=summary.p90_ns / _NS_PER_MS if summary else None,
        min_ms=summary.min_ns / _NS_PER_MS if summary else None,
        spread_low_ms=between.low_ns / _NS_PER_MS if between else None,
        spread_high_ms=between.high_ns / _NS_PER_MS if between else None,
        spread_kind=between.kind if between else None,
        first_load_ms=measured.loads.first_ns / _NS_PER_MS if measured else None,
        peak_memory_bytes=measured.memory.peak_bytes if measured else None,
        size_bytes=facts.size_bytes if facts else None,
        relative_error=_worst(facts),
        snr_db=_lowest_snr(facts),
        agreement=facts.agreement.top1 if facts and facts.agreement else None,
        unverified=facts.unverified if facts else None,
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
            *_choice_marks(record),
            *_each_mark(record),
            *(() if chosen else _accuracy_marks(judgement)),
        ),
        failure=_why(outcome) if isinstance(outcome, Failure) else None,
        name=_name(record, naming),
        file_sha256=facts.sha256 if facts else None,
        record_id=record.record_id,
        created=record.created,
    )


def _choice_marks(record: Record) -> Iterator[str]:
    """Yield what chose the widths, and what the frames in time were worth."""
    job, outcome = record.job, record.outcome
    if job is None or job.choice is None:
        return
    yield f"widths chosen by {job.choice}"
    if isinstance(outcome, Measurement):
        top1 = headline.on_time_top1(job, outcome.samples)
        sources = {each.accuracy.source for each in job.variants if each.accuracy is not None}
        if top1 is not None:
            yield f"on-time top-1 {top1:.2f}% (accuracies: {'; '.join(sorted(sources))})"


def _name(record: Record, naming: Naming) -> str:
    """Return a name for tools that follow a row from one commit to the next.

    It holds everything that makes a cell. What has no short word, such as the images of a
    calibration, is in a digest at the end.
    """
    job, device, recipe, model = record.job, record.device, record.recipe, record.model
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


def _parities(facts: ArtifactFacts | None) -> Sequence[Parity]:
    return facts.parity if facts else ()


def _worst(facts: ArtifactFacts | None) -> float | None:
    """Return the largest relative error; None where one is undefined, the worst case."""
    errors = [parity.max_relative_error for parity in _parities(facts)]
    if any(error is None for error in errors):
        return None
    return max((error for error in errors if error is not None), default=None)


def _lowest_snr(facts: ArtifactFacts | None) -> float | None:
    """Return the lowest signal-to-noise ratio.

    None where an output is not finite or all are bit-equal.
    """
    if not all(parity.finite for parity in _parities(facts)):
        return None
    ratios = [parity.snr_db for parity in _parities(facts)]
    return min((ratio for ratio in ratios if ratio is not None), default=None)


def _why(failure: Failure) -> str:
    return f"{failure.stage}: {failure.error}: {failure.message}"


def _each_mark(record: Record) -> Iterable[str]:
    if record.device.kind != DeviceKind.PHONE:
        yield f"measured on {record.device.kind} ({record.device.model}), not on a phone"
    if record.job is not None and record.job.protocol.indicative:
        yield f"{record.job.protocol.id}: too short for a result"
    if record.artifact is not None and record.artifact.given:
        yield "weights inside the file"
    elif record.model.weights is None:
        yield "weights not stated"
    elif not record.model.weights.from_checkpoint:
        yield record.model.weights.description
    if record.artifact is not None and record.artifact.unverified:
        yield f"not verified: {record.artifact.unverified}"
    if record.recipe.calibration is not None and not record.recipe.calibration.on_images:
        yield "calibrated on noise: good for speed and size, not for accuracy"
    if any(parity.on_calibration for parity in _parities(record.artifact)):
        yield "compared on the images that it was calibrated on"
    for failed in (parity for parity in _parities(record.artifact) if not parity.passed):
        yield f"differs from PyTorch: {failed.description}"
    if record.artifact is not None and record.artifact.agreement is not None:
        agreement = record.artifact.agreement
        if not agreement.passed:
            yield f"differs from PyTorch: {agreement.description}"
    wished = record.seen.wished if record.seen else {}
    if THERMAL_STATUS in wished:
        yield f"rehearsal: thermal status {wished[THERMAL_STATUS]} was set by hand"
    if FIXED_PERFORMANCE in wished:
        yield "in the fixed-performance mode, which lowers the highest clock"
    if record.signature is None:
        yield "not signed"
    if isinstance(record.outcome, Measurement) and record.outcome.reasons:
        doubtful = record.outcome.validity != Validity.VALID
        yield f"{'suspect' if doubtful else 'note'}: {', '.join(record.outcome.reasons)}"
    if isinstance(record.outcome, Measurement) and record.job is not None:
        more = headline.describe(record.job.protocol, record.outcome.samples)
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
