"""`mobilebench inspect`: what an artifact, or a bare model file, holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.options import Json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mobilebench.inspecting.inspection import Inspection
    from mobilebench.values.artifact import Agreement, ArtifactFacts
    from mobilebench.values.graph import Graph
    from mobilebench.values.recipe import Calibration, ImageInput

_LARGEST = 8


def command(
    artifact: Annotated[
        Path,
        typer.Argument(
            help="Folder that `mobilebench export` printed, or a model file: .onnx, .tflite, "
            ".pte, .mlpackage."
        ),
    ],
    operations: Annotated[
        bool, typer.Option("--operations", help="List every operation of the file.")
    ] = False,
    json: Json = False,
) -> None:
    """Show an artifact's model, weights, parity and operations, and where these could run."""
    from rich.console import Group

    from mobilebench.inspecting import inspection

    found = inspection.inspect(artifact)
    if json:
        output.show_json(found.to_plain())
        return
    parts = [_facts(found), _histogram(found)]
    if found.graph is not None:
        parts.append(_largest(found.graph))
    parts += _forecast(found)
    if operations and found.graph is not None:
        parts.append(_every_operation(found, found.graph))
    output.show_plain(Group(*(piece for part in parts for piece in (part, ""))))


def _facts(found: Inspection) -> RenderableType:
    table = output.pairs()
    for name, text in (*_of_manifest(found), *_of_file(found)):
        table.add_row(name, text)
    return table


def _of_manifest(found: Inspection) -> list[tuple[str, str]]:

    manifest = found.manifest
    if manifest is None:
        return [("format", found.format)]
    model, facts = manifest.model, manifest.facts
    weights = model.weights
    return [
        ("model", model.name),
        ("weights", weights.origin if weights else "not stated"),
        ("inputs", "; ".join(map(str, model.inputs))),
        ("outputs", "; ".join(map(str, facts.preflight.outputs))),
        ("params", f"{model.params:,}" if model.params else "not counted"),
        ("MACs", f"{model.macs.total:,}" if model.macs else "not counted"),
        ("recipe", manifest.recipe.label),
        ("form", manifest.recipe.form),
        *_taking_images(manifest.recipe.image_input),
        (
            "made",
            f"{manifest.created} in {facts.export_seconds:.1f} s by mobilebench "
            f"{manifest.mobilebench_version}",
        ),
        ("tools", ", ".join(f"{name} {v}" for name, v in facts.tool_versions.items())),
        ("preflight", ", ".join(facts.preflight.checks)),
        ("compared on", _compared_on(facts)),
        *(("parity", result.description) for result in facts.parity),
        *((("parity", f"not verified: {facts.unverified}"),) if facts.unverified else ()),
        *_agreement(facts.agreement),
        *_calibration(manifest.recipe.calibration),
        *facts.structure.items(),
    ]


def _of_file(found: Inspection) -> list[tuple[str, str]]:
    rows = [
        ("file", f"{found.model_path} ({found.size_bytes:,} bytes)"),
        ("sha256", found.sha256),
    ]
    graph = found.graph
    if graph is None:
        return [*rows, ("not read", found.unread or "")]
    rows += [("file takes", f"{tensor.name}: {tensor.text}") for tensor in graph.inputs]
    rows += [("file gives", f"{tensor.name}: {tensor.text}") for tensor in graph.outputs]
    rows.append(("file computes", "not known" if graph.macs is None else f"{graph.macs:,} MACs"))
    rows.append(("file stores", f"{graph.weight_bytes:,} bytes of constants"))
    if graph.folded:
        kinds = ", ".join(f"{kind} x{count}" for kind, count in graph.folded.items())
        rows.append(("on constants", f"{kinds}; computed once, when the file is loaded"))
    return rows


def _agreement(found: Agreement | None) -> list[tuple[str, str]]:

    if found is None:
        return []
    verdict = "" if found.passed else "NOT ENOUGH: "
    return [("agreement", verdict + found.description)]


