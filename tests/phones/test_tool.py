"""Benchmarks of runtimes in the shell of a phone: there, run, read, and nothing left behind.

The phone is scripted; the programs are scripts that print what the real ones print.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobilebench import interop
from mobilebench.errors import UserError
from mobilebench.interfaces import ToolRan
from mobilebench.leaderboard import elsewhere
from mobilebench.measuring import tools
from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.recipe import Format
from mobilebench.values.reported import Reported
from mobilebench_device_runners import _claims
from mobilebench_device_runners._adb import elf, tool_end, tool_folder
from mobilebench_device_runners._adb.tool_runs import Waiting
from mobilebench_device_runners.adb import AdbRunner
from tests.conftest import Ran
from tests.phones.scripted_phone import Phone
from tests.phones.test_adb_faults import with_faults
from tests.signals import hear_signals

ID = "adb:PHONE1"
DATA = Path(__file__).parent.parent / "data" / "interop"
PLACE = "data/local/tmp/mobilebench-tool"
Run = Callable[..., Ran]


def program(path: Path, *lines: str, printing: str | Path = "") -> Path:
    """Write a program for the phone, which prints a text or a file of the importers' tests."""
    text = printing.read_text() if isinstance(printing, Path) else printing
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, f"printf '%s' {shlex.quote(text)}"]) + "\n")
    return path


def file(path: Path, content: bytes = b"content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def elf_of(machine: int, *, wide: bool = True, interpreter: str | None = None) -> bytes:
    """Return the head of an ELF file, with a segment that names its loader."""
    word = (interpreter or "").encode() + b"\0"
    segments = 1 if interpreter else 0
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    if wide:
        head = struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, segments, 0, 0, 0)
        segment = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(word), len(word), 1)
    else:
        head = struct.pack("<HHIIIIIHHHHHH", 3, machine, 1, 0, 52, 0, 0, 52, 32, segments, 0, 0, 0)
        segment = struct.pack("<IIIIIIII", 3, 84, 0, 0, len(word), len(word), 4, 1)
    return ident + head + (segment + word if interpreter else b"")


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """Return a benchmark_model that says what it was given, then prints a real result."""
    return program(
        tmp_path / "tools" / "benchmark_model",
        'echo "given: $*" >&2',
        'echo "libraries: $LD_LIBRARY_PATH"',
        printing=DATA / "benchmark_model.txt",
    )


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return file(tmp_path / "net.tflite")


@pytest.fixture
def profile(phone: Phone) -> None:
    """Let the phone have task profiles, as Android 13 has."""
    place = phone.folder / "bin" / "settaskprofile"
    place.write_text(f'#!/bin/sh\necho "$2" >{phone.folder}/profile\n')
    place.chmod(0o755)


def call(of: Path, model: Path, *libraries: Path, **options: Any) -> tools.Call:
    return tools.call_of(tools.tool_of(of), of, model, libraries=libraries, **options)


def runner(**changes: float) -> AdbRunner:
    return AdbRunner(waiting=Waiting(**{"look_s": 0.1, "lost_s": 10.0, **changes}))


def ran(*calls: tools.Call, limit_s: float = 30, **changes: float) -> list[ToolRan]:
    return list(runner(**changes).run_tools(ID, [each.call for each in calls], limit_s))


def processes() -> list[str]:
    """Return the commands of the processes that run from the folder of a phone."""
    return [
        text
        for place in Path("/proc").glob("[0-9]*/cmdline")
        if "mobilebench-tool" in (text := _text(place)) and "pytest" not in text
    ]


def _text(place: Path) -> str:
    try:
        return place.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def require_clean(phone: Phone) -> None:
    """Require a phone without the folder, without a process of it, and with its settings."""
    assert not (phone.fs / PLACE).exists()
    until = time.monotonic() + 5
    while time.monotonic() < until and any(str(phone.fs) in each for each in processes()):
        time.sleep(0.05)
    assert [each for each in processes() if str(phone.fs) in each] == []
    assert phone.state()["settings"]["stay_on_while_plugged_in"] == "0"


