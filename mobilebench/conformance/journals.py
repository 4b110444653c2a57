"""Vectors of the journal: what is read from what a device has written so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from mobilebench.conformance import example
from mobilebench.conformance.example import MS
from mobilebench.conformance.vector import Kind, Vector
from mobilebench.errors import UserError
from mobilebench.measuring import journal
from mobilebench.values import wire
from mobilebench.values.device import DeviceState, ThermalState
from mobilebench.values.event import Event, EventKind
from mobilebench.values.evidence import PlacedOperation, UnitTiming
from mobilebench.values.job import Job
from mobilebench.values.journal import End, Line, Load, LoadKind, Start
from mobilebench.values.measurement import Failure, GateLog, Phase, Samples, Stage, Stop
from mobilebench.values.power import Power
from mobilebench.values.unit import ComputeUnit
from mobilebench.values.wire import Plain

_JOB = wire.dumps(example.PLAIN)
_SHA256 = journal.job_sha256(_JOB.encode())
_START = Start(
    job_sha256=_SHA256,
    created="2026-01-02T03:04:05.678Z",
    device=example.DEVICE,
    runtime=example.RUNTIME,
    application=example.APPLICATION,
    before=example.BEFORE,
    before_load_bytes=50_000_000,
)
_AFTER = DeviceState(t_ns=90 * MS, thermal=ThermalState.NOMINAL)
_CRASH = Failure(stage=Stage.RUN, error="Crash", message="signal 11")
_OPEN = (GateLog(waited_ns=0, start=ThermalState.NOMINAL, open=True),)


def _round(number: int, t_ns: int, kind: LoadKind, *, width: float | None = None) -> list[Line]:
    """Return the two lines of a round: a warm-up and a sample, and the last sample."""

    def samples(begin: int, phases: Sequence[Phase]) -> Samples:
        count = len(phases)
        return Samples(
            t_ns=tuple(begin + 2 * MS * index for index in range(count)),
            latency_ns=tuple(MS + number * 10 + index for index in range(count)),
            phase=tuple(phases),
            round=(number,) * count,
            width=() if width is None else (width,) * count,
        )

    return [
        Line(
            n=0,
            loads=(Load(kind=kind, ns=3 * MS + number),),
            gates=_OPEN,
            states=(DeviceState(t_ns=t_ns, thermal=ThermalState.NOMINAL),),
            samples=samples(t_ns + 4 * MS, (Phase.WARM_UP, Phase.MEASURED)),
            peak_bytes=80_000_000 + number,
        ),
        Line(
            n=0,
            samples=samples(t_ns + 8 * MS, (Phase.MEASURED,)),
            peak_bytes=81_000_000 + number,
            round_ended=number,
        ),
    ]


_FIRST = _round(0, 10 * MS, LoadKind.WARM)
_SECOND = _round(1, 30 * MS, LoadKind.WARM)
_CHECK = Line(n=0, parity=(example.PARITY,), loads=(Load(kind=LoadKind.FIRST, ns=40 * MS),))
_WHOLE = [Line(n=0, start=_START), _CHECK, *_FIRST, *_SECOND]
_END = Line(n=0, end=End(after=_AFTER))
_AGAIN = Line(n=0, start=replace(_START, t_ns=60 * MS, round=1))
_LATER = _round(1, 70 * MS, LoadKind.COLD)


_PLAN = Line(
    n=0,
    placement=(
        PlacedOperation(name="conv", kind="Conv", unit=ComputeUnit.NPU),
        PlacedOperation(name="scores", kind="Gemm", unit=ComputeUnit.NPU),
        PlacedOperation(name="pick", kind="ArgMax", unit=ComputeUnit.CPU),
    ),
)
_ON_CPU = UnitTiming(unit=ComputeUnit.CPU, p50_ns=3.0 * MS, samples=10)


def _power(t_ns: int, level: float) -> Power:
    return Power(
        t_ns=(t_ns,), level=(level,), current=(-400_500,), voltage_mv=(3900,), charging=(False,)
    )


def vectors() -> Iterator[Vector]:
    """Yield journals that are read, wholly or in part, and one refused for each reason."""
    yield _vector("whole", "Every line counts.", [*_WHOLE, _END])
    yield _vector(
        "with-everything-beside-the-samples",
        "Events, scheduling and readings of the battery are put together in their order.",
        [
            *_WHOLE[:3],
            Line(
                n=0,
                events=(Event(t_ns=15 * MS, kind=EventKind.SCREEN_OFF),),
                scheduling=(example.IN_FRONT,),
                power=_power(15 * MS, 0.5),
            ),
            *_WHOLE[3:],
            Line(n=0, power=_power(45 * MS, 0.49)),
            _END,
        ],
    )
    yield _vector(
        "with-a-plan-and-times",
        "Where it ran is judged by the plan and the time on the CPU, not by what the start says.",
        [*_WHOLE[:2], _PLAN, Line(n=0, unit_timings=(_ON_CPU,)), *_WHOLE[2:], _END],
    )
    widths = [*_round(0, 10 * MS, LoadKind.WARM), *_round(1, 30 * MS, LoadKind.WARM, width=0.5)]
    yield _vector(
        "widths-begin-in-the-middle",
        "Lines without widths are of the full network.",
        [*_WHOLE[:2], *widths, _END],
    )
    yield _vector("without-an-end", "The process ended, and what it has told counts.", _WHOLE)
    yield _vector(
        "cut-off-within-a-line",
        "What follows the last line feed is left out, and that is said.",
        _text(_WHOLE)[:-25],
    )
    lines = _text([*_WHOLE, _END]).splitlines(keepends=True)
    yield _vector(
        "with-a-damaged-line",
        "A damaged line ends what is read, and the lines after it are left out too.",
        "".join([*lines[:4], lines[4].replace('"n"', "\x00n", 1), *lines[5:]]),
    )
    yield _vector(
        "with-a-lost-line",
        "Numbers show that a line is missing; what follows it is left out.",
        "".join([*lines[:4], *lines[5:]]),
    )
    yield _vector(
        "resumed",
        "Another process went on: of the round that had not ended, only its samples count.",
        [*_WHOLE[:-1], _AGAIN, *_LATER, _END],
    )
    yield _vector(
        "resumed-and-cut-off-again",
        "The second process ended too early as well.",
        [*_WHOLE[:-1], _AGAIN, _LATER[0]],
    )
    yield _vector(
        "stopped-by-heat",
        "A limit of the job ended it, and what was measured until then counts.",
        [*_WHOLE[:-1], Line(n=0, end=End(after=_AFTER, stopped=Stop.HEAT))],
    )
    yield _vector(
        "failed",
        "A failure is the outcome, whatever was measured before it.",
        [
            *_WHOLE[:-1],
            Line(n=0, end=End(after=_AFTER, failure=_CRASH)),
        ],
    )
    yield _vector(
        "without-a-measured-sample",
        "Samples of the warm-up alone are no measurement.",
        [*_WHOLE[:2], replace(_FIRST[0], samples=_warm_up_of(_FIRST[0]))],
    )
    yield _vector(
        "refused-of-another-job",
        "The journal names the job that it is of.",
        _text(_WHOLE).replace(_SHA256, "0" * 64),
        refused=["another job"],
    )
    yield _vector(
        "refused-newer-schema",
        "A newer version may mean something else.",
        _text(_WHOLE).replace('"schema_version":1', '"schema_version":2', 1),
        refused=["schema version", "2"],
    )
    yield _vector(
        "refused-without-a-start",
        "Without a start nothing is known of what was measured.",
        _text(_WHOLE[1:]),
        refused=["start"],
    )
    yield _vector(
        "refused-unknown-field",
        "What is not understood may change what the lines mean.",
        _text(_WHOLE).replace('"round_ended"', '"round_over"', 1),
        refused=["round_over"],
    )
    yield _vector("refused-empty", "An empty file tells nothing.", "", refused=["start"])


def _warm_up_of(line: Line) -> Samples:
    assert line.samples is not None
    columns = line.samples
    return Samples(
        t_ns=columns.t_ns[:1],
        latency_ns=columns.latency_ns[:1],
        phase=columns.phase[:1],
        round=columns.round[:1],
    )


def _text(lines: Sequence[Line]) -> str:
    """Return the content of a journal with these lines, numbered."""
    numbered = (replace(line, n=number) for number, line in enumerate(lines))
    return "".join(f"{wire.dumps(line)}\n" for line in numbered)


def _vector(
    name: str, about: str, content: Sequence[Line] | str, *, refused: list[str] | None = None
) -> Vector:
    text = content if isinstance(content, str) else _text(content)
    given = {"text": text, "job": _JOB}
    expected = answer(given) if refused is None else {"refused": refused}
    return Vector(kind=Kind.JOURNAL, name=name, about=about, given=given, expected=expected)


def answer(given: dict[str, Any]) -> dict[str, Plain]:
    """Return what this program reads from a journal, or a sentence why it is refused."""
    job = wire.loads(Job, given["job"])
    sha256 = journal.job_sha256(given["job"].encode())
    try:
        read = journal.parse(given["text"].encode(), sha256)
    except UserError as error:
        return {"refused": str(error)}
    outcome = journal.outcome(read, job)
    came: dict[str, Any]
    if isinstance(outcome, Failure):
        came = {"failure": {"stage": outcome.stage, "error": outcome.error}}
    else:
        came = {"measurement": wire.to_sparse(outcome)}
        # The computer that reads the records judges them.
        del came["measurement"]["validity"]
    return {
        "lines": len(read.lines),
        "bytes": read.size,
        "left_out": read.remark is not None,
        "ended": read.ended,
        "next_round": read.next_round,
        "last_ns": read.last_ns,
        **came,
    }
