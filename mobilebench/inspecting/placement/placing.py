"""Forecast placements for every class of compute unit that runs a graph's format."""

from __future__ import annotations

from collections.abc import Sequence

from mobilebench.inspecting.placement import rules
from mobilebench.inspecting.placement.islands import islands
from mobilebench.values.forecast import Basis, Forecast, Placement, Refusal, RuleSource
from mobilebench.values.graph import Graph, total
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.recipe import Format

_NOT_DELEGATED = "left outside the delegate by the exporter"


def placements(graph: Graph, file_format: Format) -> tuple[Placement, ...]:
    """Forecast what each class can take of a graph.

    The forecast follows the file's own partition if it was made ahead of time, else published
    rules.
    """
    if file_format is Format.EXECUTORCH:
        return _partitioned(graph)
    return tuple(_by_rules(graph, rule) for rule in rules.rules(file_format))


def _by_rules(graph: Graph, rule: rules.Rules) -> Placement:
    reasons = [rule.refusal(operation) for operation in graph.operations]
    taken = [reason is None for reason in reasons]
    return Placement(
        forecast=Forecast(
            id=rule.id,
            label=rule.label,
            unit=rule.unit,
            basis=Basis.RULES,
            operations=len(taken),
            taken=sum(taken),
            islands=islands(graph.operations, taken),
            macs_off_share=_macs_off(graph, taken),
        ),
        source=rule.source,
        refusals=_refusals(graph, reasons),
    )


def _partitioned(graph: Graph) -> tuple[Placement, ...]:
    names = sorted({o.delegate for o in graph.operations if o.delegate is not None})
    results = []
    for name in names:
        taken = [operation.delegate == name for operation in graph.operations]
        calls = {o.delegate_call for o in graph.operations if o.delegate == name}
        label, unit = rules.delegates().get(name, (name, ComputeUnit.ALL))
        results.append(
            Placement(
                forecast=Forecast(
                    id=name,
                    label=label,
                    unit=unit,
                    basis=Basis.FILE,
                    operations=len(taken),
                    taken=sum(taken),
                    islands=len(calls),
                    macs_off_share=_macs_off(graph, taken),
                ),
                source=RuleSource(title="the delegates in the file", url=None, as_of="the file"),
                refusals=_refusals(
                    graph, [None if is_taken else _NOT_DELEGATED for is_taken in taken]
                ),
            )
        )
    return tuple(results)


def _macs_off(graph: Graph, taken: Sequence[bool]) -> float | None:
    off = total(
        operation.macs
        for operation, is_taken in zip(graph.operations, taken, strict=True)
        if not is_taken
    )
    return round(off / graph.macs, 6) if off is not None and graph.macs else None


def _refusals(graph: Graph, reasons: Sequence[str | None]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(operation=operation.name, kind=operation.kind, reason=reason)
        for operation, reason in zip(graph.operations, reasons, strict=True)
        if reason is not None
    )
