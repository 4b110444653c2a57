"""`mobilebench bench` on many devices at once: options, the run, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.grammar import Panel
from mobilebench.notation.quantities import counted

if TYPE_CHECKING:
    from mobilebench.measuring.batch import Batch, NotMeasured, Way
    from mobilebench.measuring.setting import Cell, Plan, Setting
    from mobilebench.values.device import Device
    from mobilebench.values.record import Record

Devices = Annotated[
    str,
    typer.Option(
        "--device",
        "-d",
        metavar="IDS",
        autocompletion=completions.several_devices,
        rich_help_panel=Panel.SETTING,
        help="Device id; see `mobilebench devices`. Several measure at the same time: ids with "
        "commas, `all` for every phone and board, or a pattern such as 'model=Pixel*' (kind=, "
        "soc= and scheme= too).",
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--batch",
        metavar="FOLDER",
        rich_help_panel=Panel.WORK,
        help="Keep the records in this folder too. The same command, given again, measures only "
        "what is missing there.",
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        min=0,
        max=24 * 60,
        metavar="MINUTES",
        rich_help_panel=Panel.WORK,
        help="How long one of several devices may be away, hot, empty or busy, before its cells "
        "are given up.",
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        rich_help_panel=Panel.WORK,
        help="Address of a dask scheduler: measure on devices of its workers, which declare them "
        "as resources.",
    ),
]
WAIT_MINUTES = 15.0
OF_SEVERAL = ("wait",)
"""Options that one device by itself does not take."""


@dataclass(frozen=True)
class Batched:
    """How a batch is run: where devices are, and where records go besides the store."""

    text: str
    """What --device says."""
    folder: Path | None
    wait_minutes: float
    cluster: str | None

    @property
    def wanted(self) -> bool:
        """Whether this is more than one device of this computer."""
        from mobilebench.measuring import devices

        return devices.is_several(self.text) or self.folder is not None or self.cluster is not None

    def measure(
        self,
        setting: Setting,
        plan: Callable[[Setting, Device], Plan],
        store: str | None,
        keep: Callable[[Record], object],
    ) -> bool:
        """Measure on every device that can be used; return whether nothing is missing.

        Each record is stored as soon as it exists, and given to `keep` too; those of the folder
        come first. Raises `UserError` where no device can be used, or nothing could be measured.
        """
        from mobilebench import files, plugins
        from mobilebench.measuring import batch, devices, hosts
        from mobilebench.measuring.batch_folder import BatchFolder
        from mobilebench.store import RecordStore

        folder = None if self.folder is None else BatchFolder(self.folder)
        if folder is not None:
            files.require_folder(folder.path)
        with hosts.reached(self.cluster) as way, RecordStore(store) as stored:
            choice = devices.choose(self.text, way.offers)
            for device in choice.devices:
                plugins.wishing(plugins.runner(device.id), setting.wishes)
            planned = batch.plan_batch(choice.devices, setting, plan)
            for sentence in (*choice.left_out, *planned.left_out):
                output.tell(f"left out: {sentence}")
            earlier: list[Record] = []
            if folder is not None:
                earlier, planned = folder.split(planned)
                if earlier:
                    output.tell(f"{counted(len(earlier), 'cell')} measured before: {folder.path}")
            for record in earlier:
                stored.add(record)
                keep(record)
            missed: list[NotMeasured] = []
            # Closed before anything else: the devices stop whatever happens to a record here.
            with closing(self._measured(planned, way, missed.append)) as cells:
                for cell, record in cells:
                    if folder is not None:
                        folder.keep(cell, record)
                    stored.add(record)
                    keep(record)
        if len(missed) == len(planned.cells) and missed and not earlier:
            raise missed[0].why
        _tell(missed)
        return not missed

    def _measured(
        self, planned: Batch, way: Way, miss: Callable[[NotMeasured], object]
    ) -> Generator[tuple[Cell, Record], None, None]:
        """Yield each cell with its record, under a progress bar; give `miss` what has none."""
        from mobilebench.cli.progress import follow
        from mobilebench.measuring import batch

        cells = planned.cells
        if not cells:
            return
        several = counted(len(planned.queues), "device")
        title = f"measure by {cells[0].job.protocol.id} on {several}"
        patience = batch.Patience(wait_s=60 * self.wait_minutes)
        with (
            follow(title, len(cells)) as progress,
            closing(batch.run(planned, way, progress, patience)) as outcomes,
        ):
            for outcome in outcomes:
                if isinstance(outcome, batch.Measured):
                    yield outcome.cell, outcome.record
                else:
                    miss(outcome)


def _tell(missed: list[NotMeasured]) -> None:
    """Say what was not measured, in one line for each device and reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for each in missed:
        by_reason.setdefault((each.cell.device.id, str(each.why)), []).append(each.cell.name)
    for (device_id, why), names in by_reason.items():
        output.tell(f"not measured on {device_id}: {'; '.join(names)}: {why}")
