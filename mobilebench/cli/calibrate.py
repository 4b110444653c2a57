"""`mobilebench calibrate`: measure the noise of a device, and the changes it can show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.artifacts import opened
from mobilebench.cli.check import parse_rule
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import (
    MOST_PAIRS,
    Adopt,
    Alpha,
    Device,
    Inputs,
    Json,
    Runtime,
    Store,
    Threads,
    Tolerance,
    Unit,
)
from mobilebench.notation import quantities

if TYPE_CHECKING:
    from mobilebench.regress.noise import Noise


def command(
    artifact: Annotated[
        Path, typer.Argument(metavar="ARTIFACT", help="Bundle folder, or a model file.")
    ],
    device: Device = "host",
    runtime: Runtime = None,
    compute_unit: Unit = "cpu",
    threads: Threads = 1,
    pairs: Annotated[
        int,
        typer.Option(
            min=4,
            max=MOST_PAIRS,
            metavar="N",
            rich_help_panel=Panel.SETTING,
            help="Pairs to run, at least 4; more give more precise figures.",
        ),
    ] = 16,
    tolerance: Tolerance = "3%",
    alpha: Alpha = 0.01,
    inputs: Inputs = None,
    adopt: Adopt = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Run one artifact against itself; show what changes can be detected on that device."""
    from mobilebench.cli.progress import follow
    from mobilebench.errors import UserError
    from mobilebench.measuring.pairs import measure_sides, whole_pairs
    from mobilebench.measuring.setting import Setting, plan_pairs
    from mobilebench.regress import noise
    from mobilebench.store import RecordStore
    from mobilebench.values import wire
    from mobilebench.values.measurement import ComputeUnit
    from mobilebench.values.protocol import protocol

    rule = parse_rule(tolerance, alpha)
    [loaded] = opened([artifact], inputs, adopt)
    setting = Setting(
        device_id=device,
        protocol=protocol("ci-ab-1"),
        runtimes=(runtime,) if runtime else (),
        threads=(threads,),
        compute_unit=ComputeUnit.named(compute_unit),
    )
    [cells] = plan_pairs([loaded], [loaded], setting).cells
    with (
        RecordStore(store) as records,
        follow("calibrate by ci-ab-1", 2 * pairs) as progress,
    ):
        sides = measure_sides(cells, pairs, progress, records.add)
    runs = whole_pairs(loaded.name, sides)
    failures = [failure for side in runs.failures for failure in side]
    if failures:
        output.tell(
            f"{quantities.counted(len(failures), 'run')} failed; whole pairs: "
            f"{len(runs.baseline)} of {pairs}."
        )
    if not runs.paired or len(runs.baseline) < noise.MIN_CALIBRATION:
        raise UserError(
            f"calibrate needs {noise.MIN_CALIBRATION} whole pairs and measured "
            f"{len(runs.baseline) if runs.paired else 0}: {failures[-1].error}: "
            f"{failures[-1].message}. Mend that, or give more --pairs."
        )
    result = noise.measure(runs.baseline, runs.candidate, rule)
    if json:
        output.show_json(wire.to_plain(result))
    else:
        _show(result)


def _show(noise: Noise) -> None:
    from mobilebench.regress.noise import MOST_PAIRS

    table = output.pairs()
    table.add_row("within a run", f"{noise.within:.2%} from one inference to the next")
    table.add_row("between runs", f"{noise.between:.2%} of the median")
    table.add_row("between neighbours", f"{noise.between_neighbours:.2%}, left in pairs")
    table.add_row("false alarms", f"{noise.false_alarms:.1%} of comparisons with 8 pairs")
    for pairs, effect in noise.detectable:
        table.add_row(f"{pairs} pairs", f"find a slowdown of {effect:.1%} in 95 of 100 cases")
    for effect, needed in noise.needed:
        pairs_needed = (
            f"more than {MOST_PAIRS} pairs"
            if needed is None
            else quantities.counted(needed, "pair")
        )
        table.add_row(f"a slowdown of {effect:.0%}", f"needs {pairs_needed}")
    output.show(table)
    output.tell(
        f"From {noise.pairs} pairs of the same artifact against itself. Another network, or "
        f"another day, may be noisier."
    )
