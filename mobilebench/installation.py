"""Installation: the versions that results depend on, here or on another machine."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from collections.abc import Collection, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from mobilebench.plugins import EXPORTERS, RUNNERS

SOURCE = "source of mobilebench"
_SHOWN_SHA256 = 12
_REQUIREMENT = re.compile(r"([\w.-]+)[^;]*(?:;.*extra == ['\"](\w+)['\"])?")


def versions(extras: Collection[str] | None = None) -> dict[str, str]:
    """Versions of Python, of mobilebench, of its source (a sha256) and of what it requires; of
    `extras` too (by default of all), as far as they are installed."""
    names = {name for name, extra in _requirements() if extra is None or _wanted(extra, extras)}
    found = {name: _version(name) for name in sorted({*names, "mobilebench"})}
    return {
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        **{name: version for name, version in found.items() if version is not None},
        SOURCE: _source_sha256()[:_SHOWN_SHA256],
    }


def difference(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str | None:
    """The first thing that is here and not the same there, in words; else None."""
    for name, version in ours.items():
        there = theirs.get(name)
        if there != version:
            return f"{name} {version} here and {there or 'none'} there"
    return None


def _wanted(extra: str, extras: Collection[str] | None) -> bool:
    return extra in extras if extras is not None else extra != "dev"


def _requirements() -> list[tuple[str, str | None]]:
    """(distribution, extra or None) of every requirement of mobilebench."""
    found = []
    for requirement in metadata.requires("mobilebench") or ():
        match = _REQUIREMENT.match(requirement)
        if match and match[1] != "mobilebench":
            found.append((match[1], match[2]))
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # an extra that was not asked for
        return None


@cache
def _source_sha256() -> str:
    """sha256 over the source of mobilebench and its plug-ins: a version that is being worked on
    does not change its number."""
    digest = hashlib.sha256()
    for package in ("mobilebench", EXPORTERS, RUNNERS):
        found = importlib.util.find_spec(package)
        for place in (found.submodule_search_locations if found else None) or ():
            for path in sorted(Path(place).rglob("*.py")):
                name = f"{package}/{path.relative_to(place).as_posix()}"
                digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
