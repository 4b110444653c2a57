"""Report work in progress to whatever displays it."""

from __future__ import annotations

import logging
import time
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


_LOGGER = logging.getLogger("mobilebench")
_STAGE_S = 10.0
"""Least time between two lines about one piece of work, its begin and its end apart."""


class Logged:
    """An observer that logs at the level INFO to `logging.getLogger("mobilebench")`.

    Nothing is shown by default: the level of Python's root logger is WARNING.
    """

    def expect(self, cells: int) -> None:
        pass

    def preparing(self, network: str) -> Progress:
        return LoggedProgress(f"prepare {network}")

    def started(self, cell: str) -> Progress:
        return LoggedProgress(cell)

    def skipped(self, cell: str, outcome: str) -> None:
        _LOGGER.info("%s: %s", cell, outcome)


class LoggedProgress:
    """A piece of work that is logged when it begins, when it ends, and now and then between."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = self._spoke = time.monotonic()
        _LOGGER.info("%s: begins", name)

    def stage(self, name: str) -> None:
        now = time.monotonic()
        if now - self._spoke >= _STAGE_S:
            self._spoke = now
            _LOGGER.info("%s: %s", self._name, name)

    def finished(self, outcome: str) -> None:
        _LOGGER.info("%s: %s after %.0f s", self._name, outcome, time.monotonic() - self._started)


@dataclass(frozen=True)
class Work:
    """One piece of work: its step, and the event that cancels it."""

    progress: Progress = field(default_factory=SilentProgress)
    cancel: Event = field(default_factory=Event)

    def stage(self, name: str) -> None:
        """Report that the work enters a stage."""
        self.progress.stage(name)
