"""Verify what `mobilebench doctor` says of this computer."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command

from mobilebench.cli import app
from tests.phones.replay import recorded, tools

Usage = namedtuple("Usage", "total used free")
Doctor = Callable[[], list[str]]


@pytest.fixture
def doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Doctor:
    """Return a function that gives the rows of the doctor, by their first words."""
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("MOBILEBENCH_STORE", str(tmp_path / "new" / "records.sqlite"))
    monkeypatch.delenv("MOBILEBENCH_BOARDS", raising=False)

    def rows() -> list[str]:
        get_command(app).main(["doctor"], standalone_mode=False)
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return rows


def _row(rows: list[str], name: str) -> str:
    [row] = [each for each in rows if each.startswith(f"{name} ")]
    return row.removeprefix(f"{name} ")


def test_a_missing_tool_has_the_command_that_installs_it(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    rows = doctor()
    assert _row(rows, "adb").startswith("no not installed ")
    assert _row(rows, "adb").endswith(("sudo apt install adb", "android-platform-tools"))
    assert _row(rows, "go-ios") == "no not installed npm install -g go-ios"
    assert _row(rows, "ssh").startswith("no not installed ")


def test_a_phone_that_cannot_be_used_is_named_with_its_reason(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs = tools(tmp_path, recorded("a16-adb-states"), ("adb",))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    text = " ".join(doctor())
    assert "R5C16FAKE02: unauthorized" in text and "R5C16FAKE06: bootloader" in text


def test_room_on_the_disk_is_told_and_a_lack_of_it(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A short path, which no line breaks.
    monkeypatch.setenv("MOBILEBENCH_STORE", "sqlite:////tmp/no-such-folder/records.sqlite")
    assert _row(doctor(), "records").startswith("yes ")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - 10**8, 10**8))
    row = _row(doctor(), "records")
    assert row == "no 100 MB in /tmp free 1.90 GB on the disk of /tmp"


def test_records_on_a_server_need_no_room_here(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOBILEBENCH_STORE", "postgresql://lab@example.org/records")
    assert not [row for row in doctor() if row.startswith("records ")]
