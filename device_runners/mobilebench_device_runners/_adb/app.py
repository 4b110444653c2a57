"""The app on a phone: what it is called there, and how it is installed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mobilebench.errors import UserError
from mobilebench_device_runners._adb import apk
from mobilebench_device_runners._adb.apk import Apk
from mobilebench_device_runners._adb.command import Adb, quoted
from mobilebench_device_runners._tools import Answer, LinkLost

PACKAGE = "mobilebench.app"
ACTIVITY = f"{PACKAGE}/.MainActivity"
RUNNER = f"{PACKAGE}:runner"
"""The process that measures."""
INSTALL_S = 300.0
"""Limit of an installation: over a slow network, a minute for the package and one to verify it."""
_HASH_S = 60.0
_FAILED = re.compile(r"INSTALL_(?:PARSE_)?FAILED_[A-Z_]+")
_ADVICE = {
    "INSTALL_FAILED_USER_RESTRICTED": "the phone does not let a computer install apps; switch on "
    "'Install via USB' (and 'USB debugging (Security settings)') in its developer options, and "
    "accept the question on its screen",
    "INSTALL_FAILED_ABORTED": "somebody said no on the phone's screen; try again and accept",
    "INSTALL_FAILED_UPDATE_INCOMPATIBLE": "the app on the phone was signed with another key, as "
    "one of another computer is; save the records that are still in it, then run: adb uninstall "
    f"{PACKAGE}",
    "INSTALL_FAILED_VERSION_DOWNGRADE": "the app on the phone is newer than the package here; "
    f"build the package again with `make apk`, or run: adb uninstall {PACKAGE}",
    "INSTALL_FAILED_OLDER_SDK": "the phone's system is too old: the app needs Android 8",
    "INSTALL_FAILED_NO_MATCHING_ABIS": "the package is for another kind of processor; name the "
    f"one for this phone in {apk.VARIABLE}",
    "INSTALL_FAILED_INSUFFICIENT_STORAGE": "the phone is full; delete something on it",
    "INSTALL_FAILED_VERIFICATION_FAILURE": "the phone's check of packages refused it; answer its "
    "question on the screen, or switch the check of USB installs off in the developer options",
    "INSTALL_FAILED_VERIFICATION_TIMEOUT": "the phone's check of packages did not end; connect it "
    "to the network, or switch the check of USB installs off in the developer options",
    "INSTALL_PARSE_FAILED_NO_CERTIFICATES": "the package is not signed; build it again with `make "
    "apk`",
}
_FULL = "not enough space"


@dataclass(frozen=True)
class Owner:
    """The user of a phone for whom the app is installed and runs."""

    id: int
    alone: bool
    """Whether the phone has no other users."""

    @property
    def options(self) -> tuple[str, ...]:
        """What `install`, `pm` and `am` are given; old phones take it only where it matters."""
        return () if self.alone else ("--user", str(self.id))


def owner(adb: Adb) -> Owner:
    """Return the user who is in front, and not the one of a work profile."""
    current = adb.shell("am get-current-user").text.strip().splitlines()
    id_ = next((int(line) for line in current if line.isdigit()), 0)
    users = re.findall(r"UserInfo\{(\d+):", adb.shell("pm list users").text)
    return Owner(id_, alone=len(users) < 2 and id_ == 0)


def path_of(adb: Adb, user: Owner) -> str | None:
    """Return where the app is installed; None where that user does not have it."""
    text = adb.shell(quoted("pm", "path", *user.options, PACKAGE)).text
    paths = [line.removeprefix("package:") for line in text.split("\n") if "package:" in line]
    base = [path.strip() for path in paths if path.strip().endswith("base.apk")]
    return next(iter([*base, *(path.strip() for path in paths)]), None)


def require(adb: Adb, user: Owner, package: Apk | None, installing: Callable[[], object]) -> bool:
    """Bring the app onto the phone, where it is missing or another one; return whether it was.

    `installing` is called before that. Raises `UserError` with what to do
    where the phone refuses it, and where neither side has the app.
    """
    place = path_of(adb, user)
    if package is None:
        if place is None:
            raise UserError(
                f"The app is not on the phone, and no package of it is here; run `make apk` in a "
                f"checkout of mobilebench, or name the APK in {apk.VARIABLE}."
            )
        return False
    if place is not None and is_same(adb, place, package):
        return False
    installing()
    _install(adb, user, package)
    if path_of(adb, user) is None:
        raise UserError(
            f"adb says that {package.path} was installed, and the phone does not list "
            f"{PACKAGE} for user {user.id}; look at the phone's screen, and try again."
        )
    return True


def is_same(adb: Adb, place: str, package: Apk) -> bool:
    """Whether the installed package is the one at hand: by its bytes, or else by its version."""
    answered = adb.shell(f"sha256sum {quoted(place)} 2>/dev/null", timeout_s=_HASH_S).text.split()
    if answered and re.fullmatch(r"[0-9a-f]{64}", answered[0]):
        return answered[0] == package.sha256
    text = adb.shell(quoted("dumpsys", "package", PACKAGE)).text
    code = re.search(r"^\s*versionCode=(\d+)", text, re.MULTILINE)
    name = re.search(r"^\s*versionName=(\S+)", text, re.MULTILINE)
    installed = (code and int(code[1]), name and name[1])
    return installed == (package.version_code, package.version_name)


def _install(adb: Adb, user: Owner, package: Apk) -> None:
    # Streams fail on old kernels and some phones with Android 9; a plain copy works there.
    for way in ((), ("--no-streaming",)):
        args = ("install", *way, "-r", *user.options, str(package.path.resolve()))
        answer = _answer(adb, args)
        text = (answer.stdout + answer.stderr).decode("utf-8", "replace")
        # Old devices end with 0 for failures, too.
        if "Success" in text and not _FAILED.search(text):
            return
        refused = _FAILED.search(text)
        if refused or _FULL in text:
            code = refused[0] if refused else "INSTALL_FAILED_INSUFFICIENT_STORAGE"
            advice = _ADVICE.get(code, "look at the phone's screen, and search for this word")
            raise UserError(f"The phone refuses the app with {code}: {advice}.")
    raise UserError(
        f"The app cannot be installed, also not with --no-streaming: {answer.complaint}; install "
        f"it by hand: adb install {package.path}"
    )


def _answer(adb: Adb, args: tuple[str, ...]) -> Answer:
    """Return what adb says of an installation, also where the phone does not know the way."""
    try:
        return adb.run(*args, timeout_s=INSTALL_S)
    except LinkLost as error:
        adb.shell("true")  # a phone that is gone says so
        if error.answer.rc >= 0:
            return error.answer  # it ended by itself: the phone does not know this way
        raise UserError(
            f"The installation {error.why}, and the phone answers: its check of packages may wait "
            f"for an answer on the screen; look at it, or switch the check of USB installs off in "
            f"the developer options (adb shell settings put global verifier_verify_adb_installs 0)."
        ) from error
