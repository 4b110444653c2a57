"""Show the progress of a matrix, or of many things, on stderr: live, or as a log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from mobilebench.cli.output import stderr
from mobilebench.observer import Observer

_WIDE = 100
"""Characters of a terminal that has room for a bar beside the names."""
_HEARTBEAT_S = 60.0
"""Silence after which a log says what is being done: CI systems end jobs that print nothing."""


class Following(Observer, AbstractContextManager["Following"], Protocol):
    """An observer that shows what it follows while its context lasts."""


def follow(title: str, cells: int) -> Following:
    """Return an observer of that many cells: live lines on a terminal, else a log."""
    console = stderr()
    return MatrixProgress(title, cells) if console.is_terminal else MatrixLog(title, cells, console)


class _Count(ProgressColumn):
    """Completed of all, for the whole matrix alone."""

    def render(self, task: Task) -> Text:
        if task.total is None or not task.fields.get("counted", True):
            return Text("")
        return Text(f"{task.completed:.0f}/{task.total:.0f}", style="progress.download")


def _columns(console: Console, *more: ProgressColumn) -> list[ProgressColumn]:
    """Put what moves first, so that a narrow terminal cuts names and not the clock."""
    bar = [BarColumn(bar_width=24)] if console.width >= _WIDE else []
    name = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    return [
        _Count(),
        TimeElapsedColumn(),
        *more,
        *bar,
        TextColumn("{task.description}", markup=False, table_column=name),
    ]


class MatrixProgress:
    """A `Following` that shows live lines on a terminal."""

    def __init__(self, title: str, cells: int, console: Console | None = None) -> None:
        console = console or stderr()
        self.bar = Progress(
            *_columns(console, TextColumn("{task.fields[stage]}", style="dim")),
            console=console,
            expand=True,
            # Redrawing takes a little of the machine that is being measured.
            refresh_per_second=2,
        )
        self._all = self.bar.add_task(title, total=cells, stage="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        _stop(self.bar, failed=error[0] is not None)

    def expect(self, cells: int) -> None:
        """Add cells to those that the bar counts to."""
        [task] = [task for task in self.bar.tasks if task.id == self._all]
        self.bar.update(self._all, total=(task.total or 0) + cells)

    def preparing(self, network: str) -> Line:
        return Line(self, network, "preflight", counted=False)

    def started(self, cell: str) -> Line:
        return Line(self, cell, "", counted=True)

    def skipped(self, cell: str, outcome: str) -> None:
        """Print the outcome of a cell, and count the cell as done."""
        self.bar.console.print(Text(f"  {cell}: {outcome}", style="dim"))
        self.bar.advance(self._all)


class Line:
    """A `Progress` of an observer as a live line below the bar of all cells."""

    def __init__(self, progress: MatrixProgress, name: str, stage: str, *, counted: bool) -> None:
        self._progress = progress
        self._name = name
        self._counted = counted
        self._line = progress.bar.add_task(name, total=1, stage=stage, counted=False)

    def stage(self, name: str) -> None:
        self._progress.bar.update(self._line, stage=name)

    def finished(self, outcome: str) -> None:
        self._progress.bar.remove_task(self._line)
        if self._counted:
            self._progress.skipped(self._name, outcome)


class MatrixLog:
    """A `Following` that prints a line for each finished cell, and one after long silence."""

    def __init__(
        self, title: str, cells: int, console: Console, heartbeat_s: float = _HEARTBEAT_S
    ) -> None:
        self._title = title
        self._cells = cells
        self._console = console
        self._heartbeat_s = heartbeat_s
        self._started = self._spoke = time.monotonic()
        self._done = 0
        self._steps: list[LoggedStep] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._heart.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._heart.join()

    def expect(self, cells: int) -> None:
        """Add cells to those that lines count to."""
        with self._lock:
            self._cells += cells

    def preparing(self, network: str) -> LoggedStep:
        return self._begun(LoggedStep(self, network, "preflight", counted=False))

    def started(self, cell: str) -> LoggedStep:
        return self._begun(LoggedStep(self, cell, "", counted=True))

    def skipped(self, cell: str, outcome: str) -> None:
        """Print the outcome of a cell, and count the cell as done."""
        with self._lock:
            self._done += 1
            self._say(f"{cell}: {outcome}")

    def ended(self, step: LoggedStep) -> None:
        """Forget a step that the heartbeat would name."""
        with self._lock:
            self._steps.remove(step)

    def _begun(self, step: LoggedStep) -> LoggedStep:
        with self._lock:
            self._steps.append(step)
        return step

    def _beat(self) -> None:
        """Say what is in progress whenever nothing was printed for long."""
        while not self._ended.wait(self._heartbeat_s / 10):
            with self._lock:
                if self._steps and time.monotonic() - self._spoke >= self._heartbeat_s:
                    self._say(f"still at {'; '.join(map(str, self._steps))}")

    def _say(self, words: str) -> None:
        self._spoke = time.monotonic()
        place = f"{self._title} {self._done}/{self._cells}"
        _print_line(self._console, f"{place} {_clock(self._spoke - self._started)} {words}")


class LoggedStep:
    """A `Progress` of an observer that is printed when it ends."""

    def __init__(self, log: MatrixLog, name: str, stage: str, *, counted: bool) -> None:
        self._log = log
        self._name = name
        self._stage = stage
        self._counted = counted

    def __str__(self) -> str:
        return f"{self._name} ({self._stage})" if self._stage else self._name

    def stage(self, name: str) -> None:
        self._stage = name

    def finished(self, outcome: str) -> None:
        self._log.ended(self)
        if self._counted:
            self._log.skipped(self._name, outcome)


class CountLog:
    """Prints a line for each tenth of many things, such as the images of one artifact."""

    def __init__(self, title: str, count: int, noun: str, console: Console) -> None:
        self._title = title
        self._count = count
        self._noun = noun
        self._console = console
        self._started = time.monotonic()
        self._done = 0

    def add(self, more: int) -> None:
        """Count things that are done."""
        before, self._done = self._done, self._done + more
        if 10 * before // self._count != 10 * self._done // self._count:
            clock = _clock(time.monotonic() - self._started)
            place = f"{self._title} {self._done}/{self._count} {self._noun}"
            _print_line(self._console, f"{place} {clock}")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def _print_line(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def counting(title: str, count: int, noun: str) -> Iterator[Callable[[int], None]]:
    """Show progress over many things; yield a function that advances it.

    `noun` is what they are, such as `images`.
    """
    console = stderr()
    if not console.is_terminal:
        yield CountLog(title, count, noun, console).add
        return
    progress = Progress(
        *_columns(console, TextColumn("left"), TimeRemainingColumn()),
        console=console,
        expand=True,
        refresh_per_second=2,
    )
    with _shown(progress):
        bar = progress.add_task(title, total=count)
        yield lambda more: progress.advance(bar, more)


@contextmanager
def _shown(progress: Progress) -> Iterator[None]:
    progress.start()
    failed = True
    try:
        yield
        failed = False
    finally:
        _stop(progress, failed=failed)


def _stop(progress: Progress, *, failed: bool) -> None:
    """Stop a bar, and take it away where an error follows.

    It would stand above the error as if it went on. The outcomes that were printed stay.
    """
    progress.live.transient = failed
    progress.stop()
