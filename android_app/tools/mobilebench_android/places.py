"""Where sources, parts and outputs lie, and what is wrong where a check cannot run."""

from __future__ import annotations

import os
from pathlib import Path

from mobilebench.errors import UserError

ROOT = Path(__file__).resolve().parents[3]
"""The repository."""
APP = ROOT / "android_app"
CACHE = "MOBILEBENCH_ANDROID_CACHE"
"""Variable with the folder of parts, in place of `~/.cache/mobilebench/android`."""
OUTPUT = "MOBILEBENCH_ANDROID_BUILD"
"""Variable with the folder of outputs, in place of `build/android`."""


class Unavailable(UserError):
    """A part or program that cannot be had here; checks that need it are skipped."""


def cache() -> Path:
    """Return the folder of parts, which all working copies of this account share."""
    if named := os.environ.get(CACHE):
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mobilebench" / "android"


def output() -> Path:
    """Return the folder of this working copy's outputs."""
    return Path(os.environ.get(OUTPUT) or ROOT / "build" / "android").absolute()


def shown(path: Path) -> str:
    """Return a path as people type it: below the repository where it is in there."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
