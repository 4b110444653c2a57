"""Make an iPhone report a thermal state for a run, by a device condition of go-ios.

It is set by a process that has to live as long as it shall hold, and takes up to two minutes.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from threading import Event

from mobilebench.errors import Cancelled, UserError
from mobilebench.values.device import ANDROID_STATUSES, ThermalState
from mobilebench.values.wishes import THERMAL_STATUS, Wishes
from mobilebench_device_runners._ios.tools import GO_IOS, QUICK_S
from mobilebench_device_runners._reading import go_ios
from mobilebench_device_runners._reading.devicectl import mapping, rows, word
from mobilebench_device_runners._tools import Held, run_tool

_STARTS_S = 3.0
"""Within which a condition that the phone refuses has ended its process."""


class Conditions:
    """What one iPhone is made to report."""

    def __init__(self, udid: str | None, wishes: Wishes) -> None:
        self._udid = udid
        self._wishes = wishes
        self._held: Held | None = None
        self._settings: dict[str, str] = {}

    @property
    def settings(self) -> Mapping[str, str]:
        """What was set, for the record; also after it was taken back."""
        return self._settings

    def require(self) -> None:
        """Raise `UserError` for a wish that no iPhone fulfils, or not with what is here."""
        if self._wishes.fixed_performance:
            raise UserError(
                "An iPhone has no mode of fixed performance, and --fixed-performance was given; "
                "leave it out."
            )
        if self._wishes.thermal_status is None:
            return
        if self._state is ThermalState.NOMINAL:
            raise UserError(
                "An iPhone cannot be made to report that it is cool, and --rehearse-status 0 was "
                "given; name a status from 1 to 6, or leave it out."
            )
        if shutil.which(GO_IOS) is None or self._udid is None:
            raise UserError(
                "An iPhone is made to report a thermal state by go-ios, which is not on the PATH; "
                "run: npm install -g go-ios"
            )

    def set(self, cancel: Event | None = None) -> None:
        """Set what was wished, once. Raises `UserError` where the phone does not offer it."""
        if self._wishes.thermal_status is None or (self._held is not None and self._held.runs):
            return
        kind, profile = self._profile()
        device = f"--udid={self._udid}"
        self._held = Held((GO_IOS, "devicestate", "enable", kind, profile, device))
        self._settings[THERMAL_STATUS] = profile
        until = time.monotonic() + _STARTS_S
        while time.monotonic() < until:
            if not self._held.runs:
                raise UserError(
                    f"The phone was asked to report {profile}, and go-ios ended at once; end what "
                    f"else sets a condition (Xcode, Devices), and try again."
                )
            if (cancel or Event()).wait(0.1):
                raise Cancelled

    def take_back(self) -> None:
        """End the condition."""
        if self._held is not None:
            self._held.end()
            self._held = None

    @property
    def _state(self) -> ThermalState:
        assert self._wishes.thermal_status is not None
        return list(ANDROID_STATUSES.values())[self._wishes.thermal_status]

    def _profile(self) -> tuple[str, str]:
        """Return the phone's names of the condition and of its profile."""
        words = (GO_IOS, "devicestate", "list", f"--udid={self._udid}")
        wanted = f"thermal{self._state.value}".lower()
        for kind in rows(go_ios.document_of(run_tool(words, QUICK_S))):
            row = mapping(kind)
            for each in rows(row.get("Profiles") or row.get("profiles")):
                name = word(each.get("Identifier") or each.get("identifier"))
                group = word(row.get("Identifier") or row.get("identifier"))
                if name and group and wanted in name.lower():
                    return group, name
        raise UserError(
            f"The phone offers no condition of the thermal state {self._state.value}; `ios "
            f"devicestate list` shows what it offers. It needs Developer Mode, and iOS 13 or newer."
        )
