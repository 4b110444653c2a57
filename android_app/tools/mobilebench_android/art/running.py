"""Start a class on Android's own runtime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mobilebench_android import dexing
from mobilebench_android.art.boot import boot_class_path
from mobilebench_android.art.native import LAUNCHER, library_path
from mobilebench_android.fetching import Report, silent
from mobilebench_android.outputs import key_of, made

_NO_IMAGE = ("-Ximage:/nowhere", "-Xnoimage-dex2oat")
"""A phone compiles the core libraries when it is built; here their dex is interpreted."""
_OPTIONS = ("-Xint", *_NO_IMAGE, "-Xverify:all", "-Xmx512m")


def command(classpath: Sequence[Path], main: str, report: Report = silent) -> list[str]:
    """Return the command that runs a class out of dex files and of jars with dex or resources.

    Words that are appended are the arguments of its `main`. Raises `Unavailable` where the runtime
    cannot be had.
    """
    libraries = library_path(report)
    root = made("art-root", key_of(1), _write_root, report)
    places = {"ANDROID_ROOT": root, "ANDROID_RUNTIME_ROOT": root, "ANDROID_TZDATA_ROOT": root}
    environment = [f"{name}={path}" for name, path in places.items()]
    environment += [f"ANDROID_DATA={root / 'data'}", "ANDROID_LOG_TAGS=*:e"]
    environment.append(f"LD_LIBRARY_PATH={_path(libraries)}")
    options = [f"-Xbootclasspath:{_path(boot_class_path(report))}", *_OPTIONS]
    options.append(f"-Djava.class.path={_path(classpath)}")
    return ["env", *environment, str(libraries[0] / LAUNCHER), *options, main]


def app_command(modules: Sequence[str], main: str, report: Report = silent) -> list[str]:
    """Return the command that runs a class of modules that were dexed as for the app."""
    files = [*dexing.app_dex(modules, report=report), dexing.resources(modules, report)]
    return command(files, main, report)


def _write_root(folder: Path) -> None:
    """Make the folders that the runtime looks into, and writes nothing into."""
    (folder / "etc").mkdir()
    (folder / "data/dalvik-cache/x86_64").mkdir(parents=True)


def _path(files: Sequence[Path]) -> str:
    return os.pathsep.join(map(str, files))
