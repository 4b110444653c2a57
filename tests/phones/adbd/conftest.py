"""What the tests with a real adbd share: phones on a network of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.building import pytest_runtest_call, pytest_runtest_setup
from tests.phones.adbd.parts import adb_parts
from tests.phones.adbd.phone import Bench, Phone
from tests.phones.packages import write_package

__all__ = ["pytest_runtest_call", "pytest_runtest_setup"]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A network without phones; the adb on the PATH is in it."""
    bench = Bench(tmp_path / "bench", adb_parts())
    monkeypatch.setenv("PATH", bench.path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MOBILEBENCH_APK", str(write_package(tmp_path / "app.apk", abi="arm64-v8a")))
    yield bench
    bench.close()


@pytest.fixture
def phone(bench: Bench) -> Phone:
    """A phone that nothing is wrong with, without the app."""
    return bench.phone()
