"""Jobs on phones behind a real adbd: they come back, are read, verified and ranked."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.device import ThermalState
from mobilebench.values.policy import Aim, Policy, PolicyRule
from mobilebench.values.widths import WidthCost, Widths
from tests.conftest import Ran, shared_folder
from tests.phones.adbd.jobs import perform, require_clean, write_job
from tests.phones.adbd.phone import Phone

Program = Callable[..., Ran]
DATA = Path(__file__).parents[2] / "data" / "interop"
FORMATS = {"onnxruntime": "onnx", "litert": "tflite", "executorch": "executorch"}


def test_devices_lists_what_the_phone_says(mobilebench: Program, phone: Phone) -> None:
    done = mobilebench("devices", "--json")
    assert done.code == 0, done.stderr
    [listed] = [each for each in json.loads(done.stdout) if each["id"] == phone.id]
    assert (listed["model"], listed["soc"]["name"]) == ("Pixel 8", "Tensor G3")
    assert listed["why_not"] == [] and listed["battery"]["celsius"] == 30.6
    assert [len(each["cpus"]) for each in listed["cpu"]["clusters"]] == [4, 4, 1]
    assert listed["android"]["boot_id"] == phone.boot_id


@pytest.mark.parametrize(
    "runtime",
    [
        pytest.param(runtime, marks=() if runtime == "onnxruntime" else pytest.mark.slow)
        for runtime in FORMATS
    ],
)
def test_each_runtime_measures_on_the_phone(
    runtime: str, mobilebench: Program, phone: Phone, tiny_artifacts: dict[str, Artifact]
) -> None:
    artifact = tiny_artifacts[f"{FORMATS[runtime]}-fp32"].folder
    done = mobilebench("bench", artifact, "--device", phone.id, "--protocol", "smoke-1", "--json")
    assert done.code == 0, f"{done.stderr}\n{phone.log}"
    [record] = json.loads(done.stdout)
    assert record["device"]["model"] == "Google Pixel 8"
    assert record["outcome"]["runtime"]["name"] == runtime
    assert record["outcome"]["parity"][0]["unit"] == "cpu"
    assert record["provenance"]["transport"] == "adb"
    assert phone.serial not in done.stdout
    require_clean(phone)
    [row] = json.loads(mobilebench("leaderboard", "--as", "json").stdout)
    assert row["runtime"].startswith(runtime)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", FORMATS)
def test_bursts_are_measured_by_each_runtime(
    runtime: str, mobilebench: Program, phone: Phone, tiny_artifacts: dict[str, Artifact]
) -> None:
    artifact = tiny_artifacts[f"{FORMATS[runtime]}-fp32"].folder
    done = mobilebench("bench", artifact, "--device", phone.id, "--json")
    assert done.code == 0, f"{done.stderr}\n{phone.log}"
    [record] = json.loads(done.stdout)
    assert record["job"]["protocol"]["id"] == "burst-1"
    rounds = record["outcome"]["samples"]["round"]
    assert {run["value"] for run in rounds} == {0, 1, 2, 3, 4}
    require_clean(phone)


def test_the_folder_of_a_job_is_done_on_the_phone_and_read(
    mobilebench: Program, phone: Phone, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    folder = write_job(tiny_artifacts["tflite-fp32"], tmp_path / "a job's folder", runtime="litert")
    done = mobilebench("job", "run", folder, "--device", phone.id)
    assert done.code == 0, f"{done.stderr}\n{phone.log}"
    assert (folder / "record.json").is_file() and (folder / "device-record.json").is_file()
    read = mobilebench("job", "read", folder)
    assert read.code == 0 and "there already" in read.stderr
    require_clean(phone)


def test_a_benchmark_of_others_runs_in_the_shell_of_the_phone(
    mobilebench: Program, phone: Phone, tmp_path: Path
) -> None:
    printed = shlex.quote((DATA / "benchmark_model.txt").read_text())
    tool, net = tmp_path / "benchmark_model", tmp_path / "a net.tflite"
    tool.write_text(f'#!/bin/sh\n[ -s "${{1#--graph=}}" ] || exit 9\nprintf %s {printed}\n')
    net.write_bytes(b"content")
    done = mobilebench("tool", tool, net, "--device", phone.id, "--json")
    assert done.code == 0, f"{done.stderr}\n{phone.log}"
    [result] = json.loads(done.stdout)
    assert result["latency"]["p50_ns"] == 12_975_000 and result["run"]["exit_code"] == 0
    assert result["device"] == "Google Pixel 8" and phone.serial not in done.stdout
    assert result["run"]["program"]["sha256"] == sha256(tool.read_bytes()).hexdigest()
    require_clean(phone)


@pytest.mark.slow
def test_an_app_of_another_version_is_replaced(
    phone: Phone, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    phone.install_app("0.0.1", 0)
    perform(phone, write_job(tiny_artifacts["onnx-fp32"], tmp_path / "job"))
    assert phone.state["app"]["version"] == "0.1.0" and phone.state["installs"] == 1
    perform(phone, write_job(tiny_artifacts["onnx-fp32"], tmp_path / "again"))
    assert phone.state["installs"] == 1, "it is there already"
    require_clean(phone)


@pytest.fixture(scope="module")
def widths(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one file with three widths of a small network."""
    with shared_folder(tmp_path_factory, "three-widths") as out:
        if not list(out.glob("*/manifest.json")):
            shares = [word for share in ("1", "0.75", "0.5") for word in ("--width", share)]
            command = [sys.executable, "-m", "mobilebench", "export", "mobilevig_ti", "--together"]
            small = ["-f", "onnx", "--resolution", "64", "--num-classes", "10"]
            places = ["--out", str(out), "--store", str(out / "store.sqlite")]
            subprocess.run([*command, *shares, *small, *places], check=True, timeout=300)
        [manifest] = out.glob("*/manifest.json")
    return manifest.parent