def stored(tmp_path: Path) -> list[Reported]:
    with RecordStore(str(tmp_path / "records.sqlite")) as store:
        return store.find_reported()


def when(there: Callable[[], bool], do: Callable[[], object]) -> threading.Thread:
    """Do something as soon as a condition holds."""

    def work() -> None:
        until = time.monotonic() + 20
        while not there() and time.monotonic() < until:
            time.sleep(0.05)
        do()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def runs_on(phone: Phone) -> bool:
    return (phone.fs / PLACE / ".run/child").exists()


def test_a_benchmark_is_run_read_kept_and_labelled(
    phone: Phone,
    profile: None,
    benchmark: Path,
    net: Path,
    tmp_path: Path,
    mobilebench: Run,
) -> None:
    library = file(tmp_path / "libfast.so", elf_of(62))
    done = mobilebench(
        "tool", benchmark, net, "--device", ID, "--library", library, "-t", "4", "--runs", "77"
    )
    assert done.code == 0, done.stderr
    [result] = stored(tmp_path)
    assert result.latency.p50_ns == 12_975_000 and result.latency.count == 77
    assert (result.model, result.device, result.os) == (
        "net",
        "Nobody Scripted Phone",
        "Android 14",
    )
    run = result.run
    assert run is not None and run.exit_code == 0 and run.after is not None
    assert run.profile == "MaxPerformance" and run.profile_refusal is None
    assert run.by == "adb 34.0.5-scripted"
    assert run.program.sha256 == tool_folder.storage.sha256_of(benchmark)
    assert [each.name for each in run.libraries] == ["libfast.so"]
    assert run.arguments == ("--graph={folder}/net.tflite", "--num_threads=4", "--num_runs=77")
    assert run.before.thermal is not None and run.after.thermal is not None
    assert run.before.temperatures.by_name == {"cpu0": 41.5, "skin": 31.25}
    assert run.settings == {"stay_on_while_plugged_in": "7"}
    assert "PHONE1" not in wire.dumps(result), "serial numbers stay out of results"
    [output] = (tmp_path / "tool-output").iterdir()
    text = output.read_text()
    here = phone.fs / PLACE
    assert f"given: --graph={here}/net.tflite --num_threads=4 --num_runs=77" in text
    assert f"libraries: {here}" in text, "both streams are kept"
    assert DATA.joinpath("benchmark_model.txt").read_text() in text
    label = "LiteRT benchmark_model, run in the shell by mobilebench"
    assert elsewhere.cells(result)[0] == label
    board = mobilebench("leaderboard")
    assert "Reported by others, not measured here" in board.stdout
    assert "run in the" in board.stdout
    assert "0 added, 1 there already" in mobilebench("import", output).stderr
    assert (phone.folder / "profile").read_text().strip() == "MaxPerformance"
    require_clean(phone)


def test_a_result_with_its_run_is_read_back_and_one_without_has_no_word_of_it(
    phone: Phone, benchmark: Path, net: Path, tmp_path: Path, mobilebench: Run
) -> None:
    done = mobilebench("tool", benchmark, net, "--device", ID, "--json")
    [plain] = json.loads(done.stdout)
    assert wire.from_plain(Reported, plain) == stored(tmp_path)[0]
    [other] = interop.read(DATA / "benchmark_model.txt")
    assert "run" not in wire.to_plain(other)


def test_a_phone_without_task_profiles_is_measured_and_the_label_says_so(
    phone: Phone, benchmark: Path, net: Path
) -> None:
    [outcome] = ran(call(benchmark, net))
    assert outcome.failure is None and outcome.run.profile is None
    assert "not found" in (outcome.run.profile_refusal or "")
    result = interop.shell.completed(
        Reported(report_id="1", source="LiteRT benchmark_model", file="f"),
        interop.Known(run=outcome.run, model="net", format="tflite"),
    )
    assert elsewhere.cells(result)[0].endswith("by mobilebench, not in the top-app profile")


