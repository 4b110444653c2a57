"""State how wide a network is: the share of its channels, for all stages or for each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from mobilebench.errors import UserError
from mobilebench.values import value

STAGES = 4
"""Stages of every network that has widths: their maps have the strides 4, 8, 16 and 32."""
_EXAMPLE = "give a number above 0 and up to 1, such as 0.5, or one for each stage, 1,0.75,0.5,0.5"


@value
class Width:
    """A share of the channels of a network: one for all of its stages, or one for each."""

    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        wrong = [share for share in self.shares if not 0 < share <= 1]  # NaN is in no range
        if wrong or not self.shares:
            given = _text(self.shares) or "nothing"
            raise UserError(f"--width was given as {given}; {_EXAMPLE}.")

    @classmethod
    def parse(cls, text: str) -> Width:
        """Read `0.5`, or `1,0.75,0.5,0.5`. Raises `UserError`."""
        try:
            shares = tuple(float(part) for part in text.split(","))
        except ValueError as error:
            raise UserError(f"--width was given as {text!r}; {_EXAMPLE}.") from error
        return cls(shares=shares)

    @classmethod
    def given(cls, width: Width | float | str | Sequence[float]) -> Width:
        """Return a width that a script states in one of several ways. Raises `UserError`."""
        if isinstance(width, Width):
            return width
        if isinstance(width, str):
            return cls.parse(width)
        shares = (width,) if isinstance(width, int | float) else tuple(width)
        return cls(shares=tuple(float(share) for share in shares))

    @property
    def is_full(self) -> bool:
        """Whether it keeps all channels."""
        return all(share == 1 for share in self.shares)

    @property
    def mean(self) -> float:
        """The mean share over the stages."""
        return math.fsum(self.shares) / len(self.shares)

    @property
    def label(self) -> str:
        """A short text for names of files and networks: `w0.5`, or `w1-0.75-0.5-0.5`."""
        alike = len(set(self.shares)) == 1
        return f"w{_text(self.shares[:1] if alike else self.shares, '-')}"

    def __str__(self) -> str:
        return _text(self.shares)

    def of(self, network: str) -> tuple[float, ...]:
        """Return one share for each stage. Raises `UserError` for another number of them."""
        if len(self.shares) == 1:
            return self.shares * STAGES
        if len(self.shares) != STAGES:
            raise UserError(
                f"--width {self} has {len(self.shares)} numbers, and {network} has {STAGES} "
                f"stages; give one number, or one for each stage."
            )
        return self.shares


def in_one_file(widths: Iterable[Width]) -> tuple[Width, ...]:
    """Return the widths of one file, the widest first.

    Raises `UserError` for fewer than two, and for two that keep the same share of the channels.
    """
    ordered = sorted(widths, key=lambda width: -width.mean)
    if len(ordered) < 2:
        given = f"--width {ordered[0]}" if ordered else "no --width"
        raise UserError(
            f"One file of several widths was asked for with {given}; it needs at least two, such "
            f"as --width 1 --width 0.5."
        )
    for wider, narrower in pairwise(ordered):
        if wider.mean == narrower.mean:
            raise UserError(
                f"One file of several widths was asked for with --width {wider} and --width "
                f"{narrower}, which keep the same share of the channels; leave one of them out."
            )
    return tuple(ordered)


def _text(shares: tuple[float, ...], separator: str = ",") -> str:
    """Write numbers as people type them: 1 rather than 1.0."""
    return separator.join(f"{share:.15g}" for share in shares)
