"""`mobilebench demo`: the main job on one small network, from PyTorch to a leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel

_MODEL = "mobilevig_ti"
_THREADS = (1, 2)
_PROTOCOL = "smoke-1"


def command(
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            rich_help_panel=Panel.OUTPUT,
            help="Folder for artifacts, store and page.",
        ),
    ] = Path("demo"),
) -> None:
    """Export mobilevig_ti to every format, verify, measure it here and show the leaderboard."""
    from mobilebench import plugins
    from mobilebench.cli.bench import measure_all
    from mobilebench.cli.export import export_all, show_exports, tell_left_out
    from mobilebench.exporting.choosing import choose
    from mobilebench.exporting.order import Terms
    from mobilebench.exporting.workers import LocalWorkers
    from mobilebench.leaderboard import rank
    from mobilebench.leaderboard.table import as_table
    from mobilebench.measuring.setting import Setting, plan
    from mobilebench.pages.board import as_page
    from mobilebench.store import RecordStore
    from mobilebench.values.artifact import Artifact
    from mobilebench.values.protocol import protocol
    from mobilebench.values.recipe import Format, Precision
    from mobilebench.values.request import Request

    store = str(out / "records.sqlite")
    output.tell(
        f"1. Export {_MODEL} (random weights: no checkpoint is given) and verify each file."
    )
    choice = choose()
    tell_left_out(choice)
    recipes = list(choice.recipes)
    if any(recipe.format is Format.COREML for recipe in recipes):
        recipes += choose([Format.COREML], [Precision.FP16]).recipes
    exports = export_all(
        [Request(reference=_MODEL)],
        recipes,
        out / "artifacts",
        Terms(),
        LocalWorkers(jobs=2),
        store,
    )
    show_exports(exports)
    host = plugins.runner("host")
    artifacts = [
        export.outcome
        for export in exports
        if isinstance(export.outcome, Artifact) and host.runtimes(export.recipe.format)
    ]
    output.tell_step(f"2. Measure on this machine by {_PROTOCOL}, each cell in a fresh process.")
    setting = Setting(device_id="host", protocol=protocol(_PROTOCOL), threads=_THREADS)
    measure_all(plan(artifacts, setting), store)
    output.tell_step("3. The leaderboard.")
    with RecordStore(store) as records:
        rows = rank(records.find_entries())
    output.show(as_table(rows, output.width()))
    page = out / "leaderboard.html"
    output.save(page.resolve(), as_page(rows))
    if any(export.failed for export in exports) or any(row.failure for row in rows):
        raise typer.Exit(1)
