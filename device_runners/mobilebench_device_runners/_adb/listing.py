"""Find a device in the listing of adb by its id, and tell adb which one is meant."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from mobilebench.errors import UserError
from mobilebench_device_runners._adb.command import ADB, QUICK_S
from mobilebench_device_runners._reading.adb_listing import COMMAND, Row, rows_of
from mobilebench_device_runners._tools import Answer, LinkLost, ToolFailed, run_tool


def listing(cancel: Event | None = None) -> Answer:
    """Return what `adb devices -l` prints; it starts adb's server where none runs.

    Raises `ToolFailed`.
    """
    answer = run_tool(COMMAND, QUICK_S, cancel=cancel)
    if answer.rc != 0:
        raise ToolFailed(answer, f"failed: {answer.complaint}")
    return answer


def row(device_id: str, cancel: Event | None = None) -> tuple[Row, tuple[str, ...]]:
    """Return the row of a device and its address. Raises `UserError`."""
    try:
        rows = rows_of(listing(cancel))
    except ToolFailed as error:
        raise UserError(
            f"The devices of adb cannot be listed: {error}; run: adb kill-server && adb "
            f"start-server"
        ) from error
    chosen = row_of(device_id, rows)
    return chosen, address_of(chosen, rows)


def version() -> str:
    """Return adb's name and version."""
    lines = run_tool((ADB, "version"), QUICK_S).text.split("\n")
    versions = [line.split()[-1] for line in lines if line.startswith("Version ")]
    return f"{ADB} {versions[0]}" if versions else ADB


def ids_of(row: Row, rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the ids of a device, the usual one first; without those that others share."""
    by_port = [f"adb:usb:{row.usb}"] if row.usb else []
    by_number = [f"adb:transport:{row.transport_id}"] if row.transport_id is not None else []
    alike = sum(other.id == row.id for other in rows)
    own = [row.id] if alike == 1 else []
    return tuple(dict.fromkeys([*own, *by_port, *by_number]))


def address_of(row: Row, rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the options by which adb takes this device and no other."""
    alike = sum(other.serial == row.serial for other in rows)
    if alike > 1 and row.transport_id is not None:
        return ("-t", str(row.transport_id))
    return row.address


def row_of(device_id: str, rows: Sequence[Row]) -> Row:
    """Return the row of a device. Raises `UserError` for an id that is not there, or of several."""
    for row in rows:
        if device_id in ids_of(row, rows):
            return row
    alike = [row for row in rows if row.id == device_id]
    if alike:
        others = [ids_of(row, rows)[0] for row in alike]
        raise UserError(
            f"{len(alike)} devices have the id {device_id}, since they share one serial number; "
            f"name one of them by its port: {', '.join(others)}."
        )
    present = ", ".join(each for row in rows for each in ids_of(row, rows)[:1])
    raise UserError(
        f"There is no device {device_id!r}; adb lists {present or 'no device'}. Plug it in, "
        f"unlock it and accept this computer; `mobilebench devices` shows what is there."
    )


def found_again(device_id: str, cancel: Event | None = None) -> tuple[str, ...]:
    """Return the address of a device that was gone. Raises `LinkLost` where it still is."""
    try:
        answer = listing(cancel)
    except ToolFailed as error:
        raise LinkLost(error.answer, error.why) from error
    rows = rows_of(answer)
    try:
        row = row_of(device_id, rows)
    except UserError as error:
        raise LinkLost(answer, "does not list the device") from error
    if row.obstacle is not None:
        raise LinkLost(answer, f"lists the device as {row.state}")
    return address_of(row, rows)
