"""Jobs on phones behind a real adbd: they come back, are read, verified and ranked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.widths import WidthCost, Widths
from tests.conftest import Ran, shared_folder
from tests.phones.adbd.jobs import require_clean
from tests.phones.adbd.phone import Phone

Program = Callable[..., Ran]
FORMATS = {"onnxruntime": "onnx", "litert": "tflite", "executorch": "executorch"}


def test_devices_lists_what_the_phone_says(mobilebench: Program, phone: Phone) -> None:
    done = mobilebench("devices", "--json")
    assert done.code == 0, done.stderr
    [listed] = [each for each in json.loads(done.stdout) if each["id"] == phone.id]
    print(listed)


@pytest.mark.parametrize("runtime", FORMATS)
def test_each_runtime_measures_on_the_phone(
    runtime: str, mobilebench: Program, phone: Phone, tiny_artifacts: dict[str, Artifact]
) -> None:
    artifact = tiny_artifacts[f"{FORMATS[runtime]}-fp32"].folder
    done = mobilebench("bench", artifact, "--device", phone.id, "--protocol", "smoke-1", "--json")
    assert done.code == 0, f"{done.stderr}\n{phone.log}"
    [record] = json.loads(done.stdout)
    assert record["device"]["model"] == "Google Pixel 8"
    assert record["outcome"]["runtime"]["name"] == runtime
    assert record["provenance"]["transport"] == "adb"
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


def test_widths_shift_with_the_heat_of_a_real_phone(
    mobilebench: Program, phone: Phone, widths: Path, tmp_path: Path
) -> None:
    costs = tuple(
        WidthCost(width=width, cool_ms=cool_ms, top1=top1)
        for width, cool_ms, top1 in ((1.0, 9.0, 70.0), (0.75, 7.0, 68.0), (0.5, 5.0, 64.0))
    )
    source = "made up for this test"
    table = tmp_path / "widths.json"
    wire.write(table, Widths(latency_source=source, accuracy_source=source, widths=costs))
    # Its minutes 8 and later are LIGHT: from 28 s on.
    phone.heat("pixel8pro-tensor-g3-1280", minute_s=4)
    hot = ("--policy", "threshold", "--limit", "status=NONE", "--widths", table)
    done = mobilebench(
        "bench", widths, "--device", phone.id, "--protocol", "paced-30fps-1", *hot, "--json"
    )
    assert done.code == 0, f"{done.stderr}\n{phone.log}"
    [record] = json.loads(done.stdout)
    outcome = record["outcome"]
    assert [variant["width"] for variant in record["job"]["variants"]] == [1.0, 0.75, 0.5]
    shifts = [each for each in outcome["events"] if each["kind"] == "width_shift"]
    print(outcome["events"])
    assert [each["to_width"] for each in shifts] == [0.75, 0.5]
    temperatures = [state["temperatures_c"]["battery"] for state in outcome["states"]]
    assert temperatures[0] < 27 and temperatures[-1] > 37
    seen = record["seen"]["readings"]
    print([(each["t_ns"]/1e9, each["thermal"], each["temperatures_c"]["battery"]) for each in seen])
    require_clean(phone)
    read = mobilebench("leaderboard")
    assert "widths chosen by threshold of 1, 0.75, 0.5" in read.stdout
