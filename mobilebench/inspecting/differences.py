"""Differences: what changed between two artifacts, or two model files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mobilebench.inspecting.inspection import Inspection
from mobilebench.values import value, wire
from mobilebench.values.forecast import Forecast, Placement

Shown = str | int | float | None


@value
class Change:
    """One fact that is not the same in both; None where one of them does not state it."""

    name: str
    before: Shown
    after: Shown


@value
class Moved:
    """Operations of one kind that a class refuses more, or less, often than before."""

    forecast: str
    """Label of the class."""
    kind: str
    reason: str
    count: int
    """More than 0: so many more are refused; less than 0: so many joined the class or are gone."""


@value
class Differences:
    """Everything that two files, or their manifests, do not agree on."""

    facts: tuple[Change, ...]
    """What the manifests say: model, recipe, tools, parity."""
    file: tuple[Change, ...]
    """Size, content, computation and tensors of the files."""
    operations: tuple[Change, ...]
    """Kinds of which there are not as many in both."""
    forecasts: tuple[Change, ...]
    """Figures of the forecasts, by class."""
    moved: tuple[Moved, ...]

    @property
    def none(self) -> bool:
        """Whether nothing at all differs."""
        parts = (self.facts, self.file, self.operations, self.forecasts, self.moved)
        return not any(parts)


def differences(before: Inspection, after: Inspection) -> Differences:
    """Compare two inspections; nothing of when, where and how fast they were made."""
    return Differences(
        facts=_changes(dict(_facts(before)), dict(_facts(after))),
        file=_changes(dict(_file(before)), dict(_file(after))),
        operations=_changes(dict(before.op_histogram), dict(after.op_histogram), absent=0),
        forecasts=_changes(dict(_forecasts(before)), dict(_forecasts(after))),
        moved=tuple(_moved(before, after)),
    )


def _changes(
    before: dict[str, Shown], after: dict[str, Shown], absent: Shown = None
) -> tuple[Change, ...]:
    return tuple(
        Change(name=name, before=before.get(name, absent), after=after.get(name, absent))
        for name in (*before, *(name for name in after if name not in before))
        if before.get(name, absent) != after.get(name, absent)
    )


def _facts(found: Inspection) -> Iterator[tuple[str, Shown]]:
    yield "format", found.format.value
    manifest = found.manifest
    if manifest is None:
        return
    model, facts = manifest.model, manifest.facts
    yield "model", model.name
    yield "weights", model.weights.origin if model.weights else None
    yield "inputs", "; ".join(map(str, model.inputs))
    yield "outputs", "; ".join(map(str, facts.preflight.outputs))
    yield "params", model.params
    yield "model MACs", model.macs.total if model.macs else None
    for name, setting in wire.to_plain(manifest.recipe).items():
        yield name, setting if isinstance(setting, str | None) else str(setting)
    for name, version in facts.tool_versions.items():
        yield f"tool {name}", version
    for place, result in enumerate(facts.parity):
        yield f"parity {place + 1}" if place else "parity", result.description
    yield from facts.structure.items()


def _file(found: Inspection) -> Iterator[tuple[str, Shown]]:
    yield "size", found.size_bytes
    yield "sha256", found.sha256
    if (graph := found.graph) is None:
        return
    yield "MACs", graph.macs
    yield "constants", graph.weight_bytes
    for place, tensor in enumerate(graph.inputs):
        yield f"input {place + 1}", tensor.text
    for place, tensor in enumerate(graph.outputs):
        yield f"output {place + 1}", tensor.text


def _forecasts(found: Inspection) -> Iterator[tuple[str, Shown]]:
    for forecast in found.forecasts:
        yield forecast.label, _figures(forecast)


def _figures(forecast: Forecast) -> str:
    off = forecast.macs_off_share
    share = "MACs off not known" if off is None else f"{off:.1%} of MACs off"
    return f"takes {forecast.taken} of {forecast.operations}, islands {forecast.islands}, {share}"


def _moved(before: Inspection, after: Inspection) -> Iterator[Moved]:
    earlier = {placed.forecast.label: placed for placed in before.placements}
    for placed in after.placements:
        label = placed.forecast.label
        if label not in earlier:
            continue
        was, now = _refused(earlier[label]), _refused(placed)
        for kind, reason in sorted(was.keys() | now.keys()):
            count = now[kind, reason] - was[kind, reason]
            if count:
                yield Moved(forecast=label, kind=kind, reason=reason, count=count)


def _refused(placed: Placement) -> Counter[tuple[str, str]]:
    return Counter((refusal.kind, refusal.reason) for refusal in placed.refusals)
