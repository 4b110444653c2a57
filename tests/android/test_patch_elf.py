"""Android's libraries become loadable by glibc, and find bionic's meanings there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench_android.natives import on_glibc, patch_elf

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64" or shutil.which("gcc") is None,
    reason="makes x86_64 libraries for Linux with gcc",
)

_BIONIC = """
extern long sysconf(int); extern int *__errno(void); extern char __sF[];
extern int fputs(const char *, void *); extern int fflush(void *);
extern void *dlsym(void *, const char *);
int __system_property_get(const char *, char *);
long page_size(void) { return sysconf(39); }
long no_such_name(void) { return sysconf(7777); }
int error(void) { return *__errno(); }
void say(const char *text) { fputs(text, __sF + 152); fflush(__sF + 152); }
int finds_itself(void) { return dlsym(0, "page_size") == (void *)page_size; }
int level(void) { char text[92]; return __system_property_get("ro.build.version.sdk", text); }
"""
_NAMES = "sysconf __errno __sF fputs fflush dlsym __system_property_get"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that needs `libc.so` and its symbols in the version `LIBC`, as Android's do."""
    folder = tmp_path_factory.mktemp("bionic")
    stubs = "".join(f"char {name}[456];" for name in _NAMES.split())
    (folder / "libc.c").write_text(stubs)
    (folder / "versions").write_text("LIBC { global: *; };")
    (folder / "android.c").write_text(_BIONIC)
    _gcc(folder, "libc.c", "-o", "libc.so", "-Wl,-soname,libc.so,--version-script,versions")
    _gcc(folder, "android.c", "-o", "libandroid.so", "-Wl,--hash-style=gnu", "libc.so")
    return folder / "libandroid.so"


def _gcc(folder: Path, *args: str) -> None:
    command = ["gcc", "-w", "-shared", "-fPIC", "-nostdlib", "-fno-builtin", *args]
    subprocess.run(command, cwd=folder, check=True, timeout=60)


@pytest.fixture(scope="module")
def prepared(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    on_glibc.prepare({library.name: library}, folder)
    return folder


def _answer(prepared: Path, expression: str) -> str:
    """Return what a process prints that loaded the library as Java does."""
    program = (
        "import ctypes, sys\n"
        f"library = ctypes.CDLL({str(prepared / 'libandroid.so')!r})\n"
        f"print({expression})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **on_glibc.java_settings(prepared).environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_system_libraries_and_versions_are_no_longer_needed(library: Path) -> None:
    before = library.read_bytes()
    assert patch_elf.needs(before) == ("libc.so",)
    after = patch_elf.patched(before, library.name)
    assert patch_elf.needs(after) == ()
    assert len(after) == len(before)


def test_the_library_as_it_is_does_not_load(library: Path, prepared: Path) -> None:
    shutil.copy(library, prepared / "original.so")
    with pytest.raises(subprocess.CalledProcessError) as refusal:
        _answer(prepared, f"ctypes.CDLL({str(prepared / 'original.so')!r})")
    assert "libc.so" in refusal.value.stderr


def test_numbers_of_names_are_bionics(prepared: Path) -> None:
    assert _answer(prepared, "library.page_size()") == str(os.sysconf("SC_PAGESIZE"))
    assert _answer(prepared, "(library.no_such_name(), library.error())") == "(-1, 22)"


def test_standard_streams_are_those_of_the_process(prepared: Path) -> None:
    assert _answer(prepared, "library.say(b'spoken ')").startswith("spoken ")


def test_a_library_finds_its_own_names(prepared: Path) -> None:
    assert _answer(prepared, "library.finds_itself()") == "1"


def test_android_has_a_version(prepared: Path) -> None:
    assert _answer(prepared, "library.level()") == "2"


@pytest.mark.parametrize("content", [b"", b"MZ" + bytes(200), b"\x7fELF\x02\x01" + bytes(200)])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(UserError, match="odd.so was to be changed .* fetch it again"):
        patch_elf.patched(content, "odd.so")


def test_a_cut_library_is_refused(library: Path) -> None:
    content = library.read_bytes()
    for length in range(0, 4096, 61):
        with pytest.raises(UserError, match="fetch it again"):
            patch_elf.patched(content[:length], library.name)
