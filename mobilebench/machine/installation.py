"""List the versions that results depend on, here or on another machine."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from collections.abc import Collection, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from mobilebench.errors import MissingToolkit

EXPORTERS = "mobilebench_exporters"
RUNNERS = "mobilebench_device_runners"
SOURCE = "source of mobilebench"
_SHOWN_SHA256 = 12
_REQUIREMENT = re.compile(r"([\w.-]+)[^;]*(?:;.*extra == ['\"](\w+)['\"])?")


def versions(extras: Collection[str] | None = None) -> dict[str, str]:
    """Return the versions of Python, of mobilebench, of its source and its requirements.

    The version of the source is a sha256. The requirements of `extras` count too (by default of
    all), where they are installed.
    """
    names = {name for name, extra in _requirements() if extra is None or _wanted(extra, extras)}
    by_name = {name: _version(name) for name in sorted({*names, "mobilebench"})}
    return {
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        **{name: version for name, version in by_name.items() if version is not None},
        SOURCE: source_sha256("mobilebench", EXPORTERS, RUNNERS)[:_SHOWN_SHA256],
    }


def difference(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str | None:
    """Return the first version that is not the same there, in words; else None."""
    for name, version in ours.items():
        there = theirs.get(name)
        if there != version:
            return f"{name} {version} here and {there or 'none'} there"
    return None


def _wanted(extra: str, extras: Collection[str] | None) -> bool:
    return extra in extras if extras is not None else extra != "dev"


def _requirements() -> list[tuple[str, str | None]]:
    """Return (distribution, extra or None) of every requirement of mobilebench."""
    requirements = []
    for requirement in metadata.requires("mobilebench") or ():
        match = _REQUIREMENT.match(requirement)
        if match and match[1] != "mobilebench":
            requirements.append((match[1], match[2]))
    return requirements


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # an extra that was not asked for
        return None


@cache
def source_sha256(*packages: str) -> str:
    """Return the sha256 over all source of some packages, by name, path and content.

    It distinguishes a version that is being worked on from the same version an hour ago. Raises
    `ModuleNotFoundError` for a package that does not exist, so that no digest leaves it out
    unnoticed.
    """
    digest = hashlib.sha256()
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(f"there is no package {package!r} to take a digest of")
        for folder in spec.submodule_search_locations:
            for path in sorted(Path(folder).rglob("*.py")):
                name = f"{package}/{path.relative_to(folder).as_posix()}"
                digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def missing_toolkit(
    error: ModuleNotFoundError, what: str, prefer: str | None = None
) -> MissingToolkit | None:
    """Return the error for a missing module that an extra of mobilebench installs.

    None where no extra installs it: then a toolkit is broken, not missing, and its traceback
    matters. `prefer` is the extra to name if it is one of several.
    """
    missing = (error.name or "").partition(".")[0]
    modules_of = _modules_of_extras()
    extras = [extra for extra, modules in modules_of.items() if missing in modules]
    if not extras:
        return None
    # Extras with several toolkits hold the same requirement: name the smallest.
    extra = prefer if prefer in extras else min(extras, key=lambda name: len(modules_of[name]))
    return MissingToolkit(
        f"{what} needs the package {missing!r}, which is not installed; "
        f"run: pip install 'mobilebench[{extra}]'"
    )


def _modules_of_extras() -> dict[str, set[str]]:
    """Return the top-level modules of every extra.

    Distributions are named like their modules, except for dashes.
    """
    modules: dict[str, set[str]] = {}
    for name, extra in _requirements():
        if extra is not None:
            modules.setdefault(extra, set()).add(name.replace("-", "_").lower())
    return modules
