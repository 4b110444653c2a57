"""The row of a leaderboard: everything that it says of one record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mobilebench.leaderboard.judgement import Judgement, data_title
from mobilebench.leaderboard.marks import marks
from mobilebench.leaderboard.naming import Naming, bare
from mobilebench.leaderboard.places import Place
from mobilebench.notation import escapes
from mobilebench.notation.quantities import duration
from mobilebench.results import Entry, Figures
from mobilebench.results.course import MINUTE_NS, TEN_MINUTES_NS, Stretch
from mobilebench.values import value, wire
from mobilebench.values.device import DeviceKind, ThermalState
from mobilebench.values.measurement import Diagnosis, Failure, Validity
from mobilebench.values.protocol import Protocol
from mobilebench.values.recipe import Calibration, ExportRecipe
from mobilebench.values.tensor import TensorSpec

_NS_PER_MS = 1e6
NO_INTERVAL = "its protocol gives no interval"
"""Why a row has no rank whose number is a result, but nothing shows how far it varies."""
_LONG_NS = MINUTE_NS + TEN_MINUTES_NS
"""From this time on, minute 1 and the last ten minutes do not overlap."""
_HEAT = frozenset(
    {
        Diagnosis.THROTTLED,
        Diagnosis.CLOCK_CAPPED,
        Diagnosis.DRIFT_WITH_TEMPERATURE,
        Diagnosis.THERMAL_STATE_CHANGED,
    }
)
"""Diagnoses that say no more than that a device became warm."""
_REMARKS = frozenset({Diagnosis.SLOW_FIRST_RUN})
"""Diagnoses that leave a measurement valid."""


class Status(StrEnum):
    """How far a row may be trusted."""

    VALID = "valid"
    SUSPECT = "suspect"
    FAILED = "failed"


@value
class Row:
    """One line of the leaderboard; what is not known is None."""

    model: str
    """As it is shown, with its image size and width where they are not the usual ones."""
    network: str
    """The same without its size and its width."""
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
    specimen: str | None
    """The device again where two of one model differ; None for a computer and a simulated one."""
    device_model: str
    device_kind: DeviceKind
    soc: str | None
    cores: int | None
    ram_gib: int | None
    os: str
    """System and version."""
    os_build: str | None
    protocol: str | None
    resolution: str
    """Sizes of the images, `224x224`; of another network, the sizes of its inputs."""
    app_build: str | None
    runtime_settings: tuple[str, ...]
    device_settings: tuple[str, ...]
    charging: bool | None
    """When the run began, like the thermal state."""
    start_thermal: ThermalState | None
    group: str | None
    """The group that the row is ranked in, by the digest of its conditions; None for a failed
    export."""
    rank: int | None
    """In the group, from 1; None for a row that is not ranked."""
    tied: bool
    """Whether others have the same rank, since their intervals overlap."""
    unranked: str | None
    """Why there is no rank, in a clause; None where there is one."""
    status: Status
    suspect_beside_heat: bool
    """Whether it is a suspect for another reason than that the device became warm."""
    result_ms: float | None
    """What the group is ranked by: the median, or that of the last ten minutes."""
    result_low_ms: float | None
    result_high_ms: float | None
    result_kind: str | None
    """What the result is, in words."""
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    min_ms: float | None
    samples: int | None
    """Number of measured inferences."""
    spread_low_ms: float | None
    spread_high_ms: float | None
    spread_kind: str | None
    """What the two are, in words: an interval of the median, or a range of medians."""
    burst_ms: float | None
    """Median of short bursts: this row's, or that of the same file under the same conditions."""
    burst_protocol: str | None
    sustained_ms: float | None
    """Median of the last ten minutes of a long run, or of the last window of a shorter one: this
    row's, or that of the same file under the same conditions."""
    sustained_protocol: str | None
    first_ms: float | None
    """Median of the first minute of a run of at least eleven minutes, or of the first window."""
    last_ms: float | None
    """Median of the last ten minutes of such a run, or of the last window."""
    change: float | None
    """From minute 1 to the last ten minutes: 0.4 is 40 % slower; None for a shorter run."""
    onset_s: float | None
    """When the first sign of throttling came, since the first measured sample."""
    onset_sign: str | None
    """What said so: a thermal status or a clock cap."""
    heat_known: bool | None
    """Whether the device told of heat while it ran: then no onset means that there was none."""
    warmest: ThermalState | None
    missed: float | None
    """Share of the frames of a paced run that were late or dropped."""
    on_time_top1: float | None
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

    @property
    def place(self) -> str | None:
        """The rank as tables show it, such as `2=`."""
        return None if self.rank is None else Place(rank=self.rank, tied=self.tied).text

    def __repr__(self) -> str:
        result = self.failure or ("" if self.p50_ms is None else duration(self.p50_ms * 1e6))
        return f"<Row {self.name}: {result}>"

    @property
    def top1(self) -> float | None:
        """The measured accuracy, else the published one, in percent."""
        return self.published_top1 if self.measured_top1 is None else self.measured_top1


