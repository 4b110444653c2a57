"""Where a job is done: the device, its clock and sensors, and what an inference is there."""

from __future__ import annotations

import time
from typing import Protocol

from mobilebench.machine import host, sensors
from mobilebench.measuring import engine
from mobilebench.values.device import Device, DeviceState

_LOOK_S = 0.2
"""How long the cores are observed for other work, before and after."""


class Place(Protocol):
    """A device, as a measurement needs it."""

    @property
    def instruments(self) -> engine.Instruments:
        """The clock, the wait and the sensors."""

    def device(self) -> Device:
        """Describe the device."""

    def state(self, clock: engine.Clock) -> DeviceState:
        """Read the state before and after a measurement; may take a moment."""

    def loaded(self, nanoseconds: int) -> None:
        """Take notice of how long a load took, where its clock does not show it."""

    def inference(self, infer: engine.Infer) -> engine.Infer:
        """Return what is timed in place of the inference of a loaded model."""


class Host:
    """This machine."""

    @property
    def instruments(self) -> engine.Instruments:
        return engine.Instruments(time.perf_counter_ns, _wait, sensors.host_state)

    def device(self) -> Device:
        return host.host_device()

    def state(self, clock: engine.Clock) -> DeviceState:
        return sensors.host_state(clock, look_s=_LOOK_S)

    def loaded(self, nanoseconds: int) -> None:
        pass

    def inference(self, infer: engine.Infer) -> engine.Infer:
        return infer


def _wait(nanoseconds: int) -> None:
    time.sleep(nanoseconds / 1e9)
