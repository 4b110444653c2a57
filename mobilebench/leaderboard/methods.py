"""Say in sentences how a table was measured, from its records alone.

Every sentence states what the records hold. What they do not hold is stated as not known, or left
out; nothing is taken from the protocol that the runs themselves did not do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mobilebench.notation import quantities
from mobilebench.notation.quantities import counted
from mobilebench.results.spread import spread
from mobilebench.values.artifact import Parity
from mobilebench.values.device import Device, DeviceKind
from mobilebench.values.job import Job
from mobilebench.values.measurement import Measurement, Phase, Validity
from mobilebench.values.protocol import Convergence, Headline, Protocol
from mobilebench.values.record import Record
from mobilebench.values.reported import Reported
from mobilebench.values.unit import ComputeUnit, UnitEvidence
from mobilebench.values.wishes import FIXED_PERFORMANCE, THERMAL_STATUS

_LEAST_WAIT_NS = 1_000_000
"""A shorter wait is the time that a question takes."""
_UNITS = {
    ComputeUnit.CPU: "the CPU",
    ComputeUnit.GPU: "the GPU",
    ComputeUnit.NPU: "the NPU",
    ComputeUnit.ALL: "any unit that the runtime chose",
}
_KINDS = {
    DeviceKind.HOST: "a computer, not a phone",
    DeviceKind.SIMULATED: "simulated: no phone was measured",
    DeviceKind.BOARD: "a board, not a phone",
}


@dataclass(frozen=True)
class _Run:
    """A measured row."""

    record: Record
    job: Job
    outcome: Measurement


def sentences(
    records: Sequence[Record], reported: Sequence[Reported] = ()
) -> list[tuple[str, list[str]]]:
    """Return paragraphs, each with its heading and its sentences, as plain text.

    The records are those of the rows of a table.
    """
    runs = [
        _Run(record, record.job, record.outcome)
        for record in records
        if isinstance(record.outcome, Measurement) and record.job is not None
    ]
    paragraphs = []
    if runs:
        paragraphs = [
            ("Devices and software", [*_devices(runs), *_software(runs), *_conditions(runs)]),
            ("Protocol", [*_protocols(runs)]),
            ("Statistics", [*_statistics(runs)]),
        ]
    about_rows = [*_verified(records), *_validity(records, runs), *_origin(records)]
    if reported:
        verb = "is" if len(reported) == 1 else "are"
        about_rows.append(
            f"{counted(len(reported), 'result')} {verb} reported by others: "
            f"{'it was' if len(reported) == 1 else 'they were'} not measured here, and "
            f"{'is' if len(reported) == 1 else 'are'} not ranked among the rows."
        )
    return [*paragraphs, ("Rows", about_rows)] if about_rows else paragraphs


def _devices(runs: Sequence[_Run]) -> Iterator[str]:
    devices = list(dict.fromkeys(_device(run.record.device) for run in runs))
    if len(devices) == 1:
        yield f"All latencies were measured on {devices[0]}."
    else:
        yield f"Latencies were measured on {len(devices)} devices: {'; '.join(devices)}."


def _device(device: Device) -> str:
    """Return a device in words: what it is, its hardware and its system with the build."""
    parts = ["" if device.soc in (None, device.model) else device.soc or ""]
    parts += [f"{device.cores} cores"] if device.cores else []
    parts += [f"{-(-device.ram_bytes >> 30)} GiB of memory"] if device.ram_bytes else []
    build = "build not known" if device.os_build is None else f"build {device.os_build}"
    kind = _KINDS.get(device.kind, f"a {device.kind}")
    hardware = ", ".join(filter(None, parts))
    system = f"{device.os} {device.os_version}, {build}"
    return f"{device.model} ({'; '.join(filter(None, (kind, hardware, system)))})"


def _software(runs: Sequence[_Run]) -> Iterator[str]:
    for words, of_runtime in _by(runs, _runtime):
        yield f"{words} ran {counted(len(of_runtime), 'row')}."
    for unit, of_unit in _by(runs, lambda run: run.outcome.runtime.compute_unit_requested):
        yield from _evidence(ComputeUnit(unit), of_unit)


def _runtime(run: _Run) -> str:
    runtime, application = run.outcome.runtime, run.outcome.application
    delegate = f" with {runtime.delegate}" if runtime.delegate else ""
    settings = ", ".join(f"{name}={content}" for name, content in sorted(runtime.settings.items()))
    inside = ""
    if application is not None:
        inside = f", in {application.name} {application.version} ({application.build} build)"
    return (
        f"{runtime.name} {runtime.version}{delegate} on {_UNITS[runtime.compute_unit_requested]} "
        f"with {counted(runtime.threads, 'thread')}{f' ({settings})' if settings else ''}{inside}"
    )


def _evidence(unit: ComputeUnit, runs: Sequence[_Run]) -> Iterator[str]:
    """Yield how well it is known that a unit did the work, and by what."""
    grades = Counter(run.outcome.runtime.compute_unit_evidence for run in runs)
    words = {
        UnitEvidence.CONFIRMED: "confirmed",
        UnitEvidence.LIKELY: "likely",
        UnitEvidence.NOT_SUPPORTED: "contradicted by the device's own plan",
        UnitEvidence.UNKNOWN: "not known",
    }
    shares = [
        f"{words[each]} for {_share(grades[each], len(runs))}"
        for each in UnitEvidence
        if grades[each]
    ]
    if unit is ComputeUnit.CPU:
        basis = "the CPU runs whatever is asked of it"
    else:
        planned = _share(sum(run.outcome.placement is not None for run in runs), len(runs))
        timed = _share(sum(bool(run.outcome.unit_timings) for run in runs), len(runs))
        basis = (
            f"the evidence is the device's own plan of operations ({planned} with one) and the "
            f"latency of the same file on other units ({timed} with one)"
        )
    yield f"That {_UNITS[unit]} did the work is {' and '.join(shares)}; {basis}."


def _conditions(runs: Sequence[_Run]) -> Iterator[str]:
    """Yield the charger, what a computer saw and set, and the app's build."""
    charging = Counter(map(_charging, runs))
    if charging[True] or charging[False]:
        parts = [(charging[True], "charging"), (charging[False], "not charging")]
        parts += [(charging[None], "in a state that is not known")]
        shares = [f"{words} in {_share(number, len(runs))}" for number, words in parts if number]
        yield f"When a run began the device was {' and '.join(shares)}."
    for by, watched in _by(
        [run for run in runs if run.record.seen is not None],
        lambda run: run.record.seen.by if run.record.seen else "",
    ):
        yield (
            f"A computer started {_share(len(watched), len(runs), 'run')} and watched the device "
            f"from outside by {by}."
        )
    for name, words in (
        (FIXED_PERFORMANCE, "in the fixed-performance mode, which lowers the highest clock"),
        (THERMAL_STATUS, "with a thermal status that was set by hand: a rehearsal, no result"),
    ):
        wished = [run for run in runs if run.record.seen and name in run.record.seen.wished]
        if wished:
            which = _share(len(wished), len(runs), "run").capitalize()
            yield f"{which} {_was(len(wished))} made {words}."


