"""Progress is visible on every terminal, and in logs."""

from __future__ import annotations

import io
import os
import pty
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from mobilebench.cli import progress as progress_module
from mobilebench.cli.progress import CountLog, MatrixLog, MatrixProgress
from mobilebench.errors import UserError
from tests import foreign
from tests.conftest import TINY, Ran


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
    log = CountLog("tiny", 100, "images", console)
    for _ in range(100):
        log.add(1)
    lines = _text(console).splitlines()
    assert lines[0] == "tiny 10/100 images 0:00" and len(lines) == 10


@pytest.mark.parametrize("stage", ["round 3 of 5", "34 s of at least 60"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_round_and_the_second_stay_in_a_narrow_terminal(width: int, stage: str) -> None:
    console = _console(width, terminal=True)
    with MatrixProgress("measure by burst-1", 12, console) as progress:
        cell = progress.started("a_network_with_a_long_name@256 tflite-int8, litert 2 threads")
        cell.stage(stage)
        progress.bar.refresh()
    line = [line for line in _text(console).splitlines() if "a_net" in line][-1]
    assert line.startswith(f"     0:00:00 {stage} ") and "a_network_with" in line


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
    lines = [line for line in done.stderr.splitlines() if "measure by smoke-1" in line]
    assert len(lines) == 2
    for number, (line, threads) in enumerate(zip(lines, ("1 thread", "2 threads"), strict=True)):
        figure = r"[\d.]+ (ns|µs|ms)( \(suspect\))?"
        assert re.fullmatch(
            rf"measure by smoke-1 {number + 1}/2 0:\d\d difference tflite-given, litert {threads}: "
            rf"{figure}",
            line,
        )


def _on_terminal(*words: str) -> str:
    """Run the program on a terminal of 90 columns; return what it writes there."""
    code = (
        "import sys\nsys.argv = ['mobilebench', *sys.argv[1:]]\n"
        "from mobilebench.cli import main\n"
        "try: main()\nfinally: print('torch loaded' if 'torch' in sys.modules else 'no torch')"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", COLUMNS="90")
        os.execv(sys.executable, [sys.executable, "-c", code, *words])
    written = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux's answer once the other side is closed
            break
        if not part:
            break
        written += part
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
    return written.decode()


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("export mobilevig_tj", "There is no model called"),
        (f"export {TINY} -f onnx", "add --input"),
        (f"export {TINY} -f onnx -i 1x3x32x32 -r 64", "--resolution is for models of the zoo"),
        ("export mobilevig_ti -f onnx -i 1x3x32x32", "takes one image"),
        ("export mobilevig_ti rapidnet_ti -f onnx -i 1x3x32x32", "takes one image"),
        ("export mobilevig_ti -f onnx -r 8", "it takes 32 to 4096"),
        ("export mobilevig_ti -f onnx -c no.pth", "The checkpoint no.pth does not exist"),
        ("export mobilevig_ti -f onxx", "There is no export format"),
        ("export mobilevig_ti -p fp8", "There is no precision"),
        ("bench nowhere", "nowhere is not an artifact"),
        ("eval nowhere --data nowhere", "nowhere is not an artifact"),
    ],
)
def test_a_mistake_in_the_command_line_is_found_before_torch_and_before_a_bar(
    words: str, sentence: str
) -> None:
    text = _on_terminal(*words.split())
    assert sentence in " ".join(text.split())
    assert "no torch" in text
    assert "0:00" not in text, "the clock of a bar"


def _drawn(*, failing: bool) -> str:
    console = Console(force_terminal=True, width=80, file=io.StringIO())
    with suppress(UserError), MatrixProgress("export", 2, console) as progress:
        progress.skipped("tiny onnx-fp32", "found")
        if failing:
            raise UserError("the rest is wrong")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_no_bar_is_left_above_an_error_but_outcomes_are() -> None:
    up_and_clear = "\r\x1b[1A\x1b[2K"
    assert "tiny onnx-fp32: found" in _drawn(failing=True)
    assert _drawn(failing=True).endswith(up_and_clear)
    assert not _drawn(failing=False).endswith(up_and_clear)


def test_no_bar_over_images_is_left_above_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(force_terminal=True, width=80, file=io.StringIO())
    monkeypatch.setattr(progress_module, "stderr", lambda: console)
    with suppress(UserError), progress_module.counting("tiny", 4, "images") as counted:
        counted(1)
        raise UserError("the image is damaged")
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().endswith("\r\x1b[1A\x1b[2K")