@pytest.mark.parametrize(
    ("name", "model", "data", "arguments"),
    [
        (
            "benchmark_litert_model",
            "face.tflite",
            "benchmark_litert_model.txt",
            ["--graph=HERE/face.tflite", "--num_threads=2", "--num_runs=9"],
        ),
        (
            "executor_runner",
            "net.pte",
            "executor_runner.txt",
            ["--model_path=HERE/net.pte", "--cpu_threads=2", "--num_executions=9"],
        ),
        (
            "onnxruntime_perf_test",
            "net.onnx",
            "perf_test.txt",
            ["-I", "-x", "2", "-m", "times", "-r", "9", "HERE/net.onnx"],
        ),
    ],
)
def test_each_tool_gets_its_own_arguments_and_is_read(
    phone: Phone, tmp_path: Path, mobilebench: Run, name: str, model: str, data: str,
    arguments: list[str],
) -> None:  # fmt: skip
    tool = program(tmp_path / name, 'echo "given: $*"', printing=DATA / data)
    network = file(tmp_path / model)
    done = mobilebench("tool", tool, network, "--device", ID, "-t", "2", "--runs", "9")
    assert done.code == 0, done.stderr
    [result] = stored(tmp_path)
    [alone] = interop.read(DATA / data)
    assert result.latency == alone.latency and result.load_ns == alone.load_ns
    assert result.model == network.stem and result.threads is not None
    [output] = (tmp_path / "tool-output").iterdir()
    given = " ".join(arguments).replace("HERE", str(phone.fs / PLACE))
    assert f"given: {given}\n" in output.read_text()
    require_clean(phone)


def test_an_npu_gets_the_folder_of_its_libraries_and_what_ran_elsewhere_is_told(
    phone: Phone, tmp_path: Path, mobilebench: Run
) -> None:
    tool = program(
        tmp_path / "benchmark_model",
        'echo "given: $*"',
        """echo 'dlopen failed: library "libQnnHtp.so" not found'""",
        printing=DATA / "benchmark_litert_model.txt",
    )
    libraries = [
        file(tmp_path / name, elf_of(183))
        for name in ("libLiteRtDispatch_Qualcomm.so", "libLiteRtCompilerPlugin_Qualcomm.so")
    ]
    given = [word for library in libraries for word in ("--library", library)]
    network = file(tmp_path / "face.tflite")
    done = mobilebench("tool", tool, network, "--device", ID, *given, "--compute-unit", "npu")
    assert done.code == 0, done.stderr
    [result] = stored(tmp_path)
    assert result.compute_unit is None
    assert result.remarks[-2:] == (
        "the library libQnnHtp.so is missing on the device: add it with --library",
        "the npu was asked for, and the output does not say that it was used",
    )
    [output] = (tmp_path / "tool-output").iterdir()
    here = phone.fs / PLACE
    assert f"--use_npu=true --dispatch_library_path={here} --compiler" in output.read_text()


def test_two_models_go_over_with_one_copy_of_the_program(
    phone: Phone, benchmark: Path, net: Path, tmp_path: Path
) -> None:
    other = file(tmp_path / "b" / "other.tflite", b"another")
    outcomes = ran(call(benchmark, net), call(benchmark, other))
    assert [outcome.failure for outcome in outcomes] == [None, None]
    pushed = [Path(words[3]).name for words in phone.logged() if words[1] == "push"]
    assert pushed.count("benchmark_model") == 1
    assert pushed.count("net.tflite") == pushed.count("other.tflite") == 1
    require_clean(phone)


