"""`mobilebench check`: whether one set of records is worse than another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output

if TYPE_CHECKING:
    from mobilebench.regress import Report, Rule

EXIT_CODES = {"regressed": 1, "inconclusive": 3}


def command(
    baseline: Annotated[
        str,
        typer.Option(
            help="What to compare with: a file or folder of records, store:commit=3f2a,model=NAME "
            "or git:REF:PATH."
        ),
    ],
    candidate: Annotated[str, typer.Option(help="What to judge; named in the same way.")],
    tolerance: Annotated[
        str, typer.Option(help="Smallest change that matters, such as 3% or 0.03.")
    ] = "3%",
    alpha: Annotated[float, typer.Option(help="Share of false alarms to put up with.")] = 0.01,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="latency p50, latency p90, first load, peak memory, size, parity or placement; "
            "repeatable. Default: all."
        ),
    ] = None,
    allow_different: Annotated[
        list[str] | None,
        typer.Option(help="Field that may differ, such as os_build; repeatable. The report tells."),
    ] = None,
    store: Annotated[str | None, typer.Option(help="Store of `store:` conditions.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write Markdown here, as for a pull request's comment.")
    ] = None,
    github: Annotated[
        bool,
        typer.Option(
            "--github", help="Annotate the log of a GitHub workflow and add to its step summary."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")] = False,
) -> None:
    """Compare records cell by cell and say what regressed, by how much and how surely.

    Exit code 0 where nothing did, 1 where something did, 3 where the runs cannot tell.
    """
    from mobilebench.regress import baselines, check

    rule = parse_rule(tolerance, alpha)
    before, after = baselines.load(baseline, store), baselines.load(candidate, store)
    report = check(before, after, rule, metrics=metric, allow_different=allow_different or ())
    show_report(report, junit=junit, markdown=markdown, github=github, json=json)
    raise typer.Exit(EXIT_CODES.get(report.verdict, 0))


def parse_rule(tolerance: str, alpha: float) -> Rule:
    """A rule from what the command line says; raises `UserError`."""
    from mobilebench.errors import UserError
    from mobilebench.regress import Rule

    text = tolerance.strip()
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise UserError(
            f"--tolerance was given as {tolerance!r}; give a share such as 3% or 0.03."
        ) from None
    return Rule(tolerance=share, alpha=alpha)


def show_report(
    report: Report,
    *,
    junit: Path | None = None,
    markdown: Path | None = None,
    github: bool = False,
    json: bool = False,
) -> None:
    """Print a report, and write it wherever it was asked for."""
    import os

    from rich.table import Table

    from mobilebench.files import write_text
    from mobilebench.regress import reports

    if junit is not None:
        write_text(junit, reports.as_junit(report))
    if markdown is not None:
        write_text(markdown, reports.as_markdown(report))
    if json:
        output.show_json(reports.as_plain(report))
    else:
        table = Table(header_style="bold", box=None, pad_edge=False)
        for title in reports.COLUMNS:
            table.add_column(title, justify="left" if title in _WORDS else "right")
        for comparison in report.comparisons:
            table.add_row(*reports.cells(comparison), style=_STYLES.get(comparison.verdict))
        output.show(table)
        for sentence in reports.remarks(report):
            output.tell(sentence)
        output.show_text(f"{reports.summary(report)}\n")
    if github:
        for annotation in reports.as_annotations(report).splitlines():
            output.tell(annotation)
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            with Path(summary).open("a", encoding="utf-8") as handle:
                handle.write(reports.as_markdown(report))


_WORDS = ("cell", "metric", "verdict")
_STYLES = {"regressed": "red", "improved": "green", "inconclusive": "yellow"}
