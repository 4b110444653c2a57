"""What Android devices need of this computer, for `mobilebench doctor`."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Sequence

from mobilebench.errors import UserError
from mobilebench.values.attached import Attached
from mobilebench.values.need import Need
from mobilebench_device_runners._adb import apk, listing
from mobilebench_device_runners._adb.command import ADB
from mobilebench_device_runners._tools import ToolFailed

_INSTALL = {
    "Darwin": "brew install --cask android-platform-tools",
    "Windows": "winget install Google.PlatformTools",
}
_ABIS = ("arm64-v8a", "x86_64")
_RESTART = "adb kill-server && adb start-server"


def all_needs(attached: Callable[[], Sequence[Attached]]) -> tuple[Need, ...]:
    """Return what is there; what depends on a missing thing is left out."""
    package = _package()
    if shutil.which(ADB) is None:
        mend = _INSTALL.get(platform.system(), "sudo apt install adb")
        return (Need(name="adb", met=False, here="not installed", mend=mend), package)
    program = Need(name="adb", met=True, here=f"{listing.version()}, {shutil.which(ADB)}")
    try:
        listing.listing()
    except ToolFailed as error:
        server = Need(name="adb server", met=False, here=str(error), mend=_RESTART)
        return (program, server, package)
    server = Need(name="adb server", met=True, here="answers")
    devices = attached()
    usable = [each.id for each in devices if each.usable]
    wrong = [f"{each.id}: {', '.join(each.reasons)}" for each in devices if not each.usable]
    phones = Need(
        name="Android device",
        met=bool(usable),
        here=", ".join([*usable, *wrong]) or "none is attached, or its USB debugging is off",
        mend=None if usable else "mobilebench devices --watch",
    )
    return (program, server, phones, package)


def _package() -> Need:
    """Return the app's package, which is needed where a phone does not have the app yet."""
    try:
        package = apk.find(_ABIS)
    except UserError as error:
        return Need(name="Android app", met=False, here=str(error), mend="make apk")
    if package is None:
        return Need(name="Android app", met=False, here="no package is here", mend="make apk")
    version = f"version {package.version_name} for {', '.join(package.abis)}"
    return Need(name="Android app", met=True, here=f"{version}, {package.path}")
