"""Tables of results that several verbs show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mobilebench.cli import output
from mobilebench.notation import quantities

if TYPE_CHECKING:
    from rich.table import Table

    from mobilebench.exporting.matrix import Exported
    from mobilebench.regress import Report
    from mobilebench.values.artifact import Agreement, Parity

_STYLES = {
    "regressed": "red",
    "improved": "green",
    "inconclusive": "yellow",
    "not comparable": "yellow",
}


def exports(results: Sequence[Exported]) -> Table:
    """Build a table of exports, with a row for each way in which a file was verified."""
    quantized = any(exported.recipe.precision.quantized for exported in results)
    titles = ["model", "artifact", "outcome", "rel. error>", "SNR dB>", "top-1>", "size>"]
    table = output.columns(*titles, *(["agreement>"] if quantized else []))
    for exported in results:
        for style, row in _export_rows(exported):
            table.add_row(*row[: len(table.columns)], style=style)
    return table


def _export_rows(exported: Exported) -> Iterable[tuple[str | None, tuple[str, ...]]]:
    from mobilebench.values.artifact import Artifact

    name = exported.name, exported.recipe.label
    if not isinstance(exported.outcome, Artifact):
        yield "red", (*name, f"failed: {exported.outcome.stage}")
        return
    facts = exported.outcome.manifest.facts
    size, agreement = quantities.size(facts.size_bytes), _agreement(facts.agreement)
    first = (
        *name,
        "cached" if exported.cached else quantities.duration((facts.export_seconds or 0) * 1e9),
    )
    if facts.unverified:
        yield None, (*first, "not verified", "", "", size, agreement)
    for index, parity in enumerate(facts.parity):
        yield (
            None if parity.passed else "red",
            (*(first if index == 0 else ("", "", "")), *_parity(parity), size, agreement),
        )


def _parity(parity: Parity) -> tuple[str, str, str]:
    top1 = "" if parity.top1_agreement is None else f"{parity.top1_agreement:.0%}"
    return parity.error_text, parity.snr_text, top1


def _agreement(agreement: Agreement | None) -> str:
    if agreement is None:
        return ""
    verdict = "" if agreement.passed else " TOO LOW"
    return f"{agreement.top1:.0%} of {agreement.inputs} ({agreement.inputs_text}){verdict}"


def comparisons(report: Report) -> Table:
    """Build a table with a row for every comparison of a report."""
    from mobilebench.regress import reports

    words = ("cell", "metric", "verdict")
    table = output.columns(*(t if t in words else f"{t}>" for t in reports.COLUMNS))
    for comparison in report.comparisons:
        table.add_row(*reports.cells(comparison), style=_STYLES.get(comparison.verdict))
    return table