def test_two_phones_work_at_the_same_time_and_each_has_its_result(
    phone: Phone, benchmark: Path, net: Path, tmp_path: Path, mobilebench: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    other = Phone.make(tmp_path / "other", "PHONE2", transport_id=2, usb="1-2")
    monkeypatch.setenv("PHONES", f"{phone.folder}:{other.folder}")
    done = mobilebench("tool", benchmark, net, "--device", "model=*scripted*")
    assert done.code == 0, done.stderr
    results = stored(tmp_path)
    assert len(results) == 2, "two runs that print the same are two results"
    assert len(list((tmp_path / "tool-output").iterdir())) == 2
    require_clean(phone)
    require_clean(other)


@pytest.mark.slow
def test_one_lost_phone_of_two_leaves_the_result_of_the_other(
    phone: Phone, benchmark: Path, net: Path, tmp_path: Path, mobilebench: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    other = Phone.make(tmp_path / "other", "PHONE2", transport_id=2, usb="1-2", free_kib=1000)
    monkeypatch.setenv("PHONES", f"{phone.folder}:{other.folder}")
    done = mobilebench("tool", benchmark, net, "--device", f"{ID},adb:PHONE2")
    assert done.code == 1
    assert "adb:PHONE2 was lost: The files need" in done.stderr
    assert len(stored(tmp_path)) == 1
    require_clean(other)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            [
                'echo \'CANNOT LINK EXECUTABLE "./benchmark_model": library '
                '"libtensorflowlite.so" not found: needed by main executable\' >&2',
                "exit 1",
            ],
            "the library libtensorflowlite.so is missing on the device: add it with --library",
        ),
        (["kill -SEGV $$"], "it crashed (segmentation fault)"),
        (["kill -ILL $$"], "an instruction that this processor lacks"),
        (["kill -KILL $$"], "it was killed, as the system does where memory is short"),
        (["echo 'ERROR: no such model' >&2", "exit 3"], "it ended with 3 (ERROR: no such model)"),
        (["exec /no/such/program"], "the device could not start it"),
    ],
)
def test_a_program_that_fails_is_a_result_without_latency_that_says_why(
    phone: Phone, net: Path, tmp_path: Path, lines: list[str], sentence: str
) -> None:
    [outcome] = ran(call(program(tmp_path / "benchmark_model", *lines), net))
    assert outcome.failure is not None and sentence in outcome.failure
    output = file(tmp_path / "output.txt", outcome.output)
    known = interop.Known(run=outcome.run, model="net", format="tflite", failure=outcome.failure)
    [result] = interop.read_run(output, "litert", known)
    assert result.latency.mean_ns is None and result.run == outcome.run
    assert result.remarks == (f"the run failed: {outcome.failure}",)
    require_clean(phone)


def test_a_failure_is_stored_and_told_with_the_file_of_its_output(
    phone: Phone, net: Path, tmp_path: Path, mobilebench: Run
) -> None:
    tool = program(tmp_path / "benchmark_model", "echo 'ERROR: no such model' >&2", "exit 3")
    done = mobilebench("tool", tool, net, "--device", ID)
    assert done.code == 1
    [result] = stored(tmp_path)
    assert result.remarks == ("the run failed: it ended with 3 (ERROR: no such model)",)
    assert "it ended with 3 (ERROR: no such model)" in done.stderr
    assert f"all that it printed is in {Path('tool-output') / result.file}" in done.stderr


def test_output_that_nothing_reads_is_kept_in_a_file_and_named(
    phone: Phone, net: Path, tmp_path: Path, mobilebench: Run
) -> None:
    tool = program(tmp_path / "benchmark_model", printing="Latency of a new version: 3 ms\n")
    done = mobilebench("tool", tool, net, "--device", ID)
    assert done.code == 1
    [output] = (tmp_path / "tool-output").iterdir()
    assert f"all that it printed is in {output.relative_to(tmp_path)}" in done.stderr
    assert "Latency of a new version: 3 ms\n" in output.read_text()
    [result] = stored(tmp_path)
    assert result.file == output.name and str(tmp_path) not in result.remarks[0]


def test_a_program_that_crashes_after_its_result_keeps_it(
    phone: Phone, net: Path, tmp_path: Path, mobilebench: Run
) -> None:
    text = (DATA / "benchmark_model.txt").read_text()
    tool = program(
        tmp_path / "benchmark_model", f"printf '%s' {shlex.quote(text)}", "kill -ABRT $$"
    )
    assert mobilebench("tool", tool, net, "--device", ID).code == 0
    [result] = stored(tmp_path)
    assert result.latency.mean_ns and result.remarks[-1] == "after its result, it gave up (abort)"


