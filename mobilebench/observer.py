"""Observer: how the pipeline tells what it is doing to whoever shows it."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Told about each cell of a matrix by its name; may be called from several threads."""

    def preparing(self, network: str) -> None:
        """A network is loaded and checked, before any of its cells."""

    def prepared(self, network: str) -> None:
        """That is over, well or not."""

    def started(self, cell: str) -> None:
        """Work on a cell begins."""

    def stage(self, cell: str, name: str) -> None:
        """A cell enters a stage."""

    def finished(self, cell: str, outcome: str) -> None:
        """A cell is done; `outcome` is a few words."""


class Silent:
    """Shows nothing."""

    def preparing(self, network: str) -> None:
        pass

    def prepared(self, network: str) -> None:
        pass

    def started(self, cell: str) -> None:
        pass

    def stage(self, cell: str, name: str) -> None:
        pass

    def finished(self, cell: str, outcome: str) -> None:
        pass