def row_of(entry: Entry, judgement: Judgement, naming: Naming) -> Row:
    """Return the row of an entry, which has no group and no rank yet."""
    job, file, model, measured = entry.job, entry.file, entry.model, entry.measured
    device, identity = entry.device, measured.identity if measured else None
    figures = measured.figures if measured else None
    spread = figures.spread if figures else None
    chosen = job.choice if job else None
    # No single accuracy is that of a run at several widths.
    published = None if chosen else model.published_top1
    accuracy = None if chosen else judgement.accuracy
    share = accuracy.top1 if accuracy else None
    interval = share.interval if share else None
    shown = naming.shown(model.title)
    result = _result(entry)
    first, last = _ends(figures) if figures else (None, None)
    onset = figures.onset if figures else None
    return Row(
        model=shown,
        network=shown if model.title == model.name else bare(shown),
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
        device=device.id,
        specimen=entry.specimen,
        device_model=device.model,
        device_kind=device.kind,
        soc=device.soc,
        cores=device.cores,
        ram_gib=None if device.ram_bytes is None else -(-device.ram_bytes >> 30),
        os=f"{device.os} {device.os_version}",
        os_build=device.os_build,
        protocol=job.protocol.id if job else None,
        resolution=_resolution(model.inputs),
        app_build=identity.app_build if identity else None,
        runtime_settings=identity.runtime_settings if identity else (),
        device_settings=entry.device_settings,
        charging=identity.charging if identity else None,
        start_thermal=ThermalState(identity.start_thermal)
        if identity and identity.start_thermal
        else None,
        group=None,
        rank=None,
        tied=False,
        unranked=_unranked(entry, result),
        status=_status(entry),
        suspect_beside_heat=_suspect_beside_heat(entry),
        result_ms=_ms(result.middle_ns if result else None),
        result_low_ms=_ms(result.low_ns if result else None),
        result_high_ms=_ms(result.high_ns if result else None),
        result_kind=result.kind if result else None,
        p50_ms=_ms(figures.p50_ns if figures else None),
        p90_ms=_ms(figures.p90_ns if figures else None),
        p99_ms=_ms(figures.p99_ns if figures else None),
        min_ms=_ms(figures.min_ns if figures else None),
        samples=figures.count if figures else None,
        spread_low_ms=_ms(spread.low_ns if spread else None),
        spread_high_ms=_ms(spread.high_ns if spread else None),
        spread_kind=spread.kind if spread else None,
        burst_ms=_ms(figures.p50_ns if figures and job and _is_burst(job.protocol) else None),
        burst_protocol=job.protocol.id if figures and job and _is_burst(job.protocol) else None,
        sustained_ms=_ms(last.p50_ns if last else None),
        sustained_protocol=job.protocol.id if last and job else None,
        first_ms=_ms(first.p50_ns if first else None),
        last_ms=_ms(last.p50_ns if last else None),
        change=figures.change if figures else None,
        onset_s=onset.after_ns / 1e9 if onset else None,
        onset_sign=onset.sign if onset else None,
        heat_known=figures.heat_known if figures else None,
        warmest=figures.warmest if figures else None,
        missed=figures.deadlines.miss_rate if figures and figures.deadlines else None,
        on_time_top1=figures.on_time_top1 if figures else None,
        first_load_ms=_ms(measured.first_load_ns if measured else None),
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
        marks=tuple(marks(entry, judgement)),
        failure=_why(entry.failure) if entry.failure else None,
        name=_name(entry, naming),
        file_sha256=file.sha256 if file else None,
        record_id=entry.record_id,
        created=entry.created,
    )


