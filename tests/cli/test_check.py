"""Run `mobilebench check` and `mobilebench bench --ab` as a workflow does."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.record import Record
from tests.conftest import Ran
from tests.records import levels, runs

Program = Callable[..., Ran]
SHARED = levels(8, 0.05)


def _write(path: Path, records: list[Record]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([wire.to_plain(record) for record in records]))
    return path


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    return _write(tmp_path / "baseline.json", runs(SHARED, "A"))


@pytest.fixture
def slower(tmp_path: Path) -> Path:
    return _write(tmp_path / "slower.json", runs(SHARED * 1.08, "B"))


def test_a_regression_is_exit_code_one_in_every_report(
    mobilebench: Program, tmp_path: Path, baseline: Path, slower: Path
) -> None:
    summary = tmp_path / "summary.md"
    done = mobilebench(
        "check", "--baseline", baseline, "--candidate", slower, "--metric", "latency p50",
        "--junit", "junit.xml", "--markdown", "comment.md", "--github",
        env={"GITHUB_STEP_SUMMARY": str(summary)},
    )  # fmt: skip
    assert done.code == 1, done.stderr
    assert "regressed" in done.stdout and "+8" in done.stdout
    suite = ET.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    assert suite.find("testcase/failure") is not None
    comment = (tmp_path / "comment.md").read_text()
    assert "❌ regressed" in comment and comment.count("| latency p50 |") == 1
    assert summary.read_text() == comment
    [annotation] = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert annotation.startswith("::error title=mobilebench regressed::mobilevig_ti")


def test_what_is_unchanged_passes_and_what_cannot_be_told_does_not(
    mobilebench: Program, tmp_path: Path, baseline: Path
) -> None:
    same = _write(tmp_path / "same.json", runs(SHARED, "B"))
    few = _write(tmp_path / "few.json", runs(SHARED[:1], "B"))
    command = ("check", "--baseline", baseline, "--metric", "latency p50", "--candidate")
    assert mobilebench(*command, same).code == 0
    undecided = mobilebench(*command, few, "--json")
    assert undecided.code == 3
    assert json.loads(undecided.stdout)["verdict"] == "inconclusive"
    loose = mobilebench(*command, few, "--tolerance", "300%")
    assert loose.code == 2 and "give one such as 0.03 or 3%" in loose.stderr


def test_a_baseline_may_be_a_folder_a_store_or_a_commit(
    mobilebench: Program, tmp_path: Path, slower: Path
) -> None:
    records = runs(SHARED, "A")
    for number, record in enumerate(records):
        wire.write(tmp_path / "folder" / f"{number}.json", record)
    store = RecordStore(tmp_path / "records.sqlite")
    for record in records:
        store.add(record)
    store.close()
    _write(tmp_path / "bench" / "main.json", records)
    for command in (
        ("init", "-q"), ("add", "bench"),
        ("-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "Keep a baseline"),
    ):  # fmt: skip
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "bench" / "main.json").unlink()
    for place in ("folder", "store:side=A,model=mobilevig_ti", "git:HEAD:bench"):
        done = mobilebench(
            "check", "--baseline", place, "--candidate", slower, "--metric", "latency p50"
        )
        assert done.code == 1, (place, done.stderr)


@pytest.mark.parametrize(
    ("baseline_", "sentence"),
    [
        ("nowhere.json", "There is no baseline or candidate nowhere.json"),
        ("git:HEAD:nowhere.json", "git could not find the baseline"),
        ("git:HEAD", "names no file"),
        ("store:model=none", "There is no store"),
        ("store:colour=red", "no condition called 'colour'"),
        ("store:model", "write NAME=VALUE"),
        ("cut.json", "it may have been cut off"),
        ("deep.json", "is not JSON"),
        ("other.json", "is not a mobilebench Record"),
        ("newer.json", "newer than the"),
        ("threads.json", "differ in threads (2 / 1)"),
    ],
)
def test_a_wrong_baseline_is_one_sentence(
    mobilebench: Program, tmp_path: Path, slower: Path, baseline_: str, sentence: str
) -> None:
    whole = wire.dumps(runs([10.0])[0])
    (tmp_path / "cut.json").write_text(whole[:-100])
    (tmp_path / "deep.json").write_text("[" * 200_000)
    (tmp_path / "other.json").write_text('{"benchmarks": []}')
    (tmp_path / "newer.json").write_text(
        whole.replace('"schema_version": 1', '"schema_version": 9', 1)
    )
    _write(tmp_path / "threads.json", runs([10.0], threads=2))
    done = mobilebench("check", "--baseline", baseline_, "--candidate", slower)
    assert done.code == 2, (done.stdout, done.stderr)
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert sentence in line and "Traceback" not in done.stderr


def test_two_artifacts_are_measured_in_turns(
    mobilebench: Program, tmp_path: Path, tiny_artifacts: dict[str, Artifact]
) -> None:
    artifact = tiny_artifacts["onnx-fp32"].folder
    done = mobilebench(
        "bench", "--ab", artifact, artifact, "--protocol", "smoke-1", "--pairs", "2",
        "--out", "records.json", "--json",
    )  # fmt: skip
    assert done.code in (1, 3), done.stderr
    report = json.loads(done.stdout)
    [median] = [c for c in report["comparisons"] if c["metric"] == "latency p50"]
    assert median["verdict"] in ("inconclusive", "unchanged") and median["runs"] == [2, 2]
    records = [
        wire.from_plain(Record, plain, "the file")
        for plain in json.loads((tmp_path / "records.json").read_text())
    ]
    turns = [record.session.side for record in records if record.session is not None]
    assert turns == ["A", "B", "B", "A"]
    assert len({record.session.id for record in records if record.session is not None}) == 1
    again = mobilebench(
        "check", "--baseline", "store:side=A", "--candidate", "store:side=B", "--json",
        "--metric", "latency p50",
    )  # fmt: skip
    assert json.loads(again.stdout)["comparisons"] == [median]


def test_sides_that_do_not_match_are_one_sentence(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact]
) -> None:
    onnx, tflite = (tiny_artifacts[name].folder for name in ("onnx-fp32", "tflite-fp32"))
    odd = mobilebench("bench", "--ab", onnx)
    assert odd.code == 2 and "give those of A and then as many of B" in odd.stderr
    unlike = mobilebench("bench", "--ab", onnx, tflite)
    assert unlike.code == 2 and "No runtime runs both" in unlike.stderr
