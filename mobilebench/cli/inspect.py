"""`mobilebench inspect`: show what an artifact, or a bare model file, holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.artifacts import opened
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Adopt, Inputs, Json
from mobilebench.notation import quantities

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mobilebench.inspecting.inspection import Inspection
    from mobilebench.values.artifact import Agreement, ArtifactFacts, Preflight, WidthInFile
    from mobilebench.values.graph import Graph
    from mobilebench.values.recipe import Calibration, ImageInput

_LARGEST = 8


def command(
    artifact: Annotated[
        Path,
        typer.Argument(
            metavar="ARTIFACT",
            help="Folder that `mobilebench export` printed, or a model file: .onnx, .tflite, "
            ".pte, .mlpackage.",
        ),
    ],
    operations: Annotated[
        bool,
        typer.Option(
            "--operations",
            rich_help_panel=Panel.CHOICE,
            help="List every operation of the file.",
        ),
    ] = False,
    inputs: Inputs = None,
    adopt: Adopt = False,
    json: Json = False,
) -> None:
    """Show an artifact's model, weights, parity and operations, and where these could run."""
    from rich.console import Group

    from mobilebench.inspecting import inspection

    if inputs or adopt:
        [opened_artifact] = opened([artifact], inputs, adopt)
        inspected = inspection.inspect_artifact(opened_artifact)
    else:
        inspected = inspection.inspect(artifact)
    if json:
        output.show_json(inspected.to_plain())
        return
    parts = [_facts(inspected), _histogram(inspected)]
    if inspected.graph is not None:
        parts.append(_largest(inspected.graph))
    parts += _forecast(inspected)
    if operations and inspected.graph is not None:
        parts.append(_every_operation(inspected, inspected.graph))
    output.show_plain(Group(*(piece for part in parts for piece in (part, ""))))


def _facts(inspected: Inspection) -> RenderableType:
    table = output.pairs()
    for name, text in (*_of_manifest(inspected), *_of_file(inspected)):
        table.add_row(name, text)
    return table


def _of_manifest(inspected: Inspection) -> list[tuple[str, str]]:
    from mobilebench.inspecting.given import NO_REFERENCE

    manifest = inspected.manifest
    if manifest is None:
        return [
            ("format", inspected.format),
            ("weights", "inside the file"),
            ("parity", NO_REFERENCE),
        ]
    model, facts, preflight = manifest.model, manifest.facts, manifest.facts.preflight
    if preflight is None:
        return [
            ("model", model.name),
            ("inputs", "; ".join(map(str, model.inputs))),
            ("recipe", manifest.recipe.label),
            ("weights", "inside the file"),
            ("parity", facts.unverified or ""),
        ]
    return [
        ("model", model.name),
        ("weights", model.weights.description if model.weights else "not stated"),
        ("inputs", "; ".join(map(str, model.inputs))),
        ("outputs", "; ".join(map(str, preflight.outputs))),
        ("params", f"{model.params:,}" if model.params else "not counted"),
        ("MACs", f"{model.macs.total:,}" if model.macs else "not counted"),
        ("recipe", manifest.recipe.label),
        ("form", manifest.recipe.form),
        *_taking_images(manifest.recipe.image_input),
        (
            "made",
            f"{manifest.created} in {quantities.duration((facts.export_seconds or 0) * 1e9)} by "
            f"mobilebench {manifest.mobilebench_version}",
        ),
        ("tools", ", ".join(f"{name} {v}" for name, v in facts.tool_versions.items())),
        ("preflight", ", ".join(preflight.checks)),
        ("compared on", _compared_on(facts, preflight)),
        *(("parity", result.description) for result in facts.parity),
        *((("parity", f"not verified: {facts.unverified}"),) if facts.unverified else ()),
        *_widths(manifest.widths),
        *_agreement(facts.agreement),
        *_calibration(manifest.recipe.calibration),
        *facts.structure.items(),
    ]


def _of_file(inspected: Inspection) -> list[tuple[str, str]]:
    rows = [
        ("file", f"{inspected.model_path} ({_exact(inspected.size_bytes)})"),
        ("sha256", inspected.sha256),
    ]
    graph = inspected.graph
    if graph is None:
        return [*rows, ("not read", inspected.unread or "")]
    rows += [("file takes", f"{tensor.name}: {tensor.text}") for tensor in graph.inputs]
    rows += [("file gives", f"{tensor.name}: {tensor.text}") for tensor in graph.outputs]
    rows.append(("file computes", "not known" if graph.macs is None else f"{graph.macs:,} MACs"))
    rows.append(("file stores", f"{_exact(graph.weight_bytes)} of constants"))
    if graph.folded:
        kinds = ", ".join(f"{kind} x{count}" for kind, count in graph.folded.items())
        rows.append(("on constants", f"{kinds}; computed once, when the file is loaded"))
    return rows


