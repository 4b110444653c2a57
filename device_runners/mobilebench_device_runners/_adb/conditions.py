"""Set on a phone what a run asks for, and put it back as it was found."""

from __future__ import annotations

from collections.abc import Mapping

from mobilebench.errors import UserError
from mobilebench.values.wishes import FIXED_PERFORMANCE, THERMAL_STATUS, Wishes
from mobilebench_device_runners._adb.command import Adb, quoted

_STAY_ON = "stay_on_while_plugged_in"
_ON_ANY_POWER = "7"
"""BatteryManager's bits of a charger, USB and a wireless pad."""
_WAKE = "KEYCODE_WAKEUP"
_UNDO_FILE = "/data/local/tmp/mobilebench-undo"
"""What takes everything back, on the phone: a program that is killed cannot do so itself."""


class Conditions:
    """What was changed on one phone, with the commands that take it back."""

    def __init__(self, adb: Adb, wishes: Wishes) -> None:
        self._adb = adb
        self._wishes = wishes
        self._undo: list[str] = []
        self._settings: dict[str, str] = {}

    @property
    def settings(self) -> Mapping[str, str]:
        """What was set, for the record; also after it was taken back."""
        return self._settings

    def set(self) -> None:
        """Wake the screen, keep it on, and do what was wished; once, however often it is called.

        Raises `UserError` for a wish that this phone cannot fulfil.
        """
        self.wake()
        if self._settings:
            return
        # What a program that was killed has left.
        self._adb.shell(f"[ ! -f {_UNDO_FILE} ] || {{ sh {_UNDO_FILE}; rm -f {_UNDO_FILE}; }}")
        earlier = self._adb.shell(quoted("settings", "get", "global", _STAY_ON)).text.strip()
        self._set(
            _STAY_ON,
            _ON_ANY_POWER,
            quoted("settings", "put", "global", _STAY_ON, _ON_ANY_POWER),
            quoted("settings", "put", "global", _STAY_ON, earlier if earlier.isdigit() else "0"),
        )
        if self._wishes.fixed_performance:
            self._fix_performance()
        if self._wishes.thermal_status is not None:
            self._rehearse(self._wishes.thermal_status)

    def wake(self) -> None:
        """Switch the screen on, and take away a lock that asks for nothing."""
        self._adb.shell(f"input keyevent {_WAKE}; wm dismiss-keyguard")

    def take_back(self) -> None:
        """Undo everything, the last first."""
        while self._undo:
            self._adb.shell(self._undo[-1])
            self._undo.pop()
        self._adb.shell(f"rm -f {_UNDO_FILE}")

    def _set(self, name: str, content: str, line: str, undo: str) -> str:
        # First: whatever happens to the command, it is taken back.
        self._adb.shell(f"echo {quoted(undo)} >> {_UNDO_FILE}")
        self._undo.append(undo)
        self._settings[name] = content
        answered = self._adb.shell(line)
        return answered.text if answered.ok else answered.text or f"it ended with {answered.rc}"

    def _fix_performance(self) -> None:
        command = "cmd power set-fixed-performance-mode-enabled"
        complaint = self._set(
            FIXED_PERFORMANCE, "true", f"{command} true", f"{command} false"
        ).strip()
        if complaint:
            raise UserError(
                f"The phone was asked for fixed performance, and does not offer it "
                f"({_short(complaint)}); run without that wish."
            )

    def _rehearse(self, status: int) -> None:
        command = "cmd thermalservice"
        complaint = self._set(
            THERMAL_STATUS, str(status), f"{command} override-status {status}", f"{command} reset"
        ).strip()
        text = self._adb.shell("dumpsys thermalservice").text
        if f"Thermal Status: {status}" not in text:
            raise UserError(
                f"The phone was asked to report the thermal status {status}, and does not "
                f"({_short(complaint) or 'it reports another one'}); it needs Android 10, and a "
                f"system that lets a cable do that."
            )


def _short(text: str) -> str:
    return " ".join(text.split())[:120]
