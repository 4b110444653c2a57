"""Compile the app's resources and manifest with aapt2."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from mobilebench_android.fetching import Report, fetch, silent
from mobilebench_android.jars import files_below
from mobilebench_android.java import run
from mobilebench_android.modules import COMPILE_API, MIN_API, MODULES
from mobilebench_android.outputs import files_key, key_of, made
from mobilebench_android.parts import parts
from mobilebench_android.places import ROOT

APPLICATION = "mobilebench.app"
VERSION_CODE = 1
_LIBRARIES = (
    "libaapt", "libandroidfw", "libbacktrace", "libbase", "libcutils", "liblog", "libutils",
    "libziparchive", "protobuf-lite", "zopfli", "p7zip",
)  # fmt: skip
_TIMEOUT_S = 300
_STATED = '<resources><string name="executorch_version">{}</string></resources>'
"""What only the build knows; Gradle states it by `resValue`."""


@dataclass(frozen=True)
class Linked:
    """What aapt2 made."""

    package: Path
    """An archive with the manifest and the resources in binary form."""
    java: Path
    """The folder with the source of the class `R`."""


def aapt2(*args: str | Path, report: Report = silent) -> str:
    """Run aapt2 and return what it prints. Raises `Unavailable` where it does not run."""
    program = fetch("aapt2", report) / "aapt2"
    path = os.pathsep.join(str(fetch(name, report)) for name in _LIBRARIES)
    return run([program, *args], timeout_s=_TIMEOUT_S, env={"LD_LIBRARY_PATH": path})


def version_name() -> str:
    """Return the project's version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def executorch_version() -> str:
    """Return what the app calls its ExecuTorch, which does not tell its version itself."""
    part = parts()["executorch-android"]
    return f"{part.package} {part.version}"


def manifest() -> Path:
    """Return the place of the app's manifest."""
    return MODULES["app"].place / "src" / "main" / "AndroidManifest.xml"


def link(report: Report = silent) -> Linked:
    """Return the app's manifest and resources, compiled."""
    written = manifest()
    source = written.parent
    resources = files_below(source / "res")
    options = [
        "--min-sdk-version", str(MIN_API),
        "--target-sdk-version", str(COMPILE_API),
        "--compile-sdk-version-code", str(COMPILE_API),
        "--compile-sdk-version-name", "14",
        "--version-code", str(VERSION_CODE),
        "--version-name", version_name(),
        # This aapt2 is older than <uses-native-library>; it writes the element all the same.
        "--warn-manifest-validation",
    ]  # fmt: skip

    def make(folder: Path) -> None:
        compiled = folder / "compiled.zip"
        aapt2("compile", "--dir", source / "res", "-o", compiled, report=report)
        stated = folder / "values" / "stated.xml"
        stated.parent.mkdir()
        stated.write_text(_STATED.format(executorch_version()), encoding="utf-8")
        aapt2("compile", stated, "-o", folder, report=report)
        # Gradle takes the package from its own files and refuses one in the manifest.
        text = written.read_text(encoding="utf-8")
        whole = folder / "AndroidManifest.xml"
        named = text.replace("<manifest", f'<manifest package="{APPLICATION}"', 1)
        whole.write_text(named, encoding="utf-8")
        framework = fetch("framework-res", report) / "framework-res.apk"
        (folder / "java").mkdir()
        outputs: list[str | Path] = ["-o", folder / "linked.zip", "--java", folder / "java"]
        aapt2(
            "link", "-I", framework, "--manifest", whole, *options, *outputs, compiled,
            folder / "values_stated.arsc.flat", report=report,
        )  # fmt: skip
        compiled.unlink()

    sources = files_key([*resources.items(), (written.name, written)])
    key = key_of(sources, options, APPLICATION, _STATED, executorch_version())
    place = made("resources", key, make, report)
    return Linked(place / "linked.zip", place / "java")
