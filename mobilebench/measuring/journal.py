"""Write the journal of a measurement, and read from it what was measured.

A process that is killed leaves its journal. What it holds is a measurement that was cut off, and
another process can go on from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mobilebench.errors import SchemaError, UserError
from mobilebench.files import writing
from mobilebench.measuring import engine, evidence
from mobilebench.stats.summary import percentile
from mobilebench.values import wire
from mobilebench.values.event import Event, EventKind
from mobilebench.values.evidence import PlacedOperation, UnitTiming
from mobilebench.values.job import Job
from mobilebench.values.journal import Line, Load, LoadKind, Start
from mobilebench.values.measurement import (
    Failure,
    GateLog,
    Loads,
    Measurement,
    Memory,
    Phase,
    RuntimeInfo,
    Samples,
    Stage,
    Stop,
)
from mobilebench.values.power import Power


def job_sha256(content: bytes) -> str:
    """Return what a journal names its job by: the sha256 of the bytes of the job's file."""
    return hashlib.sha256(content).hexdigest()


class JournalWriter:
    """Appends lines to a journal, each with its number."""

    def __init__(self, path: Path, first: int = 0) -> None:
        self._path = path
        self._next = first

    def add(self, line: Line) -> None:
        """Append a line; its number is set here.

        Raises `OutputError` where it cannot be written.
        """
        text = wire.dumps(replace(line, n=self._next)).encode() + b"\n"
        with writing(self._path), self._path.open("ab") as file:
            file.write(text)
        self._next += 1


@dataclass(frozen=True)
class Journal:
    """The whole lines of a journal."""

    lines: tuple[Line, ...]
    size: int
    """Bytes of the whole lines: where the next one begins."""
    sha256: str
    """Of these bytes."""
    remark: str | None = None
    """What was left out and why, in a sentence; None where nothing was."""

    @property
    def ended(self) -> bool:
        """Whether the measurement came to its end, good or bad."""
        return any(line.end is not None for line in self.lines)

    @property
    def starts(self) -> tuple[Start, ...]:
        """The start of each process that measured, in order; at least one."""
        return tuple(line.start for line in self.lines if line.start is not None)

    @property
    def next_round(self) -> int:
        """The first round that did not end."""
        ended = [line.round_ended for line in self.lines if line.round_ended is not None]
        return max(ended, default=-1) + 1

    @property
    def last_ns(self) -> int:
        """The latest time that anything in it is of, on the measurement's clock."""
        return max(time for line in self.lines for time in _times(line))

    def resumed_at_ns(self, created: str) -> int:
        """Return the measurement's clock at a time in UTC, for a process that goes on then.

        It is later than everything in the journal, whatever the clock on the wall did.
        """
        elapsed = datetime.fromisoformat(created) - datetime.fromisoformat(self.starts[0].created)
        return max(self.last_ns + 1, round(elapsed.total_seconds() * 1e9))


