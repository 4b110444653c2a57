"""What the command lines of both phone apps' builds share."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Protocol

from mobilebench.errors import MobilebenchError, ProcessFailed


class Ended(Protocol):
    """A test that ended, in whichever language."""

    @property
    def class_name(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def status(self) -> str:
        """`passed`, `failed` or `skipped`."""

    @property
    def detail(self) -> str: ...


def run_verb(parser: argparse.ArgumentParser, args: Sequence[str] | None) -> int:
    """Run the verb in `args`, which the parser has set as `run`; return the exit code.

    0 is good, 1 a check that said no, 2 what the user can mend.
    """
    given = parser.parse_args(args)
    try:
        return int(given.run(given))
    except MobilebenchError as error:
        print(error, file=sys.stderr)
        if isinstance(error, ProcessFailed):
            print(error.log_tail, file=sys.stderr)
        return 2


def report(line: str) -> None:
    """Tell of progress on the error stream."""
    print(line, file=sys.stderr, flush=True)


def show_tests(outcomes: Sequence[Ended], started: float) -> int:
    """Print the tests that did not pass, and the counts; return the exit code.

    `started` is a time of `time.monotonic`.
    """
    for outcome in outcomes:
        if outcome.status != "passed":
            print(f"{outcome.status}: {outcome.class_name}: {outcome.name}\n{outcome.detail}")
    counts = [sum(o.status == s for o in outcomes) for s in ("passed", "failed", "skipped")]
    print("{} passed, {} failed, {} skipped".format(*counts), end=" ")
    print(f"in {time.monotonic() - started:.1f} s")
    return 1 if counts[1] else 0
