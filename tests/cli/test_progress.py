"""Progress is visible on every terminal, and in logs."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from mobilebench.cli.progress import ImageLog, MatrixLog, MatrixProgress
from tests import foreign
from tests.conftest import Ran


def _console(width: int = 80, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_log_has_a_line_for_each_finished_cell_with_count_and_time() -> None:
    console = _console()
    with MatrixLog("export", 3, console) as log:
        network = log.preparing("tiny")
        network.finished("prepared")
        log.skipped("tiny onnx-fp32", "cached")
        cell = log.started("tiny [tflite]")
        cell.stage("export")
        cell.finished("exported in 5 s")
    assert _text(console).splitlines() == [
        "export 1/3 0:00 tiny onnx-fp32: cached",
        "export 2/3 0:00 tiny [tflite]: exported in 5 s",
    ]


def test_a_second_session_is_counted_too() -> None:
    console = _console()
    with MatrixLog("compare", 1, console) as log:
        log.skipped("pair 1 of 1, side A", "measured")
        log.expect(1)
        log.skipped("pair 1 of 1, side A", "measured")
    assert [line.split()[1] for line in _text(console).splitlines()] == ["1/1", "2/2"]
    live = _console(terminal=True)
    with MatrixProgress("compare", 1, live) as progress:
        progress.expect(2)
        assert progress.bar.tasks[0].total == 3


def test_a_log_that_was_silent_for_long_says_what_is_being_done() -> None:
    console = _console()
    with MatrixLog("export", 1, console, heartbeat_s=0.05) as log:
        cell = log.started("tiny tflite-int8")
        cell.stage("agreement")
        until = time.monotonic() + 20
        while "still at" not in _text(console) and time.monotonic() < until:
            time.sleep(0.01)
        cell.finished("exported in 1 s")
    lines = _text(console).splitlines()
    assert lines[0] == "export 0/1 0:00 still at tiny tflite-int8 (agreement)"
    assert lines[-1].endswith("tiny tflite-int8: exported in 1 s")


def test_images_are_counted_by_tenths() -> None:
    console = _console()
    log = ImageLog("tiny", 100, console)
    for _ in range(100):
        log.add(1)
    lines = _text(console).splitlines()
    assert lines[0] == "tiny 10/100 images 0:00" and len(lines) == 10


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_clock_and_the_count_stay_in_a_narrow_terminal(width: int) -> None:
    console = _console(width, terminal=True)
    name = "a_network_with_a_long_name@256 coreml-fp16-iOS17-image-labels, onnxruntime 2 threads"
    with MatrixProgress("measure by sustained-1", 12, console) as progress:
        cell = progress.started(name)
        cell.stage("sustained-1")
        progress.bar.refresh()
    last = [line for line in _text(console).splitlines() if "0/12" in line][-1]
    assert "0:00:00" in last
    line = [line for line in _text(console).splitlines() if "sustained-1" in line][-1]
    assert line.startswith("     0:00:00 sustained-1 ") and "a_net" in line


def test_the_program_writes_a_line_for_each_cell_where_it_writes_to_a_file(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    path = foreign.difference(tmp_path / "difference.tflite")
    done = mobilebench("bench", path, "--protocol", "smoke-1", "--threads", "1", "--threads", "2")
    assert done.code == 0
    assert "measure by smoke-1 1/2 0:0" in done.stderr
    assert "difference tflite-given, litert 2 threads: " in done.stderr
