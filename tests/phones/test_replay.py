"""The executables that replay a device answer as the recording does, to any program."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from mobilebench_device_runners._reading import android, board, ios
from mobilebench_device_runners._reading.adb_listing import COMMAND, Row
from mobilebench_device_runners._reading.asking import Ask
from tests.phones.replay import APP, Replay, Replied, names, recorded, tools


def _run(folder: Path, words: Sequence[str]) -> Replied:
    done = subprocess.run(
        list(words),
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        timeout=20,
    )
    return Replied(tuple(words), done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "name", ["a04-samsung-a10-shifted-types-crlf", "a19-denied-and-truncated-a12"]
)
def test_adb_replays_a_phone(name: str, tmp_path: Path) -> None:
    folder = tools(tmp_path, recorded(name))

    def ask_of(row: Row) -> Ask:
        return lambda words: _run(folder, ["adb", *row.address, "shell", " ".join(words)])

    replay = Replay(recorded(name))
    right = android.listed(replay.host_ask(COMMAND), lambda row: replay.device_ask, APP)
    assert android.listed(_run(folder, COMMAND), ask_of, APP) == right


@pytest.mark.parametrize("name", names("ios"))
def test_xcrun_and_ios_replay_iphones(name: str, tmp_path: Path) -> None:
    folder = tools(tmp_path, recorded(name))
    devices = ios.listed(lambda words: _run(folder, words))
    assert devices == ios.listed(Replay(recorded(name)).host_ask)


def test_ssh_replays_a_board(tmp_path: Path) -> None:
    folder = tools(tmp_path, recorded("p02-pi3-vcgencmd-denied"))
    options = ["ssh", "-o", "BatchMode=yes", "-p", "22", "pi", "--"]
    seen = board.read(lambda words: _run(folder, [*options, " ".join(words)]), "pi")
    assert seen == board.read(Replay(recorded("p02-pi3-vcgencmd-denied")).board_ask, "pi")


def test_the_answers_of_a_repeated_command_follow_one_another(tmp_path: Path) -> None:
    folder = tools(tmp_path, recorded("p01-pi4-throttled-undervoltage"))
    answers = [_run(folder, ["ssh", "pi", "vcgencmd get_throttled"]).stdout for _ in range(4)]
    assert [answer.split(b"=")[1].strip() for answer in answers] == [
        b"0x0", b"0x50005", b"0xd0008", b"0xd0008",
    ]  # fmt: skip
