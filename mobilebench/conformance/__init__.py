"""Golden vectors: what every implementation of the contract computes, and its check.

    cases -> Vector (given, expected) -> a program's answer -> Mistake, or none

`python -m mobilebench.schema vectors` writes the vectors to `tests/vectors`.
"""

from __future__ import annotations

from collections.abc import Iterator

from mobilebench.conformance.vector import Vector


def vectors() -> Iterator[Vector]:
    """Yield every vector, by kind."""
    from mobilebench.conformance import (
        controlled,
        diagnosed,
        engines,
        headlines,
        jobs,
        journals,
        records,
        rules,
        statistics,
        units,
    )

    for part in (
        rules,
        engines,
        statistics,
        headlines,
        jobs,
        journals,
        records,
        units,
        diagnosed,
        controlled,
    ):
        yield from part.vectors()
