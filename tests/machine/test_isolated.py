"""Everything that happens in a child process comes back as a value or a known error."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
import threading
import time
import typing
from pathlib import Path
from typing import Any

import psutil
import pytest

from mobilebench.errors import CellFailed, SchemaError, UnknownName
from mobilebench.exporting import workers
from mobilebench.machine import isolated, process
from mobilebench.values.measurement import Stage
from mobilebench.values.tensor import DType, TensorSpec, parse_tensor
from mobilebench_device_runners import host
from mobilebench_exporters import _pte, coreml


def _function(name: str) -> isolated.Function[[dict[str, object]], dict[str, Any]]:
    return isolated.Function(f"tests.doubles:{name}", dict)


def _call(
    name: str, timeout_s: float = 60.0, memory_bytes: int | None = None, **request: object
) -> dict[str, Any]:
    return isolated.call(
        _function(name)(request),
        stage=Stage.RUN,
        timeout_s=timeout_s,
        memory_bytes=memory_bytes,
    )


def test_a_call_runs_in_a_separate_process(tmp_path: Path) -> None:
    log = tmp_path / "log"
    call = _function("echo")({"x": 1})
    answer = isolated.call(call, stage=Stage.RUN, timeout_s=60, log_to=log)
    assert answer["echo"] == {"x": 1}
    assert answer["pid"] != os.getpid()
    assert log.read_text() == "echoing\n"


def test_values_go_in_and_come_out_by_their_types(tmp_path: Path) -> None:
    doubled = isolated.Function[[TensorSpec, tuple[int, ...], Path | None], TensorSpec](
        "tests.doubles:typed", TensorSpec
    )
    call = doubled(parse_tensor("1x3x8x8:int8"), (1, 2), tmp_path)
    answer = isolated.call(call, stage=Stage.RUN, timeout_s=60)
    assert answer == TensorSpec(name=str(tmp_path), shape=(1, 3, 8, 8, 1, 2), dtype=DType.INT8)


def test_an_argument_of_another_type_is_refused() -> None:
    wrong = isolated.Function[[str, str, str], TensorSpec]("tests.doubles:typed", TensorSpec)
    with pytest.raises(SchemaError, match="the tensor of tests.doubles:typed is not a valid"):
        isolated.call(wrong("a", "b", "c"), stage=Stage.RUN, timeout_s=60)


@pytest.mark.parametrize(
    "function", [workers.PREPARE, workers.CONVERT, host.PERFORM, host.PREDICT,
                 coreml.EVALUATOR, _pte.COREML_EVALUATOR], ids=lambda f: f.place
)  # fmt: skip
def test_a_declared_function_exists_and_has_the_declared_types(
    function: isolated.Function[..., object],
) -> None:
    module, _, name = function.place.partition(":")
    real = getattr(importlib.import_module(module), name)
    types = typing.get_type_hints(real)
    declared, answer = function.__orig_class__.__args__  # type: ignore[attr-defined]
    assert [types[parameter] for parameter in inspect.signature(real).parameters] == list(declared)
    assert types["return"] == answer == function.answer


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
    me = psutil.Process()
    others = set(me.children())  # of other tests of this process
    with pytest.raises(CellFailed, match=r"used \d\.\d GB of memory, over its limit") as caught:
        _call("fill_memory", memory_bytes=600_000_000)
    assert caught.value.error == "OutOfMemory"
    assert caught.value.log_tail == "filling\n"
    left = set(me.children()) - others
    assert not [child for child in left if child.status() != psutil.STATUS_ZOMBIE]


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
        isolated.call(
            _function("hang")({"pid_file": str(pid_file)}),
            stage=Stage.RUN,
            timeout_s=60,
            cancel=cancel,
        )
    watcher.join()
    assert not psutil.pid_exists(int(pid_file.read_text()))


def test_a_cell_answers_one_call_after_another_in_the_same_process(tmp_path: Path) -> None:
    with isolated.IsolatedProcess() as process:
        answers = [
            process.call(
                _function("echo")({"number": number}),
                stage=Stage.RUN,
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
    with isolated.IsolatedProcess() as process:

        def call(name: str) -> dict[str, Any]:
            return process.call(_function(name)({}), stage=Stage.RUN, timeout_s=60)

        with pytest.raises(UnknownName):
            call("refuse")
        assert call("echo")["echo"] == {}
        with pytest.raises(CellFailed, match="SIGSEGV"):
            call("crash")
        with pytest.raises(CellFailed, match="SIGSEGV"):
            call("echo")


def test_a_cell_ends_where_its_parent_was_gone_before_it_began(tmp_path: Path) -> None:
    gone = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, check=True).stdout
    command = [
        sys.executable,
        "-m",
        "mobilebench.machine.isolated",
        str(tmp_path),
        gone.decode().strip(),
    ]
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
    with isolated.sharing(os.cpu_count() or 1):
        assert (os.cpu_count() == 1) or _call("threads") == {"threads": "1"}
    assert _call("threads") == {"threads": os.environ.get("OMP_NUM_THREADS")}
