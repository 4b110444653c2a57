"""Find the app for iPhones on this computer, and read what it says of itself."""

from __future__ import annotations

import os
import plistlib
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError

VARIABLE = "MOBILEBENCH_IOS_APP"
"""Variable with the signed app, in place of the one that `build/xc` has."""
NAME = "MobileBench.app"
"""Name of the app's bundle, by which it is found on a phone: identifiers differ by team."""
_BUILT = Path("build", "xc", "Build", "Products", "Release-iphoneos", NAME)
_INFO = "Info.plist"


@dataclass(frozen=True)
class App:
    """The app, on this computer or on a phone."""

    bundle_id: str
    version: str
    build: str
    name: str = NAME
    """Name of its bundle, as in the path of its process."""
    path: Path | None = None
    """Where it lies on this computer."""

    def is_same(self, other: App) -> bool:
        """Whether both have one identifier and one version."""
        return (self.bundle_id, self.version, self.build) == (
            other.bundle_id,
            other.version,
            other.build,
        )


def find() -> App | None:
    """Return the app at hand: the one of the variable, or that of a checkout's build; or None.

    Raises `UserError` for a variable that names no app.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return read(Path(named).expanduser())
    for root in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if (root / _BUILT / _INFO).is_file():
            return read(root / _BUILT)
    return None


def read(path: Path) -> App:
    """Read an app. Raises `UserError` for a folder that is not one."""
    try:
        with (path / _INFO).open("rb") as file:
            facts = plistlib.load(file)
        return App(
            bundle_id=str(facts["CFBundleIdentifier"]),
            version=str(facts["CFBundleShortVersionString"]),
            build=str(facts["CFBundleVersion"]),
            name=path.resolve().name,
            path=path,
        )
    except (OSError, KeyError, TypeError, plistlib.InvalidFileException, ValueError) as error:
        raise UserError(
            f"{path} cannot be read as an app of iOS ({error}); name the folder {NAME} that Xcode "
            f"built in {VARIABLE} (docs/ios.md says how to build it)."
        ) from error
