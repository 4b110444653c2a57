"""Make Android's x86_64 libraries loadable by a Java machine on Linux.

The tests run the app's runners on the very libraries that the app is built with: the x86_64 twins
of those that go to a phone. Timings made this way mean nothing.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from android_app.natives.patch_elf import patched
from mobilebench.errors import MissingToolkit, UserError
from mobilebench.files import publish_folder, staging_folder

SHIM = "libbionic.so"
_SOURCES = ("shim.c", "preload.c")
_LONGEST_S = 120
_FLAGS = ("-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


@dataclass(frozen=True)
class JavaSettings:
    """What a Java machine needs so that it can load the libraries of a folder."""

    options: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """To be added to the environment of the process."""


def prepare(libraries: Mapping[str, Path], out: Path) -> Path:
    """Write libraries, by their file name, and the shim into a folder; return the folder.

    A folder of that name is replaced. Raises `UserError` for a file that is not an Android library
    of 64 bits, `MissingToolkit` without a C compiler.
    """
    with staging_folder(out.parent) as staged:
        folder = staged / out.name
        folder.mkdir()
        for name, source in libraries.items():
            (folder / name).write_bytes(patched(source.read_bytes(), str(source)))
        _compile_shim(folder / SHIM)
        publish_folder(folder, out)
    return out


def java_settings(folder: Path) -> JavaSettings:
    """Return how to start Java on a folder that `prepare` wrote."""
    place = str(folder.resolve())
    return JavaSettings(
        options=(f"-Djava.library.path={place}", f"-Donnxruntime.native.path={place}"),
        environment={
            "LD_PRELOAD": f"{place}/{SHIM}",
            "LD_LIBRARY_PATH": place,
            "MOBILEBENCH_BIONIC": f"{place}/",
        },
    )


def _compile_shim(library: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise MissingToolkit(
            "Android's libraries were to be run on this machine, and it has no C compiler; "
            "install gcc."
        )
    sources = [str(Path(__file__).with_name(name)) for name in _SOURCES]
    made = subprocess.run(
        [compiler, *_FLAGS, "-o", str(library), *sources, "-ldl"],
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    if made.returncode != 0:
        raise UserError(
            f"{compiler} was to compile the shim for Android's libraries and failed; it needs the "
            f"headers of glibc (libc6-dev): {made.stderr.strip()[-1000:]}"
        )