@dataclass(frozen=True)
class _Result:
    """What a row is ranked by."""

    middle_ns: float
    low_ns: float | None
    high_ns: float | None
    kind: str


def _result(entry: Entry) -> _Result | None:
    """Return what a row is ranked by; None where it has nothing of the kind.

    A protocol of more than eleven minutes is about heat, so there it is what remains in the last
    ten minutes, and elsewhere the median. An interval always holds its middle.
    """
    if entry.measured is None or entry.job is None:
        return None
    figures = entry.measured.figures
    if _about_heat(entry.job.protocol):
        last = figures.last_ten
        kind = "median of the last ten minutes"
        return None if last is None else _Result(last.p50_ns, last.low_ns, last.high_ns, kind)
    middle_ns, spread = figures.p50_ns, figures.spread
    if spread is None:
        return _Result(middle_ns, None, None, "median")
    low_ns, high_ns = min(spread.low_ns, middle_ns), max(spread.high_ns, middle_ns)
    return _Result(middle_ns, low_ns, high_ns, "median")


def _about_heat(protocol: Protocol) -> bool:
    return protocol.window_ns is not None and protocol.min_duration_ns >= _LONG_NS


def _is_burst(protocol: Protocol) -> bool:
    return protocol.window_ns is None and protocol.min_duration_ns < MINUTE_NS


def _unranked(entry: Entry, result: _Result | None) -> str | None:
    """Return why a row has no rank; None where it can have one.

    In a long run the device is meant to become warm: there, what it says of heat is the result.
    """
    if entry.measured is None or entry.job is None:
        return "failed"
    about_heat = _about_heat(entry.job.protocol)
    if _suspect_beside_heat(entry) if about_heat else _status(entry) is Status.SUSPECT:
        return "suspect"
    if entry.job.protocol.indicative:
        return "its protocol is too short for a result"
    if result is None:
        return "it did not run for eleven minutes"
    if result.low_ns is None:
        return NO_INTERVAL
    return None


def _suspect_beside_heat(entry: Entry) -> bool:
    """Return whether a measurement is doubtful for more than that the device became warm.

    Remarks that leave the numbers valid stand beside the reason of a suspect, so they do not count.
    """
    if _status(entry) is not Status.SUSPECT or entry.measured is None:
        return False
    reasons = set(entry.measured.reasons) - _REMARKS
    return not reasons or not reasons <= _HEAT


def _status(entry: Entry) -> Status:
    if entry.measured is None:
        return Status.FAILED
    return Status.VALID if entry.measured.validity is Validity.VALID else Status.SUSPECT


def _ends(figures: Figures) -> tuple[Stretch | None, Stretch | None]:
    if figures.minute_1 is not None and figures.last_ten is not None:
        return figures.minute_1, figures.last_ten
    return figures.first, figures.last


def _resolution(inputs: Sequence[TensorSpec]) -> str:
    """Return what has to be equal of two networks' inputs, whatever they are named."""
    first = inputs[0].shape
    if len(inputs) == 1 and len(first) == 4 and first[0] == 1:
        if first[1] == 3:
            return f"{first[2]}x{first[3]}"
        if first[3] == 3:
            return f"{first[1]}x{first[2]}"
    return " + ".join("x".join(map(str, tensor.shape)) or "scalar" for tensor in inputs)


def _ms(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / _NS_PER_MS


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
    end = ""
    if recipe != plain:
        end = f", {hashlib.sha256(wire.dumps(recipe).encode()).hexdigest()[:8]}"
    what = f"{naming.shown(model.title)}{inputs} {recipe.label}"
    return escapes.visible(f"{what}, {how}{device.model} ({device.id}), {rule}{choice}{end}")


def _is_image(tensor: TensorSpec) -> bool:
    """Return whether a tensor is the usual input, of which the title states the size."""
    return tensor == TensorSpec(name="image", shape=(1, 3, *tensor.shape[2:4]))


def _why(failure: Failure) -> str:
    return f"{failure.stage}: {failure.error}: {failure.message}"
