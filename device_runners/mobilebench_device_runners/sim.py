"""The runner of simulated phones: `sim:NAME`, and `sim:NAME:real` with real inference.

A job goes the ordinary way, through a folder, a journal and a record; heat, clock and sensors are
those of a simulated phone. Every record says `simulated`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from mobilebench.interfaces import Runner
from mobilebench.machine.isolated import Function, IsolatedCall
from mobilebench.thermal import phones
from mobilebench.values import wire
from mobilebench.values.device import Device, DeviceKind
from mobilebench_device_runners.host import HostRunner

AIR_C = 25.0
PERFORM = Function[[str, bool, str, Path], Path](
    "mobilebench_device_runners._simulated:perform", Path
)


class SimulatedRunner(HostRunner):
    """Runs artifacts on this machine as if it were a phone that becomes hot."""

    scheme = "sim"
    transport = "simulation in a local process"
    title = "simulated phone"

    def devices(self) -> tuple[Device, ...]:
        return tuple(device_of(name, real) for real in (False, True) for name in phones.names())

    def _function(self, device_id: str, place: str, folder: Path) -> IsolatedCall[Path]:
        _, name, *real = device_id.split(":")
        return PERFORM(name, bool(real), place, folder)


def device_of(name: str, real: bool) -> Device:
    """Describe a simulated phone; the build is a digest of everything that it is made from."""
    phone = phones.named(name)
    build = hashlib.sha256(wire.dumps(phone).encode()).hexdigest()[:12]
    return Device(
        id=f"sim:{name}:real" if real else f"sim:{name}",
        kind=DeviceKind.SIMULATED,
        model=f"{name} (real inference)" if real else name,
        os="simulation",
        os_version=f"{AIR_C:g} C",
        os_build=build,
    )


PLUGIN: Runner = SimulatedRunner()
