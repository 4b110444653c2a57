"""Say in sentences what came of making a table again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import metadata

from mobilebench.machine import host
from mobilebench.reproducing.row import Likeness, Row
from mobilebench.reproducing.verdict import Judged
from mobilebench.values.measurement import Measurement, Validity
from mobilebench.values.record import Identity, Record


def sentences(rows: Sequence[Row], judged: Sequence[Judged] = ()) -> Iterator[str]:
    """Yield the count of every outcome, then why rows differ, failed, or were not measured.

    `judged` are the verdicts on the rows, in their order.
    """
    counts = Counter(row.likeness for row in rows)
    tally = ", ".join(f"{counts[each]} {each}" for each in Likeness if counts[each])
    yield f"{len(rows)} row{'s' * (len(rows) != 1)}: {tally}."
    for reason, numbers in _together((row.reason, number) for number, row in _numbered(rows)):
        yield f"{numbers}: {reason}."
    for what, numbers in _together((_what_differs(row), number) for number, row in _numbered(rows)):
        yield f"{numbers}, what differs in the file: {what}."
    yield from unsigned([row.record for row in rows])
    for reason, numbers in _together((row.not_measured, n) for n, row in _numbered(rows)):
        yield f"{numbers}, not measured: {reason}."
    for reason, numbers in _together((_doubts(row), n) for n, row in _numbered(rows)):
        yield f"{numbers}, the new measurement is suspect: {reason}."
    places = ((_elsewhere(row), number) for number, row in _numbered(rows))
    for reason, numbers in _together(places):
        yield f"{numbers}, measured elsewhere: {reason}."
    reasons = ((_verdict(each), number) for number, each in enumerate(judged, start=1))
    for reason, numbers in _together(reasons):
        yield f"{numbers}: {reason}."
    if any(row.ratio is not None for row in rows):
        yield (
            "Ratios are of runs at different times, and no verdict: `mobilebench bench --ab` gives "
            "one."
        )


def _what_differs(row: Row) -> str | None:
    if row.likeness is not Likeness.OTHER_FILE or row.record.artifact is None:
        return None
    return "; ".join(row.differs) or "nothing that its facts show"


def _verdict(judged: Judged) -> str | None:
    """Return the verdict on a row's latency with its reason, in a clause."""
    if judged.not_judged is not None:
        return f"latency not comparable: {judged.not_judged}"
    parts = [f"{each.metric} {each.words}: {each.reason}" for each in judged.comparisons]
    return "; ".join(parts) or None


def unsigned(records: Sequence[Record]) -> Iterator[str]:
    """Yield a sentence about the rows of the table that nobody has signed."""
    marks = (
        ("not signed" if record.signature is None else None, number)
        for number, record in enumerate(records, start=1)
    )
    for mark, numbers in _together(marks):
        yield f"{numbers}: {mark}."


def versions(records: Sequence[Record]) -> Iterator[str]:
    """Yield the versions that a table was made with, beside those that are here."""
    then: dict[str, set[str]] = {}
    for record in records:
        then.setdefault("mobilebench", set()).add(record.provenance.harness_version)
        tools = {} if record.artifact is None else record.artifact.tool_versions
        for tool, version in tools.items():
            then.setdefault(tool, set()).add(version)
        if isinstance(record.outcome, Measurement):
            runtime = record.outcome.runtime
            then.setdefault(runtime.name, set()).add(runtime.version)
    for tool in sorted(then):
        here = _here(tool)
        yield f"{tool} {' and '.join(sorted(then[tool]))}{f' (here {here})' if here else ''}"


def _here(tool: str) -> str | None:
    """Return the version that is installed; None for what is no Python package here."""
    if tool == "mobilebench":
        return host.version()
    try:
        return metadata.version(tool)
    except metadata.PackageNotFoundError:
        return None


def _doubts(row: Row) -> str | None:
    """Return why the new measurement may not be trusted; None where nothing speaks against it."""
    outcome = None if row.again is None else row.again.outcome
    if not isinstance(outcome, Measurement) or outcome.validity is not Validity.SUSPECT:
        return None
    return ", ".join(outcome.reasons)


def _elsewhere(row: Row) -> str | None:
    if not row.elsewhere or row.again is None:
        return None
    before, after = row.record.identity, row.again.identity
    return ", ".join(f"{name} {_pair(name, before, after)}" for name in row.elsewhere)


def _pair(name: str, before: Identity, after: Identity) -> str:
    was, now = (getattr(identity, name) for identity in (before, after))
    return f"{'unknown' if was is None else was} then, {'unknown' if now is None else now} now"


def _numbered(rows: Sequence[Row]) -> list[tuple[int, Row]]:
    return list(enumerate(rows, start=1))


def _together(pairs: Iterator[tuple[str | None, int]]) -> Iterator[tuple[str, str]]:
    """Yield each reason once, with the rows that it is about."""
    by_reason: dict[str, list[int]] = {}
    for reason, number in pairs:
        if reason is not None:
            by_reason.setdefault(reason.rstrip("."), []).append(number)
    for reason, numbers in by_reason.items():
        yield reason, f"row{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
