"""`mobilebench devices`: list the devices that are attached, and why one cannot be used."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Json
from mobilebench.errors import MobilebenchError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mobilebench.interfaces import Runner
    from mobilebench.values.attached import Attached

_EVERY_S = 5.0
_COLUMNS = ("id", "kind", "model", "chip", "system", "build", "battery", "heat", "runtimes")


def command(
    json: Json = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            rich_help_panel=Panel.CHOICE,
            help="List again whenever something changes, until Ctrl-C. With `--json`, one document "
            "a line.",
        ),
    ] = False,
) -> None:
    """List the devices that are attached, and why one cannot be used."""
    last: object = None
    while True:
        attached, complaints = _attached()
        state = [(device, _row(runner, device)) for runner, device in attached]
        if (state, complaints) != last:
            if json:
                output.show_text(_json(attached, watch))
            else:
                _show(state)
            for complaint in complaints:
                output.tell(complaint)
        if not watch:
            return
        last = state, complaints
        time.sleep(_EVERY_S)


def _attached() -> tuple[list[tuple[Runner, Attached]], list[str]]:
    """Return every device with its runner, and why the devices of a runner cannot be listed."""
    from mobilebench import plugins

    attached: list[tuple[Runner, Attached]] = []
    complaints = []
    for name in plugins.runner_names():
        runner = plugins.runner(name)
        try:
            attached += [(runner, device) for device in runner.attached()]
        except UserError as error:
            complaints.append(str(error))
        except MobilebenchError as error:
            complaints.append(
                f"The devices of {name} cannot be listed: {error}. Run mobilebench doctor, which "
                "names what mends it."
            )
    return attached, complaints


def _json(attached: list[tuple[Runner, Attached]], line: bool) -> str:
    """Return the documents: of a device that is read from outside all that was read."""
    import json

    from mobilebench.values import wire
    from mobilebench.values.attached import Transport

    runners = {
        runner.scheme: runner for runner, device in attached if device.transport is Transport.LOCAL
    }
    local = {device.id: device for runner in runners.values() for device in runner.devices()}
    plain: list[Any] = [wire.to_plain(local.get(device.id, device)) for _, device in attached]
    return json.dumps(plain, indent=None if line else 2, allow_nan=False) + "\n"


def _show(state: list[tuple[Attached, tuple[str, ...]]]) -> None:
    """Print the table, and below it why devices cannot be used."""
    used = [index for index in range(len(_COLUMNS)) if any(row[index] for _, row in state)]
    table = output.columns(*(_COLUMNS[index] for index in used))
    for _, row in state:
        table.add_row(*(row[index] for index in used))
    output.show_plain(table)
    for device, _ in state:
        for sentence in _sentences(device):
            output.show_line(sentence)


def _row(runner: Runner, device: Attached) -> tuple[str, ...]:
    from mobilebench.values.recipe import Format

    soc = device.soc.same_as or device.soc.name if device.soc else ""
    return (
        device.id,
        device.kind,
        device.marketing or device.model or "",
        soc if soc != device.model else "",
        " ".join(filter(None, (device.os, device.os_version))),
        _build(device),
        _battery(device),
        _heat(device),
        ", ".join(name for format_ in Format for name in runner.runtimes(format_)),
    )


def _build(device: Attached) -> str:
    """Return the build for a column: of an Android fingerprint its id."""
    if device.android is not None and device.android.fingerprint:
        parts = device.android.fingerprint.split("/")
        return parts[3] if len(parts) > 4 else device.android.fingerprint
    return device.os_build or "" if device.apple else ""


def _battery(device: Attached) -> str:
    from mobilebench.values.facts import BatteryStatus

    battery = device.battery
    if battery is None or battery.level_percent is None:
        return ""
    known = battery.status not in (BatteryStatus.UNKNOWN, BatteryStatus.NONE)
    status = battery.status.replace("_", " ") if known else ""
    return f"{battery.level_percent} % {status}".strip()


def _heat(device: Attached) -> str:
    """Return the thermal state and the temperature that says most."""
    from mobilebench.values.facts import SensorKind

    celsius = device.temperatures.by_kind
    kinds = (SensorKind.SKIN, SensorKind.BATTERY, SensorKind.CPU, SensorKind.SOC)
    kind = next((kind for kind in kinds if kind in celsius), None)
    warmest = f"{kind} {celsius[kind]:.1f} C" if kind is not None else ""
    return ", ".join(filter(None, (device.thermal_state or "", warmest)))


def _sentences(device: Attached) -> Iterator[str]:
    """Give why a device cannot be used, and what a record has to say of it."""
    from mobilebench.values.obstacles import Obstacle

    for obstacle, word in zip(device.why_not, device.reasons, strict=True):
        mend = ""
        if device.mends and obstacle is Obstacle.TUNNEL_DOWN:
            mend = f" Here: {'; '.join(device.mends)}."
        elif obstacle is Obstacle.UNREACHABLE:
            mend = "".join(f" {each}" for each in device.mends)
        yield f"{device.id} cannot be used ({word}): {obstacle.sentence}{mend}"
    if device.usable:
        for caution in device.warnings:
            yield f"{device.id} ({caution}): {caution.sentence}"
