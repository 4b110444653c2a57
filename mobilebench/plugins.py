"""Finds plug-ins by module name and imports one only when it is used."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pkgutil
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import cast

from mobilebench.errors import MissingToolkit, RecipeError, UnknownName
from mobilebench.interfaces import Exporter, Runner
from mobilebench.recipe import Feature

EXPORTERS = "mobilebench_exporters"
RUNNERS = "mobilebench_device_runners"


def exporter_names() -> tuple[str, ...]:
    """Names of the exporters that are installed with mobilebench; imports none of them."""
    return _names(EXPORTERS)


def runner_names() -> tuple[str, ...]:
    """Schemes of the runners; imports none of them."""
    return _names(RUNNERS)


def exporter(name: str) -> Exporter:
    """The exporter of a format.

    Raises `UnknownName`, or `MissingToolkit` where the extra that it needs is not installed; any
    other error of the import passes through.
    """
    return cast("Exporter", _plugin(EXPORTERS, name, "export format"))


def require_feature(name: str, feature: Feature) -> None:
    """Raise `RecipeError`, naming the formats that have it, where a format lacks a feature."""
    if feature not in exporter(name).features():
        able = [other for other in exporter_names() if feature in exporter(other).features()]
        raise RecipeError(
            f"The format {name} was asked for with {feature}, which it does not have; formats "
            f"that do: {', '.join(able)}."
        )


@cache
def exporters_sha256() -> str:
    """sha256 over the source of every exporter and of the deployment forms: other code may write
    other files."""
    return _sources_sha256(EXPORTERS, "mobilebench.deploy")


@cache
def own_sha256() -> str:
    """sha256 over all source of mobilebench itself."""
    return _sources_sha256("mobilebench")


def _sources_sha256(*packages: str) -> str:
    digest = hashlib.sha256()
    for package in packages:
        found = importlib.util.find_spec(package)
        for place in (found.submodule_search_locations if found else None) or ():
            for path in sorted(Path(place).rglob("*.py")):
                digest.update(f"{path.relative_to(place)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def runner(device_id: str) -> Runner:
    """The runner of a device id such as `host` or `adb:SERIAL`; raises as `exporter` does."""
    return cast("Runner", _plugin(RUNNERS, device_id.partition(":")[0], "kind of device"))


def _names(package: str) -> tuple[str, ...]:
    found = importlib.util.find_spec(package)
    places = found.submodule_search_locations if found else None
    if places is None:
        return ()
    modules = (module.name for module in pkgutil.iter_modules(places))
    return tuple(sorted(name for name in modules if not name.startswith("_")))


def _plugin(package: str, name: str, noun: str) -> object:
    if name not in _names(package):
        raise UnknownName(noun, name, _names(package))
    try:
        return importlib.import_module(f"{package}.{name}").PLUGIN
    except ModuleNotFoundError as error:
        advice = missing_toolkit(error, f"The {noun} {name!r}", prefer=name)
        if advice is None:
            raise
        raise advice from error


def missing_toolkit(
    error: ModuleNotFoundError, what: str, prefer: str | None = None
) -> MissingToolkit | None:
    """What to tell a user who lacks a module that an extra of mobilebench brings.

    None where no extra brings it: then it is not a missing toolkit but a broken one, and its
    traceback matters. `prefer` is the extra to name if it is one of several.
    """
    missing = (error.name or "").partition(".")[0]
    brought = _modules_of_extras()
    extras = [extra for extra, modules in brought.items() if missing in modules]
    if not extras:
        return None
    # Extras that bring several toolkits hold the same requirement: name the smallest.
    extra = prefer if prefer in extras else min(extras, key=lambda name: len(brought[name]))
    return MissingToolkit(
        f"{what} needs the package {missing!r}, which is not installed; "
        f"run: pip install 'mobilebench[{extra}]'"
    )


def _modules_of_extras() -> dict[str, set[str]]:
    """Top-level modules by extra, from the package's own metadata.

    The distributions of the extras are named like their modules but for dashes.
    """
    modules: dict[str, set[str]] = {}
    for requirement in metadata.requires("mobilebench") or ():
        match = re.match(r"([\w.-]+)[^;]*;.*extra == ['\"](\w+)['\"]", requirement)
        if match and match[1] != "mobilebench":
            modules.setdefault(match[2], set()).add(match[1].replace("-", "_").lower())
    return modules
