"""Jobs on a board by a real SSH server, and what goes wrong on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench.errors import CellFailed, UserError
from mobilebench.inputs import seeded
from mobilebench.measuring import job_folder
from mobilebench.measuring.setting import find_device
from mobilebench.store import signing
from mobilebench.values import wire
from mobilebench.values.artifact import REFERENCE_FILE, Artifact
from mobilebench.values.device import DeviceKind
from mobilebench.values.event import EventKind
from mobilebench.values.job import Reporting, Variant, VariantAccuracy
from mobilebench.values.measurement import Measurement, Phase
from mobilebench.values.obstacles import Obstacle
from mobilebench.values.policy import Policy, PolicyRule
from mobilebench.values.recipe import Precision
from mobilebench.values.record import Record
from mobilebench.values.request import Request
from mobilebench.values.tensor import parse_tensor
from mobilebench_device_runners import _remote, ssh
from mobilebench_device_runners._remote import Patience
from mobilebench_device_runners._ssh import environment, looking, target, wheel
from mobilebench_device_runners._ssh.link import SshLink
from tests.conftest import TINY, Ran, export_quickly, shared_folder
from tests.phones.loopback import DISK, ROOT, LoopbackBoard, below, loopback_board
from tests.protocols import QUICK, job_for
from tests.signals import hear_signals

_S = 1_000_000_000
# Rounds of a second, told ten times a second.
_ROUNDS = replace(QUICK, rounds=4, inferences=1, min_duration_ns=_S, max_duration_ns=2 * _S)
_OFTEN = Reporting(every_ns=_S // 10)
_QUICK = Patience(look_s=0.2, start_s=60, lost_s=30, record_s=10)
Program = Callable[..., Ran]


@pytest.fixture(scope="module")
def board() -> Iterator[LoopbackBoard]:
    with loopback_board() as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{started.config.parent / 'bin'}{os.pathsep}{os.environ['PATH']}")
        yield started


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Return the tiny network as ONNX."""
    from mobilebench import plugins

    recipe = plugins.exporter("onnx").recipe(Precision.FP32)
    request = Request(reference=TINY, inputs=(parse_tensor("1x3x32x32"),))
    with shared_folder(tmp_path_factory, "tiny-for-boards") as out:
        [exported] = export_quickly(request, [recipe], out)
    assert isinstance(exported.outcome, Artifact), exported.outcome
    return exported.outcome


@contextmanager
def linked(board: LoopbackBoard) -> Iterator[SshLink]:
    link = SshLink(target.parse(board.device_id), looking.look)
    try:
        yield link
    finally:
        link.close()


def written(artifact: Artifact, folder: Path, **changes: object) -> Path:
    """Write the folder of a job of some seconds; return the folder."""
    job = replace(job_for(artifact, "onnxruntime"), protocol=_ROUNDS, reporting=_OFTEN)
    job_folder.write(artifact, replace(job, **changes), folder)  # type: ignore[arg-type]
    return folder


def measured(record: Record) -> Measurement:
    assert isinstance(record.outcome, Measurement), record.outcome
    return record.outcome


def interruptions(record: Record) -> list[str]:
    assert record.seen is not None
    return [each.what for each in record.seen.interruptions]


