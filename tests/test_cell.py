"""Cells: whatever happens in the fresh process comes back as a value or as one known error."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from mobilebench import cell, process
from mobilebench.errors import CellFailed, UnknownName


def _call(
    function: str, timeout_s: float = 60.0, memory_bytes: int | None = None, **more: object
) -> cell.Plain:
    return cell.call(
        f"tests.doubles:{function}",
        dict(more),
        stage="run",
        timeout_s=timeout_s,
        memory_bytes=memory_bytes,
    )


def test_a_cell_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    answer = cell.call("tests.doubles:echo", {"x": 1}, stage="run", timeout_s=60, log_to=log)
    assert answer["echo"] == {"x": 1}
    assert answer["pid"] != os.getpid()
    assert log.read_text() == "echoing\n"


def test_a_crash_is_a_failure_with_the_end_of_the_log() -> None:
    with pytest.raises(CellFailed, match="SIGSEGV") as caught:
        _call("crash")
    assert (caught.value.stage, caught.value.error) == ("run", "Crash")
    assert "last words" in caught.value.log_tail


def test_a_hang_is_a_failure_and_the_process_is_gone(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(CellFailed, match="did not end within 2 s") as caught:
        _call("hang", timeout_s=2.0, pid_file=str(pid_file))
    assert caught.value.error == "Timeout"
    assert "started hanging" in caught.value.log_tail
    assert not psutil.pid_exists(int(pid_file.read_text()))


def test_too_much_memory_is_a_failure_and_the_process_is_gone() -> None:
    with pytest.raises(CellFailed, match=r"used \d\.\d GB of memory, over its limit") as caught:
        _call("fill_memory", memory_bytes=600_000_000)
    assert caught.value.error == "OutOfMemory"
    assert caught.value.log_tail == "filling\n"
    me = psutil.Process()
    assert not [child for child in me.children() if child.status() != psutil.STATUS_ZOMBIE]


def test_an_exit_without_an_answer_is_a_failure() -> None:
    with pytest.raises(CellFailed, match="exit code 7"):
        _call("leave")


def test_what_the_user_can_mend_comes_back_word_for_word() -> None:
    with pytest.raises(UnknownName, match="There is no colour called 'bleu'; did you mean blue"):
        _call("refuse")


def test_any_other_error_comes_back_with_its_traceback() -> None:
    with pytest.raises(CellFailed, match="KeyError: 'no such operator'") as caught:
        _call("stumble")
    assert "in stumble" in caught.value.log_tail


def test_cancelling_ends_the_process(tmp_path: Path) -> None:
    pid_file, cancel = tmp_path / "pid", threading.Event()

    def cancel_once_started() -> None:
        while not pid_file.exists() or not pid_file.read_text():
            time.sleep(0.01)
        cancel.set()

    watcher = threading.Thread(target=cancel_once_started)
    watcher.start()
    with pytest.raises(process.Cancelled):
        cell.call(
            "tests.doubles:hang",
            {"pid_file": str(pid_file)},
            stage="run",
            timeout_s=60,
            cancel=cancel,
        )
    watcher.join()
    assert not psutil.pid_exists(int(pid_file.read_text()))


def test_a_cell_answers_one_call_after_another_in_the_same_process(tmp_path: Path) -> None:
    with cell.Cell() as process:
        answers = [
            process.call(
                "tests.doubles:echo",
                {"number": number},
                stage="run",
                timeout_s=60,
                log_to=tmp_path / f"{number}.log",
            )
            for number in range(3)
        ]
        assert [answer["echo"]["number"] for answer in answers] == [0, 1, 2]
        [pid] = {answer["pid"] for answer in answers}
        assert pid != os.getpid() and psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)
    logs = [(tmp_path / f"{number}.log").read_text() for number in range(3)]
    assert logs == ["echoing\n"] * 3


def test_a_cell_outlives_an_error_but_not_a_crash() -> None:
    with cell.Cell() as process:

        def call(function: str) -> cell.Plain:
            return process.call(f"tests.doubles:{function}", {}, stage="run", timeout_s=60)

        with pytest.raises(UnknownName):
            call("refuse")
        assert call("echo")["echo"] == {}
        with pytest.raises(CellFailed, match="SIGSEGV"):
            call("crash")
        with pytest.raises(CellFailed, match="SIGSEGV"):
            call("echo")


def test_a_cell_ends_where_its_parent_was_gone_before_it_began(tmp_path: Path) -> None:
    gone = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, check=True).stdout
    command = [sys.executable, "-m", "mobilebench.cell", str(tmp_path), gone.decode().strip()]
    assert subprocess.run(command, timeout=60, check=False).returncode == 1


def test_a_program_that_cannot_be_started_is_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        process.Child(["/no/such/program"], log_path=tmp_path / "log")


def test_a_failed_program_says_how_it_ended(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo why; exit 3"]
    with process.Child(command, log_path=tmp_path / "log") as child:
        code = child.wait(timeout_s=10)
        assert code == 3
        ended = child.ended(code)
    assert "exit code 3" in str(ended)
    assert ended.log_tail == "why\n"


def test_a_log_is_cut_at_a_line() -> None:
    text = "".join(f"line {number}\n" for number in range(2000))
    tail = process.tail(text)
    assert len(tail) <= 4000
    assert tail.startswith("line ") and tail.endswith("line 1999\n")


def test_cells_that_run_at_once_share_the_cores() -> None:
    with cell.sharing(os.cpu_count() or 1):
        assert (os.cpu_count() == 1) or _call("threads") == {"threads": "1"}
    assert _call("threads") == {"threads": os.environ.get("OMP_NUM_THREADS")}
