"""A job on a board of another architecture, emulated, without internet on the board."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mobilebench.values.device import DeviceKind
from mobilebench_device_runners import ssh
from mobilebench_device_runners._ssh import environment, wheel
from tests.conftest import TINY, Ran
from tests.phones.arm64 import Arm64Board
from tests.phones.loopback import loopback_board

_LOADABLE = "onnxruntime<1.28"
"""Version 1.32 ends with a segmentation fault when it is loaded in qemu 7.2; 1.27 loads."""
pytestmark = pytest.mark.slow


def wheels(runtime: str, folder: Path) -> Path:
    """Fetch the wheels of a board as docs/boards.md says; skips where that is not possible."""
    needs = environment.RUNTIMES[runtime]
    wanted = wheel.requirements((needs.extra, needs.distributions[0]))
    platforms = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:",
            "--python-version", "3.11", "--dest", folder,
            *(word for each in platforms for word in ("--platform", f"{each}_aarch64")),
            *wanted, _LOADABLE,
        ],
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"the wheels of a board cannot be fetched: {done.stderr[-300:]}")
    return folder


def test_a_board_of_another_architecture_measures_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mobilebench: object
) -> None:
    assert callable(mobilebench)
    exported: Ran = mobilebench(
        "export", TINY, "--input", "1x3x32x32", "--format", "onnx", "--out", tmp_path / "out"
    )
    assert exported.code == 0, exported.stderr
    [artifact] = (tmp_path / "out").glob("*/manifest.json")
    monkeypatch.setenv(environment.WHEELS, str(wheels("onnxruntime", tmp_path / "wheels")))
    with loopback_board(Arm64Board) as board:
        monkeypatch.setenv("PATH", f"{board.config.parent / 'bin'}{os.pathsep}{os.environ['PATH']}")
        device = ssh.SshRunner().reach(board.device_id)
        assert device.kind is DeviceKind.BOARD
        assert device.os_build == os.uname().release
        ran: Ran = mobilebench(
            "bench", artifact.parent, "--device", board.device_id, "--protocol", "smoke-1"
        )
        assert ran.code == 0, ran.stderr
        assert "measured on board (aarch64)" in ran.stdout
        print(ran.stdout, ran.stderr)
