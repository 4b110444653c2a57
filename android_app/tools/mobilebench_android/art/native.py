"""The native halves of Android's core libraries, and what starts the runtime."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from mobilebench.errors import ProcessFailed, UserError
from mobilebench_android import fetching
from mobilebench_android.art.fetched import fetch
from mobilebench_android.art.sources import edited
from mobilebench_android.fetching import Report, silent
from mobilebench_android.java import run
from mobilebench_android.outputs import files_key, key_of, made
from mobilebench_android.places import Unavailable

LIBRARIES = (
    "libart", "libbacktrace", "libbase", "liblog", "libnativebridge", "libnativeloader",
    "libziparchive", "libnativehelper", "libunwind", "libboringssl", "libicu",
)  # fmt: skip
LAUNCHER = "launcher"
_HEADERS = (
    "libnativehelper-headers", "libbase-headers", "liblog-headers", "libboringssl-headers",
    "libcap-headers", "libicu-headers",
)  # fmt: skip
_OWN = Path(__file__).with_name("native")
_LUNI, _OJLUNI = "luni/src/main/native", "ojluni/src/main/native"
_TEST_TARGET = "dalvik/src/main/native/org_apache_harmony_dalvik_NativeTestTarget.cpp"
_LEFT_OUT = {
    f"{_LUNI}/org_apache_harmony_xml_ExpatParser.cpp",  # It needs expat, and no XML is read.
    f"{_OJLUNI}/Register.cpp",  # OnLoad.cpp took its place.
}
_FLAGS = (
    "-shared", "-fPIC", "-O1", "-w", "-D_GNU_SOURCE", "-D_LARGEFILE64_SOURCE", "-DLINUX",
    "-D__has_feature(name)=0", "-DFALSE=0", "-DU_USING_ICU_NAMESPACE=0", "-Wl,-z,defs",
)  # fmt: skip
_FORGOTTEN = ("-include", "cstring", "-include", "unicode/udata.h")
"""Headers that other versions of ICU's headers bring along."""
_STRICT = ("-O1", "-Wall", "-Wextra", "-Werror")
_TIMEOUT_S = 600


def library_path(report: Report = silent) -> list[Path]:
    """Return the folders of the libraries; the first one has the launcher too.

    Raises `Unavailable` without a part or a C++ compiler.
    """
    return [_built(report), *(fetch(name, report) for name in LIBRARIES)]


def _built(report: Report) -> Path:
    sources = edited(report)
    folders = {name: fetch(name, report) for name in (*LIBRARIES, *_HEADERS)}
    p7zip = fetching.fetch("p7zip", report)
    compiler = shutil.which("gcc")
    if compiler is None or shutil.which("g++") is None:
        raise Unavailable("Android's core libraries need a C++ compiler; install gcc and g++")

    def make(folder: Path) -> None:
        report("compiling the native halves of Android's core libraries")
        # The runtime asks for these by names that Debian's packages make with links.
        shutil.copy(
            folders["libnativehelper"] / "libnativehelper.so.0", folder / "libnativehelper.so"
        )
        shutil.copy(p7zip / "7z.so", folder / "lib7z.so")
        build = _Build(compiler, sources, folders, folder)
        added = [sources / _TEST_TARGET, _OWN / "jvm.cpp"]
        build.library("libjavacore.so", [*build.files(_LUNI), *added], _FORGOTTEN)
        build.library("libopenjdk.so", build.files(_OJLUNI), (), ["-l:libjavacore.so"])
        build.launcher()

    code = [(path.name, path) for path in (Path(__file__), *_OWN.iterdir())]
    key = key_of(sources.name, sorted(each.name for each in folders.values()), files_key(code))
    return made("art-native", key, make, report)


class _Build:
    """Calls of the compiler, which also links."""

    def __init__(self, compiler: str, sources: Path, folders: dict[str, Path], out: Path) -> None:
        self._compiler = compiler
        self._sources = sources
        self._out = out
        headers = [folders[name] for name in _HEADERS]
        nested = [folders["libnativehelper-headers"] / "nativehelper"]
        own = [_OWN, sources / _LUNI, sources / _OJLUNI]
        self._includes = [f"-I{path}" for path in (*own, *headers, *nested)]
        places = [out, *(folders[name] for name in LIBRARIES)]
        self._links = [f"-L{path}" for path in places]
        self._links.append(f"-Wl,-rpath-link,{os.pathsep.join(map(str, places))}")

    def files(self, name: str) -> list[Path]:
        """Return the sources in a folder: luni's are of Android, ojluni's of OpenJDK."""
        folder = self._sources / name
        files = [*folder.glob("*.c"), *folder.glob("*.cpp")]
        left_out = {self._sources / path for path in _LEFT_OUT}
        return sorted(path for path in files if path not in left_out)

    def library(
        self, name: str, files: Sequence[Path], options: Sequence[str], links: Sequence[str] = ()
    ) -> None:
        """Compile and link a library."""
        needed = [
            "-l:libbase.so.0", "-l:liblog.so.0", "-l:libnativehelper.so.0", "-l:libcrypto.so.0",
            "-l:libziparchive.so.0", "-l:libicui18n.so.72", "-l:libicuuc.so.72", "-l:libz.so.1",
            "-lstdc++", "-lm", "-ldl", "-lpthread",
        ]  # fmt: skip
        words: list[str | Path] = [*_FLAGS, *options, *self._includes, "-o", self._out / name]
        self._run([*words, *files, *self._links, *links, *needed])

    def launcher(self) -> None:
        """Compile the program that starts the runtime; signals go to libsigchain first."""
        libraries = ["-Wl,--no-as-needed", "-l:libsigchain.so.0", "-l:libart.so.0", "-ldl"]
        unknown = "-Wl,--allow-shlib-undefined"
        program: list[str | Path] = [
            *_STRICT,
            *self._includes,
            "-o",
            self._out / LAUNCHER,
            _OWN / "launcher.c",
        ]
        self._run([*program, *self._links, *libraries, "-lpthread", unknown])

    def _run(self, args: Sequence[str | Path]) -> None:
        try:
            run([self._compiler, *args], timeout_s=_TIMEOUT_S)
        except ProcessFailed as error:
            raise UserError(
                f"{self._compiler} does not compile Android's core libraries; they need the "
                f"headers of glibc (libc6-dev) and g++:\n{error.log_tail.strip()}"
            ) from None