def _charging(run: _Run) -> bool | None:
    """Return whether the device was charging, as it says itself or else as a computer saw it."""
    itself = run.outcome.before.charging
    battery = run.record.seen.before.battery if run.record.seen else None
    return battery.charging if itself is None and battery is not None else itself


def _protocols(runs: Sequence[_Run]) -> Iterator[str]:
    for _, of_protocol in _by(runs, lambda run: repr(run.job.protocol)):
        protocol = of_protocol[0].job.protocol
        yield f"Each row is one run of the protocol {protocol.id}: {_rule(protocol)}."
        if protocol.indicative:
            yield f"{protocol.id} is too short for a result."
        yield from _gate(protocol, of_protocol)
        yield _counts(of_protocol)


def _rule(protocol: Protocol) -> str:
    warm = protocol.warm_up
    rounds = counted(protocol.rounds, "round")
    rest = f" rests for {_time(protocol.cool_down_ns)}," if protocol.cool_down_ns else ""
    least = counted(warm.min_iterations, "inference")
    shortest = f" and {_time(warm.min_duration_ns)}" if warm.min_duration_ns else ""
    until = "" if warm.convergence is None else f", until {_converged(warm.convergence)}"
    measured = [f"at least {counted(protocol.inferences, 'inference')}"]
    if protocol.min_duration_ns:
        measured.append(f"for at least {_time(protocol.min_duration_ns)}")
    pace = ""
    if protocol.interval_ns is not None:
        pace = (
            f", one every {_time(protocol.interval_ns)}; an inference that takes longer drops "
            f"the frames that come meanwhile"
        )
    which = "which" if protocol.rounds == 1 else "each of which"
    return (
        f"{rounds}, {which}{rest} loads the file anew, warms up by at least {least}{shortest}"
        f"{until} (at most {_time(warm.max_duration_ns)}), and then measures "
        f"{', '.join(measured)} and at most {_time(protocol.max_duration_ns)}{pace}"
    )


