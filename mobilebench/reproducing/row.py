"""Say how far a row that was made again is the one of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from mobilebench.machine import host
from mobilebench.notation import quantities
from mobilebench.stats import summarise
from mobilebench.values.artifact import ArtifactFacts, Manifest
from mobilebench.values.measurement import Failure, Measurement
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.record import Record

_MOST = 4
"""Operations that a sentence about two files names."""


class Likeness(StrEnum):
    """What became of the file of a row."""

    SAME_FILE = "same file"
    """Equal byte by byte."""
    OTHER_FILE = "another file"
    """Exported and verified, with other bytes."""
    SAME_FAILURE = "same failure"
    """The export, or the run, fails at the same stage with the same error and message."""
    FAILURE_OF_THE_KIND = "failure of that kind"
    """It fails at the same stage with the same error, and its message is another one."""
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Row:
    """One row of a table, and what came of making it again."""

    record: Record
    """As the table has it."""
    likeness: Likeness
    reason: str | None = None
    """Why it failed, was not tried, or is another file; in one sentence."""
    explained: bool = True
    """False where the reason for another file is neither a tool nor a machine."""
    differs: tuple[str, ...] = ()
    """What is not the same of another file: its size, its operations, what it says of itself."""
    again: Record | None = None
    """The new measurement, or the first of several."""
    more: tuple[Record, ...] = ()
    """Further new measurements."""
    others: tuple[Record, ...] = ()
    """Other runs of the table's own, beside the one that it shows."""
    not_measured: str | None = None
    """Why there is no new measurement; None where there is one."""

    @property
    def p50_ns(self) -> tuple[float | None, float | None]:
        """The median latency of the table and the new one, in nanoseconds.

        Of several new measurements it is the median of their medians.
        """
        new = [p50 for run in self.runs if (p50 := _p50(run)) is not None]
        return _p50(self.record), median(new) if new else None

    @property
    def runs(self) -> tuple[Record, ...]:
        """Every new measurement."""
        return () if self.again is None else (self.again, *self.more)

    @property
    def ratio(self) -> float | None:
        """The new median latency as a multiple of the table's."""
        before, after = self.p50_ns
        return after / before if before and after else None

    @property
    def missing(self) -> bool:
        """Whether the table has a latency, and no new one was measured though it was tried."""
        return self.p50_ns[0] is not None and self.again is None and self.not_measured is not None

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Fields of the identity in which the two measurements differ: device, system, runtime."""
        if self.ratio is None or self.again is None:
            return ()
        return self.record.identity.differences(self.again.identity)

    @property
    def title(self) -> str:
        """The row in words: network, recipe, and where it was measured."""
        return self.record.title


def _p50(record: Record) -> float | None:
    outcome = record.outcome
    if not isinstance(outcome, Measurement):
        return None
    return summarise(outcome.samples.latencies_ns()).p50_ns


def compare_files(record: Record, again: Manifest) -> Row:
    """Compare the file of a row with the one that was exported again."""
    before, facts = record.artifact, again.facts
    if before is None:
        return Row(record, Likeness.OTHER_FILE, "the table's export failed; this one succeeds")
    if before.sha256 == facts.sha256:
        return Row(record, Likeness.SAME_FILE)
    network = list(_other_network(record.model, again.model, before, facts))
    if record.recipe != again.recipe:
        network.append(f"the recipe is now {again.recipe.label}, with other images or labels")
    versions = list(_other_versions(record, before, facts))
    differs = tuple(_differing(before, facts))
    if network:
        reason = "; ".join([*network, *versions])
    elif versions:
        return Row(record, Likeness.OTHER_FILE, ", ".join(versions), differs=differs)
    elif _same_network(record.model, again.model, before, facts):
        reason = "network, weights and versions of all tools are the same, but not the bytes"
    else:
        reason = (
            "the versions of all tools are the same, but not the bytes; whether the network is the "
            "same cannot be told"
        )
    return Row(record, Likeness.OTHER_FILE, reason, explained=False, differs=differs)


def compare_failures(record: Record, failure: Failure) -> Row:
    """Compare what a row says with a failure of now."""
    before = record.outcome
    likeness = Likeness.FAILED
    if isinstance(before, Failure) and (before.stage, before.error) == (
        failure.stage,
        failure.error,
    ):
        same = before.message == failure.message
        likeness = Likeness.SAME_FAILURE if same else Likeness.FAILURE_OF_THE_KIND
    return Row(record, likeness, failure.description)


def compare_given(record: Record, facts: ArtifactFacts) -> Row:
    """Compare the file of a row that was not exported with the one that is here."""
    before = record.artifact
    if before is not None and before.sha256 == facts.sha256:
        return Row(record, Likeness.SAME_FILE)
    reason = "the file was changed while it was read"
    return Row(record, Likeness.OTHER_FILE, reason, explained=False)


def _same_network(
    before: ModelSpec, after: ModelSpec, facts: ArtifactFacts, new: ArtifactFacts
) -> bool:
    """Return whether code and weights are shown to be the same, by their digests."""
    weights = before.weights, after.weights
    if weights[0] is None or weights[1] is None or facts.preflight is None or new.preflight is None:
        return False
    if weights[0].state_sha256 != weights[1].state_sha256:
        return False
    graphs = facts.preflight.program_sha256, new.preflight.program_sha256
    same_code = facts.preflight.fingerprint == new.preflight.fingerprint
    return same_code or (graphs[0] is not None and graphs[0] == graphs[1])


def _differing(before: ArtifactFacts, after: ArtifactFacts) -> Iterator[str]:
    """Yield what is not the same of two files, as far as their facts show it."""
    if before.size_bytes != after.size_bytes:
        sizes = [quantities.size(each.size_bytes) for each in (before, after)]
        exact = [f"{each.size_bytes:,} bytes" for each in (before, after)]
        then, now = exact if sizes[0] == sizes[1] else sizes
        yield f"size {then} then, {now} now"
    for noun, was, is_now in (
        ("operations", before.op_histogram, after.op_histogram),
        ("structure", before.structure, after.structure),
    ):
        names = [name for name in {**was, **is_now} if was.get(name) != is_now.get(name)]
        changes = [
            f"{name} {was.get(name, 'not there')} then, {is_now.get(name, 'not there')} now"
            for name in names[:_MOST]
        ]
        more = f", and {len(names) - _MOST} more" if len(names) > _MOST else ""
        if changes:
            yield f"{noun}: {', '.join(changes)}{more}"


def _other_network(
    before: ModelSpec, after: ModelSpec, facts: ArtifactFacts, new: ArtifactFacts
) -> Iterator[str]:
    """Yield what is not the same of the network itself."""
    if before.params != after.params:
        yield f"the network has {after.params} parameters, and had {before.params}"
    weights = before.weights, after.weights
    if all(weights) and weights[0].state_sha256 != weights[1].state_sha256:  # type: ignore[union-attr]
        yield "its weights are others"
    checks = facts.preflight, new.preflight
    if checks[0] is None or checks[1] is None:
        return
    graphs = checks[0].program_sha256, checks[1].program_sha256
    same_torch = checks[0].torch_version == checks[1].torch_version
    if same_torch and None not in graphs and graphs[0] != graphs[1]:
        yield "its code gives another graph"


def _other_versions(record: Record, before: ArtifactFacts, after: ArtifactFacts) -> Iterator[str]:
    """Yield the tools whose versions are not those of the table."""
    if record.provenance.harness_version != (now := host.version()):
        yield f"mobilebench {record.provenance.harness_version} (here {now})"
    for tool in sorted({*before.tool_versions, *after.tool_versions}):
        was, is_now = before.tool_versions.get(tool), after.tool_versions.get(tool)
        if was != is_now:
            yield f"{tool} {was or 'not used'} (here {is_now or 'not used'})"
