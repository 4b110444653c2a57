"""Follow the rounds of a measurement in another process, without entering its timed loops.

The measuring process writes the number of a round into a file before it begins the round: before
it rests, loads and warms up. It writes nothing while it samples. Whoever waits for it reads the
file, and counts the seconds of a long round by itself.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mobilebench.observer import Progress
from mobilebench.values.protocol import Protocol

_LOOK_S = 0.25
"""Least time between two looks at the file: more would take time from what is measured."""
_LONG_S = 5.0
"""Length of a round from which its seconds are counted."""


def words(protocol: Protocol, round_: int, elapsed_s: float) -> str:
    """Say which round of a protocol runs, and for how long where it is a long one.

    `round_` counts from 0. A protocol of one short round has nothing to say but its name.
    """
    parts = []
    if protocol.rounds > 1:
        parts.append(f"round {round_ + 1} of {protocol.rounds}")
    least_ns = protocol.cool_down_ns + protocol.warm_up.min_duration_ns + protocol.min_duration_ns
    if least_ns / 1e9 >= _LONG_S:
        parts.append(f"{elapsed_s:.0f} s of at least {least_ns / 1e9:.0f}")
    return ", ".join(parts) or protocol.id


def begin_in(file: Path) -> Callable[[int], None]:
    """Return what the measuring process calls before each round (`engine.Instruments.begin`)."""

    def begin(round_: int) -> None:
        file.write_text(str(round_))

    return begin


class Watch:
    """Reads the round from the file of a measuring process, and reports it as a stage."""

    def __init__(self, file: Path, protocol: Protocol, progress: Progress) -> None:
        self.file = file
        self._protocol = protocol
        self._progress = progress
        self._round: int | None = None
        self._began = self._looked = 0.0
        self._words = ""

    def look(self) -> None:
        """Report the round or its seconds where they have changed; cheap enough for every poll."""
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        text = self.file.read_text() if self.file.exists() else ""
        if not text:  # it has not begun, or is just being written
            return
        if int(text) != self._round:
            self._round, self._began = int(text), now
        sentence = words(self._protocol, self._round, now - self._began)
        if sentence != self._words:
            self._words = sentence
            self._progress.stage(sentence)


@contextmanager
def watched(protocol: Protocol, progress: Progress) -> Iterator[Watch]:
    """Create the file of a measurement's rounds, which is gone when the context is left."""
    with tempfile.TemporaryDirectory(prefix="mobilebench-rounds-") as folder:
        yield Watch(Path(folder) / "round", protocol, progress)
