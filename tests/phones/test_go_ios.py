"""Discovery by a real go-ios, which asks a usbmuxd of the tests; no phone is behind it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.values.attached import IosTool
from mobilebench.values.obstacles import Obstacle
from mobilebench_android import fetching, parts
from mobilebench_android.places import Unavailable
from mobilebench_device_runners.ios import listed
from tests.conftest import Ran
from tests.phones.usbmuxd import Row, usbmuxd

TABLE = Path(__file__).with_name("go_ios_parts.toml")
PHONE, TABLET = "00008110-FAKE000000000001", "00008030-FAKE000000000002"
ROWS = (Row(PHONE, "Network"), Row(PHONE, "USB"), Row(TABLET, "Network"))
_SYSTEM = "/usr/bin:/bin"


@pytest.fixture(autouse=True)
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put go-ios on the PATH, without other tools; skips where it cannot be had."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["parts"]
    table = parts.read({"registries": parts.registries(), "parts": rows})
    try:
        folder = fetching.fetch_part(table["go-ios"])
    except Unavailable as error:
        pytest.skip(f"this machine has no go-ios: {error}")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ios").write_bytes((folder / "ios").read_bytes())
    (programs / "ios").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{_SYSTEM}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("way", ["port", "socket"])
def test_each_phone_is_listed_once_and_what_cannot_be_read_is_unknown(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with usbmuxd(ROWS, tmp_path / "mux" if way == "socket" else None) as mux:
        monkeypatch.setenv("USBMUXD_SOCKET_ADDRESS", mux.address)
        found = listed()
    assert [each.id for each in found] == [f"ios:{PHONE}", f"ios:{TABLET}"]
    for each in found:
        assert each.why_not == (Obstacle.NOT_PAIRED,) and not each.usable
        unknown = (each.model, each.soc, each.os_version, each.battery, each.transport)
        assert unknown == (None,) * len(unknown)
        assert each.apple is not None and each.apple.by is IosTool.GO_IOS
        assert each.apple.paired is False
        assert each.apple.developer_mode is None and each.apple.tunnel is None
    # The details first, then UDIDs alone, then each phone by itself.
    assert mux.asked.count("ListDevices") == 4 and mux.asked.count("ReadPairRecord") == 3


def test_the_program_shows_phones_that_trust_no_computer(
    mobilebench: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    with usbmuxd(ROWS) as mux:
        monkeypatch.setenv("USBMUXD_SOCKET_ADDRESS", mux.address)
        ran = mobilebench("devices")
    assert ran.code == 0, ran.stderr
    lines = ran.stdout.splitlines()
    for udid in (PHONE, TABLET):
        why_not = f"ios:{udid} cannot be used (not_paired): {Obstacle.NOT_PAIRED.sentence}"
        [row, sentence] = [line for line in lines if udid in line]
        assert row.startswith(f"ios:{udid} ") and sentence == why_not


def test_without_phones_or_a_usbmuxd_none_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USBMUXD_SOCKET_ADDRESS", str(tmp_path / "missing"))
    assert listed() == ()
    with usbmuxd(()) as mux:
        monkeypatch.setenv("USBMUXD_SOCKET_ADDRESS", mux.address)
        assert listed() == ()
    assert mux.asked == ["ListDevices"]
