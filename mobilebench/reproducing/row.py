"""Say how far a row that was made again is the one of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mobilebench.machine import host
from mobilebench.stats import summarise
from mobilebench.values.artifact import ArtifactFacts, Manifest
from mobilebench.values.measurement import Failure, Measurement
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.record import Record


class Likeness(StrEnum):
    """What became of the file of a row."""

    SAME_FILE = "same file"
    """Equal byte by byte."""
    OTHER_FILE = "another file"
    """Exported and verified, with other bytes."""
    SAME_FAILURE = "same failure"
    """The export, or the run, fails as it did for the table."""
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
    again: Record | None = None
    """The new measurement."""
    not_measured: str | None = None
    """Why there is no new measurement; None where there is one."""

    @property
    def p50_ns(self) -> tuple[float | None, float | None]:
        """The median latency of the table and the new one, in nanoseconds."""
        return _p50(self.record), None if self.again is None else _p50(self.again)

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
    if network:
        return Row(record, Likeness.OTHER_FILE, "; ".join([*network, *versions]), explained=False)
    if versions:
        return Row(record, Likeness.OTHER_FILE, ", ".join(versions))
    reason = "network, weights and versions of all tools are the same, but not the bytes"
    return Row(record, Likeness.OTHER_FILE, reason, explained=False)


def compare_failures(record: Record, failure: Failure) -> Row:
    """Compare what a row says with a failure of now."""
    before = record.outcome
    same = isinstance(before, Failure) and (before.stage, before.error) == (
        failure.stage,
        failure.error,
    )
    return Row(record, Likeness.SAME_FAILURE if same else Likeness.FAILED, failure.description)


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
