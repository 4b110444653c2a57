"""`mobilebench devices` says of every recorded device what it is and why it cannot be used."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from typer.main import get_command

from mobilebench import plugins
from mobilebench.cli import app
from mobilebench.values import wire
from mobilebench.values.attached import Attached
from mobilebench.values.obstacles import Caution, Obstacle
from mobilebench_device_runners._reading.adb_listing import COMMAND
from mobilebench_device_runners.host import HostRunner
from tests.phones.replay import names, recorded, tools
from tests.phones.test_expectations import see

ALL = [device for name in names() for device in see(name).devices]


class Listing(HostRunner):
    """Lists recorded devices."""

    def attached(self) -> tuple[Attached, ...]:
        return tuple(ALL)


def _listed(words: Iterable[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "runner_names", lambda: ("adb",))
    monkeypatch.setattr(plugins, "runner", lambda name: Listing())
    get_command(app).main(["devices", *words], standalone_mode=False)


def test_the_table_has_every_device_and_every_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _listed([], monkeypatch)
    text = " ".join(capsys.readouterr().out.split())
    for device in ALL:
        assert device.id in text
        for obstacle, word in zip(device.why_not, device.reasons, strict=True):
            assert f"{device.id} cannot be used ({word}): {obstacle.sentence}" in text
    for fact in ("Exynos 2400", "AP9X.250311.004", "71 % charging", "skin 33.4 C", "iPhone 15 Pro"):
        assert fact in text, fact


def test_a_tool_that_fails_hides_no_other_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = tools(tmp_path, recorded("i02-ios16-unknown-to-devicectl"), ("adb", "xcrun", "ios"))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    get_command(app).main(["devices"], standalone_mode=False)
    written = capsys.readouterr()
    assert "iPhone X" in written.out and "host" in written.out
    assert written.err.startswith("The devices of adb cannot be listed: `adb devices -l` failed")
    assert "mobilebench doctor" in written.err


def test_the_documents_hold_all_that_was_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _listed(["--json"], monkeypatch)
    documents = json.loads(capsys.readouterr().out)
    assert [wire.from_plain(Attached, each, "a document") for each in documents] == ALL


@pytest.mark.parametrize("word", [*Obstacle, *Caution])
def test_each_word_says_in_a_sentence_what_it_is(word: Obstacle | Caution) -> None:
    assert word.sentence.endswith(".") and 30 < len(word.sentence) < 200
    assert ":" in word.sentence or "," in word.sentence


def test_what_is_listed_is_what_adb_lists() -> None:
    assert COMMAND == ("adb", "devices", "-l") and recorded("a16-adb-states")["replies"]
