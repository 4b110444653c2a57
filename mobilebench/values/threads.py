"""The number of threads that a runtime is asked for."""

from __future__ import annotations

from mobilebench.errors import UserError

MOST_THREADS = 1024
"""Threads that a runtime can be asked for; with far more it never starts."""


def require_threads(threads: object) -> None:
    """Raise `UserError` unless `threads` is a number of threads that a runtime can start."""
    if type(threads) is not int or not 1 <= threads <= MOST_THREADS:
        raise UserError(
            f"The number of threads was given as {threads!r}; give a whole number from 1 to "
            f"{MOST_THREADS}."
        )