def until(ready: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def meanwhile(folder: Path, act: Callable[[], None]) -> Iterator[None]:
    """Act in another thread as soon as the journal holds samples."""
    journal = folder / "journal.jsonl"
    failures: list[BaseException] = []

    def wait_and_act() -> None:
        try:
            until(lambda: journal.exists() and b'"samples"' in journal.read_bytes())
            act()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    try:
        yield
    finally:
        thread.join(90)
    assert not failures, failures


def require_clean(board: LoopbackBoard) -> None:
    """Require that no job and no process of one is left on the board."""
    until(lambda: not measuring(board))
    assert list((board.data / "jobs").glob("*")) == []


def remove_left(board: LoopbackBoard) -> None:
    """Remove the folders of jobs that wait to be gone on with, when they have ended."""
    until(lambda: not measuring(board))
    with linked(board) as link:
        for left in (board.data / "jobs").iterdir():
            link.remove(left.name)
    require_clean(board)


def measuring(board: LoopbackBoard) -> list[int]:
    """Return the processes that measure on the board, with the shells that watch them."""
    return below(board.home / ".local/share/mobilebench-board/jobs")


def test_an_artifact_is_measured_and_ranked(
    board: LoopbackBoard, artifact: Artifact, mobilebench: Program
) -> None:
    bench = ("bench", artifact.folder, "--device", board.device_id, "--protocol", "smoke-1")
    first = mobilebench(*bench)
    assert first.code == 0, first.stderr
    row = next(line for line in first.stdout.splitlines() if "models.tiny@32" in line)
    assert "onnxruntime" in row and "µs" in row
    assert "row 1: measured on board" in first.stdout
    again = mobilebench(*bench, "--json")
    assert again.code == 0 and "set up the board" not in again.stderr
    [record] = json.loads(again.stdout)
    signing.require_intact(record, "the record")
    assert record["provenance"]["transport"] == "ssh"
    assert record["device"]["kind"] == DeviceKind.BOARD
    assert record["device"]["id"].startswith("ssh:") and board.name not in again.stdout
    assert record["seen"]["by"].startswith("OpenSSH_")
    assert "interruptions" not in record["seen"]
    assert str(board.home) not in again.stdout
    table = mobilebench("leaderboard", "--as", "json")
    assert len(json.loads(table.stdout)) == 1, "both runs are of one cell"
    require_clean(board)


def test_a_name_of_the_configuration_is_a_device(board: LoopbackBoard) -> None:
    runner, device = find_device("ssh:my-board")
    assert runner.scheme == "ssh" and device.id == "ssh:my-board"
    assert device.kind is DeviceKind.BOARD


@pytest.mark.slow
def test_a_folder_with_any_name_comes_back_with_its_record(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    folder = written(artifact, tmp_path / "für den 'Board' \"$HOME\" 板")
    record = ssh.SshRunner().perform(board.device_id, folder)
    outcome = measured(record)
    assert not outcome.cut_off and outcome.parity[0].passed
    assert set(outcome.samples.round) == {0, 1, 2, 3}
    given = job_folder.read(folder)
    signing.require_intact(json.loads(given.record_path.read_text()), "the record")
    ours = given.document(_remote.DEVICE_RECORD_FILE).record
    assert measured(ours).samples == outcome.samples
    assert record.device == ours.device and record.device.boot_age_ns
    with pytest.raises(UserError, match="is done"):
        ssh.SshRunner().perform(board.device_id, folder)
    require_clean(board)


def test_files_that_the_board_has_are_not_copied_again(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    ssh.SshRunner().perform(board.device_id, written(artifact, tmp_path / "one", protocol=QUICK))
    store = board.data / "files"
    before = {path.name: path.stat().st_ino for path in store.iterdir()}
    assert artifact.manifest.facts.sha256 in before
    ssh.SshRunner().perform(board.device_id, written(artifact, tmp_path / "two", protocol=QUICK))
    after = {path.name: path.stat().st_ino for path in store.iterdir()}
    assert after.items() >= before.items()


def test_a_lost_connection_costs_no_sample(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    folder = written(artifact, tmp_path / "job")

    def break_off() -> None:
        board.kill()
        time.sleep(1.5)
        board.start()

    with linked(board) as link, meanwhile(folder, break_off):
        record = _remote.perform(link, folder, patience=_QUICK)
    outcome = measured(record)
    assert not outcome.cut_off and set(outcome.samples.round) == {0, 1, 2, 3}
    assert EventKind.RESUMED not in {event.kind for event in outcome.events}
    lost, back = interruptions(record)
    assert lost.startswith("connection lost: ") and back == "connection is back"
    assert "127.0.0.1" not in lost and "pi@" not in lost
    require_clean(board)


def test_a_board_that_stays_away_leaves_what_was_measured(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    folder = written(artifact, tmp_path / "job")
    with linked(board) as link, meanwhile(folder, board.kill):
        record = _remote.perform(link, folder, patience=replace(_QUICK, lost_s=2))
    board.start()
    assert measured(record).cut_off and measured(record).samples.latency_ns
    assert "127.0.0.1" not in wire.dumps(record) and "pi@" not in wire.dumps(record)
    # It has gone on by itself, and its folder waits for somebody to come back.
    remove_left(board)


def test_a_process_that_is_killed_goes_on(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    folder = written(artifact, tmp_path / "job")

    with linked(board) as link, meanwhile(folder, lambda: kill_python(board)):
        record = _remote.perform(link, folder, patience=_QUICK)
    outcome = measured(record)
    assert not outcome.cut_off and set(outcome.samples.round) == {0, 1, 2, 3}
    assert EventKind.RESUMED in {event.kind for event in outcome.events}
    [again] = interruptions(record)
    assert again.startswith("started again: it was killed (signal 9)")
    require_clean(board)


def test_what_a_board_lost_of_its_journal_comes_back(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    folder = written(artifact, tmp_path / "job")

    def lose() -> None:
        until(lambda: b'"round_ended"' in (folder / "journal.jsonl").read_bytes())
        kill_python(board)
        [there] = (board.data / "jobs").glob("*/journal.jsonl")
        there.write_bytes(there.read_bytes()[:100])

    with linked(board) as link, meanwhile(folder, lose):
        record = _remote.perform(link, folder, patience=_QUICK)
    outcome = measured(record)
    assert not outcome.cut_off and set(outcome.samples.round) == {0, 1, 2, 3}
    assert job_folder.read(folder).journal().starts[-1].round >= 1, "the first round is kept"
    require_clean(board)


def kill_python(board: LoopbackBoard) -> None:
    """Kill the process that measures, and not the shell that watches it."""
    [python] = [pid for pid in measuring(board) if b"venv/bin/python\0-m\0" in command(pid)]
    os.kill(python, signal.SIGKILL)


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.slow
def test_a_board_that_measures_takes_no_second_job(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    folder = written(artifact, tmp_path / "job", protocol=replace(_ROUNDS, rounds=100))
    cancel = threading.Event()
    refused: list[str] = []

    def another() -> None:
        other = written(artifact, tmp_path / "other")
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(ssh.BOARDS, board.name)
                [listed] = ssh.SshRunner().attached()
                assert listed.why_not == (Obstacle.BUSY,)
                patch.setattr(_remote._claims, "_place", lambda name: tmp_path / "elsewhere.lock")
                [listed] = ssh.SshRunner().attached()
                assert listed.why_not == (Obstacle.BUSY,), "as the board itself tells"
            with pytest.raises(UserError) as by_this_computer:
                ssh.SshRunner().perform(board.device_id, other)
            # As another computer does it, which knows nothing of the claims of this one.
            with (
                linked(board) as link,
                pytest.MonkeyPatch.context() as patch,
                pytest.raises(UserError) as by_another,
            ):
                patch.setattr(_remote._claims, "_place", lambda name: tmp_path / "elsewhere.lock")
                _remote.perform(link, other, patience=_QUICK)
            refused.extend((str(by_this_computer.value), str(by_another.value)))
        finally:
            cancel.set()

    with meanwhile(folder, another), pytest.raises(KeyboardInterrupt):
        ssh.SshRunner().perform(board.device_id, folder, cancel)
    assert f"is in use by process {os.getpid()}" in refused[0]
    assert "Another job measures on this board now" in refused[1]
    remove_left(board)


def test_ctrl_c_ends_the_job_on_the_board(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    long = replace(_ROUNDS, rounds=100)
    folder = written(artifact, tmp_path / "job", protocol=long)
    process = subprocess.Popen(
        [sys.executable, "-m", "mobilebench", "job", "run", folder, "--device", board.device_id],
        env={**os.environ, "MOBILEBENCH_STORE": str(tmp_path / "records.sqlite")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=hear_signals,
    )
    journal = folder / "journal.jsonl"
    until(lambda: journal.exists() and b'"samples"' in journal.read_bytes())
    assert measuring(board)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    until(lambda: not measuring(board))
    # The folder stays on both sides, and the job goes on from what was measured.
    assert len(list((board.data / "jobs").iterdir())) == 1
    remove_left(board)


def test_giving_up_ends_the_job_on_the_board(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    cancel = threading.Event()
    folder = written(artifact, tmp_path / "job", protocol=replace(_ROUNDS, rounds=100))
    with meanwhile(folder, cancel.set), pytest.raises(KeyboardInterrupt):
        ssh.SshRunner().perform(board.device_id, folder, cancel)
    until(lambda: not measuring(board))
    remove_left(board)


@pytest.mark.skipif(not ROOT, reason=f"a disk of {DISK} for the board needs root")
def test_a_full_disk_fails_the_cell_and_leaves_nothing(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    filler = board.disk / "filler"
    ssh.SshRunner().perform(board.device_id, written(artifact, tmp_path / "one", protocol=QUICK))
    for path in (board.data / "files").iterdir():
        path.unlink()
    with suppress_full(), filler.open("wb") as file:
        while True:
            file.write(bytes(1 << 20))
    try:
        with pytest.raises(CellFailed) as caught:
            ssh.SshRunner().run(board.device_id, artifact, job_for(artifact, "onnxruntime"))
    finally:
        filler.unlink()
    assert caught.value.error == "DiskFull"
    assert "free some space in the board's home folder" in caught.value.message
    assert list((board.data / "files").iterdir()) == []
    require_clean(board)


class suppress_full:
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        return isinstance(error, OSError) and error.errno == 28


def test_host_keys_are_checked(board: LoopbackBoard) -> None:
    trusted = board.known_hosts.read_text()
    try:
        board.known_hosts.write_text("")
        with pytest.raises(UserError, match=r"is not known yet. Run: ssh -p \d+ "):
            ssh.SshRunner().reach(board.device_id)
        other = (board.config.parent / "id.pub").read_text().split()[1]
        board.known_hosts.write_text(f"[127.0.0.1]:{board.port} ssh-ed25519 {other}\n")
        with pytest.raises(UserError, match="has changed, .*ssh-keygen -f .* -R ") as caught:
            ssh.SshRunner().reach(board.device_id)
        assert str(board.known_hosts) in str(caught.value)
        # Nor does a configuration that would take any key switch the check off.
        text = board.config.read_text()
        board.config.write_text(f"StrictHostKeyChecking no\n{text}")
        with pytest.raises(UserError, match="has changed"):
            ssh.SshRunner().reach(board.device_id)
        board.config.write_text(text)
    finally:
        board.known_hosts.write_text(trusted)
    assert ssh.SshRunner().reach(board.device_id).kind is DeviceKind.BOARD


def test_a_host_key_that_changes_in_the_middle_ends_the_job(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    folder = written(artifact, tmp_path / "job")
    trusted = board.known_hosts.read_text()

    def exchange() -> None:
        board.kill()
        board.new_host_key()
        board.start()

    with (
        linked(board) as link,
        meanwhile(folder, exchange),
        pytest.raises(UserError, match="has changed"),
    ):
        _remote.perform(link, folder, patience=_QUICK)
    assert board.known_hosts.read_text() == trusted
    board.trust()
    # What was measured is kept, and the same command goes on with it.
    record = ssh.SshRunner().perform(board.device_id, folder)
    assert set(measured(record).samples.round) == {0, 1, 2, 3}
    require_clean(board)


def test_who_is_not_let_in_is_told_what_to_run(board: LoopbackBoard, mobilebench: Program) -> None:
    with pytest.raises(UserError, match="Run: ssh-copy-id "):
        ssh.SshRunner().reach(f"ssh:nosuchuser@127.0.0.1:{board.port}")
    with pytest.raises(UserError, match="no SSH server answers"):
        ssh.SshRunner().reach("ssh:pi@127.0.0.1:1")
    listed = mobilebench(
        "devices", env={ssh.BOARDS: f"{board.name} nosuchuser@127.0.0.1:{board.port}"}
    )
    assert listed.code == 0 and board.device_id in listed.stdout
    assert "ssh-copy-id" in listed.stdout


def test_outputs_of_a_board_are_those_of_pytorch(board: LoopbackBoard, artifact: Artifact) -> None:
    batches = seeded.samples(artifact.manifest.model.inputs, 3, 1000)
    by, outputs = ssh.SshRunner().predict(
        board.device_id, artifact.model_path, artifact.manifest.recipe, "onnxruntime", batches
    )
    assert by.startswith("onnxruntime ")
    expected = seeded.load_batches(artifact.folder / REFERENCE_FILE)[:3]
    for batch, reference in zip(outputs, expected, strict=True):
        # float32 rounding of a five-layer network is below 1e-6 of outputs near 1.
        assert abs(batch[0] - reference[0]).max() <= 1e-5
    require_clean(board)


def test_the_width_controller_runs_on_the_board(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path
) -> None:
    facts = artifact.manifest
    variants = tuple(
        Variant(
            name=f"width {width:g}",
            model_file=facts.model_file if width == 1 else f"variants/1/{facts.model_file}",
            model_sha256=facts.facts.sha256,
            width=width,
            accuracy=VariantAccuracy(top1=50 + 20 * width, source="invented", measured=False),
        )
        for width in (1.0, 0.5)
    )
    job = replace(
        job_for(artifact, "onnxruntime"),
        protocol=replace(_ROUNDS, rounds=1, sense_ns=_S // 5, interval_ns=_S // 50),
        variants=variants,
        policy=Policy(rule=PolicyRule.THRESHOLD),
    )
    folder = tmp_path / "job"
    job_folder.write(artifact, job, folder, [artifact])
    outcome = measured(ssh.SshRunner().perform(board.device_id, folder))
    assert set(outcome.samples.width) == {1.0, 0.5}
    assert outcome.samples.select(Phase.MEASURED).width
    require_clean(board)


def fetch_wheels(folder: Path, *wanted: str) -> Path:
    """Fetch wheels for this Python, which is that of the board too; skips where it cannot."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:"),
            *("-d", folder, *wanted),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    if done.returncode != 0:
        pytest.skip(f"the wheels of a board cannot be fetched: {done.stderr[-300:]}")
    return folder


@pytest.mark.slow
def test_a_board_without_litert_has_tflite_runtime(
    board: LoopbackBoard,
    tiny_artifacts: dict[str, Artifact],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measuring_needs = [each for each in wheel.requirements() if not each.startswith("numpy")]
    wheels = fetch_wheels(tmp_path / "wheels", *measuring_needs, "tflite-runtime", "numpy<2")
    monkeypatch.setenv(environment.WHEELS, str(wheels))
    artifact = tiny_artifacts["tflite-fp32"]
    job = job_for(artifact, "litert")
    ran = ssh.SshRunner().run(board.device_id, artifact, job)
    assert ran.measurement.runtime.name == "litert"
    assert ran.measurement.runtime.version.endswith("(tflite-runtime)")
    assert ran.measurement.parity[0].passed
    require_clean(board)


@pytest.mark.slow
def test_uv_makes_the_environment_where_it_is_there(
    board: LoopbackBoard, artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = wheel.requirements(("onnx", "onnxruntime"))
    wheels = fetch_wheels(tmp_path / "wheels", *needs)
    [packed] = fetch_wheels(tmp_path / "uv", "uv").glob("*.whl")
    place = board.disk / ".local/bin/uv"
    place.parent.mkdir(parents=True)
    with zipfile.ZipFile(packed) as content:
        [name] = [each for each in content.namelist() if each.endswith("/scripts/uv")]
        place.write_bytes(content.read(name))
    place.chmod(0o755)
    monkeypatch.setenv(environment.WHEELS, str(wheels))
    try:
        ran = ssh.SshRunner().run(board.device_id, artifact, job_for(artifact, "onnxruntime"))
    finally:
        place.unlink()
    assert ran.measurement.parity[0].passed
    made = (board.data / "env").glob("onnxruntime-*/venv/pyvenv.cfg")
    assert any("uv = " in path.read_text() for path in made)
    require_clean(board)
