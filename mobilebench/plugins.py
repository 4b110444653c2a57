"""Find plug-ins by module name, and import one only when it is used."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from typing import cast

from mobilebench.errors import RecipeError, UserError, require_known
from mobilebench.interfaces import Exporter, Needing, Runner, Tooling, Wishing
from mobilebench.machine.installation import EXPORTERS, RUNNERS, missing_toolkit
from mobilebench.values.need import Need
from mobilebench.values.recipe import Feature
from mobilebench.values.wishes import Wishes


def exporter_names() -> tuple[str, ...]:
    """Return the names of the installed exporters, without importing them."""
    return _names(EXPORTERS)


def runner_names() -> tuple[str, ...]:
    """Return the schemes of the installed runners, without importing them."""
    return _names(RUNNERS)


def exporter(name: str) -> Exporter:
    """Return the exporter of a format.

    Raises `UnknownName`, or `MissingToolkit` where the extra that it needs is not installed; any
    other error of the import passes through.
    """
    return cast("Exporter", _plugin(EXPORTERS, name, "export format"))


def require_feature(name: str, feature: Feature) -> None:
    """Raise `RecipeError`, naming the formats that have it, where one lacks a feature."""
    if feature not in exporter(name).features():
        formats = [other for other in exporter_names() if feature in exporter(other).features()]
        raise RecipeError(
            f"The format {name} was asked for with {feature}, which it does not have; formats "
            f"that do: {', '.join(formats)}."
        )


def runner(device_id: str) -> Runner:
    """Return the runner of a device id such as `host` or `adb:SERIAL`.

    Raises as `exporter` does, and `UserError` for what names several devices.
    """
    if device_id == "all" or "," in device_id or device_id.partition(":")[0].count("="):
        raise UserError(
            f"One device is needed here, and {device_id!r} may be several; give one id, as "
            f"`mobilebench devices` lists them. `mobilebench bench` takes several."
        )
    return cast("Runner", _plugin(RUNNERS, device_id.partition(":")[0], "kind of device"))


def needs(scheme: str) -> tuple[Need, ...]:
    """Return what a runner needs of this computer; empty where it needs nothing."""
    plugin = runner(scheme)
    return plugin.needs() if isinstance(plugin, Needing) else ()


def wishing(runner: Runner, wishes: Wishes) -> Runner:
    """Return a runner with wishes. Raises `UserError` for one whose devices have no such thing."""
    if not wishes:
        return runner
    if not isinstance(runner, Wishing):
        raise wishes.refusal(runner.scheme)
    return runner.wishing(wishes)


def tooling(runner: Runner) -> Tooling:
    """Return a runner as one that runs programs of others. Raises `UserError` for another one."""
    if not isinstance(runner, Tooling):
        raise UserError(
            f"A program of others was to be run on a device of the kind {runner.scheme}, and only "
            f"Android devices behind adb take one; name --device adb:SERIAL."
        )
    return runner


def _names(package: str) -> tuple[str, ...]:
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    if places is None:
        return ()
    modules = (module.name for module in pkgutil.iter_modules(places))
    return tuple(sorted(name for name in modules if not name.startswith("_")))


def _plugin(package: str, name: str, noun: str) -> object:
    require_known(noun, name, _names(package))
    try:
        return importlib.import_module(f"{package}.{name}").PLUGIN
    except ModuleNotFoundError as error:
        advice = missing_toolkit(error, f"The {noun} {name!r}", prefer=name)
        if advice is None:
            raise
        raise advice from error
