"""Print results to stdout, and everything else to stderr.

Whatever is printed here for people passes `notation.escapes.terminal`: names and messages of others
cannot move the cursor, write commands into a log, or pass for another line.
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilebench.notation import escapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType
    from rich.table import Table

    from mobilebench.values.record import Record

_LOG_LINES = 15
# A table that no terminal cuts: files and pipes get the width that the table needs.
_PIPE_WIDTH = 200


def stdout(markup: bool = True) -> Console:
    """Return the console for results."""
    from mobilebench.cli.console import SafeConsole

    return SafeConsole(width=None if sys.stdout.isatty() else _PIPE_WIDTH, markup=markup)


def stderr() -> Console:
    """Return the console for progress and complaints."""
    from mobilebench.cli.console import SafeConsole

    return SafeConsole(stderr=True)


def width() -> int:
    """Return the characters per line of the result."""
    return stdout().width


def pairs() -> Table:
    """Return an empty table of names and texts."""
    from mobilebench.cli.console import SafeTable

    table = SafeTable(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    return table


def columns(*names: str) -> Table:
    """Return an empty table; a column whose name ends in `>` holds numbers."""
    from mobilebench.cli.console import SafeTable

    table = SafeTable(header_style="bold", box=None, pad_edge=False)
    for name in names:
        number = name.endswith(">")
        table.add_column(
            name.removesuffix(">"),
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=number,
        )
    return table


def show(result: RenderableType) -> None:
    """Print a result."""
    stdout().print(result)


def show_plain(result: RenderableType) -> None:
    """Print a result in which words in brackets are names or paths, not markup."""
    stdout(markup=False).print(result)


def show_json(result: Any) -> None:
    """Print a result as JSON."""
    # As bytes of plain text: rich would wrap and colour it.
    sys.stdout.write(json.dumps(result, indent=2, allow_nan=False) + "\n")


def show_text(text: str) -> None:
    """Print a document in a format such as CSV, whose writer has escaped what is in it."""
    sys.stdout.write(text)
    sys.stdout.flush()  # before the next sentence on stderr


def show_line(line: str) -> None:
    """Print a result that is one line for people; a terminal wraps it between words."""
    text = escapes.terminal(line)
    if sys.stdout.isatty():
        text = textwrap.fill(
            text, width(), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    show_text(f"{text}\n")


def tell_unsigned(records: Sequence[Record]) -> None:
    """Tell how many of some records nobody has signed."""
    count = sum(record.signature is None for record in records)
    if count:
        tell(f"{count} of {len(records)} records {'is' if count == 1 else 'are'} not signed.")


def tell(sentence: str) -> None:
    """Print a sentence beside the result."""
    stderr().print(escapes.terminal(sentence), markup=False, highlight=False, soft_wrap=True)


def tell_step(title: str) -> None:
    """Print the title of a step of a longer job, with an empty line before it."""
    stderr().print()
    tell(title)


def annotate(commands: Iterable[str]) -> None:
    """Print commands for GitHub's log, whose writer has escaped what is in them."""
    for command in commands:
        sys.stderr.write(f"{command}\n")
    sys.stderr.flush()


def complain(sentence: str, log_tail: str = "") -> None:
    """Print what is wrong, with the end of a log where there is one."""
    console = stderr()
    for line in log_tail.splitlines()[-_LOG_LINES:]:
        text = f"  | {escapes.terminal(line)}"
        console.print(text, markup=False, highlight=False, style="dim", soft_wrap=True)
    console.print("error: ", style="bold red", end="")
    console.print(escapes.terminal(sentence), markup=False, highlight=False, soft_wrap=True)


def save(path: Path, text: str) -> None:
    """Write a result to a file, whole or not at all, and print where it is."""
    from mobilebench.files import write_text

    write_text(path, text)
    tell(f"written: {path}")


def save_bytes(path: Path, content: bytes) -> None:
    """Write a result that is no text to a file, whole or not at all, and print where it is."""
    from mobilebench.files import write_bytes

    write_bytes(path, content)
    tell(f"written: {path}")


def save_json(path: Path, result: Any) -> None:
    """Write a result to a file as JSON, in the form of `show_json`."""
    save(path, json.dumps(result, indent=2, allow_nan=False) + "\n")