def _converged(rule: Convergence) -> str:
    return (
        f"exponential moving averages of the latency with the weights {rule.fast:g} and "
        f"{rule.slow:g} stay within {rule.tolerance:.0%} of each other for more than "
        f"{rule.consecutive} inferences in a row"
    )


def _gate(protocol: Protocol, runs: Sequence[_Run]) -> Iterator[str]:
    gate = protocol.gate
    if gate is None:
        yield f"{protocol.id} has no thermal gate."
        return
    logs = [log for run in runs for log in run.outcome.gates]
    count = len(logs)
    began = sum(log.open for log in logs)
    silent = sum(not log.open and log.start is None for log in logs)
    parts = [
        (began, "began so"),
        (silent, "began although the device does not tell its thermal state"),
        (count - began - silent, "began warmer, when the time was over"),
    ]
    shares = [f"{_share(number, count, 'round')} {words}" for number, words in parts if number]
    yield (
        f"Before a round the thermal gate waits until the device reports the state "
        f"{gate.warmest} or a cooler one, at most {_time(gate.max_wait_ns)}"
        f"{': ' if shares else ''}{', '.join(shares)}."
    )
    longest = max((log.waited_ns for log in logs), default=0)
    if longest >= _LEAST_WAIT_NS:
        yield f"The longest wait was {_time(longest)}."


def _counts(runs: Sequence[_Run]) -> str:
    """Return how much was really measured."""
    samples = [run.outcome.samples for run in runs]
    measured = [each.phase.count(Phase.MEASURED) for each in samples]
    warm = [each.phase.count(Phase.WARM_UP) for each in samples]
    rounds = [len(set(each.select().round)) for each in samples]
    return (
        f"A row thus holds {_range(measured, 'measured inference')} in {_range(rounds, 'round')}, "
        f"after {_range(warm, 'inference')} of warm-up, which count for nothing."
    )


def _statistics(runs: Sequence[_Run]) -> Iterator[str]:
    yield (
        "p50 and p90 are the median and the 90th percentile of all measured inferences of a row; "
        "none is left out."
    )
    kinds: dict[str, list[str]] = {}
    for run in runs:
        between = spread(run.job.protocol, run.outcome.samples)
        if between is not None:
            names = kinds.setdefault(between.kind, [])
            if run.job.protocol.id not in names:
                names.append(run.job.protocol.id)
    for kind, names in kinds.items():
        yield f"The spread of p50 is the {kind} ({', '.join(names)})."
    if any("interval" in kind for kind in kinds):
        yield (
            "The interval is by order statistics, for any distribution, with rounds as the "
            "sampling unit, since the inferences of a round share its state; it covers other "
            "rounds of the same process, not another day and not another device of the model."
        )
    if any("range" in kind for kind in kinds):
        yield "A range has no confidence: neighbouring windows depend on each other."
    for _, of_protocol in _by(runs, lambda run: repr(run.job.protocol)):
        protocol = of_protocol[0].job.protocol
        if protocol.headline is Headline.TRIMMED_MEAN:
            yield (
                f"The result of {protocol.id} is the mean over its rounds of each round's mean "
                f"without its {protocol.trim} lowest and highest samples."
            )


