"""`mobilebench check`: judge whether one set of records is worse than another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import (
    Alpha,
    FailsOn,
    Github,
    Json,
    Junit,
    Markdown,
    Metrics,
    NoBaseline,
    Store,
    Tolerance,
    refuse_unused_store,
)

if TYPE_CHECKING:
    from mobilebench.regress import Rule
    from mobilebench.regress.review import FailOn, Review
    from mobilebench.values.record import Record

_HASH = 10
"""Digits of a commit that a report shows."""


def command(
    ctx: typer.Context,
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
    no_baseline: NoBaseline = "fail",
    fail_on: FailsOn = None,
    store: Store = None,
    junit: Junit = None,
    markdown: Markdown = None,
    github: Github = False,
    json: Json = False,
) -> None:
    """Compare records cell by cell: what regressed, by how much, with what confidence.

    Exit code 0 where nothing regressed, 1 where something did, 2 where nothing can be compared, 3
    where the runs cannot decide. The report files are written in every case.
    """
    from mobilebench.errors import NoRecords, UserError
    from mobilebench.regress import baselines, check
    from mobilebench.regress.alone import figures
    from mobilebench.regress.review import Fault, Review

    rule = parse_rule(tolerance, alpha)
    review = Review(
        baseline=baseline, candidate=candidate, rule=rule, fail_on=parse_fail_on(fail_on)
    )
    may_pass = parse_no_baseline(no_baseline)
    refuse_unused_store(ctx, (baseline, candidate))
    show = partial(show_review, junit=junit, markdown=markdown, github=github, json=json)
    try:
        after = baselines.load(candidate, store)
        try:
            before = baselines.load(baseline, store)
        except NoRecords as error:
            if not may_pass:
                raise
            missing = (Fault(subject=baseline, message=str(error), fresh=True),)
            review = replace(review, missing=missing, alone=figures(after))
            show(review)
            raise typer.Exit(review.exit_code) from error
        output.tell_unsigned([*before, *after])
        review = replace(
            review, baseline=_named(baseline, before), candidate=_named(candidate, after)
        )
        report = check(
            before,
            after,
            rule,
            metrics=metric,
            allow_different=allow_different or (),
            anchor=anchor,
        )
    except UserError as error:
        write_review(
            replace(review, refusal=str(error)), junit=junit, markdown=markdown, github=github
        )
        raise
    review = replace(review, report=report)
    show(review)
    raise typer.Exit(review.exit_code)


def _named(place: str, records: Sequence[Record]) -> str:
    """Name a side by its place, and by its commit where all records are of one."""
    commits = {record.provenance.source_commit for record in records}
    commit = commits.pop() if len(commits) == 1 else None
    return place if commit is None else f"{place} (of commit {commit[:_HASH]})"


def parse_fail_on(name: str | None) -> FailOn | None:
    """Read --fail-on. Raises `UnknownName`."""
    if name is None:
        return None
    from mobilebench.errors import require_known
    from mobilebench.regress.review import FailOn

    require_known("outcome to fail on", name, FailOn)
    return FailOn(name)


def parse_no_baseline(choice: str) -> bool:
    """Return whether --no-baseline lets a missing baseline pass. Raises `UnknownName`."""
    from mobilebench.errors import require_known

    require_known("choice of --no-baseline", choice, ("pass", "fail"))
    return choice == "pass"


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


def show_review(
    review: Review,
    *,
    junit: Path | None = None,
    markdown: Path | None = None,
    github: bool = False,
    json: bool = False,
) -> None:
    """Print a review, and write the files that the user requested."""
    from mobilebench.cli import tables
    from mobilebench.regress import reports
    from mobilebench.regress.sentence import sentence

    if json:
        output.show_json(_plain(review))
    else:
        if review.report is not None:
            output.show_plain(tables.comparisons(review.report))
            for remark in reports.remarks(review.report):
                output.tell(remark)
            output.show_line(reports.summary(review.report))
        output.show_line(sentence(review))
    write_review(review, junit=junit, markdown=markdown, github=github)


def _plain(review: Review) -> dict[str, object]:
    """Return every figure of a review ready for JSON: those of its report, and the rest."""
    from mobilebench.regress import reports
    from mobilebench.regress.sentence import sentence

    plain = {name: part for name, part in asdict(review).items() if name != "report"}
    report = {} if review.report is None else reports.as_plain(review.report)
    return {"sentence": sentence(review), "outcome": review.outcome, **plain, **report}


def write_review(
    review: Review, *, junit: Path | None, markdown: Path | None, github: bool
) -> None:
    """Write the files that the user requested, and what GitHub reads."""
    import os

    from mobilebench.files import append_text, write_text
    from mobilebench.regress.annotations import as_annotations
    from mobilebench.regress.junit import as_junit
    from mobilebench.regress.markdown import as_markdown

    if junit is not None:
        write_text(junit, as_junit(review))
    if markdown is not None:
        write_text(markdown, as_markdown(review))
    if github:
        output.annotate(as_annotations(review).splitlines())
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            append_text(Path(summary), f"{as_markdown(review)}\n")
