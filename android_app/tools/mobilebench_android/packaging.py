"""Put the app together: the same bytes for the same content, aligned, then signed."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from mobilebench.files import only_one, staging_folder
from mobilebench_android.dexing import app_dex, resources
from mobilebench_android.elf import PAGE, load_alignment
from mobilebench_android.fetching import Report, fetch, silent
from mobilebench_android.jars import entry
from mobilebench_android.java import java, jdk, run
from mobilebench_android.modules import MIN_API, libraries_of, with_needs
from mobilebench_android.outputs import files_key, key_of, made
from mobilebench_android.places import cache, output
from mobilebench_android.resources import link

ABIS = ("arm64-v8a", "x86_64")
"""Phones, and emulators."""
_WORD = 4
_ALIGNMENT_FIELD = 0xD935
"""The extra field of a zip entry that says how its data is aligned; the signer keeps it so."""
_HEADER = 30
_TIMEOUT_S = 300
_PASSWORD = "android"
_DEX_NAMES = ("classes.dex", "classes2.dex")
INSTEAD = {
    "libfbjni.so": "com.facebook.fbjni:fbjni",
    "libc++_shared.so": "com.facebook.fbjni:fbjni",
    "libtensorflowlite_jni.so": "com.google.ai.edge.litert:litert",
}
"""What a Gradle build takes in place of a library that is aligned to 4 KiB."""


@dataclass(frozen=True)
class Native:
    """A native library of the app."""

    name: str
    path: Path

    @property
    def ready(self) -> bool:
        """Whether it loads on phones with pages of 16 KiB."""
        return load_alignment(self.path.read_bytes(), self.name) % PAGE == 0


def natives(abi: str, report: Report = silent) -> list[Native]:
    """Return the native libraries that the app needs on an ABI."""
    return [
        Native(name, fetch(library.part, report) / abi / name)
        for library in libraries_of(with_needs(["app"]))
        for name in library.natives
    ]


def unsigned(abi: str, report: Report = silent) -> Path:
    """Return the app for an ABI before it is signed."""
    linked = link(report)
    carried = resources(["app"], report)
    dexes = app_dex(["app"], report=report)
    libraries = natives(abi, report)
    files = [
        *zip(_DEX_NAMES, dexes, strict=True),
        *((f"lib/{abi}/{each.name}", each.path) for each in libraries),
    ]
    archives = [("linked", linked.package), ("carried", carried)]
    key = key_of(files_key([*files, *archives]), files_key([("layout", Path(__file__))]))
    name = f"mobilebench-{abi}-unsigned.apk"

    def make(folder: Path) -> None:
        report(f"packing the app for {abi}")
        write_apk(folder / name, [path for _, path in archives], files)

    return made(f"apk-{abi}", key, make, report) / name


def write_apk(path: Path, archives: Sequence[Path], files: Sequence[tuple[str, Path]]) -> None:
    """Write an app: what archives hold, and files, in the order of the names.

    Native libraries are stored as they are, aligned to 16 KiB, so that they are mapped from here;
    the table of resources is stored, too, aligned to 4 bytes.
    """
    contents = {name: file.read_bytes() for name, file in files}
    stored_names = {"resources.arsc"}
    for archive in archives:
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                contents[info.filename] = opened.read(info)
                if info.compress_type == zipfile.ZIP_STORED:
                    stored_names.add(info.filename)
    with zipfile.ZipFile(path, "w") as out:
        for name in sorted(contents):
            is_library = name.endswith(".so")
            stored = is_library or name in stored_names
            info = entry(name, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
            if stored:
                assert out.fp is not None
                info.extra = _padding(out.fp.tell(), name, PAGE if is_library else _WORD)
            out.writestr(info, contents[name])


def _padding(start: int, name: str, alignment: int) -> bytes:
    """Return the extra field that aligns the data of an entry, which begins at `start`."""
    fixed = struct.calcsize("<HHH")
    data = start + _HEADER + len(name.encode()) + fixed
    zeros = -data % alignment
    return struct.pack("<HHH", _ALIGNMENT_FIELD, 2 + zeros, alignment) + b"\0" * zeros


def data_offsets(path: Path) -> Iterator[tuple[zipfile.ZipInfo, int]]:
    """Yield the entries of an archive with where their data begins in it."""
    with zipfile.ZipFile(path) as opened, path.open("rb") as file:
        for info in opened.infolist():
            file.seek(info.header_offset + _HEADER - _WORD)
            name, extra = struct.unpack("<HH", file.read(_WORD))
            yield info, info.header_offset + _HEADER + name + extra


def misaligned(path: Path) -> list[str]:
    """Return the stored entries of an app whose data cannot be mapped."""
    return [
        info.filename
        for info, offset in data_offsets(path)
        if info.compress_type == zipfile.ZIP_STORED
        and offset % (PAGE if info.filename.endswith(".so") else _WORD)
    ]


def sign(path: Path, out: Path, report: Report = silent) -> None:
    """Sign an app with this account's debug key, which is made where there is none."""
    key = debug_key(report)
    options: list[str | Path] = ["--ks", key, "--ks-pass", f"pass:{_PASSWORD}"]
    # Android 7 and newer read the signature of the whole file; single entries need none.
    options += ["--min-sdk-version", str(MIN_API), "--v1-signing-enabled", "false"]
    with staging_folder(out.parent) as folder:
        apksigner("sign", *options, "--out", folder / out.name, path, report=report)
        (folder / out.name).replace(out)


def verify(path: Path, report: Report = silent) -> str:
    """Return what apksigner says of an app's signature. Raises `ProcessFailed` for a bad one."""
    return apksigner("verify", "--verbose", "--print-certs", path, report=report)


def apksigner(*args: str | Path, report: Report = silent) -> str:
    """Run apksigner and return what it prints."""
    jars = [
        fetch("apksigner", report) / "apksigner-31.0.2.jar",
        fetch("apksig", report) / "apksig-0.9.jar",
    ]
    return java(jars, "com.android.apksigner.ApkSignerTool", args, timeout_s=_TIMEOUT_S)


def debug_key(report: Report = silent) -> Path:
    """Return the store of a debug key. It is worth nothing: it only marks one maker's builds."""
    place = cache() / "debug.p12"
    waiting = "waiting for another process that makes the debug key"
    with only_one(place, lambda: report(waiting), Event()):
        if not place.is_file():
            with staging_folder(place.parent) as folder:
                run(
                    [
                        jdk().home / "bin" / "keytool", "-genkeypair", "-keystore", folder / "key",
                        "-storetype", "PKCS12", "-storepass", _PASSWORD, "-alias", "debug",
                        "-keyalg", "RSA", "-keysize", "2048", "-validity", "10950",
                        "-dname", "CN=mobilebench debug",
                    ],
                    timeout_s=_TIMEOUT_S,
                )  # fmt: skip
                (folder / "key").replace(place)
    return place


def build(abi: str, report: Report = silent) -> Path:
    """Return the signed app for an ABI, at a place that stays the same."""
    path = unsigned(abi, report)
    out = output() / f"mobilebench-{abi}.apk"
    sign(path, out, report)
    verify(out, report)
    return out
