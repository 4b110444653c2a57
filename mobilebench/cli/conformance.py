"""`mobilebench conformance`: check another implementation of the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Json, refuse_given, words_of

if TYPE_CHECKING:
    from mobilebench.conformance.kit import Result
    from mobilebench.conformance.vector import Vector


def command(
    ctx: typer.Context,
    program: Annotated[
        str | None,
        typer.Argument(
            metavar="COMMAND",
            help="Program that reads tasks from its standard input and prints answers.",
        ),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Judge this file of answers instead, such as a phone wrote it.",
            rich_help_panel=Panel.CHOICE,
        ),
    ] = None,
    tasks: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Only write the tasks to this file, for --answers later.",
            rich_help_panel=Panel.OUTPUT,
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these vectors: protocol, engine, stats, headline, job, journal, record, "
            "signature, evidence or diagnoses; repeatable.",
            rich_help_panel=Panel.CHOICE,
        ),
    ] = None,
    time_limit: Annotated[
        float,
        typer.Option(
            min=1,
            metavar="SECONDS",
            help="Seconds that the program may take.",
            rich_help_panel=Panel.WORK,
        ),
    ] = 120.0,
    json: Json = False,
) -> None:
    """Put the golden vectors to a program in any language, and report what it gets wrong.

    docs/contract.md says what tasks and answers look like. Exit code 1 where an answer is wrong or
    missing.
    """
    from mobilebench.conformance import kit
    from mobilebench.errors import UserError

    if sum(given is not None for given in (program, answers, tasks)) != 1:
        raise UserError("Give a COMMAND, or --answers FILE, or --tasks FILE; one of the three.")
    if program is None:
        refuse_given(ctx, ("time_limit",), "is for a COMMAND that is run; leave it out")
    if tasks is not None:
        refuse_given(ctx, ("json",), "is about a result, and --tasks has none; leave it out")
    vectors = _selected(kind or ())
    if tasks is not None:
        output.save(tasks, "".join(f"{kit.task(vector)}\n" for vector in vectors))
        return
    if answers is not None:
        text = kit.read(answers)
    else:
        text = kit.ask(words_of("COMMAND", program or ""), vectors, time_limit)
    results = kit.judge(text, vectors)
    if json:
        from mobilebench.values import wire

        output.show_json(wire.to_plain(results))
    else:
        _show(results)
    if not all(result.right for result in results):
        raise typer.Exit(1)


def _selected(kinds: Sequence[str]) -> list[Vector]:
    from mobilebench import conformance
    from mobilebench.conformance.vector import Kind
    from mobilebench.errors import require_known

    for name in kinds:
        require_known("kind of vectors", name, Kind)
    return [vector for vector in conformance.vectors() if not kinds or vector.kind in kinds]


def _show(results: Sequence[Result]) -> None:
    """Show a line for each kind, then every mistake with what its vector is there to catch."""
    counts = Counter(result.kind for result in results)
    for kind, count in counts.items():
        of_kind = [result for result in results if result.kind is kind]
        right = sum(result.right and result.supported for result in of_kind)
        without = sum(not result.supported for result in of_kind)
        more = f", {without} not supported" if without else ""
        output.show_line(f"{kind}: {right} of {count} right{more}")
    for result in results:
        if result.mistake is not None:
            output.show_line(f"wrong: {result.id}: {result.mistake}. {result.about}")
