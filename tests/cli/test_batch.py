"""`mobilebench bench` on several devices: what is measured, kept, resumed, left out and refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import mobilebench as package
from mobilebench.errors import MobilebenchWarning, UserError
from mobilebench.store import RecordStore
from tests.conftest import Ran
from tests.dask_cluster import dask_cluster
from tests.foreign import convolution
from tests.shelf import Phone, Shelf, artifacts, disappear, refuse
from tests.signals import hear_signals

Program = Callable[..., Ran]
TWO = "sim:steady,sim:quick"


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    """Return two model files with spaces and other letters in their names."""
    names = ("my net.onnx", "netz-ü.onnx")
    return [
        convolution(tmp_path / name, sizes=(1, 3, size, size))
        for name, size in zip(names, (32, 16), strict=True)
    ]


def _cells(records: list[Any]) -> set[tuple[str, str]]:
    return {(record["device"]["id"], record["model"]["name"]) for record in records}


def test_every_artifact_is_measured_on_every_device_and_stored(
    mobilebench: Program, models: list[Path], tmp_path: Path
) -> None:
    done = mobilebench(
        "bench", *models, "-d", TWO, "--protocol", "smoke-1", "--store", "s", "--json"
    )
    assert done.code == 0, done.stderr
    cells = _cells(json.loads(done.stdout))
    assert len(cells) == 4 and {device for device, _ in cells} == {"sim:steady", "sim:quick"}
    with RecordStore(str(tmp_path / "s"), create=False) as store:
        assert len(store.find()) == 4
    assert "on 2 devices 4/4" in done.stderr
    assert "sim:steady: my net" in done.stderr and "sim:quick: my net" in done.stderr


def test_a_batch_that_was_cut_off_measures_only_what_is_missing(
    mobilebench: Program, models: list[Path], tmp_path: Path
) -> None:
    words = ("bench", *models, "-d", TWO, "--protocol", "smoke-1", "--batch", "b", "--json")
    folder = tmp_path / "b"
    program = subprocess.Popen(
        [sys.executable, "-m", "mobilebench", *map(str, words), "--store", "s"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        preexec_fn=hear_signals,
    )
    _wait_for(lambda: list(folder.glob("*.json")))
    children = psutil.Process(program.pid).children(recursive=True)
    program.send_signal(signal.SIGINT)
    stdout, stderr = program.communicate(timeout=60)
    assert program.returncode == 130 and stdout == "", stderr
    assert "Traceback" not in stderr
    _wait_for(lambda: not any(child.is_running() for child in children))
    earlier = {path: path.read_bytes() for path in folder.glob("*.json")}
    assert 1 <= len(earlier) < 4

    done = mobilebench(*words, "--store", "s")
    assert done.code == 0, done.stderr
    assert f"{len(earlier)} cell" in done.stderr and "measured before: b" in done.stderr
    assert len(_cells(json.loads(done.stdout))) == 4
    assert {path: path.read_bytes() for path in earlier} == earlier
    assert len(list(folder.glob("*.json"))) == 4
    with RecordStore(str(tmp_path / "s"), create=False) as store:
        assert len(store.find()) == 4
    # The folder is one of records, which other verbs read.
    checked = mobilebench("check", "--baseline", "b", "--candidate", "b")
    assert "have 4 records in common" in checked.stderr


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_damaged_record_of_a_batch_is_one_sentence(
    mobilebench: Program, models: list[Path], tmp_path: Path
) -> None:
    words = ("bench", models[0], "-d", "sim:steady", "--protocol", "smoke-1", "--batch", "b")
    assert mobilebench(*words).code == 0
    [place] = (tmp_path / "b").glob("*.json")
    whole = place.read_text()
    place.write_text(whole[: len(whole) // 2])
    done = mobilebench(*words)
    assert done.code == 2 and str(place.relative_to(tmp_path)) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-d", "all"), "No phone and no board is attached"),
        (
            ("-d", "sim:stedy,sim:quick"),
            "no device called 'sim:stedy'; did you mean sim:steady or ",
        ),
        (("-d", "model=iPhone*"), "No device fits --device model=iPhone*; there are: host ("),
        (("-d", "colour=red"), "no key of a device's pattern called 'colour'"),
        (("-d", "sim,host"), "devices fit --device sim: sim:steady (steady), "),
        (("-d", "host", "--wait", "3"), "--wait is for several devices"),
        (("-d", TWO, "--ab"), "--ab compares two sides on one device"),
        (("-d", TWO, "--runtime", "litert"), "cannot be measured on sim with litert"),
        (("-d", TWO, "--batch", "file"), "file"),
        (("-d", TWO, "--cluster", "tcp://127.0.0.1:9"), "No dask scheduler answers"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_a_wrong_choice_of_devices_is_one_sentence(
    mobilebench: Program,
    models: list[Path],
    tmp_path: Path,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    (tmp_path / "file").write_text("")
    done = mobilebench("bench", models[0], *words, "--protocol", "smoke-1", "--store", "s")
    assert done.code == 2 and done.stdout == "", done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert sentence in line


def test_devices_of_a_cluster_are_measured_by_the_command_line(
    mobilebench: Program, models: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "dask").mkdir()
    with dask_cluster(tmp_path / "dask") as cluster:
        cluster.worker("first", resources=["sim:steady", "sim:quick"])
        done = mobilebench(
            "bench", *models, "-d", "scheme=sim", "--protocol", "smoke-1", "--json",
            "--cluster", cluster.address,
        )  # fmt: skip
    assert done.code == 0, done.stderr
    assert len(_cells(json.loads(done.stdout))) == 4


def test_python_measures_on_every_device_and_warns_of_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shelf = Shelf(Phone("adb:1", steps=[refuse]), Phone("adb:2")).use(monkeypatch)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", MobilebenchWarning)
        records = package.benchmark_all(artifacts(2), folder=tmp_path / "b", wait=0.01)
    assert len(records) == 3
    assert [str(each.message) for each in told if "no room" in str(each.message)]
    # What is there already comes back as it is, and the rest is measured.
    before = [list(phone.ran) for phone in shelf.phones.values()]
    again = package.benchmark_all(artifacts(2), folder=tmp_path / "b", wait=0.01)
    assert len(again) == 4 and {each.record_id for each in records} < {
        each.record_id for each in again
    }
    after = [len(phone.ran) for phone in shelf.phones.values()]
    assert after == [len(before[0]) + 1, len(before[1])]


def test_python_raises_where_nothing_could_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(phone: Phone, cancel: object) -> None:
        phone.attached = False
        raise UserError("The device is gone.")

    Shelf(Phone("adb:1", steps=[gone])).use(monkeypatch)
    with pytest.raises(UserError, match="could not be used for .*: It is not there any more"):
        package.benchmark_all(artifacts(2), wait=0.001)


def test_a_failure_is_measured_again_by_the_next_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shelf = Shelf(Phone("adb:1", steps=[disappear])).use(monkeypatch)
    with pytest.warns(MobilebenchWarning, match="not measured: model1"):
        [lost] = package.benchmark_all(artifacts(2), folder=tmp_path / "b", wait=0.001)
    assert lost.outcome.kind == "failure"
    shelf.phones["adb:1"].attached = True
    records = package.benchmark_all(artifacts(2), folder=tmp_path / "b")
    assert [each.outcome.kind for each in records] == ["measurement"] * 2