def _verified(records: Sequence[Record]) -> Iterator[str]:
    facts = [record.artifact for record in records if record.artifact is not None]
    checked: list[Parity] = [parity for each in facts for parity in each.parity]
    if not facts:
        return
    passed = sum(bool(each.parity) and all(p.passed for p in each.parity) for each in facts)
    failed = sum(not all(parity.passed for parity in each.parity) for each in facts)
    silent = len(facts) - passed - failed
    parts = [
        (passed, "agree with PyTorch's within the limits of their precision"),
        (failed, "differ from PyTorch's by more than that"),
        (silent, "were not compared with PyTorch's"),
    ]
    shares = [
        f"those of {_share(number, len(facts), 'file')} {words}"
        for number, words in parts
        if number
    ]
    errors = [each.max_relative_error for each in checked]
    worst = ""
    if errors and None not in errors:
        largest = max(error for error in errors if error is not None)
        worst = f"; the largest relative error is {largest:.1e}"
    yield f"Of the outputs of the files, {', '.join(shares)}{worst}."


def _validity(records: Sequence[Record], runs: Sequence[_Run]) -> Iterator[str]:
    suspect = [run for run in runs if run.outcome.validity is Validity.SUSPECT]
    if suspect:
        reasons = dict.fromkeys(str(reason) for run in suspect for reason in run.outcome.reasons)
        yield (
            f"{_share(len(suspect), len(runs), 'run').capitalize()} {_is(len(suspect))} suspect: "
            f"{', '.join(reasons)}."
        )
    failed = len(records) - len(runs)
    if failed:
        yield f"{_share(failed, len(records)).capitalize()} failed and {_has(failed)} no latency."


def _origin(records: Sequence[Record]) -> Iterator[str]:
    if not records:
        return
    versions = sorted({record.provenance.harness_version for record in records})
    days = sorted({record.created[:10] for record in records})
    span = f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"
    signed = sum(record.signature is not None for record in records)
    keys = {record.signature.public_key for record in records if record.signature is not None}
    by = f", by {counted(len(keys), 'key')}" if keys else ""
    yield f"The rows were made {span} by mobilebench {' and '.join(versions)}."
    yield f"{_share(signed, len(records), 'record').capitalize()} {_is(signed)} signed{by}."


def _by(runs: Iterable[_Run], of: Callable[[_Run], str]) -> Iterator[tuple[str, list[_Run]]]:
    """Yield the runs in groups, by a text, in the order of the table."""
    groups: dict[str, list[_Run]] = {}
    for run in runs:
        groups.setdefault(of(run), []).append(run)
    yield from groups.items()


def _share(number: int, of: int, noun: str = "row") -> str:
    """Return `all 3 rows`, `both rows`, `2 of 3 rows`, `the row` or `no row`."""
    if number == of:
        return {1: f"the {noun}", 2: f"both {noun}s"}.get(of, f"all {of} {noun}s")
    return f"no {noun}" if not number else f"{number} of {of} {noun}s"


def _is(number: int) -> str:
    return "is" if number <= 1 else "are"


def _was(number: int) -> str:
    return "was" if number <= 1 else "were"


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def _range(numbers: Sequence[int], noun: str) -> str:
    low, high = min(numbers), max(numbers)
    if low == high:
        return f"{high:,} {noun}{'s' * (high != 1)}"
    return f"{low:,} to {high:,} {noun}s"


def _time(nanoseconds: float) -> str:
    """Return a duration without zeros that say nothing: `8 s`, `33.3 ms`."""
    number, _, unit = quantities.duration(nanoseconds).partition(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}"
