"""Progress of a matrix, and of images: live lines on stderr, none where it is no terminal."""

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
    """An `Observer` that shows live lines; silent where stderr is no terminal."""

    def __init__(self, title: str, cells: int) -> None:
        console = stderr()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[stage]}", style="dim"),
            console=console,
            disable=not console.is_terminal,
            # Redrawing takes a little of the machine that is being measured.
            refresh_per_second=2,
        )
        self._all = self._progress.add_task(title, total=cells, stage="")
        self._lines: dict[str, int] = {}

    def __enter__(self) -> MatrixProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def preparing(self, network: str) -> None:
        self._lines[network] = self._progress.add_task(f"  {network}", total=1, stage="preflight")

    def prepared(self, network: str) -> None:
        self._progress.remove_task(self._lines.pop(network))  # type: ignore[arg-type]

    def started(self, cell: str) -> None:
        self._lines[cell] = self._progress.add_task(f"  {cell}", total=1, stage="")

    def stage(self, cell: str, name: str) -> None:
        self._progress.update(self._lines[cell], stage=name)  # type: ignore[arg-type]

    def finished(self, cell: str, outcome: str) -> None:
        line = self._lines.pop(cell, None)
        if line is not None:
            self._progress.remove_task(line)  # type: ignore[arg-type]
        if not self._progress.disable:
            self._progress.console.print(Text(f"  {cell}: {outcome}", style="dim"))
        self._progress.advance(self._all)


@contextmanager
def counting_images(title: str, images: int) -> Iterator[Callable[[int], None]]:
    """A bar over the images of one artifact; yields what is told how many more are done."""
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
