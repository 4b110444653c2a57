"""The page of the devices that measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mobilebench.notation.quantities import size
from mobilebench.pages.templates import Shell, render
from mobilebench.values.device import Device


@dataclass(frozen=True)
class Seen:
    """A device, with what it did."""

    device: Device
    """Its newest state: a system is updated."""
    measurements: int
    failures: int
    protocols: tuple[str, ...]
    newest: str


def devices(seen: Iterable[Seen], shell: Shell) -> str:
    """Return the page, as HTML."""
    shown = sorted(seen, key=lambda each: (each.device.model, each.device.id))
    return render(
        "devices.html.j2",
        shell,
        page="devices",
        heading="Devices",
        seen=shown,
        system=_system,
        size=size,
        charted=False,
    )


def _system(device: Device) -> str:
    parts: Sequence[str | None] = (device.os, device.os_version, device.os_build)
    return " ".join(filter(None, parts))
