"""At Ctrl-C and a polite kill the program unwinds: children end, half-made folders go.

A signal is an exception wherever the program stands. Where that is inside a compiled library, the
library may raise an error of another kind in its place; so the program remembers what came.
"""

from __future__ import annotations

import signal
from types import FrameType

_came: list[int] = []


def hear() -> None:
    """Stop at a polite kill, and at Ctrl-C unless who started the program had it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    signal.signal(signal.SIGTERM, _terminated)


def exit_code() -> int | None:
    """Return the code with which the program ends after one of them; None where none came.

    An error that nobody expected is then the echo of the signal.
    """
    return 128 + _came[-1] if _came else None


def _interrupted(number: int, frame: FrameType | None) -> None:
    _came.append(number)
    signal.default_int_handler(number, frame)


def _terminated(number: int, _: FrameType | None) -> None:
    _came.append(number)
    raise SystemExit(128 + number)
