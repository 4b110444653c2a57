"""Review: all that a report says of a change, for people and for CI systems.

A `Report` holds comparisons of records. A review also names both sides, and says what could not be
compared and why: files that are the same, a baseline that is not there yet, a broken export.
"""

from __future__ import annotations

from enum import StrEnum

from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.gate import Report
from mobilebench.regress.rule import Rule
from mobilebench.values import value


class Outcome(StrEnum):
    """What a change came to, in the words of every report."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    INCONCLUSIVE = "inconclusive"
    SAME_FILE = "same file"
    """Both sides made the same files, byte by byte; nothing else was to be measured."""
    NO_BASELINE = "no baseline"
    """There was nothing to compare with."""
    BROKEN = "broken export"
    """The candidate cannot be exported, or does not run."""
    REFUSED = "refused"
    """Nothing could be compared, by a mistake that the caller can fix."""


class FailOn(StrEnum):
    """From which outcome on a change fails."""

    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    NEVER = "never"


_CODES = {
    Outcome.REGRESSED: 1,
    Outcome.REFUSED: 2,
    Outcome.INCONCLUSIVE: 3,
    Outcome.BROKEN: 4,
}


@value
class Fault:
    """Why one file of one side is not there."""

    subject: str
    """The network, and the artifact where it is known."""
    message: str
    advice: str | None = None
    file: str | None = None
    """Relative to the repository; None where the line is not known to be of its code."""
    line: int | None = None
    log_tail: str = ""
    fresh: bool = False
    """The side does not have such a model at all: it is new, or was removed."""


@value
class Figures:
    """What is known of a file that has no counterpart; None where it was not measured."""

    cell: str
    size_bytes: int
    p50_ns: float | None = None
    p90_ns: float | None = None
    first_load_ns: float | None = None
    peak_memory_bytes: int | None = None


@value
class Review:
    """The two sides of a change, and everything that is known of the difference."""

    baseline: str
    """Name of the side that was compared with: a commit and its subject, or a place of records."""
    candidate: str
    rule: Rule
    report: Report | None = None
    """None where nothing was compared by measuring."""
    same: tuple[str, ...] = ()
    """Cells whose file is the same on both sides, byte by byte."""
    alone: tuple[Figures, ...] = ()
    """Files of the candidate without a counterpart."""
    missing: tuple[Fault, ...] = ()
    """What the baseline lacks."""
    broken: tuple[Fault, ...] = ()
    """What the candidate lacks."""
    unmeasured: tuple[str, ...] = ()
    """Files that the device cannot run, in sentences."""
    refusal: str | None = None
    """Why nothing could be compared, in a sentence."""
    fail_on: FailOn | None = None
    """None to say regressed and inconclusive by different exit codes."""
    need_baseline: bool = False
    """Whether a missing baseline fails."""

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        return () if self.report is None else self.report.comparisons

    @property
    def unmatched(self) -> tuple[str, ...]:
        return () if self.report is None else self.report.unmatched

    @property
    def outcome(self) -> Outcome:
        """Return the worst of all that is known."""
        if self.refusal is not None or (self.missing and self.need_baseline):
            return Outcome.REFUSED
        if self.broken:
            return Outcome.BROKEN
        if self.report is not None and (self.comparisons or self.unmatched):
            return Outcome(self.report.verdict)
        return Outcome.SAME_FILE if self.same else Outcome.NO_BASELINE

    @property
    def exit_code(self) -> int:
        """Return 0 for a pass, 1 regressed, 2 refused, 3 inconclusive, 4 a broken export."""
        code = _CODES.get(self.outcome, 0)
        tolerated = {None: (), FailOn.INCONCLUSIVE: (), FailOn.REGRESSED: (3,)}
        if code in tolerated.get(self.fail_on, (1, 3, 4)):
            return 0
        return code

    @property
    def worse(self) -> tuple[Comparison, ...]:
        return tuple(c for c in self.comparisons if c.verdict is Verdict.REGRESSED)

    @property
    def undecided(self) -> tuple[Comparison, ...]:
        return tuple(c for c in self.comparisons if c.undecided)


def grouped(comparisons: tuple[Comparison, ...]) -> dict[str, list[Comparison]]:
    """Return comparisons by their cell, in the order in which cells appear."""
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        groups.setdefault(comparison.cell, []).append(comparison)
    return groups
