"""Show the progress of a matrix, or of images, as live lines on a terminal's stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from mobilebench.cli.output import stderr


class MatrixProgress:
    """An `Observer` that shows live lines; silent where stderr is not a terminal."""

    def __init__(self, title: str, cells: int) -> None:
        console = stderr()
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[stage]}", style="dim"),
            console=console,
            disable=not console.is_terminal,
            # Redrawing takes a little of the machine that is being measured.
            refresh_per_second=2,
        )
        self._all = self.bar.add_task(title, total=cells, stage="")

    def __enter__(self) -> MatrixProgress:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def preparing(self, network: str) -> Line:
        return Line(self, network, "preflight", counted=False)

    def started(self, cell: str) -> Line:
        return Line(self, cell, "", counted=True)

    def skipped(self, cell: str, outcome: str) -> None:
        """Print the outcome of a cell, and count the cell as done."""
        if not self.bar.disable:
            self.bar.console.print(Text(f"  {cell}: {outcome}", style="dim"))
        self.bar.advance(self._all)


class Line:
    """A `Progress` of an observer as a live line below the bar of all cells."""

    def __init__(self, progress: MatrixProgress, name: str, stage: str, *, counted: bool) -> None:
        self._progress = progress
        self._name = name
        self._counted = counted
        self._line = progress.bar.add_task(f"  {name}", total=1, stage=stage)

    def stage(self, name: str) -> None:
        self._progress.bar.update(self._line, stage=name)

    def finished(self, outcome: str) -> None:
        self._progress.bar.remove_task(self._line)
        if self._counted:
            self._progress.skipped(self._name, outcome)


@contextmanager
def counting_images(title: str, images: int) -> Iterator[Callable[[int], None]]:
    """Show a bar over the images of one artifact; yield a function that advances it."""
    console = stderr()
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        refresh_per_second=2,
    )
    with progress:
        bar = progress.add_task(title, total=images)
        yield lambda more: progress.advance(bar, more)