def read(path: Path, job: bytes) -> Journal:
    """Read a journal of the job with that content, up to its last whole line.

    A line that was cut off, is damaged, or has not the next number ends it; the remark says so.
    Raises `SchemaError` for another kind of file and another version, `UserError` for a journal of
    another job.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"The journal {path} cannot be read: {error.strerror}.") from error
    return parse(content, job_sha256(job), str(path))


def parse(content: bytes, sha256: str, what: str = "the journal") -> Journal:
    """Read the content of a journal of the job with that sha256; otherwise as `read`."""
    texts = content.split(b"\n")
    rest = texts.pop()
    lines: list[Line] = []
    size = 0
    remark = f"its last line is cut off after {len(rest)} bytes" if rest else None
    for number, text in enumerate(texts):
        line = _line(text, number, what)
        if isinstance(line, str):
            left_out = len(texts) - number - 1
            remark = f"{line}; {left_out} more line{'s' * (left_out != 1)} left out"
            break
        lines.append(line)
        size += len(text) + 1
    if not lines or lines[0].start is None:
        raise SchemaError(
            f"{what} holds no whole line that starts a measurement"
            f"{f' ({remark})' if remark else ''}, so nothing was measured; remove it to "
            f"begin again."
        )
    for line in lines:
        if line.start is not None and line.start.job_sha256 != sha256:
            raise UserError(
                f"{what} is of another job: it names sha256 {line.start.job_sha256[:12]}, and this "
                f"job has {sha256[:12]}; remove it to begin again."
            )
    digest = hashlib.sha256(content[:size]).hexdigest()
    return Journal(tuple(lines), size, digest, f"{what}: {remark}." if remark else None)


def _line(text: bytes, number: int, what: str) -> Line | str:
    """Return a line, or what is wrong with it. Raises `SchemaError` where it is of no version."""
    try:
        plain = wire.parse(text)
    except SchemaError:
        return f"line {number + 1} is damaged"
    line = wire.from_plain(Line, plain, f"line {number + 1} of {what}")
    if line.n != number:
        return f"line {number + 1} has the number {line.n}, not {number}"
    return line


def line_of(part: engine.Part, loads: tuple[Load, ...], peak_bytes: int) -> Line:
    """Return the line of a part that an engine gave away."""
    return Line(
        n=0,
        loads=loads,
        gates=part.gates,
        samples=part.samples if part.samples.t_ns else None,
        states=part.states,
        events=part.events,
        peak_bytes=peak_bytes,
        round_ended=part.round_ended,
    )


def outcome(journal: Journal, job: Job) -> Measurement | Failure:
    """Put a journal together as the outcome of its job.

    Without an end it is cut off. Where a process went on for another one, the round that had not
    ended counts only as the later one measured it. Raises `SchemaError` where lines contradict each
    other.
    """
    try:
        return _together(journal, job)
    except ValueError as error:
        raise SchemaError(f"The lines of the journal contradict each other: {error}.") from error


def _together(journal: Journal, job: Job) -> Measurement | Failure:
    lines, starts = journal.lines, journal.starts
    end = next((line.end for line in lines if line.end is not None), None)
    if end is not None and end.failure is not None:
        return end.failure
    samples, gates, events = _columns(lines)
    if Phase.MEASURED not in samples.phase:
        return _nothing(journal, end.stopped if end else None)
    states = tuple(state for line in lines for state in line.states)
    # A process that goes on checks again; the last check of a unit counts.
    parity = {each.unit: each for line in lines for each in line.parity}
    placement = next((line.placement for line in lines if line.placement is not None), None)
    timings = tuple(timing for line in lines for timing in line.unit_timings)
    return Measurement(
        runtime=_judged(starts[-1].runtime, samples, placement, timings),
        samples=samples,
        loads=_loads([load for line in lines for load in line.loads]),
        memory=Memory(
            peak_bytes=max(line.peak_bytes for line in lines if line.peak_bytes is not None),
            before_load_bytes=starts[0].before_load_bytes,
        ),
        before=starts[0].before,
        after=end.after if end else [starts[-1].before, *states][-1],
        gates=gates if job.protocol.gate is not None else (),
        states=states,
        events=events,
        power=_power([line.power for line in lines if line.power is not None]),
        scheduling=tuple(each for line in lines for each in line.scheduling),
        application=starts[-1].application,
        parity=tuple(parity.values()),
        placement=placement,
        unit_timings=timings,
        stopped=end.stopped if end else None,
        cut_off=end is None,
    )


def _judged(
    runtime: RuntimeInfo,
    samples: Samples,
    placement: Sequence[PlacedOperation] | None,
    timings: Sequence[UnitTiming],
) -> RuntimeInfo:
    """Judge where the model ran, which a device that begins to measure cannot know yet."""
    if placement is None and not timings:
        return runtime
    p50_ns = percentile(samples.latencies_ns(), 50)
    judged = evidence.judge(runtime.compute_unit_requested, p50_ns, placement, timings)
    return replace(runtime, compute_unit_evidence=judged)


def _columns(
    lines: tuple[Line, ...],
) -> tuple[Samples, tuple[GateLog, ...], tuple[Event, ...]]:
    """Join samples, gates and events, without what a later process measured again."""
    parts: list[Samples] = []
    gates: list[GateLog] = []
    events: list[Event] = []
    for line in lines:
        if line.start is not None and line.n > 0:
            begins = line.start.round
            parts = [_before(part, begins) for part in parts]
            gates = gates[:begins]
            events.append(Event(t_ns=line.start.t_ns, kind=EventKind.RESUMED))
        if line.samples is not None:
            parts.append(line.samples)
        gates += line.gates
        events += line.events
    widths = any(part.width for part in parts)
    samples = Samples(
        t_ns=tuple(t for part in parts for t in part.t_ns),
        latency_ns=tuple(latency for part in parts for latency in part.latency_ns),
        phase=tuple(phase for part in parts for phase in part.phase),
        round=tuple(round_ for part in parts for round_ in part.round),
        width=tuple(
            width for part in parts for width in part.width or (1.0,) * len(part.t_ns) * widths
        ),
    )
    return samples, tuple(gates), tuple(events)


def _before(samples: Samples, round_: int) -> Samples:
    """Return the samples of the rounds before one."""
    count = sum(of_round < round_ for of_round in samples.round)
    return Samples(
        t_ns=samples.t_ns[:count],
        latency_ns=samples.latency_ns[:count],
        phase=samples.phase[:count],
        round=samples.round[:count],
        width=samples.width[:count],
    )


def _loads(loads: list[Load]) -> Loads:
    """Sort loads by their kind; a later process's first load is a cold one."""
    of_kind: dict[LoadKind, list[int]] = {kind: [] for kind in LoadKind}
    for load in loads:
        of_kind[load.kind].append(load.ns)
    first, *others = of_kind[LoadKind.FIRST] or of_kind[LoadKind.FIRST_EVER]
    return Loads(
        first_ns=first,
        warm_ns=tuple(of_kind[LoadKind.WARM]),
        first_ever_ns=next(iter(of_kind[LoadKind.FIRST_EVER]), None),
        cold_ns=(*others, *of_kind[LoadKind.COLD]),
    )


def _power(parts: list[Power]) -> Power | None:
    """Join the readings of the battery; what is known of the counter is what the last one says."""
    if not parts:
        return None
    return replace(
        parts[-1],
        t_ns=tuple(t for part in parts for t in part.t_ns),
        level=tuple(level for part in parts for level in part.level),
        current=tuple(current for part in parts for current in part.current),
        voltage_mv=tuple(voltage for part in parts for voltage in part.voltage_mv),
        charging=tuple(charging for part in parts for charging in part.charging),
    )


def _nothing(journal: Journal, stopped: Stop | None) -> Failure:
    """Return the failure of a measurement without a measured sample."""
    if stopped is not None:
        return Failure(
            stage=Stage.RUN,
            error="Stopped",
            message=f"the limit of {stopped} of the job was reached before the first measured "
            f"sample",
        )
    return Failure(
        stage=Stage.RUN,
        error="CutOff",
        message="the process ended before the first measured sample"
        + (f"; {journal.remark}" if journal.remark else ""),
    )


def _times(line: Line) -> Iterator[int]:
    if line.start is not None:
        yield line.start.t_ns
    if line.samples is not None:
        yield line.samples.t_ns[-1] + line.samples.latency_ns[-1]
    for of_kind in (line.states, line.events, line.scheduling):
        if of_kind:
            yield of_kind[-1].t_ns
    if line.power is not None:
        yield line.power.t_ns[-1]
    yield 0
