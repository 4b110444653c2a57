"""Find what changed between two artifacts, or two model files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mobilebench.inspecting.inspection import Inspection
from mobilebench.values import value
from mobilebench.values.forecast import Forecast, Placement

Shown = str | int | float | None


@value
class Change:
    """One fact that differs; None where a side does not state it."""

    name: str
    before: Shown
    after: Shown


@value
class Moved:
    """Operations of one kind that a class of units refuses more, or less, often than before."""

    forecast: str
    """Label of the class."""
    kind: str
    reason: str
    count: int
    """Above 0: that many more are refused. Below 0: that many were accepted or are gone."""


@value
class Differences:
    """Everything that differs between two files, or their manifests."""

    facts: tuple[Change, ...]
    """From the manifests: model, recipe, tools, parity."""
    file: tuple[Change, ...]
    """Size, content, computation and tensors of the files."""
    operations: tuple[Change, ...]
    """Kinds of operation whose number differs."""
    forecasts: tuple[Change, ...]
    """Figures of the forecasts, by class."""
    moved: tuple[Moved, ...]

    @property
    def none(self) -> bool:
        """Whether nothing differs."""
        parts = (self.facts, self.file, self.operations, self.forecasts, self.moved)
        return not any(parts)


def differences(before: Inspection, after: Inspection) -> Differences:
    """Compare two inspections.

    When, where and how fast the files were made is not compared.
    """
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


def _facts(inspection: Inspection) -> Iterator[tuple[str, Shown]]:
    yield "format", inspection.format.value
    manifest = inspection.manifest
    if manifest is None:
        return
    model, facts = manifest.model, manifest.facts
    yield "model", model.name
    yield "weights", model.weights.description if model.weights else None
    yield "inputs", "; ".join(map(str, model.inputs))
    if facts.preflight is not None:
        yield "outputs", "; ".join(map(str, facts.preflight.outputs))
    yield "params", model.params
    yield "model MACs", model.macs.total if model.macs else None
    recipe = manifest.recipe
    yield "precision", recipe.precision.value
    yield "target", recipe.target
    yield "delegate", recipe.delegate
    yield "form", recipe.form.value
    yield "calibrated on", recipe.calibration.description if recipe.calibration else None
    yield "image input", recipe.image_input.description if recipe.image_input else None
    yield "class labels", f"sha256 {recipe.class_labels}" if recipe.class_labels else None
    yield "widths", ", ".join(recipe.widths) or None
    for width in manifest.widths:
        yield f"{width.name} entry", width.entry
        yield f"{width.name} params", width.model.params
        yield f"{width.name} own bytes", width.own_bytes
        for place, result in enumerate(width.parity):
            parity = f"parity {place + 1}" if place else "parity"
            yield f"{width.name} {parity}", result.description
    for name, version in facts.tool_versions.items():
        yield f"tool {name}", version
    for place, result in enumerate(facts.parity):
        yield f"parity {place + 1}" if place else "parity", result.description
    yield from facts.structure.items()


def _file(inspection: Inspection) -> Iterator[tuple[str, Shown]]:
    yield "size", inspection.size_bytes
    yield "sha256", inspection.sha256
    if (graph := inspection.graph) is None:
        return
    yield "MACs", graph.macs
    yield "constants", graph.weight_bytes
    for place, tensor in enumerate(graph.inputs):
        yield f"input {place + 1}", tensor.text
    for place, tensor in enumerate(graph.outputs):
        yield f"output {place + 1}", tensor.text


def _forecasts(inspection: Inspection) -> Iterator[tuple[str, Shown]]:
    for forecast in inspection.forecasts:
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


def _refused(placement: Placement) -> Counter[tuple[str, str]]:
    return Counter((refusal.kind, refusal.reason) for refusal in placement.refusals)
