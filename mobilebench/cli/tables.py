"""Tables of results that several verbs show."""

from __future__ import annotations

from collections import Counter
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
    """Build a table of exports, with a row for each way in which a file was verified.

    Weights have a column where two rows would otherwise look the same.
    """
    names = Counter((exported.name, exported.recipe.label) for exported in results)
    apart = ["weights"] if max(names.values(), default=0) > 1 else []
    numbers = ("rel. error>", "SNR dB>", "same class>", "size>")
    table = output.columns("model", "artifact", *apart, "outcome", *numbers)
    for exported in results:
        for style, (model, artifact, *cells) in _export_rows(exported):
            shown = [_weights(exported) if model else ""] if apart else []
            table.add_row(model, artifact, *shown, *cells, style=style)
    return table


def weights_remarks(results: Sequence[Exported]) -> list[str]:
    """Say which of the exported networks have no weights of a checkpoint."""
    models: dict[str, list[str]] = {}
    for exported in results:
        weights = exported.model.weights if exported.model is not None else None
        if weights is not None and not weights.from_checkpoint:
            models.setdefault(weights.description, []).append(exported.name)
    return [f"{words}: {', '.join(dict.fromkeys(names))}." for words, names in models.items()]


def _weights(exported: Exported) -> str:
    weights = exported.model.weights if exported.model is not None else None
    return weights.label if weights is not None else ""


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
        yield None, (*first, "not verified", "", agreement, size)
    for index, parity in enumerate(facts.parity):
        yield (
            None if parity.passed else "red",
            (
                *(first if index == 0 else ("", "", "")),
                parity.error_text,
                parity.snr_text,
                agreement or _same_class(parity),
                size,
            ),
        )


def _same_class(parity: Parity) -> str:
    share = parity.top1_agreement
    return "" if share is None else f"{share:.0%} of {parity.inputs}"


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
