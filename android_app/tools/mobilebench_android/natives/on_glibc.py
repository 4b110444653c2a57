"""Make Android's x86_64 libraries loadable by a Java machine on Linux.

The tests run the app's runners on the very libraries that the app is built with: the x86_64 twins
of those that go to a phone. Timings made this way mean nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import MissingToolkit, ProcessFailed, UserError
from mobilebench_android import packaging
from mobilebench_android.fetching import Report, silent
from mobilebench_android.java import run
from mobilebench_android.natives import patch_elf
from mobilebench_android.outputs import files_key, made
from mobilebench_android.places import APP

SHIM = "libbionic.so"
_SOURCES = tuple(APP / "natives" / name for name in ("shim.c", "preload.c"))
_FLAGS = ("-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
_ABI = "x86_64"
_LONGEST_S = 120


@dataclass(frozen=True)
class JavaSettings:
    """What a Java machine needs so that it can load the libraries of a folder."""

    options: tuple[str, ...]
    environment: Mapping[str, str]
    """To be added to the environment of the process."""


def libraries(report: Report = silent) -> Path:
    """Return a folder with the app's native libraries, made loadable, and the shim.

    Raises `UserError` where it cannot be made.
    """
    originals = {native.name: native.path for native in packaging.natives(_ABI, report)}
    code = {path.name: path for path in (*_SOURCES, Path(__file__), Path(patch_elf.__file__))}

    def make(folder: Path) -> None:
        report("making the native libraries loadable here")
        prepare(originals, folder)

    return made("natives", files_key([*originals.items(), *code.items()]), make, report)


def prepare(originals: Mapping[str, Path], folder: Path) -> None:
    """Write libraries, by their file name, and the shim into a folder.

    Raises `UserError` for a file that is not an Android library of 64 bits, `MissingToolkit`
    without a C compiler.
    """
    for name, source in originals.items():
        (folder / name).write_bytes(patch_elf.patched(source.read_bytes(), str(source)))
    _compile_shim(folder / SHIM)


def java_settings(folder: Path) -> JavaSettings:
    """Return how to start Java on a folder that `prepare` wrote."""
    place = folder.resolve()
    return JavaSettings(
        options=(f"-Djava.library.path={place}", f"-Donnxruntime.native.path={place}"),
        environment={
            "LD_PRELOAD": f"{place / SHIM}",
            "LD_LIBRARY_PATH": f"{place}",
            "MOBILEBENCH_BIONIC": f"{place}/",
        },
    )


def _compile_shim(library: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise MissingToolkit(
            "Android's libraries were to be run on this machine, and it has no C compiler; "
            "install gcc and libc6-dev."
        )
    try:
        run([compiler, *_FLAGS, "-o", library, *_SOURCES, "-ldl"], timeout_s=_LONGEST_S)
    except ProcessFailed as error:
        raise UserError(
            f"{compiler} was to compile the shim for Android's libraries and failed; it needs the "
            f"headers of glibc (libc6-dev): {error.log_tail.strip()}"
        ) from error
