"""Report work in progress to whatever displays it."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import Protocol


class Progress(Protocol):
    """One piece of work in progress; belongs to the observer that began it.

    Two pieces of work may have one name at the same time, so each has its own progress, not a key.
    """

    def stage(self, name: str) -> None:
        """Report that the work enters a stage."""

    def finished(self, outcome: str) -> None:
        """Report that the work ended, successfully or not.

        `outcome` is a few words. Called once.
        """


class Observer(Protocol):
    """Follows the cells of a matrix; may be called from several threads."""

    def expect(self, cells: int) -> None:
        """Report that there are more cells than the matrix began with."""

    def preparing(self, network: str) -> Progress:
        """Report that a network goes through preflight, before any of its cells."""

    def started(self, cell: str) -> Progress:
        """Report that work on a cell begins."""

    def skipped(self, cell: str, outcome: str) -> None:
        """Report that a cell needs no work, or cannot have any.

        `outcome` is a few words.
        """


class Silent:
    """An observer that shows nothing."""

    def expect(self, cells: int) -> None:
        pass

    def preparing(self, network: str) -> Progress:
        return SilentProgress()

    def started(self, cell: str) -> Progress:
        return SilentProgress()

    def skipped(self, cell: str, outcome: str) -> None:
        pass


class SilentProgress:
    """A step that shows nothing."""

    def stage(self, name: str) -> None:
        pass

    def finished(self, outcome: str) -> None:
        pass


@dataclass(frozen=True)
class Work:
    """One piece of work: its step, and the event that cancels it."""

    progress: Progress = field(default_factory=SilentProgress)
    cancel: Event = field(default_factory=Event)

    def stage(self, name: str) -> None:
        """Report that the work enters a stage."""
        self.progress.stage(name)
