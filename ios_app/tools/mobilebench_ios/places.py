"""Where the iOS app's sources, the Swift root and outputs lie."""

from __future__ import annotations

import os
from pathlib import Path

from mobilebench_android.places import ROOT, Unavailable, shown

__all__ = ["APP", "CACHE", "CORE", "OUTPUT", "ROOT", "Unavailable", "cache", "output", "shown"]

APP = ROOT / "ios_app"
CORE = APP / "BenchCore"
"""The Swift package."""
CACHE = "MOBILEBENCH_SWIFT_CACHE"
"""Variable with the folder of the Swift root, in place of `~/.cache/mobilebench/swift`."""
OUTPUT = "MOBILEBENCH_IOS_BUILD"
"""Variable with the folder of outputs, in place of `build/ios`."""


def cache() -> Path:
    """Return the folder of the Swift root, which all working copies of this account share."""
    if named := os.environ.get(CACHE):
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mobilebench" / "swift"


def output() -> Path:
    """Return the folder of this working copy's outputs."""
    return Path(os.environ.get(OUTPUT) or ROOT / "build" / "ios").absolute()
