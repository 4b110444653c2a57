"""What iPhones need of this computer, for `mobilebench doctor`."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Sequence

from mobilebench.errors import UserError
from mobilebench.values.attached import Attached
from mobilebench.values.need import Need
from mobilebench_device_runners._ios import app
from mobilebench_device_runners._ios.tools import GO_IOS, QUICK_S, XCRUN, GoIos
from mobilebench_device_runners._tools import ToolFailed, run_tool

_BUILD = (
    "xcodebuild -project ios_app/MobileBench.xcodeproj -scheme MobileBench -configuration Release "
    "-destination generic/platform=iOS -derivedDataPath build/xc -allowProvisioningUpdates "
    "DEVELOPMENT_TEAM=TEAM MOBILEBENCH_BUNDLE_ID=APP"
)


def all_needs(attached: Callable[[], Sequence[Attached]]) -> tuple[Need, ...]:
    """Return what is there; what depends on a missing thing is left out."""
    mac = platform.system() == "Darwin" or shutil.which(XCRUN) is not None
    tools = [*([_devicectl(), _signing()] if mac else []), _go_ios(optional=mac)]
    return (*tools, *([_phones(attached())] if any(each.met for each in tools) else []), _app())


def _devicectl() -> Need:
    if shutil.which(XCRUN) is None:
        return Need(
            name="devicectl", met=False, here="not installed", mend="xcode-select --install"
        )
    answer = _said((XCRUN, "devicectl", "--version"))
    if answer is None:
        mend = "sudo xcode-select -s /Applications/Xcode.app"
        return Need(name="devicectl", met=False, here="Xcode 15 or newer is not here", mend=mend)
    return Need(name="devicectl", met=True, here=answer)


def _signing() -> Need:
    """Return whether a certificate can sign the app."""
    text = _said(("security", "find-identity", "-v", "-p", "codesigning")) or ""
    certificates = text.count('"Apple Development') + text.count('"iPhone Developer')
    if certificates:
        return Need(name="signing of iOS apps", met=True, here=f"{certificates} certificates")
    return Need(
        name="signing of iOS apps",
        met=False,
        here="no certificate of a developer: sign in to Xcode, Settings, Accounts",
        mend="open -a Xcode ios_app/MobileBench.xcodeproj",
    )


def _go_ios(optional: bool) -> Need:
    if shutil.which(GO_IOS) is None:
        why = "not installed; it drives iPhones of iOS 16 and sets device conditions"
        here = why if optional else "not installed"
        return Need(name="go-ios", met=False, here=here, mend="npm install -g go-ios")
    try:
        return Need(name="go-ios", met=True, here=f"{GoIos('').version()}, {shutil.which(GO_IOS)}")
    except ToolFailed as error:
        return Need(name="go-ios", met=False, here=str(error), mend="npm install -g go-ios")


def _phones(devices: Sequence[Attached]) -> Need:
    usable = [each.id for each in devices if each.usable]
    wrong = [f"{each.id}: {', '.join(each.reasons)}" for each in devices if not each.usable]
    return Need(
        name="iPhone",
        met=bool(usable),
        here=", ".join([*usable, *wrong]) or "none is attached, or it does not trust this computer",
        mend=None if usable else "mobilebench devices --watch",
    )


def _app() -> Need:
    """Return the app, which is needed where a phone does not have it yet."""
    try:
        at_hand = app.find()
    except UserError as error:
        return Need(name="iOS app", met=False, here=str(error), mend=_BUILD)
    if at_hand is None:
        return Need(name="iOS app", met=False, here="no app is here", mend=_BUILD)
    return Need(name="iOS app", met=True, here=f"version {at_hand.version}, {at_hand.path}")


def _said(words: Sequence[str]) -> str | None:
    """Return what a command prints; None where it fails."""
    if shutil.which(words[0]) is None:
        return None
    try:
        answer = run_tool(words, QUICK_S)
    except ToolFailed:
        return None
    return answer.text.strip() if answer.rc == 0 else None