@pytest.mark.slow
def test_a_run_that_never_ends_is_stopped_and_its_output_kept(phone: Phone, net: Path) -> None:
    tool = program(net.parent / "benchmark_model", "echo begun", "exec sleep 600")
    [outcome] = ran(call(tool, net), limit_s=1)
    assert outcome.failure == "it did not end within 1 s"
    assert outcome.output.endswith(b"begun\n") and outcome.run.exit_code is None
    require_clean(phone)


def slow(net: Path) -> Path:
    return program(net.parent / "benchmark_model", "sleep 4", printing=DATA / "benchmark_model.txt")


def test_a_cable_that_is_put_back_costs_nothing(phone: Phone, net: Path) -> None:
    def pull() -> None:
        with phone.changed() as state:
            state["gone_until"] = time.time() + 2

    thread = when(lambda: runs_on(phone), pull)
    [outcome] = ran(call(slow(net), net))
    thread.join()
    assert outcome.failure is None and b"Inference timings in us" in outcome.output
    first, *_, last = [each.what for each in outcome.run.interruptions]
    assert first.startswith("connection lost: ") and last == "connection is back"
    require_clean(phone)


@pytest.mark.slow
def test_a_cable_that_stays_away_is_a_failure_and_the_next_run_tidies_up(
    phone: Phone, benchmark: Path, net: Path
) -> None:
    def pull() -> None:
        with phone.changed() as state:
            state["gone"] = True

    thread = when(lambda: runs_on(phone), pull)
    tool = program(net.parent / "benchmark_model", "exec sleep 600")
    [outcome] = ran(call(tool, net), lost_s=1)
    thread.join()
    assert outcome.failure is not None and "does not list the device" in outcome.failure
    assert outcome.run.after is None and outcome.output == b""
    with phone.changed() as state:
        state["gone"] = False
    assert (phone.fs / PLACE).exists()
    [outcome] = ran(call(benchmark, net))
    assert outcome.failure is None
    require_clean(phone)


@pytest.mark.slow
def test_a_phone_that_restarts_is_a_failure(phone: Phone, net: Path) -> None:
    def restart() -> None:
        with phone.changed() as state:
            state["gone_until"] = time.time() + 1
        pid = int((phone.fs / PLACE / ".run/pid").read_text())
        os.killpg(pid, signal.SIGKILL)
        phone.new_boot()

    thread = when(lambda: runs_on(phone), restart)
    tool = program(net.parent / "benchmark_model", "exec sleep 600")
    [outcome] = ran(call(tool, net))
    thread.join()
    assert outcome.failure == "the device has restarted"
    require_clean(phone)


def test_a_process_that_the_system_kills_with_its_shell_is_a_failure(
    phone: Phone, net: Path
) -> None:
    def kill() -> None:
        os.killpg(int((phone.fs / PLACE / ".run/pid").read_text()), signal.SIGKILL)

    thread = when(lambda: runs_on(phone), kill)
    tool = program(net.parent / "benchmark_model", "exec sleep 600")
    [outcome] = ran(call(tool, net))
    thread.join()
    assert outcome.failure == "its process was killed"
    require_clean(phone)


def test_a_folder_that_is_removed_meanwhile_is_a_failure(phone: Phone, net: Path) -> None:
    thread = when(lambda: runs_on(phone), lambda: shutil.rmtree(phone.fs / PLACE))
    [outcome] = ran(call(program(net.parent / "benchmark_model", "exec sleep 3"), net))
    thread.join()
    assert outcome.failure is not None and "failed with" in outcome.failure
    assert outcome.run.interruptions == (), "the phone was there all the time"


def test_ctrl_c_stops_the_program_on_the_phone(phone: Phone, net: Path, tmp_path: Path) -> None:
    tool = program(net.parent / "benchmark_model", "exec sleep 600")
    command = [sys.executable, "-m", "mobilebench", "tool", str(tool), str(net), "--device", ID]
    env = {**os.environ, "MOBILEBENCH_STORE": str(tmp_path / "records.sqlite")}
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, preexec_fn=hear_signals
    ) as child:
        thread = when(lambda: runs_on(phone), lambda: child.send_signal(signal.SIGINT))
        assert child.wait(timeout=60) == 130
        thread.join()
    require_clean(phone)


