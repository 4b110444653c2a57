"""`mobilebench inspect`: what an artifact holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output

if TYPE_CHECKING:
    from rich.console import Group

    from mobilebench.artifact import Artifact, Preflight


def command(
    artifact: Annotated[Path, typer.Argument(help="Folder that `mobilebench export` printed.")],
    json: Annotated[bool, typer.Option("--json", help="The manifest, as JSON.")] = False,
) -> None:
    """Show an artifact's model, weights, recipe, parity and operations."""
    from mobilebench import wire
    from mobilebench.artifact import Artifact

    found = Artifact.load(artifact)
    if json:
        output.show_json(wire.to_plain(found.manifest))
    else:
        output.show(_page(found))


def _page(artifact: Artifact) -> Group:
    from rich.console import Group
    from rich.table import Table

    from mobilebench import parity

    manifest = artifact.manifest
    model, facts = manifest.model, manifest.facts
    weights = model.weights
    facts_table = Table(show_header=False, box=None, pad_edge=False)
    facts_table.add_column(style="bold")
    facts_table.add_column(overflow="fold")
    for name, text in (
        ("model", model.name),
        ("weights", weights.origin if weights else "not stated"),
        ("inputs", "; ".join(map(str, model.inputs))),
        ("outputs", "; ".join(map(str, facts.preflight.outputs))),
        ("params", f"{model.params:,}" if model.params else "not counted"),
        ("MACs", f"{model.macs.total:,}" if model.macs else "not counted"),
        ("recipe", manifest.recipe.label),
        ("form", manifest.recipe.form),
        ("file", f"{artifact.model_path} ({facts.size_bytes:,} bytes)"),
        ("sha256", facts.sha256),
        (
            "made",
            f"{manifest.created} in {facts.export_seconds:.1f} s by mobilebench "
            f"{manifest.mobilebench_version}",
        ),
        ("tools", ", ".join(f"{name} {v}" for name, v in facts.tool_versions.items())),
        ("preflight", ", ".join(facts.preflight.checks)),
        ("compared on", _compared_on(facts.preflight)),
        *(("parity", parity.describe(result)) for result in facts.parity),
        *facts.structure.items(),
    ):
        facts_table.add_row(name, text)
    operations = Table(header_style="bold", box=None, pad_edge=False)
    operations.add_column("operation")
    operations.add_column("count", justify="right")
    for operation, count in facts.op_histogram.items():
        operations.add_row(operation, str(count))
    return Group(facts_table, "", operations)


def _compared_on(preflight: Preflight) -> str:
    text = f"{len(preflight.seeds)} seeded inputs"
    if not preflight.passed_over:
        return text
    seeds = ", ".join(map(str, preflight.passed_over))
    return f"{text}; passed over for lying on a threshold of the network: seeds {seeds}"
