"""A board as the place of a measurement: its heat, its clocks, its firmware's reports."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import replace

import psutil

from mobilebench.machine import sensors
from mobilebench.measuring import engine
from mobilebench.values.device import (
    Cores,
    Device,
    DeviceKind,
    DeviceState,
    ThermalState,
    Unreadable,
)
from mobilebench.values.event import Event, EventKind
from mobilebench.values.facts import PiFlag
from mobilebench_device_runners._board.kernel import Kernel

_LOOK_S = 0.2
"""How long the cores are observed for other work, before and after."""
_HOT = frozenset({PiFlag.FREQUENCY_CAPPED, PiFlag.THROTTLED})


class Board:
    """The board that this runs on."""

    def __init__(self, identity: str, kernel: Kernel | None = None) -> None:
        """`identity` is what the board calls itself in records."""
        self._identity = identity
        self._kernel = kernel or Kernel()
        self._cap_mhz: float | None = None
        self._reported: frozenset[PiFlag] | None = None
        self._now: frozenset[PiFlag] = frozenset()
        self._events: list[Event] = []

    @property
    def instruments(self) -> engine.Instruments:
        return engine.Instruments(
            time.perf_counter_ns, _wait, lambda: self.state(time.perf_counter_ns, 0.0), self.events
        )

    def device(self) -> Device:
        kernel = self._kernel
        clusters = kernel.cores().clusters
        fastest = [(each.hardware_max_khz or 0, each) for each in clusters]
        return Device(
            id=f"ssh:{self._identity}",
            kind=DeviceKind.BOARD,
            model=kernel.model or platform.machine(),
            soc=kernel.soc,
            os=platform.system(),
            os_version=platform.release(),
            os_build=platform.version(),
            ram_bytes=psutil.virtual_memory().total,
            cores=os.cpu_count(),
            clusters=tuple(
                Cores(count=len(each.cpus), max_mhz=khz / 1000 if khz else None)
                for khz, each in sorted(fastest, key=lambda pair: (pair[0], pair[1].policy))
            )
            or None,
            boot_age_ns=kernel.boot_age_ns,
        )

    def state(self, clock: engine.Clock, look_s: float = _LOOK_S) -> DeviceState:
        """Read the state; what appeared since the last reading becomes events."""
        kernel = self._kernel
        read = kernel.temperatures()
        flags, cores = kernel.flags(), kernel.cores()
        now, since_boot = flags or (frozenset(), frozenset())
        measured_mhz = kernel.measured_mhz()
        clocks = [each.current_khz for each in cores.clusters if each.current_khz]
        allowed = [each.allowed_max_khz for each in cores.clusters if each.allowed_max_khz]
        cap_mhz = max(allowed) / 1000 if allowed else None
        if now & _HOT and measured_mhz is not None:
            cap_mhz = min(cap_mhz or measured_mhz, measured_mhz)
        self._note(cap_mhz, None if flags is None else now | since_boot, now)
        thermal = self._thermal(flags is not None, now)
        temperatures = read.by_name or None if not isinstance(read, Unreadable) else None
        mhz = measured_mhz or (sum(clocks) / len(clocks) / 1000 if clocks else None)
        values = {
            "thermal": thermal,
            "temperatures_c": temperatures,
            "cpu_mhz": mhz,
            "governor": cores.governor,
            "cpu_cap_mhz": cap_mhz,
        }
        state = sensors.host_state(clock, look_s)
        unreadable = {
            name: why for name, why in state.unreadable.items() if values.get(name) is None
        }
        unreadable |= {
            name: Unreadable.ABSENT
            for name, value in values.items()
            if value is None and name not in unreadable
        }
        return replace(
            state,
            thermal=thermal,
            temperatures_c=temperatures,
            cpu_mhz=mhz,
            governor=cores.governor,
            cpu_cap_mhz=cap_mhz,
            unreadable=unreadable,
        )

    def events(self) -> tuple[Event, ...]:
        """Return what happened since the last call; its times are set by the caller."""
        events, self._events = tuple(self._events), []
        return events

    def loaded(self, nanoseconds: int) -> None:
        pass

    def inference(self, infer: engine.Infer) -> engine.Infer:
        return infer

    def _thermal(self, tells: bool, now: frozenset[PiFlag]) -> ThermalState | None:
        """Return how hot it is by what holds the clock down; None where nothing tells.

        A supply that is too weak holds it down, too, and that is not heat.
        """
        cooling = self._kernel.cooling()
        if cooling or (now & _HOT and PiFlag.UNDER_VOLTAGE not in now):
            return ThermalState.SERIOUS
        if PiFlag.SOFT_TEMP_LIMIT in now:
            return ThermalState.FAIR
        return ThermalState.NOMINAL if tells or cooling is False else None

    def _note(
        self, cap_mhz: float | None, flags: frozenset[PiFlag] | None, now: frozenset[PiFlag]
    ) -> None:
        """Keep as events what is new: flags of the firmware, and another cap of the clock.

        What the firmware reported before this measurement is no fault of it.
        """
        first = self._reported is None and self._cap_mhz is None
        new = (flags or frozenset()) - (self._reported or frozenset())
        fell = cap_mhz is not None and self._cap_mhz is not None and cap_mhz != self._cap_mhz
        if not first and (new or fell or (now - self._now)):
            words = ", ".join(flag.replace("_", " ") for flag in PiFlag if flag in new | now)
            self._events.append(
                Event(
                    t_ns=0,
                    kind=EventKind.CLOCK_CAP,
                    readings={} if cap_mhz is None else {"cap_mhz": cap_mhz},
                    note=f"the firmware reports: {words}" if words else None,
                )
            )
        self._cap_mhz = cap_mhz if cap_mhz is not None else self._cap_mhz
        self._reported = flags if flags is not None else self._reported
        self._now = now


def _wait(nanoseconds: int) -> None:
    time.sleep(nanoseconds / 1e9)
