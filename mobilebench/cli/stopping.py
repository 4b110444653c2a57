"""At a signal to stop the program unwinds: children end, half-made folders go.

Such are Ctrl-C, a polite kill and a hangup. Each is an exception wherever the program stands. Where
that is inside a compiled library, the library may raise an error of another kind in its place; so
the program remembers what came.
"""

from __future__ import annotations

import math
import signal
import time
from types import FrameType

_SAME_WISH_S = 3.0
"""How long after a signal others are ignored: they mean the same, and would cut the unwinding."""


class _Stop:
    """The first signal that came, and when the program last began to unwind."""

    number: int | None = None
    unwound_s = -math.inf


def hear() -> None:
    """Stop at a polite kill, and at Ctrl-C and a hangup unless they are ignored.

    Whoever starts a program in the background, or by nohup, has them ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _heard)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _heard)
    signal.signal(signal.SIGTERM, _heard)


def exit_code() -> int | None:
    """Return the code with which the program ends after one of them; None where none came.

    An error that nobody expected is then the echo of the signal.
    """
    return None if _Stop.number is None else 128 + _Stop.number


def _heard(number: int, frame: FrameType | None) -> None:
    now_s = time.monotonic()
    if now_s - _Stop.unwound_s < _SAME_WISH_S:
        return
    _Stop.unwound_s = now_s
    if _Stop.number is None:
        _Stop.number = number
    if number == signal.SIGINT:
        signal.default_int_handler(number, frame)
    raise SystemExit(128 + number)