def test_a_phone_without_a_place_for_programs_is_one_sentence(
    phone: Phone, benchmark: Path, net: Path, mobilebench: Run
) -> None:
    (phone.fs / "data/local/tmp").rmdir()
    file(phone.fs / "data/local/tmp")
    done = mobilebench("tool", benchmark, net, "--device", ID)
    assert done.code == 2
    assert "The folder /data/local/tmp/mobilebench-tool cannot be made" in done.stderr


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("push_full", "No space left on device"),
        ("push_damaged", "the phone has other bytes; check the cable"),
    ],
)
def test_a_copy_that_fails_is_a_failure_and_the_next_model_goes_on(
    phone: Phone, benchmark: Path, net: Path, tmp_path: Path, fault: str, sentence: str
) -> None:
    with_faults(phone, **{fault: 1})
    other = file(tmp_path / "b" / "other.tflite")
    first, second = ran(call(benchmark, net), call(benchmark, other))
    assert first.failure is not None and sentence in first.failure
    assert second.failure is None
    require_clean(phone)


def test_a_phone_that_ends_its_lines_as_windows_does_is_read(
    phone: Phone, benchmark: Path, net: Path
) -> None:
    with_faults(phone, crlf=1)
    [outcome] = ran(call(benchmark, net))
    assert outcome.failure is None and outcome.run.exit_code == 0


def test_names_and_arguments_may_have_any_characters(phone: Phone, tmp_path: Path) -> None:
    tool = program(
        tmp_path / "my tools, é" / "benchmark_model (new)", 'for a in "$@"; do echo "<$a>"; done'
    )
    network = file(tmp_path / 'it\'s a "net" $HOME;é.tflite')
    words = ["--name=a b", "--quote='\"", "--money=$HOME `id`", "", "--in={folder}/x y.bin"]
    [outcome] = ran(call(tool, network, more=words))
    text = outcome.output.decode()
    here = phone.fs / PLACE
    given = [f"--graph={here}/{network.name}", *words[:-1], f"--in={here}/x y.bin"]
    assert text.endswith("".join(f"<{word}>\n" for word in given)), text
    require_clean(phone)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (elf_of(40, wide=False), "is for armeabi-v7a, and the device runs x86_64, arm64-v8a"),
        (elf_of(243), "is for riscv64, and the device runs"),
        (elf_of(8), "is for machine 8"),
        (
            elf_of(62, interpreter="/lib64/ld-linux-x86-64.so.2"),
            "is for x86_64 but not for Android: it asks for /lib64/ld-linux-x86-64.so.2",
        ),
        (b"MZ\x90", "is no program for Android: it is not an ELF file"),
        (
            elf_of(62, interpreter="/system/bin/linker64")[:70],
            "the head of its ELF file ends early",
        ),
    ],
)
def test_a_program_for_another_machine_is_refused_before_anything_is_copied(
    phone: Phone, net: Path, tmp_path: Path, content: bytes, sentence: str
) -> None:
    tool = file(tmp_path / "benchmark_model", content)
    with pytest.raises(UserError, match=re.escape(sentence)):
        ran(call(tool, net))
    assert all(words[1] != "push" for words in phone.logged())


def test_a_library_for_another_machine_is_refused(
    phone: Phone, benchmark: Path, net: Path, tmp_path: Path
) -> None:
    library = file(tmp_path / "libx.so", elf_of(40, wide=False))
    with pytest.raises(UserError, match=r"libx.so is for armeabi-v7a.*name the library"):
        ran(call(benchmark, net, library))


def test_programs_for_android_fit() -> None:
    assert elf.read(elf_of(183, interpreter="/system/bin/linker64")) == elf.Elf(
        "arm64-v8a", "/system/bin/linker64"
    )
    assert elf.read(elf_of(40, wide=False, interpreter="/system/bin/linker")) == elf.Elf(
        "armeabi-v7a", "/system/bin/linker"
    )
    assert elf.read(Path(sys.executable).resolve().read_bytes()[:65536]).abi == "x86_64"


