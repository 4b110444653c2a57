"""The Python API on values, and how values show themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import mobilebench
from mobilebench.errors import UserError
from mobilebench.inspecting.given import adopt, open_artifacts
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.modelspec import Preprocessing
from tests import foreign
from tests.records import failed_export, measured, runs


def test_the_package_shows_its_public_names_alone() -> None:
    assert dir(mobilebench) == sorted(mobilebench.__all__)
    assert {"verify", "inspect", "compare", "check", "rank"} <= set(dir(mobilebench))


def test_a_record_says_what_it_is_in_one_line() -> None:
    assert repr(measured()) == (
        "<Record mobilevig_ti onnx-fp32-opset20, onnxruntime 1 thread, Made-up phone, smoke-1: "
        "p50 11.0 ms>"
    )
    assert repr(failed_export()).startswith("<Record mobilevig_ti onnx-fp32-opset20: failed at")
    assert repr(measured().outcome.samples) == "<Samples: 3 measured of 4>"  # type: ignore[union-attr]


def test_every_value_that_a_call_returns_shows_itself_in_one_line(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    artifact, other = tiny_artifacts["onnx-fp32"], tiny_artifacts["tflite-fp32"]
    [parity] = mobilebench.verify(artifact)
    inspection = mobilebench.inspect(artifact)
    report = mobilebench.check(runs([10.0] * 8), runs([12.0] * 8, seed=1))
    board = mobilebench.rank([measured(), measured(model="another")])
    for index in range(10):
        folder = tmp_path / f"class{index}"
        folder.mkdir()
        Image.new("RGB", (32, 32), (25 * index, 120, 9)).save(folder / "image.png")
    preprocessing = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    accuracy = mobilebench.evaluate(artifact.preprocessed(preprocessing), tmp_path)
    shown: list[tuple[object, str]] = [
        (artifact, "<Artifact models.tiny@32 onnx-fp32-opset20 in "),
        (artifact.manifest, "<Manifest models.tiny@32 onnx-fp32-opset20, "),
        (artifact.manifest.facts, f"<ArtifactFacts {artifact.manifest.facts.sha256[:12]}, "),
        (artifact.manifest.model, "<ModelSpec models.tiny: "),
        (parity, f"<Parity passed: relative error {parity.error_text} "),
        (inspection, "<Inspection model.onnx, "),
        (inspection.graph, f"<Graph: {len(inspection.graph.operations)} operations>"),  # type: ignore[union-attr]
        (mobilebench.compare(artifact, other), "<Equivalence on the 16 seeded inputs of "),
        (report, f"<Report regressed: {len(report.comparisons)} comparisons>"),
        (report.comparisons[0], f"<Comparison {report.comparisons[0].cell}: "),
        (board, "<Board: 2 rows>"),
        (board[0], "<Row "),
        (measured().outcome, "<Measurement by "),
        (
            accuracy,
            f"<Accuracy models.tiny@32 onnx-fp32-opset20: top-1 {accuracy.top1.hits}0.00% of",
        ),
    ]
    for value, begin in shown:
        assert repr(value).startswith(begin), repr(value)
        assert len(repr(value)) < 300 and "\n" not in repr(value)


def test_a_record_has_its_latency_in_milliseconds() -> None:
    record = measured()
    latencies = record.outcome.samples.latencies_ns()  # type: ignore[union-attr]
    assert record.p50_ms == sorted(latencies)[len(latencies) // 2] / 1e6 == 11.0
    assert record.p90_ms is not None and record.p50_ms < record.p90_ms <= max(latencies) / 1e6
    assert failed_export().p50_ms is None and failed_export().p90_ms is None


def test_rows_are_a_table_in_a_notebook() -> None:
    board = mobilebench.rank([measured(model="<b>net</b>"), failed_export()])
    assert len(board) == 2
    page = board._repr_html_()
    assert "<table>" in page and "&lt;b&gt;net" in page and "<b>" not in page
    assert "not on a phone" in page


def test_a_store_is_ranked_by_its_path(tmp_path: Path) -> None:
    with mobilebench.RecordStore(str(tmp_path / "records.sqlite")) as store:
        store.add(measured())
        assert [row.model for row in mobilebench.rank(store)] == ["mobilevig_ti"]
    assert len(mobilebench.rank(tmp_path / "records.sqlite")) == 1
    with pytest.raises(UserError):
        mobilebench.rank(tmp_path / "absent.sqlite")
    assert not (tmp_path / "absent.sqlite").exists()


def test_records_and_files_are_checked_alike(tmp_path: Path) -> None:
    before, after = runs([10.0] * 8), runs([12.0] * 8, seed=1)
    file = tmp_path / "before.json"
    file.write_text(f"[{','.join(map(wire.dumps, before))}]")
    for baseline in (before, file, str(file)):
        report = mobilebench.check(baseline, after, metrics=["latency p50"])
        assert report.verdict == "regressed"


def test_a_bundle_is_verified_inspected_and_compared(tiny_artifacts: dict[str, Artifact]) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    assert repr(artifact) == f"<Artifact models.tiny@32 onnx-fp32-opset20 in {artifact.folder}>"
    [parity] = mobilebench.verify(artifact.folder)
    assert parity.passed
    assert mobilebench.inspect(artifact).graph == mobilebench.inspect(artifact.model_path).graph
    result = mobilebench.compare(artifact, tiny_artifacts["tflite-fp32"].model_path)
    assert result.parity.passed


def test_sizes_are_for_the_file_that_leaves_them_open(tmp_path: Path) -> None:
    opened = foreign.convolution(tmp_path / "open.onnx")
    fixed = foreign.convolution(tmp_path / "fixed.onnx", sizes=(1, 3, 8, 8))
    bundle = adopt(open_artifacts([fixed])[0], tmp_path / "artifacts")
    for first in (bundle, bundle.folder, fixed):
        result = mobilebench.compare(first, opened, inputs=["1x3x8x8"])
        assert result.verdict == "equal in every element"
    with pytest.raises(UserError, match="fixed sizes"):
        mobilebench.benchmark(bundle, inputs=["1x3x8x8"])


def test_a_model_file_is_measured_and_has_nothing_to_verify(tmp_path: Path) -> None:
    path = foreign.convolution(tmp_path / "theirs.onnx")
    record = mobilebench.benchmark(path, inputs=["1x3x8x8"], protocol="smoke-1")
    assert record.model.inputs[0].shape == (1, 3, 8, 8)
    fixed = foreign.convolution(tmp_path / "fixed.onnx", sizes=(1, 3, 8, 8))
    with pytest.raises(UserError, match="no reference"):
        mobilebench.verify(fixed)


@pytest.mark.parametrize("threads", [0, -1, 1025, "two", 2.5, True])
def test_threads_that_no_runtime_starts_are_one_sentence(tmp_path: Path, threads: int) -> None:
    path = foreign.difference(tmp_path / "difference.tflite")
    words = rf"threads was given as {threads!r}; give a whole number from 1 to 1024"
    with pytest.raises(UserError, match=words):
        mobilebench.benchmark(path, threads=threads)


def test_errors_name_arguments_as_python_does(
    tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    path = tiny_artifacts["onnx-fp32"].model_path
    for index in range(10):
        (tmp_path / f"class{index}").mkdir()
        Image.new("RGB", (32, 32)).save(tmp_path / f"class{index}" / "image.png")
    shares = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
    calls: list[tuple[dict[str, Any], str]] = [
        ({"resize": 40}, "resize was given, and .* give mean and std too"),
        ({"resize": 4, **shares}, "^resize was given as 4; "),
        ({"resize": 1_000_000, **shares}, "^resize was given as 1000000; "),
        ({"resize": "x", **shares}, "^resize was given as 'x'; give a whole number"),
        ({"limit": 0, **shares}, "^limit was given as 0; give a whole number"),
        ({"jobs": 0, **shares}, "^jobs was given as 0; give a whole number"),
        ({"threads": 0, **shares}, "threads was given as 0"),
        ({"runtime": "foo", **shares}, "cannot be evaluated with foo; .*: onnxruntime"),
        ({}, "state it with mean and std"),
    ]
    for arguments, words in calls:
        with pytest.raises(UserError, match=words) as raised:
            mobilebench.evaluate(path, tmp_path, **arguments)
        assert "--" not in str(raised.value)


def test_sizes_that_no_tensor_has_are_one_sentence(tmp_path: Path) -> None:
    path = foreign.convolution(tmp_path / "open.onnx")
    sizes, words = ["1x3x100000x100000"], "30000000000 numbers; phone formats hold at most"
    with pytest.raises(UserError, match=words):
        mobilebench.benchmark(path, inputs=sizes)
    with pytest.raises(UserError, match=words):
        mobilebench.compare(path, path, inputs=sizes)
