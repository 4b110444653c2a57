"""The page of one record: what was measured, how, and what came of it over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mobilebench.leaderboard import rank
from mobilebench.leaderboard.rows import Row
from mobilebench.notation.quantities import count, counted, duration, size
from mobilebench.pages.distribution import distribution
from mobilebench.pages.figure import Figure, Table
from mobilebench.pages.templates import Shell, render
from mobilebench.pages.timeline import timeline
from mobilebench.stats import percentile
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.measurement import Failure, Measurement, Validity
from mobilebench.values.record import Record

_MOST_EVENTS = 200
_LOG_LINES = 200


@dataclass(frozen=True)
class Facts:
    """Some facts about one thing, each with its name."""

    title: str
    facts: tuple[tuple[str, str], ...]


def record(
    record: Record, shell: Shell, accuracies: Sequence[Accuracy] = (), model: str | None = None
) -> str:
    """Return the page of a record, as HTML; `model` is another name for its model."""
    [row] = rank([record], accuracies)
    outcome = record.outcome
    return render(
        "record.html.j2",
        shell,
        page="record",
        heading=f"{model or row.model} {row.artifact}",
        record=record,
        row=row,
        failure=outcome if isinstance(outcome, Failure) else None,
        log=outcome.log_tail.splitlines()[-_LOG_LINES:] if isinstance(outcome, Failure) else (),
        suspect=isinstance(outcome, Measurement) and outcome.validity is not Validity.VALID,
        result=list(_result(record, row)),
        figures=figures(record),
        charted=isinstance(outcome, Measurement),
        about=[each for each in _about(record) if each.facts],
        tables=list(_tables(record)),
    )


def figures(record: Record) -> list[Figure]:
    """Return the charts of a record; a failure has none."""
    return [each for each in (timeline(record), distribution(record)) if each is not None]


def _result(record: Record, row: Row) -> Iterator[tuple[str, str, str]]:
    """Yield the numbers that stand first: name, text, and what is small below it."""
    outcome = record.outcome
    if not isinstance(outcome, Measurement) or record.job is None:
        return
    latencies = outcome.samples.latencies_ns()
    spread = ""
    if row.spread_low_ms is not None and row.spread_high_ms is not None:
        low, high = duration(row.spread_low_ms * 1e6), duration(row.spread_high_ms * 1e6)
        spread = f"{low} to {high}"
    yield "median (p50)", duration(percentile(latencies, 50)), spread
    yield "p90", duration(percentile(latencies, 90)), ""
    yield "p99", duration(percentile(latencies, 99)), ""
    yield "fastest", duration(min(latencies)), ""
    yield "inferences", str(len(latencies)), counted(record.job.protocol.rounds, "round")
    if row.measured_top1 is not None:
        images = "" if row.accuracy_images is None else f"on {row.accuracy_images} images"
        yield "top-1, measured", f"{row.measured_top1:.1f} %", images
    if row.published_top1 is not None:
        yield "top-1, published", f"{row.published_top1:.1f} %", "not measured here"


def _facts(title: str, *facts: tuple[str, str | None]) -> Facts:
    return Facts(title, tuple((name, text) for name, text in facts if text))


def _about(record: Record) -> Iterator[Facts]:
    model, recipe, device = record.model, record.recipe, record.device
    yield _facts(
        "Network",
        ("model", model.title),
        ("inputs", ", ".join(map(str, model.inputs))),
        ("parameters", None if model.params is None else count(model.params)),
        ("MACs", None if model.macs is None else count(model.macs.total)),
        ("weights", model.weights.description if model.weights else "not stated"),
        ("published", "; ".join(
            f"{each.source}: top-1 {each.top1} %" for each in model.published if each.top1
        )),
    )  # fmt: skip
    yield _facts(
        "File",
        ("recipe", recipe.label),
        ("precision", recipe.precision),
        ("target", recipe.target),
        ("delegate", recipe.delegate),
        *_file(record),
    )
    system = " ".join(filter(None, (device.os, device.os_version, device.os_build)))
    memory = None if device.ram_bytes is None else size(device.ram_bytes)
    yield _facts(
        "Device",
        ("model", device.model),
        ("kind", device.kind),
        ("name here", device.id),
        ("chip", device.soc),
        ("system", system),
        ("memory", memory),
        ("cores", None if device.cores is None else str(device.cores)),
    )
    yield _facts("Run", *_run(record))
    signature, source = record.signature, record.provenance
    commit = source.git_commit and f"{source.git_commit[:12]}{' with changes' * bool(source.dirty)}"
    yield _facts(
        "Record",
        ("id", record.record_id),
        ("measured", record.created[:19].replace("T", " ") + " UTC"),
        ("by", f"mobilebench {source.harness_version}"),
        ("commit of mobilebench", commit),
        ("commit of the project", source.source_commit),
        ("way to the device", source.transport),
        ("signed by", f"{signature.public_key[:16]}…" if signature else "nobody"),
        ("seen from outside by", record.seen.by if record.seen else None),
    )


def _file(record: Record) -> Iterator[tuple[str, str | None]]:
    facts = record.artifact
    if facts is None:
        return
    yield "sha256", facts.sha256
    yield "size", size(facts.size_bytes)
    yield (
        "made with",
        ", ".join(f"{name} {version}" for name, version in facts.tool_versions.items()),
    )
    for parity in facts.parity:
        passed = "equal to PyTorch within its limits" if parity.passed else "differs from PyTorch"
        yield f"verified by {parity.evaluated_by}", f"{passed}: {parity.description}"
    if facts.agreement is not None:
        yield "agreement", facts.agreement.description
    yield "not verified", facts.unverified


def _run(record: Record) -> Iterator[tuple[str, str | None]]:
    job, outcome = record.job, record.outcome
    if job is None:
        return
    protocol = job.protocol
    yield "protocol", f"{protocol.id}: {protocol.purpose}"
    yield (
        "runtime",
        job.runtime
        if not isinstance(outcome, Measurement)
        else (f"{outcome.runtime.name} {outcome.runtime.version}"),
    )
    yield "compute unit", job.compute_unit
    yield "threads", str(job.threads)
    yield "widths chosen by", job.choice
    if not isinstance(outcome, Measurement):
        return
    yield "evidence of the unit", outcome.runtime.compute_unit_evidence
    yield "settings", ", ".join(f"{k}={v}" for k, v in sorted(outcome.runtime.settings.items()))
    yield "set on the device", ", ".join(record.device_settings)
    if protocol.gate is not None and outcome.gates:
        passed = sum(gate.open for gate in outcome.gates)
        yield (
            "thermal gate",
            (
                f"{protocol.gate.warmest} or cooler; open in {passed} of "
                f"{counted(len(outcome.gates), 'round')}"
            ),
        )
    yield "first load", duration(outcome.loads.first_ns)
    if outcome.loads.warm_ns:
        yield "later loads", f"{duration(min(outcome.loads.warm_ns))} at least"
    yield "peak memory", size(outcome.memory.peak_bytes)
    charging = outcome.before.charging
    yield "charger", None if charging is None else ("connected" if charging else "not connected")
    yield "stopped by its limit of", outcome.stopped
    yield "cut off", "read from the journal of a run that did not end" if outcome.cut_off else None
    if outcome.application is not None:
        app = outcome.application
        yield "program", f"{app.name} {app.version}, {app.build} build"


def _tables(record: Record) -> Iterator[tuple[str, Table]]:
    outcome = record.outcome
    if not isinstance(outcome, Measurement):
        return
    if outcome.unit_timings:
        yield (
            "The same model on other units",
            Table(
                ("unit asked for", "median", "inferences"),
                tuple((t.unit, duration(t.p50_ns), str(t.samples)) for t in outcome.unit_timings),
            ),
        )
    if outcome.parity:
        yield (
            "Outputs on the device",
            Table(
                ("unit and output", "result", "largest error", "limit"),
                tuple(
                    (
                        f"{each.unit}: {output.name}",
                        "within the limit" if output.passed else "outside the limit",
                        "not finite"
                        if output.max_relative_error is None
                        else f"{output.max_relative_error:.1e}",
                        f"{output.limit:.1e}",
                    )
                    for each in outcome.parity
                    for output in each.outputs
                ),
                words=2,
            ),
        )
    if outcome.placement:
        units: dict[str, int] = {}
        for operation in outcome.placement:
            unit = operation.unit or "not stated"
            units[unit] = units.get(unit, 0) + 1
        yield (
            "Operations by unit, as the device plans them",
            Table(
                ("unit", "operations"), tuple((unit, str(number)) for unit, number in units.items())
            ),
        )
    if outcome.events:
        yield (
            "Events",
            Table(
                ("time", "event", "details"),
                tuple(
                    (
                        duration(event.t_ns),
                        event.kind,
                        " ".join(
                            filter(
                                None,
                                (
                                    None
                                    if event.from_width is None
                                    else f"{event.from_width:g} to {event.to_width:g}",
                                    ", ".join(f"{k} {v:g}" for k, v in event.readings.items()),
                                    event.note,
                                ),
                            )
                        ),
                    )
                    for event in outcome.events[:_MOST_EVENTS]
                ),
                words=3,
            ),
        )
