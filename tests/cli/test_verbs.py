"""Run the program as a user does, with good input."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.record import Record
from mobilebench.zoo import list_models
from tests.conftest import TINY, Ran
from tests.records import failed_export, measured

Program = Callable[..., Ran]


def test_help_names_every_verb(mobilebench: Program) -> None:
    done = mobilebench("--help")
    assert done.code == 0
    for verb in ("models", "export", "inspect", "verify", "devices", "bench", "leaderboard"):
        assert verb in done.stdout


def test_version(mobilebench: Program) -> None:
    assert mobilebench("--version").stdout.startswith("mobilebench 0.")


def test_models_show_counts_published_figures_and_their_sources(mobilebench: Program) -> None:
    done = mobilebench("models")
    assert done.code == 0
    line = next(line for line in done.stdout.splitlines() if line.startswith("mobilevig_ti"))
    assert "5.27" in line and "0.662" in line and "75.7" in line and "iPhone 13 mini" in line
    assert "MobileViG paper abstract (arXiv:2307.00395)" in done.stdout


def test_models_as_json_are_the_specs(mobilebench: Program) -> None:
    plain = json.loads(mobilebench("models", "--json", "--family", "mobilevig").stdout)
    assert [spec["name"] for spec in plain] == list_models("mobilevig")


def test_devices_and_doctor_describe_this_machine(mobilebench: Program) -> None:
    device, *others = json.loads(mobilebench("devices", "--json").stdout)
    assert others and {other["kind"] for other in others} == {"simulated"}
    assert (device["id"], device["kind"], device["cores"]) == ("host", "host", os.cpu_count())
    assert "onnxruntime" in mobilebench("devices").stdout
    doctor = mobilebench("doctor")
    assert doctor.code == 0
    assert all(name in doctor.stdout for name in ("onnx", "tflite", "executorch", "coreml"))
    assert "xcodebuild" in doctor.stdout and "xcrun devicectl device install" in doctor.stdout


def test_a_file_of_the_users_goes_from_pytorch_to_a_leaderboard(
    mobilebench: Program, tmp_path: Path
) -> None:
    done = mobilebench("export", TINY, "--input", "1x3x32x32", "--json")
    assert done.code == 0, done.stderr
    exported = json.loads(done.stdout)
    by_format = {entry["recipe"]["format"]: entry for entry in exported}
    assert by_format.keys() == {"onnx", "tflite", "executorch", "coreml"}, "every installed one"
    exported = [by_format["onnx"], by_format["tflite"]]
    folders = [tmp_path / entry["folder"] for entry in exported]
    assert all(Artifact.load(folder) for folder in folders)

    again = mobilebench("export", TINY, "--input", "1x3x32x32", "-f", "onnx")
    assert again.code == 0 and "cached" in again.stdout

    inspection = mobilebench("inspect", folders[0])
    assert "draws no random numbers" in inspection.stdout and "Conv" in inspection.stdout
    assert "16 seeded inputs" in inspection.stdout and "deployed" in inspection.stdout
    verification = mobilebench("verify", *folders)
    assert verification.code == 0 and verification.stdout.count(": equal:") == 2

    bench = mobilebench("bench", *folders, "--protocol", "smoke-1", "--threads", "1", "--json")
    assert bench.code == 0, bench.stderr
    records = [wire.from_plain(Record, plain, "the output") for plain in json.loads(bench.stdout)]
    assert {record.outcome.kind for record in records} == {"measurement"}

    board = mobilebench("leaderboard")
    assert board.code == 0 and "onnxruntime" in board.stdout and "litert" in board.stdout
    lines = list(csv.DictReader(io.StringIO(mobilebench("leaderboard", "--as", "csv").stdout)))
    assert {line["record_id"] for line in lines} == {record.record_id for record in records}
    page = mobilebench("leaderboard", "--as", "html", "--out", "page.html")
    assert page.code == 0 and (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_a_zoo_network_is_exported_in_its_plain_form_at_two_sizes(
    mobilebench: Program, tmp_path: Path
) -> None:
    sizes = ("--resolution", "96", "--resolution", "64")
    done = mobilebench("export", "mobilevigv2_ti", "-f", "onnx", "--no-deploy", *sizes, "--json")
    assert done.code == 0, done.stderr
    exported = json.loads(done.stdout)
    assert [entry["model"] for entry in exported] == ["mobilevigv2_ti@96", "mobilevigv2_ti@64"]
    for entry, side in zip(exported, (96, 64), strict=True):
        assert entry["recipe"]["form"] == "plain"
        assert entry["manifest"]["model"]["inputs"][0]["shape"] == [1, 3, side, side]
    inspection = mobilebench("inspect", tmp_path / exported[0]["folder"])
    assert "onnx-fp32-opset20-plain" in inspection.stdout
    # Every neighbour is two slices and a concatenation; none of the four pairs of slices is shared.
    assert int(inspection.stdout.partition("Slice")[2].split()[0]) == 48


def test_records_from_elsewhere_are_imported_once(mobilebench: Program, tmp_path: Path) -> None:
    one, list_ = tmp_path / "one.json", tmp_path / "list.json"
    wire.write(one, measured())
    list_.write_text(json.dumps([wire.to_plain(measured()), wire.to_plain(failed_export())]))
    done = mobilebench("import", one, list_)
    assert done.code == 0
    assert "2 added, 1 there already" in done.stderr
    assert "11.0 ms" in mobilebench("leaderboard").stdout


def test_a_precision_that_one_format_lacks_is_left_out_and_said(mobilebench: Program) -> None:
    done = mobilebench(
        "export", TINY, "--input", "1x3x32x32", "-f", "executorch", "-f", "onnx",
        "--precision", "int8-weights", "--json",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert [entry["recipe"]["format"] for entry in json.loads(done.stdout)] == ["onnx"]
    assert (
        "executorch has no int8-weights; left out; the nearest that it has is int8" in done.stderr
    )


@pytest.mark.parametrize("shape", ["table", "markdown", "csv", "json", "html"])
def test_an_empty_store_is_said_so(mobilebench: Program, shape: str) -> None:
    done = mobilebench("leaderboard", "--as", shape)
    assert done.code == 2
    assert "measure something first" in done.stderr and done.stdout == ""
