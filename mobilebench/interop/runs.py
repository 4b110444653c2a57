"""Cut the log of a tool into its runs, and read each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from mobilebench.errors import SchemaError
from mobilebench.values.reported import Latency, Reported

_CRASH = r"Segmentation fault|\bAborted\b|\bKilled\b|core dumped|terminate called|Fatal signal"
_NO_START = r"not found$|No such file|Permission denied|inaccessible"


@dataclass(frozen=True)
class Log:
    """How one tool prints its runs."""

    program: str
    last: str
    """What the program prints last, in words."""
    starts: str
    """Regular expression of a line that begins a run, such as the command."""
    opens: str
    """Of lines that begin a run where the run before has its result, or gave up."""
    once: tuple[str, ...]
    """Of lines that a run has once."""
    steady: tuple[str, ...]
    """Of lines that a run may repeat, but always with the same text."""
    ends: str
    """Of the line with the result."""
    gives_up: str
    """Of the last line of a run without result, besides crashes."""
    fails: str
    """Of lines that give the reason where there is no result, besides these."""
    read: Callable[[str], Reported]
    """Reads one run; what the text does not state is None."""


@dataclass
class _Run:
    lines: list[str] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    """The text that each regular expression matched."""
    ended: bool = False
    """Its result is there."""
    over: bool = False
    """Its result is there, or will not come."""


def read_runs(log: Log, text: str, path: Path) -> list[Reported]:
    """Read every run in a log; a run that failed beside others is reported without latency.

    Raises `SchemaError` where no run has a result, or one was cut off: then nothing is read.
    """
    runs = list(_runs(log, text))
    results = []
    for place, run in enumerate(runs, start=1):
        result = log.read("\n".join(run.lines))
        name = result.model or "a network that is not named"
        which = f"run {place} of {len(runs)} ({name}) in {path}" if len(runs) > 1 else str(path)
        reason = None if run.ended else _reason(log, run)
        if run.ended and result.latency.mean_ns is None:
            raise SchemaError(
                f"{which} has no average latency that can be read; it may have been cut off."
            )
        if not run.ended and reason is None:
            raise _cut_off(log, which)
        if not run.ended:
            result = replace(result, latency=Latency(), remarks=(f"the run failed: {reason}",))
        results.append(result)
    if not results:
        raise _cut_off(log, str(path))
    if not any(run.ended for run in runs):
        reasons = "; ".join(dict.fromkeys(str(_reason(log, run)) for run in runs))
        raise SchemaError(
            f"{path} has no result: {log.program} failed ({reasons}); only runs that end with a "
            f"result can be imported."
        )
    return results


def _cut_off(log: Log, which: str) -> SchemaError:
    return SchemaError(
        f"{which} has no {log.last}, which {log.program} prints last; the run was stopped, or its "
        f"output was cut off."
    )


def _runs(log: Log, text: str) -> Iterator[_Run]:
    """Yield the parts of a text that have at least one line of the tool."""
    run = _Run()
    marks = (log.starts, log.opens, *log.once, *log.steady)
    gives_up = f"{log.gives_up}|{_CRASH}"
    any_mark = re.compile("|".join((*marks, log.ends, gives_up)))
    for line in text.splitlines():
        if not any_mark.search(line):
            run.lines.append(line)
            continue
        if _begins(log, line, run):
            yield run
            run = _Run()
        for mark in marks:
            match = re.search(mark, line)
            if match:
                run.marks.setdefault(mark, match[0])
        run.lines.append(line)
        run.ended = run.ended or re.search(log.ends, line) is not None
        run.over = run.ended or run.over or re.search(gives_up, line) is not None
    if run.marks or run.ended:
        yield run


def _begins(log: Log, line: str, run: _Run) -> bool:
    """Return whether a line belongs to the next run."""
    if re.search(log.starts, line):
        return bool(run.marks)
    if run.over and re.search(log.opens, line):
        return True
    return any(mark in run.marks and re.search(mark, line) for mark in log.once) or any(
        mark in run.marks and (match := re.search(mark, line)) and match[0] != run.marks[mark]
        for mark in log.steady
    )


def _reason(log: Log, run: _Run) -> str | None:
    """Return the last line that says why a run failed, without its level."""
    reasons = f"{log.fails}|{log.gives_up}|{_CRASH}|{_NO_START}"
    lines = [
        re.sub(r"^(?:INFO|WARNING|ERROR|FATAL): ", "", line.strip()).rstrip(".")
        for line in run.lines
        if re.search(reasons, line)
    ]
    telling = [line for line in lines if "Benchmarking failed" not in line]
    return (telling or lines)[-1] if lines else None
