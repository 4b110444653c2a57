"""The app as it goes to phones: whole, aligned, signed, and nothing in it that is not needed."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.errors import ProcessFailed, UserError
from mobilebench_android import dex_reader, elf, packaging
from mobilebench_android.class_reader import read_jar
from mobilebench_android.compiling import compile_modules
from mobilebench_android.modules import COMPILE_API, MIN_API, libraries_of, with_needs
from mobilebench_android.outputs import made
from mobilebench_android.packaging import ABIS, INSTEAD
from mobilebench_android.places import APP, OUTPUT, ROOT
from mobilebench_android.resources import APPLICATION, aapt2

PERMISSIONS = {"android.permission.INTERNET"}
"""All that the app asks for: to reach the server that the user enrols at."""
CLASSES = {
    "ai/onnxruntime/OrtSession",
    "org/tensorflow/lite/Interpreter",
    "org/pytorch/executorch/Module",
    "com/facebook/jni/HybridData",
    "com/fasterxml/jackson/core/JsonFactory",
    "kotlin/Unit",
}
"""Of the libraries; of the modules every class is expected."""

Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="module")
def signed(phone_app: Path, once: Once) -> Path:
    return once("phone.apk", lambda out: packaging.sign(phone_app, out))


@pytest.fixture(scope="module")
def badging(signed: Path) -> str:
    return aapt2("dump", "badging", signed)


def test_the_app_says_what_it_is(badging: str) -> None:
    assert f"package: name='{APPLICATION}'" in badging
    assert f"sdkVersion:'{MIN_API}'" in badging
    assert f"targetSdkVersion:'{COMPILE_API}'" in badging
    assert "native-code: 'arm64-v8a'" in badging
    assert badging.count("launchable-activity:") == 1
    assert "application-debuggable" not in badging


def test_the_app_asks_for_these_permissions_and_no_other(badging: str) -> None:
    assert set(re.findall(r"uses-permission: name='([^']+)'", badging)) == PERMISSIONS
    stated = re.findall(
        r'<uses-permission[^>]*android:name="([^"]+)"',
        (APP / "app/src/main/AndroidManifest.xml").read_text(encoding="utf-8"),
    )
    assert set(stated) == PERMISSIONS


def test_only_the_launcher_may_start_a_part_of_the_app(signed: Path) -> None:
    tree = aapt2("dump", "xmltree", signed, "--file", "AndroidManifest.xml")
    blocks = re.split(r"\n\s+E: ", tree)
    parts = [block for block in blocks if re.match("activity|service|receiver|provider", block)]
    exported = [block for block in parts if re.search(r"exported\(0x[0-9a-f]+\)=true", block)]
    stated = [block for block in parts if "exported(" in block]
    assert len(parts) == len(stated), "each says whether others may start it"
    assert len(exported) == 1 and exported[0].startswith("activity")
    assert "TelemetryInitializer" not in tree


def test_the_signature_holds(signed: Path) -> None:
    text = packaging.verify(signed)
    assert "Verified using v2 scheme (APK Signature Scheme v2): true" in text
    assert "Number of signers: 1" in text


def test_a_changed_app_does_not_verify(signed: Path, tmp_path: Path) -> None:
    content = bytearray(signed.read_bytes())
    content[100] ^= 1
    changed = tmp_path / "changed.apk"
    changed.write_bytes(content)
    with pytest.raises(ProcessFailed):
        packaging.verify(changed)


def test_signing_keeps_what_is_aligned(phone_app: Path, signed: Path) -> None:
    assert packaging.misaligned(phone_app) == []
    assert packaging.misaligned(signed) == []


def test_the_dex_files_define_the_expected_classes(phone_app: Path) -> None:
    with zipfile.ZipFile(phone_app) as opened:
        files = [name for name in opened.namelist() if name.endswith(".dex")]
        names = [name for file in files for name in dex_reader.class_names(opened.read(file))]
    assert sorted(files) == ["classes.dex", "classes2.dex"]
    units = compile_modules(["app"]).units
    ours = {each.name for jar in units.values() for each in read_jar(jar)}
    assert len(ours) > 500 and ours - set(names) == set()
    assert CLASSES - set(names) == set()
    assert len(names) == len(set(names))
    assert [name for name in names if "/conformance/" in name or "org/junit" in name] == []


@pytest.mark.parametrize("abi", ABIS)
def test_no_native_library_is_missing(abi: str) -> None:
    expected = {name for each in libraries_of(with_needs(["app"])) for name in each.natives}
    with zipfile.ZipFile(packaging.unsigned(abi)) as opened:
        held = {n.removeprefix(f"lib/{abi}/") for n in opened.namelist() if n.startswith("lib/")}
        stored = {i.filename for i in opened.infolist() if i.compress_type == zipfile.ZIP_STORED}
    assert held == expected and len(held) == 6
    assert {f"lib/{abi}/{name}" for name in held} <= stored


@pytest.mark.parametrize("abi", ABIS)
def test_libraries_for_small_pages_only_are_named_with_what_to_use_instead(abi: str) -> None:
    small = {native.name for native in packaging.natives(abi) if not native.ready}
    assert small == INSTEAD.keys()


def test_the_app_carries_the_schemas_that_it_reads_documents_by(phone_app: Path) -> None:
    schemas = {path.name for path in (ROOT / "mobilebench/schema").glob("*.json")}
    with zipfile.ZipFile(phone_app) as opened:
        held = {
            Path(name).name for name in opened.namelist() if name.startswith("mobilebench/schema/")
        }
        assert held == schemas
        for name in sorted(schemas):
            content = (ROOT / "mobilebench/schema" / name).read_bytes()
            assert opened.read(f"mobilebench/schema/{name}") == content


@pytest.mark.slow
def test_two_builds_give_the_same_bytes(phone_app: Path, tmp_path: Path) -> None:
    """Built again from nothing in another folder, once for each app that differs."""
    sha256 = hashlib.sha256(phone_app.read_bytes()).hexdigest()

    def build_again(folder: Path) -> None:
        script = (
            "from mobilebench_android import packaging\nprint(packaging.unsigned('arm64-v8a'))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
            env={
                **os.environ,
                OUTPUT: str(tmp_path / "again"),
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
        )
        again = Path(done.stdout.strip())
        assert again != phone_app
        (folder / "sha256").write_text(hashlib.sha256(again.read_bytes()).hexdigest())

    place = made("reproduced", sha256[:16], build_again, lambda line: None)
    assert (place / "sha256").read_text() == sha256


def test_an_archive_depends_on_content_alone_and_is_aligned(tmp_path: Path) -> None:
    archive, one = tmp_path / "resources.zip", tmp_path / "one.so"
    one.write_bytes(b"\x7fELF" + bytes(1000))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("AndroidManifest.xml", "x" * 101)
        out.writestr("resources.arsc", "y" * 99)
    contents = []
    for name in ("a.apk", "b.apk"):
        os.utime(one, (0, len(contents)))
        path = tmp_path / name
        packaging.write_apk(path, [archive], [("lib/x86_64/libone.so", one)])
        assert packaging.misaligned(path) == []
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    offsets = {i.filename: offset for i, offset in packaging.data_offsets(tmp_path / "a.apk")}
    assert offsets["lib/x86_64/libone.so"] % 16384 == 0 and offsets["resources.arsc"] % 4 == 0


def test_an_entry_that_is_not_aligned_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.apk"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("lib/x86_64/libone.so", b"\x7fELF")
    assert packaging.misaligned(path) == ["lib/x86_64/libone.so"]


@pytest.mark.parametrize("alignment", [0x1000, 0x4000, 0x10000])
def test_the_alignment_of_a_library_is_that_of_its_least_segment(alignment: int) -> None:
    header = bytearray(64 + 2 * 56)
    header[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<Q", header, 32, 64)
    struct.pack_into("<HH", header, 54, 56, 2)
    for row, aligned in ((64, 0x10000), (64 + 56, alignment)):
        struct.pack_into("<I", header, row, 1)
        struct.pack_into("<Q", header, row + 48, aligned)
    assert elf.load_alignment(bytes(header), "libone.so") == alignment


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x01\x01" + bytes(100), b"PK"])
def test_what_is_no_library_of_64_bits_is_refused(content: bytes) -> None:
    with pytest.raises(UserError, match=r"libone\.so"):
        elf.load_alignment(content, "libone.so")


def test_what_is_no_dex_is_refused() -> None:
    with pytest.raises(UserError, match="dex"):
        dex_reader.class_names(b"PK\x03\x04")