def test_two_files_with_one_name_are_refused(
    phone: Phone, benchmark: Path, net: Path, tmp_path: Path
) -> None:
    libraries = [file(tmp_path / each / "libx.so", elf_of(62)) for each in "ab"]
    with pytest.raises(UserError, match="have the same name"):
        ran(call(benchmark, net, *libraries))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tool", "NOTHING", "NET"], "There is no file"),
        (["tool", "TOOL", "missing.tflite"], "There is no file missing.tflite"),
        (["tool", "OTHER", "NET"], "whose output is known; say with --as"),
        (["tool", "OTHER", "NET", "--as", "litrt"], "litert"),
        (["tool", "TOOL", "OTHER"], "runs .tflite and .lite and .litert files"),
        (["tool", "TOOL", "NET", "--device", "host"], "only Android devices behind adb take one"),
        (["tool", "TOOL", "NET", "--device", "adb:NOSUCH"], "There is no device 'adb:NOSUCH'"),
        (["tool", "TOOL", "NET", "--library", "."], "is a folder"),
    ],
)
def test_bad_input_is_one_sentence(
    phone: Phone, benchmark: Path, net: Path, tmp_path: Path, mobilebench: Run,
    words: list[str], sentence: str,
) -> None:  # fmt: skip
    known = {"NOTHING": tmp_path / "benchmark_model.no", "TOOL": benchmark, "NET": net}
    known["OTHER"] = program(tmp_path / "bench.sh")
    if "--device" not in words:
        words = [*words, "--device", ID]
    done = mobilebench(*(known.get(word, word) for word in words))
    assert done.code == 2, done.stderr
    assert sentence in " ".join(done.stderr.split()) and "Traceback" not in done.stderr
    assert not (tmp_path / "tool-output").exists()


def test_a_unit_without_an_argument_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no argument that says gpu; say it in the tool"):
        call(
            tmp_path / "onnxruntime_perf_test",
            tmp_path / "a.onnx",
            compute_unit=ComputeUnit.GPU,
        )


def test_a_phone_that_another_process_uses_is_refused(
    phone: Phone, benchmark: Path, net: Path
) -> None:
    with (
        _claims.claimed(ID, "another benchmark"),
        pytest.raises(UserError, match=r"is in use by process \d+ \(another benchmark\)"),
    ):
        ran(call(benchmark, net))


def test_a_phone_that_saves_power_is_not_used(phone: Phone, benchmark: Path, net: Path) -> None:
    with phone.changed() as state:
        state["settings"]["low_power"] = "1"
    with pytest.raises(UserError, match="cannot be used now"):
        ran(call(benchmark, net))


def test_fixed_performance_is_set_for_the_run_and_put_back(
    phone: Phone, benchmark: Path, net: Path, tmp_path: Path, mobilebench: Run
) -> None:
    done = mobilebench("tool", benchmark, net, "--device", ID, "--fixed-performance")
    assert done.code == 0, done.stderr
    run = stored(tmp_path)[0].run
    assert run is not None and run.settings["fixed_performance"] == "true"
    assert phone.state()["fixed_performance"] is False


def test_what_the_linker_says_is_understood() -> None:
    text = (
        'dlopen failed: library "libcdsprpc.so" needed or dlopened by "/data/x/libQnn.so" is not '
        'accessible for the namespace "default"\n'
        'CANNOT LINK EXECUTABLE "./t": cannot locate symbol "TfLiteX" referenced by "/data/x/t"...'
    )
    assert tool_end.problems(text) == (
        "the system does not open its library libcdsprpc.so to the shell: take a build that brings "
        "its own, or the app",
        "t needs TfLiteX, which its libraries lack: take program and libraries of one version",
    )


def test_every_format_that_has_a_tool_has_the_suffix_of_its_files() -> None:
    assert {tool.format for tool in tools.TOOLS.values()} == {
        Format.TFLITE,
        Format.EXECUTORCH,
        Format.ONNX,
    }
    assert set(tools.TOOLS) <= set(interop.READERS)
