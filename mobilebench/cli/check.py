"""`mobilebench check`: judge whether one set of records is worse than another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import (
    Alpha,
    Github,
    Json,
    Junit,
    Markdown,
    Metrics,
    Store,
    Tolerance,
)

if TYPE_CHECKING:
    from mobilebench.regress import Report, Rule


def command(
    baseline: Annotated[
        str,
        typer.Option(
            metavar="RECORDS",
            rich_help_panel=Panel.CHOICE,
            help="Records to compare with: a file or a folder, store:commit=3f2a,model=NAME or "
            "git:REF:PATH.",
        ),
    ],
    candidate: Annotated[
        str,
        typer.Option(
            metavar="RECORDS",
            rich_help_panel=Panel.CHOICE,
            help="Records to judge, named in the same way.",
        ),
    ],
    tolerance: Tolerance = "3%",
    alpha: Alpha = 0.01,
    metric: Metrics = None,
    allow_different: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            rich_help_panel=Panel.VERDICT,
            help="Field that may differ, such as os_build; repeatable. The report names it.",
        ),
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=Panel.VERDICT,
            help="Reference artifact that both sides measured in the same session, to divide "
            "latencies by: its name or the beginning of its sha256.",
        ),
    ] = None,
    store: Store = None,
    junit: Junit = None,
    markdown: Markdown = None,
    github: Github = False,
    json: Json = False,
) -> None:
    """Compare records cell by cell: what regressed, by how much, with what confidence.

    Exit code 0 where nothing regressed, 1 where something did, 3 where the runs cannot decide.
    """
    from mobilebench.regress import baselines, check

    rule = parse_rule(tolerance, alpha)
    before, after = baselines.load(baseline, store), baselines.load(candidate, store)
    report = check(
        before,
        after,
        rule,
        metrics=metric,
        allow_different=allow_different or (),
        anchor=anchor,
    )
    show_report(report, junit=junit, markdown=markdown, github=github, json=json)
    raise typer.Exit(exit_code(report))


def exit_code(report: Report) -> int:
    """Return the exit code of a verdict."""
    from mobilebench.regress import Verdict

    return {Verdict.REGRESSED: 1, Verdict.INCONCLUSIVE: 3}.get(report.verdict, 0)


def parse_rule(tolerance: str, alpha: float) -> Rule:
    """Read a rule from the command line. Raises `UserError`."""
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
    """Print a report, and write the files that the user requested."""
    import os

    from mobilebench.cli import tables
    from mobilebench.files import write_text
    from mobilebench.regress import reports

    if junit is not None:
        write_text(junit, reports.as_junit(report))
    if markdown is not None:
        write_text(markdown, reports.as_markdown(report))
    if json:
        output.show_json(reports.as_plain(report))
    else:
        output.show_plain(tables.comparisons(report))
        for sentence in reports.remarks(report):
            output.tell(sentence)
        output.show_line(reports.summary(report))
    if github:
        output.annotate(reports.as_annotations(report).splitlines())
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            with Path(summary).open("a", encoding="utf-8") as handle:
                handle.write(reports.as_markdown(report))