def _widths(widths: Sequence[WidthInFile]) -> list[tuple[str, str]]:
    """Describe each width of a file of several."""
    return [
        (
            f"width {width.name}",
            f"{width.entry}; {width.model.params or 0:,} params, "
            f"{width.model.macs.total if width.model.macs else 0:,} MACs; weights: "
            f"{_exact(width.shared_bytes)} shared, {_exact(width.own_bytes)} its own"
            + "".join(f"; {result.description}" for result in width.parity),
        )
        for width in widths
    ]


def _agreement(agreement: Agreement | None) -> list[tuple[str, str]]:

    if agreement is None:
        return []
    verdict = "" if agreement.passed else "NOT ENOUGH: "
    return [("same class", verdict + agreement.description)]


def _calibration(calibration: Calibration | None) -> list[tuple[str, str]]:
    return [] if calibration is None else [("calibrated on", calibration.description)]


def _taking_images(image_input: ImageInput | None) -> list[tuple[str, str]]:
    return [] if image_input is None else [("image input", image_input.description)]


def _compared_on(facts: ArtifactFacts, preflight: Preflight) -> str:
    if any(result.images for result in facts.parity):
        return f"{facts.parity[0].inputs} images"
    text = f"{len(preflight.seeds)} seeded inputs"
    if not preflight.passed_over:
        return text
    seeds = ", ".join(map(str, preflight.passed_over))
    return f"{text}; passed over for lying on a threshold of the network: seeds {seeds}"


def _histogram(inspected: Inspection) -> RenderableType:
    table = output.columns("operation", "count>")
    for kind, count in inspected.op_histogram.items():
        table.add_row(kind, str(count))
    return table


def _largest(graph: Graph) -> RenderableType:
    """Build a table of the operations with the most bytes of weights."""
    table = output.columns("largest operations", "kind", "weights>", "of file>", "MACs>", "of all>")
    heavy = sorted(graph.operations, key=lambda operation: -operation.weight_bytes)
    for operation in heavy[:_LARGEST]:
        table.add_row(
            operation.layer or operation.name,
            operation.kind,
            quantities.size(operation.weight_bytes),
            _share(operation.weight_bytes, graph.weight_bytes),
            "?" if operation.macs is None else f"{operation.macs:,}",
            _share(operation.macs, graph.macs),
        )
    return table


def _exact(count: int) -> str:
    """Write a size for people, and exactly where that is not the same."""
    short = quantities.size(count)
    return short if count < 1000 else f"{short}, {count:,} bytes"


def _share(part: int | None, whole: int | None) -> str:
    return f"{part / whole:.1%}" if part is not None and whole else "?"


def _forecast(inspected: Inspection) -> list[RenderableType]:
    if not inspected.forecasts:
        return ["placement: no rules and no delegate are known for this file"]
    table = output.columns(
        "placement forecast", "unit", "takes>", "of>", "islands>", "MACs off>", "basis"
    )
    for forecast in inspected.forecasts:
        off = forecast.macs_off_share
        table.add_row(
            forecast.label,
            forecast.unit,
            str(forecast.taken),
            str(forecast.operations),
            str(forecast.islands),
            "?" if off is None else f"{off:.1%}",
            forecast.basis,
        )
    note = "A forecast from published rules; no phone was asked. See docs/placement.md."
    if inspected.manifest is not None and inspected.manifest.widths:
        note += " It is of the widest width, as if it were alone in the file."
    refused = _refused(inspected)
    return [table, note] if refused is None else [table, note, refused]


def _refused(inspected: Inspection) -> RenderableType | None:
    from collections import Counter

    groups: dict[tuple[str, str], Counter[str]] = {}
    for placed in inspected.placements:
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


def _every_operation(inspected: Inspection, graph: Graph) -> RenderableType:
    refused: dict[str, list[str]] = {}
    for placed in inspected.placements:
        for refusal in placed.refusals:
            refused.setdefault(refusal.operation, []).append(placed.forecast.label)
    table = output.columns("name", "kind", "result", "MACs>", "weights>", "layer", "refused by")
    for operation in graph.operations:
        table.add_row(
            operation.name,
            operation.kind,
            ", ".join(result.text for result in operation.outputs),
            "?" if operation.macs is None else f"{operation.macs:,}",
            quantities.size(operation.weight_bytes),
            operation.layer or "",
            ", ".join(refused.get(operation.name, ())),
        )
    return table
