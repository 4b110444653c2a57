"""`mobilebench doctor`: show what is installed here, and how to install the rest."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mobilebench.cli import output

if TYPE_CHECKING:
    from rich.table import Table

IPHONE = """\
xcodebuild -project ios_app/MobileBench.xcodeproj \\
  -scheme MobileBench -configuration Release \\
  -destination generic/platform=iOS \\
  -derivedDataPath build/xc -allowProvisioningUpdates \\
  DEVELOPMENT_TEAM=TEAM MOBILEBENCH_BUNDLE_ID=APP
xcrun devicectl list devices
xcrun devicectl device install app --device PHONE \\
  build/xc/Build/Products/Release-iphoneos/MobileBench.app
xcrun devicectl device copy to --device PHONE \\
  --domain-type appDataContainer --domain-identifier APP \\
  --source phone-job --destination Documents/jobs/phone-job
xcrun devicectl device process launch --device PHONE APP \\
  --job phone-job --key KEY
xcrun devicectl device copy from --device PHONE \\
  --domain-type appDataContainer --domain-identifier APP \\
  --source Documents/jobs/phone-job --destination phone-job
"""
"""What builds, signs and installs the iOS app, and takes a job there and back."""

_ROOM_BYTES = 2_000_000_000
"""The largest job that a phone takes."""


def command() -> None:
    """Show whether each export format's toolkit is installed, and how to get it.

    What runners need to reach devices, and room on the disk, come next, with the command that mends
    each lack. The commands that build and install the iOS app follow.
    """
    from mobilebench import plugins
    from mobilebench.errors import MissingToolkit

    table = output.columns("format", "ready", "precisions", "tools")
    for name in plugins.exporter_names():
        exporter = plugins.exporter(name)
        try:
            versions = exporter.tool_versions()
            ready, tools = "yes", ", ".join(f"{tool} {v}" for tool, v in versions.items())
        except MissingToolkit as error:
            ready, tools = "no", str(error)
        table.add_row(name, ready, ", ".join(sorted(exporter.precisions())), tools)
    table.add_row("timm:NAME", *_timm())
    output.show_plain(table)
    output.show_text("\n")
    output.show_plain(_devices())
    output.show_text("\n")
    output.show_plain(_room())
    output.show_text("\n")
    output.show_line(_iphone())
    output.show_text(IPHONE)


def _devices() -> Table:
    """Return what the runners need to reach devices, with the command that mends each lack."""
    from mobilebench import plugins

    table = output.columns("for devices", "ready", "found", "run")
    for scheme in plugins.runner_names():
        for need in plugins.needs(scheme):
            table.add_row(need.name, "yes" if need.met else "no", need.here, need.mend or "")
    return table


def _room() -> Table:
    """Return how much room there is where files of jobs and records are written."""
    from mobilebench.notation.quantities import size
    from mobilebench.store.place import Place
    from mobilebench.store.records import default_url

    places = {"files of jobs": Path(tempfile.gettempdir())}
    store = Place.parse(default_url()).path
    if store is not None:  # a server keeps its records elsewhere
        places["records"] = store
    table = output.columns("room on disk", "ready", "found", "run")
    for name, place in places.items():
        # It may not exist yet.
        folder = next(each for each in (place, *place.parents) if each.is_dir())
        free = shutil.disk_usage(folder).free
        enough = free >= _ROOM_BYTES
        mend = "" if enough else f"free {size(_ROOM_BYTES - free)} on the disk of {folder}"
        table.add_row(name, "yes" if enough else "no", f"{size(free)} in {folder}", mend)
    return table


def _iphone() -> str:
    """Say what the commands for an iPhone need; they run on a Mac only."""
    if shutil.which("xcodebuild") and shutil.which("xcrun"):
        return "To build the iOS app and run a job on an iPhone:"
    return (
        "To build the iOS app and run a job on an iPhone, on a Mac with Xcode 16 or newer "
        "(there is no Xcode here):"
    )


def _timm() -> tuple[str, str, str]:
    """Say whether models of timm can be exported; by versions, since importing takes seconds."""
    from mobilebench.machine import torchvision

    versions = {name: torchvision.version_of(name) for name in ("timm", "torchvision")}
    tools = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    match, installed = torchvision.matching(), versions["torchvision"]
    fits = installed is not None and match is not None and match.fits(installed)
    if versions["timm"] and fits:
        return "yes", "", tools
    missing = " and ".join(name for name, version in versions.items() if version is None)
    why = f"{missing} not installed" if missing else "torchvision is built for another torch"
    commands = [] if versions["timm"] else ["pip install --no-deps timm"]
    if not fits and match is not None:
        commands.append(match.command)
    advice = f"{why}; run: {' && '.join(commands)}" if commands else f"{why}; install torch first"
    return "no", "", f"{tools}; {advice}" if tools else advice
