"""Calls from Python are silent, and log their progress to whoever wants it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

import mobilebench
from mobilebench.observer import LoggedProgress
from mobilebench.values.artifact import Artifact
from mobilebench.values.modelspec import Preprocessing


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """Return what was logged since the last call."""

    def logged() -> list[str]:
        texts = [record.getMessage() for record in caplog.records if record.name == "mobilebench"]
        caplog.clear()
        return texts

    with caplog.at_level(logging.INFO, logger="mobilebench"):
        yield logged


def test_calls_on_an_artifact_log_their_begin_and_their_result(
    tiny_artifacts: dict[str, Artifact], lines: Callable[[], list[str]], tmp_path: Path
) -> None:
    artifact, other = tiny_artifacts["onnx-fp32"], tiny_artifacts["tflite-fp32"]
    name = artifact.name
    record = mobilebench.benchmark(artifact, protocol="smoke-1")
    begin, end = lines()
    assert begin == f"{name}, onnxruntime 1 thread: begins"
    assert record.p50_ms is not None and end.startswith(f"{name}, onnxruntime 1 thread: ")
    assert end.split(": ")[1].split()[1] in ("ns", "µs", "ms")

    mobilebench.verify(artifact)
    begin, end = lines()
    assert begin == f"verify {name}: begins" and "relative error" in end

    mobilebench.compare(artifact, other)
    assert [line.partition(": ")[0] for line in lines()] == [name, name, other.name, other.name]

    for index in range(10):
        folder = tmp_path / f"class{index}"
        folder.mkdir()
        Image.new("RGB", (32, 32), (25 * index, 120, 9)).save(folder / "image.png")
    stated = artifact.preprocessed(Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)))
    accuracy = mobilebench.evaluate(stated, tmp_path)
    assert f"top-1 {accuracy.top1.hits} of 10 after" in lines()[-1]


def test_an_export_logs_its_steps(lines: Callable[[], list[str]], tmp_path: Path) -> None:
    from tests.models import tiny

    words = {"inputs": ["1x3x32x32"], "out_dir": tmp_path}
    mobilebench.export(tiny().eval(), "onnx", **words)
    steps = lines()
    assert steps[0].endswith(": begins") and "relative error" in steps[-1]
    mobilebench.export(tiny().eval(), "onnx", **words)
    assert lines()[-1].endswith("onnx-fp32-opset20: cached")


def test_nothing_is_logged_by_default(
    tiny_artifacts: dict[str, Artifact], capfd: pytest.CaptureFixture[str]
) -> None:
    mobilebench.verify(tiny_artifacts["onnx-fp32"])
    assert capfd.readouterr() == ("", "")


def test_stages_are_logged_after_a_while(
    lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((0.0, 3.0, 11.0, 12.0, 21.5, 30.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    progress = LoggedProgress("a")
    for second in (3, 11, 12, 21):
        progress.stage(f"{second} s of at least 60")
    progress.finished("19.1 ms")
    assert lines() == [
        "a: begins",
        "a: 11 s of at least 60",
        "a: 21 s of at least 60",
        "a: 19.1 ms after 30 s",
    ]
