"""How long a request is tried, and how long it waits between two tries."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from threading import Event

from mobilebench.errors import Cancelled, ServerAway
from mobilebench.notation.quantities import duration

_LONGEST_AFTER_S = 3600.0


@dataclass(frozen=True)
class Patience:
    """Limits of one request, in seconds."""

    total_s: float = 60.0
    """From the first try to the last."""
    first_s: float = 0.5
    """Before the second try; doubled each time."""
    most_s: float = 30.0
    """Between two tries, where the server names no time."""
    answer_s: float = 60.0
    """For the next part of an answer."""


IMPATIENT = Patience(total_s=0.0, answer_s=10.0)
"""Tries once: for a moment in which something else waits."""


class Tries:
    """The tries of one request.

    Many clients lose a server at the same time; a random share of each wait keeps them from coming
    back at the same time.
    """

    def __init__(
        self,
        patience: Patience,
        cancel: Event,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._wait = wait or cancel.wait
        self._draw = draw
        self._until = clock() + patience.total_s
        self._next_s = patience.first_s

    def again(self, error: ServerAway, after_s: float | None = None) -> None:
        """Wait before the next try, at least as long as the server asks for.

        Raises the error where no time is left for another try, `Cancelled` where the caller gives
        up.
        """
        delay_s = self._next_s * (0.5 + self._draw() / 2)
        if after_s is not None:
            # Not at the very moment that it named to everyone.
            delay_s = after_s + delay_s / 2
        self._next_s = min(2 * self._next_s, self._patience.most_s)
        if self._clock() + delay_s > self._until:
            if after_s is not None and after_s > self._patience.total_s:
                raise ServerAway(
                    f"{str(error).rstrip('.')}; it asks to come again in "
                    f"{duration(round(after_s * 1e9))}."
                ) from error
            raise error
        if self._wait(delay_s):
            raise Cancelled


def retry_after_s(headers: Message) -> float | None:
    """Return how long a server asks to wait; None where it does not say.

    A time of day counts from the server's own clock, since this computer's may be off.
    """
    text = (headers.get("Retry-After") or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        then, now = _date(text), _date(headers.get("Date") or "")
        if then is None or now is None:
            return None
        seconds = (then - now).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_AFTER_S)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
