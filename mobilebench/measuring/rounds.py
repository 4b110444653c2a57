"""Follow the rounds of a measurement in another process, by the journal that it writes.

Whoever waits for a device reads the journal as it grows, and counts the seconds of a long round by
itself.
"""

from __future__ import annotations

import time
from pathlib import Path

from mobilebench.errors import SchemaError
from mobilebench.observer import Progress
from mobilebench.values import wire
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


class Watch:
    """Reads the round from the journal of a measuring process, and reports it as a stage."""

    def __init__(self, journal: Path, protocol: Protocol, progress: Progress) -> None:
        self._journal = journal
        self._protocol = protocol
        self._progress = progress
        self._size = 0
        self._round: int | None = None
        self._began = self._looked = 0.0
        self._words = ""

    def look(self) -> None:
        """Report the round or its seconds where they have changed; cheap enough for every poll."""
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        for text in self._new_lines():
            round_ = _round_after(text)
            if round_ is not None and round_ != self._round:
                self._round, self._began = round_, now
        if self._round is None or self._round >= self._protocol.rounds:
            return
        sentence = words(self._protocol, self._round, now - self._began)
        if sentence != self._words:
            self._words = sentence
            self._progress.stage(sentence)

    def _new_lines(self) -> list[bytes]:
        """Return the whole lines that came since the last look."""
        if not self._journal.exists():
            return []
        with self._journal.open("rb") as file:
            file.seek(self._size)
            whole = file.read().rpartition(b"\n")[0]
        self._size += len(whole) + bool(whole)
        return whole.split(b"\n") if whole else []


def _round_after(text: bytes) -> int | None:
    """Return the round that runs after a line of a journal; None where the line does not tell.

    A damaged line tells nothing: whoever reads the journal for its samples says so.
    """
    try:
        line = wire.parse(text)
    except SchemaError:
        return None
    if not isinstance(line, dict):
        return None
    ended, start = line.get("round_ended"), line.get("start")
    if isinstance(ended, int):
        return ended + 1
    # A journal leaves out nothing of a start, its round 0 included.
    return start.get("round") if isinstance(start, dict) else None