@pytest.mark.slow
def test_widths_shift_with_the_heat_of_a_real_phone(
    mobilebench: Program, phone: Phone, widths: Path, tmp_path: Path
) -> None:
    costs = tuple(
        WidthCost(width=width, cool_ms=cool_ms, top1=top1)
        for width, cool_ms, top1 in ((1.0, 9.0, 70.0), (0.75, 7.0, 68.0), (0.5, 5.0, 64.0))
    )
    source = "made up for this test"
    wire.write(
        tmp_path / "widths.json",
        Widths(latency_source=source, accuracy_source=source, widths=costs),
    )
    aim = Aim(warmest=ThermalState.NOMINAL)
    policy = Policy(rule=PolicyRule.THRESHOLD, aim=aim, parameters={"dwell_ns": 5e9})
    wire.write(tmp_path / "policy.json", policy)
    # The phone was LIGHT from its minute 8 on: here from 28 s on.
    phone.heat("pixel8pro-tensor-g3-1280", minute_s=4)
    hot = ("--policy", "policy.json", "--widths", "widths.json")
    paced = ("--device", phone.id, "--protocol", "paced-30fps-1")
    done = mobilebench("bench", widths, *paced, *hot, "--json")
    assert done.code == 0, f"{done.stderr}\n{phone.log}"
    [record] = json.loads(done.stdout)
    outcome = record["outcome"]
    assert [variant["width"] for variant in record["job"]["variants"]] == [1.0, 0.75, 0.5]
    used = [run["value"] for run in outcome["samples"]["width"]]
    # Frames may also be late on a computer that is busy, so what began it is not asked.
    assert used[0] == 1.0 and used[-1] == 0.5 and set(used) == {1.0, 0.75, 0.5}
    temperatures = [state["temperatures_c"]["battery"] for state in outcome["states"]]
    assert temperatures[0] < 33 and temperatures[-1] > 37
    assert {state["thermal"] for state in outcome["states"]} == {"nominal", "fair"}
    _require_same_heat(record)
    require_clean(phone)
    board = mobilebench("leaderboard")
    assert "widths chosen by threshold of 1, 0.75, 0.5" in board.stdout


def _require_same_heat(record: dict[str, Any]) -> None:
    """Require that what was read from outside is, at its time, what the app had read itself."""
    states = record["outcome"]["states"]
    readings = record["seen"]["readings"]
    assert len(readings) >= 3
    for seen in readings:
        allowed_ns = record["seen"]["clock_uncertainty_ns"] + 10**9
        near = [each for each in states if abs(each["t_ns"] - seen["t_ns"]) <= allowed_ns]
        celsius = seen["temperatures_c"]["battery"]
        assert not near or celsius in {each["temperatures_c"]["battery"] for each in near}
