"""What a journal holds after any end, and what it must not be taken for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mobilebench.errors import SchemaError, UserError
from mobilebench.measuring import journal
from mobilebench.values import wire
from mobilebench.values.device import DeviceState
from mobilebench.values.event import EventKind
from mobilebench.values.journal import End, Line, Load, LoadKind, Start
from mobilebench.values.measurement import (
    ComputeUnit,
    Failure,
    Measurement,
    Phase,
    RuntimeInfo,
    Samples,
    Stage,
    Stop,
    UnitEvidence,
)
from mobilebench.values.power import Power
from tests.records import PHONE, measured

_SHA = "5" * 64
_JOB = measured().job
_MS = 1_000_000
_START = Start(
    job_sha256=_SHA,
    created="2026-01-02T03:04:05.678Z",
    device=PHONE,
    runtime=RuntimeInfo(
        name="onnxruntime",
        version="1.0",
        compute_unit_requested=ComputeUnit.CPU,
        compute_unit_evidence=UnitEvidence.CONFIRMED,
        delegate=None,
        threads=1,
    ),
    before=DeviceState(t_ns=0),
    before_load_bytes=1000,
)


@pytest.mark.parametrize("created", ["yesterday", "2026-01-02", "2026-02-31T00:00:00Z", ""])
def test_a_start_has_its_time_in_utc(created: str) -> None:
    with pytest.raises(ValueError, match="created"):
        replace(_START, created=created)


def _samples(t_ns: int, round_: int, phase: Phase = Phase.MEASURED, width: float = 0) -> Samples:
    return Samples(
        t_ns=(t_ns, t_ns + 2 * _MS),
        latency_ns=(_MS, _MS),
        phase=(phase,) * 2,
        round=(round_,) * 2,
        width=(width,) * 2 if width else (),
    )


_LINES = (
    Line(n=0, start=_START),
    Line(n=1, loads=(Load(kind=LoadKind.FIRST, ns=70),)),
    Line(n=2, samples=_samples(10, 0, Phase.WARM_UP), peak_bytes=1500),
    Line(n=3, samples=_samples(9 * _MS, 0), peak_bytes=1700, round_ended=0),
    Line(n=4, loads=(Load(kind=LoadKind.WARM, ns=50),), states=(DeviceState(t_ns=20 * _MS),)),
    Line(n=5, samples=_samples(30 * _MS, 1), peak_bytes=1600),
)
_END = Line(n=6, end=End(after=DeviceState(t_ns=40 * _MS)), round_ended=1)


def _text(*lines: Line) -> bytes:
    return b"".join(wire.dumps(line).encode() + b"\n" for line in lines)


def _outcome(*lines: Line) -> Measurement:
    assert _JOB is not None
    outcome = journal.outcome(journal.parse(_text(*lines), _SHA), _JOB)
    assert isinstance(outcome, Measurement)
    return outcome


def test_lines_put_together_are_the_measurement() -> None:
    outcome = _outcome(*_LINES, _END)
    assert outcome.samples.t_ns == (10, 10 + 2 * _MS, 9 * _MS, 11 * _MS, 30 * _MS, 32 * _MS)
    assert outcome.samples.round == (0, 0, 0, 0, 1, 1)
    assert (outcome.loads.first_ns, outcome.loads.warm_ns) == (70, (50,))
    assert (outcome.memory.peak_bytes, outcome.memory.before_load_bytes) == (1700, 1000)
    assert [state.t_ns for state in outcome.states] == [20 * _MS]
    assert outcome.after.t_ns == 40 * _MS and not outcome.cut_off and outcome.stopped is None


def test_a_journal_cut_at_any_byte_is_read_to_its_last_whole_line() -> None:
    whole = _text(*_LINES, _END)
    first = whole.index(b"\n") + 1
    for cut in range(first):
        with pytest.raises(SchemaError, match="no whole line that starts a measurement"):
            journal.parse(whole[:cut], _SHA)
    for cut in range(first, len(whole) + 1):
        content = whole[:cut]
        read = journal.parse(content, _SHA)
        assert len(read.lines) == content.count(b"\n") and read.size == content.rfind(b"\n") + 1
        rest = cut - read.size
        words = f"the journal: its last line is cut off after {rest} bytes." if rest else None
        assert read.remark == words


def test_without_an_end_it_is_cut_off_and_says_so() -> None:
    outcome = _outcome(*_LINES)
    assert outcome.cut_off and len(outcome.samples.t_ns) == 6
    assert outcome.after.t_ns == 20 * _MS, "the last state that is known"
    assert _JOB is not None
    failure = journal.outcome(journal.parse(_text(*_LINES[:3]), _SHA), _JOB)
    assert isinstance(failure, Failure) and failure.stage is Stage.RUN
    assert failure.message == "the process ended before the first measured sample"


def test_the_round_that_had_not_ended_counts_as_it_was_measured_later() -> None:
    again = (
        Line(n=6, start=replace(_START, t_ns=90 * _MS, round=1)),
        Line(n=7, loads=(Load(kind=LoadKind.COLD, ns=60),)),
        Line(n=8, samples=_samples(95 * _MS, 1), peak_bytes=900, round_ended=1),
        Line(n=9, end=End(after=DeviceState(t_ns=99 * _MS), stopped=Stop.HEAT)),
    )
    read = journal.parse(_text(*_LINES), _SHA)
    assert (read.next_round, read.last_ns, read.ended) == (1, 33 * _MS, False)
    assert read.resumed_at_ns("2026-01-02T03:04:06.678Z") == 1_000_000_000
    assert read.resumed_at_ns("2026-01-02T03:04:00.000Z") == 33 * _MS + 1, "its clock was set back"
    outcome = _outcome(*_LINES, *again)
    assert outcome.samples.t_ns[-2:] == (95 * _MS, 97 * _MS) and len(outcome.samples.t_ns) == 6
    assert outcome.loads.cold_ns == (60,) and outcome.stopped is Stop.HEAT
    assert [(event.t_ns, event.kind) for event in outcome.events] == [(90 * _MS, EventKind.RESUMED)]


def test_widths_and_power_are_joined() -> None:
    power = Power(t_ns=(5,), level=(0.5,), current=(None,), voltage_mv=(3900,), charging=(False,))
    lines = (
        *_LINES[:4],
        Line(n=4, samples=_samples(30 * _MS, 0, width=0.5), peak_bytes=1, power=power),
        Line(n=5, power=replace(power, t_ns=(7,))),
    )
    outcome = _outcome(*lines)
    assert outcome.samples.width == (1.0, 1.0, 1.0, 1.0, 0.5, 0.5)
    assert outcome.power is not None and outcome.power.t_ns == (5, 7)


def test_a_failure_is_the_outcome() -> None:
    failure = Failure(stage=Stage.RUN, error="Oops", message="no")
    end = Line(n=6, end=End(after=DeviceState(t_ns=0), failure=failure))
    assert _JOB is not None
    assert journal.outcome(journal.parse(_text(*_LINES, end), _SHA), _JOB) == failure


def _changed(number: int, text: bytes) -> bytes:
    lines = _text(*_LINES, _END).splitlines(keepends=True)
    lines[number] = text
    return b"".join(lines)


@pytest.mark.parametrize(
    ("content", "whole", "remark"),
    [
        (_changed(3, b'{"n":3,\n'), 3, "line 4 is damaged; 3 more lines left out"),
        (_changed(6, b"\0\0\0\0\n"), 6, "line 7 is damaged; 0 more lines left out"),
        (_changed(2, b"\n"), 2, "line 3 is damaged; 4 more lines left out"),
        (_changed(4, b""), 4, "line 5 has the number 5, not 4; 1 more line left out"),
        (_changed(1, b'{"n":1,"peak_bytes":NaN}\n'), 1, "line 2 is damaged; 5 more lines"),
    ],
)
def test_a_damaged_line_ends_the_journal(content: bytes, whole: int, remark: str) -> None:
    read = journal.parse(content, _SHA)
    assert len(read.lines) == whole
    assert read.remark is not None and remark in read.remark


def _plain(line: Line, **changes: object) -> bytes:
    return json.dumps(json.loads(wire.dumps(line)) | changes).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no whole line that starts a measurement, so nothing was measured"),
        (b"[]\n", "line 1 of the journal is not a valid Line"),
        (_text(*_LINES[1:]), "line 1 has the number 1, not 0"),
        (_text(replace(_LINES[1], n=0)), "no whole line that starts a measurement"),
        (_plain(_LINES[0], colour="red"), "colour: Unexpected keyword argument"),
        (_plain(_LINES[0], start={"schema_version": 2}), "has schema version 2, newer than the 1"),
        (_changed(3, _plain(_LINES[2], n=3, peak_bytes=None)), "has samples, and no peak_bytes"),
        (_changed(3, _plain(_LINES[2], n=3, peak_bytes=-1)), "peak_bytes is -1"),
    ],
)
def test_what_is_no_journal_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(SchemaError) as caught:
        journal.parse(content, _SHA)
    assert words in str(caught.value)


def test_a_journal_of_another_job_is_refused() -> None:
    with pytest.raises(UserError, match="of another job: it names sha256 555555555555, and this"):
        journal.parse(_text(*_LINES), "6" * 64)


def test_lines_that_contradict_each_other_are_refused() -> None:
    assert _JOB is not None
    backwards = Line(n=6, samples=_samples(3, 1), peak_bytes=1)
    with pytest.raises(SchemaError, match="contradict each other: samples are not in the order"):
        journal.outcome(journal.parse(_text(*_LINES, backwards), _SHA), _JOB)