def _calibration(found: Calibration | None) -> list[tuple[str, str]]:
    from mobilebench.values.recipe import NOISE

    if found is None:
        return []
    if found.source == NOISE:
        return [("calibrated on", f"{found.inputs} inputs of noise, which are no images")]
    return [("calibrated on", f"{found.inputs} images, sha256 {found.source}")]


def _taking_images(how: ImageInput | None) -> list[tuple[str, str]]:
    if how is None:
        return []
    return [("image input", f"RGB, (value / 255 - {how.mean}) / {how.std} inside the file")]


def _compared_on(facts: ArtifactFacts) -> str:
    if any(result.images for result in facts.parity):
        return f"{facts.parity[0].inputs} images"
    preflight = facts.preflight
    text = f"{len(preflight.seeds)} seeded inputs"
    if not preflight.passed_over:
        return text
    seeds = ", ".join(map(str, preflight.passed_over))
    return f"{text}; passed over for lying on a threshold of the network: seeds {seeds}"


def _histogram(found: Inspection) -> RenderableType:
    table = output.columns("operation", "count>")
    for kind, count in found.op_histogram.items():
        table.add_row(kind, str(count))
    return table


def _largest(graph: Graph) -> RenderableType:
    """The operations with the most bytes of weights."""
    table = output.columns("largest operations", "kind", "weights>", "of file>", "MACs>", "of all>")
    heavy = sorted(graph.operations, key=lambda operation: -operation.weight_bytes)
    for operation in heavy[:_LARGEST]:
        table.add_row(
            operation.layer or operation.name,
            operation.kind,
            f"{operation.weight_bytes:,}",
            _share(operation.weight_bytes, graph.weight_bytes),
            "?" if operation.macs is None else f"{operation.macs:,}",
            _share(operation.macs, graph.macs),
        )
    return table


def _share(part: int | None, whole: int | None) -> str:
    return f"{part / whole:.1%}" if part is not None and whole else "?"


def _forecast(found: Inspection) -> list[RenderableType]:
    if not found.forecasts:
        return ["placement: no rules and no delegate are known for this file"]
    taken = output.columns(
        "placement forecast", "unit", "takes>", "of>", "islands>", "MACs off>", "basis"
    )
    for forecast in found.forecasts:
        off = forecast.macs_off_share
        taken.add_row(
            forecast.label,
            forecast.unit,
            str(forecast.taken),
            str(forecast.operations),
            str(forecast.islands),
            "?" if off is None else f"{off:.1%}",
            forecast.basis,
        )
    note = "A forecast by rules that are published; no phone was asked. See docs/placement.md."
    refused = _refused(found)
    return [taken, note] if refused is None else [taken, note, refused]


def _refused(found: Inspection) -> RenderableType | None:
    from collections import Counter

    groups: dict[tuple[str, str], Counter[str]] = {}
    for placed in found.placements:
        for refusal in placed.refusals:
            key = (placed.forecast.label, refusal.reason)
            groups.setdefault(key, Counter())[refusal.kind] += 1
    if not groups:
        return None
    table = output.columns("refused by", "count>", "reason", "operations")
    for (label, reason), kinds in groups.items():
        text = ", ".join(f"{kind} x{count}" for kind, count in kinds.most_common())
        table.add_row(label, str(kinds.total()), reason, text)
    return table


def _every_operation(found: Inspection, graph: Graph) -> RenderableType:
    refused: dict[str, list[str]] = {}
    for placed in found.placements:
        for refusal in placed.refusals:
            refused.setdefault(refusal.operation, []).append(placed.forecast.label)
    table = output.columns("name", "kind", "result", "MACs>", "weights>", "layer", "refused by")
    for operation in graph.operations:
        table.add_row(
            operation.name,
            operation.kind,
            ", ".join(result.text for result in operation.outputs),
            "?" if operation.macs is None else f"{operation.macs:,}",
            f"{operation.weight_bytes:,}",
            operation.layer or "",
            ", ".join(refused.get(operation.name, ())),
        )
    return table
