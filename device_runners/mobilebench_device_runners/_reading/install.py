"""How an installation over adb went, by the words of Android's package manager."""

from __future__ import annotations

import re
from enum import StrEnum

from mobilebench.values import value
from mobilebench_device_runners._reading.asking import Answer, is_lost


class InstallState(StrEnum):
    """How an installation ended."""

    OK = "ok"
    REFUSED = "refused_by_device"
    """The phone's policy: another try changes nothing."""
    WRONG_ABI = "abi"
    OTHER_KEY = "other_key"
    """The installed app is signed by another key."""
    OLDER = "older"
    """A newer version is installed."""
    FULL = "disk_full"
    STREAMING = "streaming"
    """The way it was sent: without streaming it may go."""
    LOST = "transport_lost"
    FAILED = "failed"


@value
class Installed:
    """The end of one installation."""

    state: InstallState
    code: str | None = None
    """The package manager's word, such as INSTALL_FAILED_USER_RESTRICTED."""
    retry_helps: bool = False
    """Whether sending it again without streaming can help."""
    mend: str | None = None


_CODES = (
    (r"INSTALL_FAILED_(?:USER_RESTRICTED|VERIFICATION_\w+|ABORTED)", InstallState.REFUSED),
    (r"INSTALL_FAILED_(?:NO_MATCHING_ABIS|CPU_ABI_INCOMPATIBLE)", InstallState.WRONG_ABI),
    (
        r"INSTALL_FAILED_(?:UPDATE_INCOMPATIBLE|SHARED_USER_INCOMPATIBLE)"
        r"|INSTALL_PARSE_FAILED_INCONSISTENT_CERTIFICATES",
        InstallState.OTHER_KEY,
    ),
    (r"INSTALL_FAILED_VERSION_DOWNGRADE", InstallState.OLDER),
    (r"INSTALL_FAILED_INSUFFICIENT_STORAGE|No space left", InstallState.FULL),
)
_MENDS = {
    InstallState.REFUSED: "switch on 'Install via USB' and 'USB debugging (Security settings)' on "
    "the phone",
    InstallState.WRONG_ABI: "use a phone whose programs are 64-bit",
    InstallState.OTHER_KEY: "uninstall the app from the phone",
    InstallState.OLDER: "uninstall the app from the phone",
    InstallState.FULL: "delete something on the phone",
}


def installed_of(answer: Answer, streaming: bool = True) -> Installed:
    """Return how `adb install` went; `streaming` says whether the app was streamed."""
    text = (answer.stdout + b"\n" + answer.stderr).decode("utf-8", "replace")
    code = re.search(r"\b(INSTALL_[A-Z_]+)", text)
    for pattern, state in _CODES:
        if re.search(pattern, text):
            return Installed(state=state, code=code[1] if code else None, mend=_MENDS[state])
    if answer.rc == 0 and re.search(r"^Success\s*$", text, re.MULTILINE):
        return Installed(state=InstallState.OK)
    if is_lost(answer.stderr.decode("utf-8", "replace")):
        return Installed(state=InstallState.LOST)
    if streaming and code is None:
        return Installed(state=InstallState.STREAMING, retry_helps=True)
    return Installed(state=InstallState.FAILED, code=code[1] if code else None)
