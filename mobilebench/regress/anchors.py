"""Anchors: a reference artifact that was measured in both sessions, to divide latencies by.

Two sessions differ by the day as well as by the code. The reference meets the same day, so the
ratio to it leaves the code. Every run is divided by a separate run of the reference, so the noise
of the reference enters the interval and the p-value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mobilebench.errors import UserError
from mobilebench.regress.runs import Runs
from mobilebench.regress.sides import FIELDS
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record

_OF_THE_FILE = {
    "runtime", "runtime_version", "format", "precision", "target", "delegate", "inputs",
}  # fmt: skip
_LEAST_PREFIX = 6
_SESSION = timedelta(days=1)
"""Time between a run and its reference above which they are not of one session."""


@dataclass(frozen=True)
class Anchor:
    """The runs of the reference on both sides."""

    name: str
    sides: tuple[Sequence[Record], Sequence[Record]]

    @classmethod
    def find(cls, wanted: str, sides: Sequence[Iterable[Record]]) -> Anchor:
        """Return the artifact that a name or the beginning of a sha256 stands for.

        Raises `UserError` where a side lacks it, or the sides hold different files.
        """
        matches = [[record for record in side if _is(record, wanted)] for side in sides]
        for word, match in zip(("baseline", "candidate"), matches, strict=True):
            if not match:
                raise UserError(
                    f"--anchor {wanted}: the {word} has no measured run of such an artifact; "
                    f"measure it in the {word}'s session, or name one of "
                    f"{', '.join(_names(sides)) or 'those that both sides have'}."
                )
        files = sorted({_sha256(record)[:12] for match in matches for record in match})
        if len(files) > 1:
            raise UserError(
                f"--anchor {wanted} stands for {len(files)} different files "
                f"({', '.join(files[:4])}); give the sha256 of one that both sides have."
            )
        name = f"{_name(matches[0][0])} ({files[0]})"
        return cls(name, (matches[0], matches[1]))

    def has(self, record: Record) -> bool:
        """Return whether a record is a run of the reference."""
        return any(record.record_id == own.record_id for side in self.sides for own in side)

    def divide(self, runs: Runs) -> Runs:
        """Return the runs of a cell with their references; those without one are dropped.

        Raises `UserError` where a side has no reference under the cell's conditions, and where the
        sides are interleaved already.
        """
        if runs.paired:
            raise UserError(
                f"--anchor: the runs of {runs.cell} are interleaved pairs, which meet the same "
                f"conditions already; leave out --anchor."
            )
        chosen = [
            _partners(side, self._under(side[0], references, runs, word))
            for side, references, word in zip(
                runs.sides, self.sides, ("baseline", "candidate"), strict=True
            )
        ]
        baseline, candidate = ([run for run, _ in side] for side in chosen)
        first, second = ([reference for _, reference in side] for side in chosen)
        if not baseline or not candidate:
            raise UserError(
                f"--anchor {self.name} was not measured within a day of the runs of {runs.cell}; "
                f"measure it in the same session as them."
            )
        return replace(
            runs,
            baseline=baseline,
            candidate=candidate,
            anchors=(first, second),
            anchor=self.name,
            dropped=(
                runs.dropped[0] + len(runs.baseline) - len(baseline),
                runs.dropped[1] + len(runs.candidate) - len(candidate),
            ),
        )

    def _under(
        self, run: Record, references: Sequence[Record], runs: Runs, word: str
    ) -> list[Record]:
        """Return the references that were measured under the conditions of a run."""
        alike = [record for record in references if _conditions(record) == _conditions(run)]
        if not alike:
            raise UserError(
                f"--anchor {self.name}: the {word} has it only under other conditions than "
                f"{runs.cell}; measure both with the same device, protocol, unit and threads."
            )
        same = [r for r in alike if r.identity.runtime == run.identity.runtime]
        return same or alike


def _partners(runs: Sequence[Record], references: Sequence[Record]) -> list[tuple[Record, Record]]:
    """Return each run with a separate reference: of its pair, else the next in time."""
    by_pair = {(r.session.id, r.session.pair): r for r in references if r.session is not None}
    pairs = [
        (run, by_pair[run.session.id, run.session.pair])
        for run in runs
        if run.session is not None and (run.session.id, run.session.pair) in by_pair
    ]
    if 2 * len(pairs) >= len(runs):
        return pairs
    ordered = (sorted(side, key=lambda r: (r.created, r.record_id)) for side in (runs, references))
    return [
        (run, reference)
        for run, reference in zip(*ordered, strict=False)
        if abs(_time(run) - _time(reference)) <= _SESSION
    ]


def _time(record: Record) -> datetime:
    return datetime.fromisoformat(record.created)


def _conditions(record: Record) -> tuple[object, ...]:
    identity = record.identity
    return tuple(getattr(identity, name) for name in FIELDS if name not in _OF_THE_FILE)


def _is(record: Record, wanted: str) -> bool:
    if not isinstance(record.outcome, Measurement):
        return False
    prefix = len(wanted) >= _LEAST_PREFIX and _sha256(record).startswith(wanted.lower())
    return prefix or wanted in (_name(record), record.model.title)


def _name(record: Record) -> str:
    return f"{record.model.title} {record.recipe.label}"


def _sha256(record: Record) -> str:
    return "" if record.artifact is None else record.artifact.sha256


def _names(sides: Sequence[Iterable[Record]]) -> list[str]:
    """Return the names of artifacts that both sides have measured, as `--anchor` takes them."""
    both = [
        {_name(record) for record in side if isinstance(record.outcome, Measurement)}
        for side in sides
    ]
    return [f"'{name}'" for name in sorted(both[0] & both[1])][:4]
