"""Export many networks into a table that is written as they finish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import tables

from mobilebench import files, pipeline
from mobilebench.cli.progress import MatrixProgress
from mobilebench.exporting.workers import LocalWorkers
from mobilebench.values.artifact import Artifact, ArtifactFacts
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.request import Request


def write_table(
    models: Sequence[str],
    recipes: Sequence[ExportRecipe],
    out: Path,
    table: Path,
    *,
    jobs: int,
    header: str,
    columns: Sequence[str],
    cells: Callable[[ArtifactFacts], Sequence[str]],
) -> None:
    """Export networks by recipes, one network after another, and write a row for each file.

    Files that are in the folder are not made again. A failed cell is a row with its reason.
    """
    lines: list[Sequence[str]] = []
    with MatrixProgress("export", len(models) * len(recipes)) as progress:
        for model in models:
            results = pipeline.export_matrix(
                [Request(reference=model)],
                recipes,
                out,
                workers=LocalWorkers(jobs),
                observer=progress,
            )
            for exported in results:
                row = [exported.name, exported.recipe.label]
                outcome = exported.outcome
                if isinstance(outcome, Artifact):
                    row += cells(outcome.manifest.facts)
                else:
                    row.append(f"failed at {outcome.stage}: {outcome.message[:160]}")
                lines.append([*row, *[""] * (len(columns) - len(row))])
            files.write_text(table, f"{header}\n{tables.markdown(columns, lines)}")
