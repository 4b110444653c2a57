"""Measure what a batch adds to pure measuring, and how much time a second device saves.

    python benchmarks/batches.py artifacts/* --protocol sustained-1 --table docs/batch-speed.md

The devices are stand-ins that wait: a job goes the ordinary way, through a folder, a process, a
journal and a record, and in the place of each inference the process sleeps. So several are at work
at the same time on one computer, as phones are, and their time is real. Records are not kept.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event

import tables

from mobilebench import files
from mobilebench.inspecting.given import open_artifacts
from mobilebench.interfaces import Ran
from mobilebench.machine.isolated import Function, IsolatedCall
from mobilebench.measuring import batch, engine, performing
from mobilebench.measuring.batch import Batch, Here, Measured, plan_batch
from mobilebench.measuring.place import Host
from mobilebench.measuring.setting import Cell, Setting, plan
from mobilebench.observer import Progress
from mobilebench.values.device import Device, DeviceKind
from mobilebench.values.measurement import Measurement
from mobilebench.values.protocol import protocol
from mobilebench_device_runners._host_process import runtime_at
from mobilebench_device_runners.host import HostRunner

TITLE = "# What a batch adds"
EXPLAINED = """\
Written by `benchmarks/batches.py` on {machine}, with stand-ins for devices that sleep {frame_ms} ms
in the place of each inference: {count} artifacts on two devices by `{protocol}`, which is
{cells} cells. Pure measuring is from the first line of a cell's journal to the last; what a batch
adds are processes that start, folders, and records that are signed. A phone adds its cable to
that, which these stand-ins do not have."""
TITLES = ("devices at the same time", "pure measuring s", "whole batch s", "added", "of one device")
FRAME_S = 0.02
PERFORM = Function[[str, str, Path], Path]("batches:perform", Path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("artifacts", nargs="+", type=Path)
    parser.add_argument("--protocol", default="sustained-1")
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    artifacts = open_artifacts(options.artifacts)
    setting = Setting(device_id="sim", protocol=protocol(options.protocol))
    planned = plan_batch(
        [_device(f"sim:waiting-{number}") for number in (1, 2)],
        setting,
        partial(plan, artifacts),
    )
    together = _timed([planned])
    in_turn = _timed([Batch((each,)) for each in planned.queues])
    lines = [
        _line("2", *together, whole_s=in_turn[1]),
        _line("1", *in_turn, whole_s=in_turn[1]),
    ]
    explained = EXPLAINED.format(
        machine=tables.machine(),
        frame_ms=round(FRAME_S * 1e3),
        count=len(artifacts),
        protocol=options.protocol,
        cells=len(planned.cells),
    )
    table = tables.markdown(TITLES, lines)
    print(table)
    if options.table:
        files.write_text(options.table, tables.page(TITLE, explained, table))


def _line(devices: str, pure_s: float, took_s: float, *, whole_s: float) -> list[str]:
    return [
        devices,
        f"{pure_s:.1f}",
        f"{took_s:.1f}",
        f"{took_s / pure_s - 1:.1%}",
        f"{took_s / whole_s:.3f}",
    ]


def _timed(batches: list[Batch]) -> tuple[float, float]:
    """Run batches one after another; return pure measuring and the whole time, in seconds.

    Pure measuring is that of the device that measures longest in each batch.
    """
    pure_s, began = 0.0, time.monotonic()
    for each in batches:
        by_device: dict[str, float] = {}
        for device_id, seconds in _measured(each):
            by_device[device_id] = by_device.get(device_id, 0.0) + seconds
        pure_s += max(by_device.values())
    return pure_s, time.monotonic() - began


def _measured(planned: Batch) -> Iterator[tuple[str, float]]:
    for outcome in batch.run(planned, Waiting()):
        assert isinstance(outcome, Measured), outcome
        measurement = outcome.record.outcome
        assert isinstance(measurement, Measurement), measurement
        seconds = (measurement.after.t_ns - measurement.before.t_ns) / 1e9
        print(f"{outcome.cell.device.id} {outcome.cell.name}: {seconds:.1f} s", flush=True)
        yield outcome.cell.device.id, seconds


def _device(device_id: str) -> Device:
    return Device(
        id=device_id, kind=DeviceKind.SIMULATED, model="sleeps", os="simulation", os_version="1"
    )


class Waiting(Here):
    """The way to devices that sleep, so that none has to wait for another."""

    def run(self, cell: Cell, cancel: Event, progress: Progress) -> Ran:
        return WaitingRunner().run(cell.device.id, cell.artifact, cell.job, cancel, progress)

    def takes_turns(self, device: Device) -> bool:
        return False


class WaitingRunner(HostRunner):
    """Runs jobs in which each inference is a sleep."""

    scheme = "sim"
    transport = "sleep in a local process"

    def _function(self, device_id: str, place: str, folder: Path) -> IsolatedCall[Path]:
        return PERFORM(device_id, place, folder)


class Sleeping(Host):
    """A device whose inferences take a fixed time and no power of this computer."""

    def __init__(self, device_id: str) -> None:
        self._device_id = device_id

    def device(self) -> Device:
        return _device(self._device_id)

    def inference(self, infer: engine.Infer) -> engine.Infer:
        return partial(time.sleep, FRAME_S)


def perform(device_id: str, runtime_place: str, folder: Path) -> Path:
    """Do the job in a folder, in a child process, on a device that sleeps."""
    return performing.perform(folder, lambda: runtime_at(runtime_place), Sleeping(device_id))


if __name__ == "__main__":
    main()
