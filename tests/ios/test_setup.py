"""Swift is set up in a folder, or a line says why not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mobilebench.errors import ProcessFailed
from mobilebench_ios import debian
from mobilebench_ios.fetched import table
from mobilebench_ios.places import CACHE, CORE, ROOT, Unavailable, output
from mobilebench_ios.swift import Swift, swift


def _left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_without_a_program_that_it_needs_a_line_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE, str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "apt-get" else f"/{name}")
    with pytest.raises(Unavailable, match="without apt-get; run this on Debian"):
        debian.root()
    assert _left(tmp_path) == []


def test_where_debian_cannot_be_reached_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in ("apt-get", "dpkg-deb", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here")
    monkeypatch.setenv(CACHE, str(tmp_path))
    monkeypatch.setenv("MOBILEBENCH_DEBIAN", "http://127.0.0.1:9/debian")
    with pytest.raises(Unavailable, match="cannot fetch") as raised:
        debian.root()
    assert "\n" not in str(raised.value)
    assert _left(tmp_path) == []


def test_another_machine_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(Unavailable, match="no Swift for riscv64"):
        debian.root()


def test_paths_are_those_of_the_folder_inside_and_of_this_machine_in_messages() -> None:
    tool = Swift(Path("/somewhere"))
    assert tool.seen(CORE) == "/src/ios_app/BenchCore"
    assert tool.seen(output() / "BenchCore") == "/out/BenchCore"
    assert tool.here("/src/ios_app/App/A.swift:3: error") == f"{ROOT}/ios_app/App/A.swift:3: error"
    with pytest.raises(ValueError, match="neither in"):
        tool.seen(Path("/etc/passwd"))


def test_a_program_that_fails_is_told_with_what_it_printed() -> None:
    with pytest.raises(ProcessFailed) as raised:
        swift().run(["swiftc", "nothing.swift"])
    assert "nothing.swift" in raised.value.log_tail


def test_nothing_is_mounted_after_a_run() -> None:
    tool = swift()
    tool.run(["swift", "--version"])
    mounts = Path("/proc/mounts")
    if tool.root is not None:
        assert str(tool.root) not in mounts.read_text(encoding="utf-8")


def test_every_part_has_a_permissive_licence() -> None:
    free = ("Apache-2.0", "MIT", "BSD", "GPL-2.0-or-later (the package); keys")
    assert [part.name for part in table().values() if not part.licence.startswith(free)] == []
