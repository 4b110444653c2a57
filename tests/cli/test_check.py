"""Run `mobilebench check` and `mobilebench bench --ab` as a workflow does."""

from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Failure, Measurement, Memory, Stage
from mobilebench.values.record import Record
from tests.conftest import Ran
from tests.records import levels, runs

Program = Callable[..., Ran]
SHARED = levels(8, 0.05)
METRIC = ("--metric", "latency p50")


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
    root = ET.parse(tmp_path / "junit.xml").getroot()
    for element in (root, root[0]):
        counts = [element.get(name) for name in ("tests", "failures", "errors", "skipped")]
        assert counts == ["1", "1", "0", "0"] and float(element.get("time", "")) > 0
    assert root.tag == "testsuites" and root.find("testsuite/testcase/failure") is not None
    comment = (tmp_path / "comment.md").read_text()
    first, *_ = comment.splitlines()
    assert first.startswith("❌ **mobilebench failed:** ") and "latency p50 +8" in first
    assert str(slower) in first and str(baseline) in first
    assert "❌ regressed" in comment and comment.count("| latency p50 |") == 2
    assert comment.index("<details>") < comment.rindex("| latency p50 |")
    assert summary.read_text() == f"{comment}\n"
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


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """Write eight runs in no pairs, one of which crashed."""
    records = runs(SHARED, seed=1)
    failure = Failure(stage=Stage.RUN, error="Crash", message="signal 11")
    records[0] = dataclasses.replace(records[0], outcome=failure)
    return _write(tmp_path / "crashed.json", records)


def test_a_crash_shows_in_every_report(mobilebench: Program, tmp_path: Path, crashed: Path) -> None:
    before = _write(tmp_path / "before.json", runs(SHARED))
    command = ("check", "--baseline", before, "--candidate", crashed, "--metric", "latency p50")
    done = mobilebench(*command, "--junit", "junit.xml", "--markdown", "comment.md", "--github")
    assert done.code == 1, done.stderr
    words = "1 of 8 runs of the candidate failed; run failed: Crash: signal 11"
    assert words in done.stderr and "outcome" in done.stdout
    [failure] = ET.parse(tmp_path / "junit.xml").getroot().iter("failure")
    assert words in failure.attrib["message"]
    assert words in (tmp_path / "comment.md").read_text()
    assert any(words in line for line in done.stderr.splitlines() if line.startswith("::error"))
    plain = json.loads(mobilebench(*command, "--json").stdout)
    assert plain["verdict"] == "regressed" and any(words in text for text in plain["remarks"])


def test_runs_that_were_not_interleaved_are_called_so_in_every_report(
    mobilebench: Program, tmp_path: Path
) -> None:
    before = _write(tmp_path / "before.json", runs(SHARED))
    after = _write(tmp_path / "after.json", runs(SHARED * 1.2, seed=1))
    same = _write(tmp_path / "same.json", runs(SHARED, seed=2))
    words = "not interleaved, so a slower day looks the same"
    for candidate, code, verdict in ((after, 1, "regressed"), (same, 3, "inconclusive")):
        command = (
            "check",
            "--baseline",
            before,
            "--candidate",
            candidate,
            "--metric",
            "latency p50",
        )
        done = mobilebench(*command, "--junit", "junit.xml", "--markdown", "comment.md", "--github")
        assert done.code == code, done.stderr
        assert f"{verdict}, not interleaved" in done.stdout and words in done.stdout
        assert words in (tmp_path / "junit.xml").read_text()
        comment = (tmp_path / "comment.md").read_text()
        status = {"regressed": "❌ **mobilebench failed", "inconclusive": "⚠️ **mobilebench could"}
        assert comment.splitlines()[0].startswith(status[verdict])
        assert f"{verdict}, not interleaved" in comment and words in comment
        annotations = [line for line in done.stderr.splitlines() if line.startswith("::")]
        assert all(words in line for line in annotations) and len(annotations) == 2
        plain = json.loads(mobilebench(*command, "--json").stdout)
        [row] = plain["comparisons"]
        assert row["interleaved"] is False and row["words"] == f"{verdict}, not interleaved"
        assert words in plain["summary"]


def test_zero_bytes_are_not_the_exit_code_of_a_regression(
    mobilebench: Program, tmp_path: Path, baseline: Path
) -> None:
    records = []
    for record in runs(SHARED, "B"):
        assert isinstance(record.outcome, Measurement)
        memory = Memory(peak_bytes=0, before_load_bytes=0)
        outcome = dataclasses.replace(record.outcome, memory=memory)
        records.append(dataclasses.replace(record, outcome=outcome))
    empty = _write(tmp_path / "empty.json", records)
    command = ("check", "--baseline", baseline, "--candidate", empty, "--junit", "junit.xml")
    done = mobilebench(*command)
    assert done.code == 3 and "Traceback" not in done.stderr
    assert "not comparable: the candidate has no peak memory, or zero" in done.stderr
    [skipped] = ET.parse(tmp_path / "junit.xml").getroot().iter("skipped")
    assert skipped.attrib["message"].startswith("not comparable: ")
    strict = (*command, "--fail-on", "inconclusive")
    assert mobilebench(*strict).code == 3
    [failure] = ET.parse(tmp_path / "junit.xml").getroot().iter("failure")
    assert failure.attrib["type"] == "not comparable"
    assert mobilebench(*command, "--fail-on", "regressed").code == 0


def test_microseconds_are_shown_as_such(mobilebench: Program, tmp_path: Path) -> None:
    sides = [
        _write(tmp_path / f"{side}.json", runs(SHARED * factor / 1000, side))
        for side, factor in (("A", 1.0), ("B", 1.1))
    ]
    done = mobilebench(
        "check", "--baseline", sides[0], "--candidate", sides[1], "--metric", "latency p50"
    )
    assert "µs" in done.stdout and "0.01" not in done.stdout.partition("µs")[0]


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
        whole.replace('"schema_version":2', '"schema_version":9', 1)
    )
    _write(tmp_path / "threads.json", runs([10.0], threads=2))
    done = mobilebench(
        "check", "--baseline", baseline_, "--candidate", slower, "--junit", "junit.xml",
        "--markdown", "comment.md", "--github",
    )  # fmt: skip
    assert done.code == 2, (done.stdout, done.stderr)
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert sentence in line and "Traceback" not in done.stderr
    [error] = ET.parse(tmp_path / "junit.xml").getroot().iter("error")
    assert sentence in error.attrib["message"] and error.attrib["type"] == "refused"
    comment = (tmp_path / "comment.md").read_text()
    assert comment.startswith("❌ **mobilebench failed:** ")
    assert any(x.startswith("::error title=mobilebench refused::") for x in done.stderr.split("\n"))


@pytest.mark.parametrize(
    "place", ["nowhere.json", "git:HEAD:nobench", "store:commit=77b0c4", "empty"]
)
def test_a_baseline_that_does_not_exist_yet_may_pass(
    mobilebench: Program, tmp_path: Path, slower: Path, place: str
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for command in (("add", "slower.json"), ("commit", "-qm", "Keep records")):
        author = ("-c", "user.name=A", "-c", "user.email=a@b")
        subprocess.run(["git", *author, *command], cwd=tmp_path, check=True)
    (tmp_path / "empty").mkdir()
    command = ("check", "--baseline", place, "--candidate", slower, "--markdown", "comment.md")
    assert mobilebench(*command).code == 2
    done = mobilebench(*command, "--no-baseline", "pass", "--junit", "junit.xml", "--github")
    assert done.code == 0, done.stderr
    first, *_ = (tmp_path / "comment.md").read_text().splitlines()
    assert first.startswith("✅ **mobilebench passed:** ") and f"{place} does not exist" in first
    assert "| latency p50 |" in (tmp_path / "comment.md").read_text()
    assert "::warning title=mobilebench no baseline::" in done.stderr
    skipped = list(ET.parse(tmp_path / "junit.xml").getroot().iter("skipped"))
    assert len(skipped) == 2
    lost = mobilebench("check", "--baseline", slower, "--candidate", place, "--no-baseline", "pass")
    assert lost.code == 2


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
    assert sorted(turns[:2]) == sorted(turns[2:]) == ["A", "B"]
    [session] = {record.session.id for record in records if record.session is not None}
    assert turns[::2] == [
        "AB"[draw.random() < 0.5] for draw in [random.Random(session)] for _ in "12"
    ]
    again = mobilebench(
        "check",
        "--baseline",
        "store:side=A",
        "--candidate",
        "store:side=B",
        "--json",
    )
    assert median in json.loads(again.stdout)["comparisons"]


def test_sides_that_do_not_match_are_one_sentence(
    mobilebench: Program, tiny_artifacts: dict[str, Artifact]
) -> None:
    onnx, tflite = (tiny_artifacts[name].folder for name in ("onnx-fp32", "tflite-fp32"))
    odd = mobilebench("bench", "--ab", onnx)
    assert odd.code == 2 and "give those of A and then as many of B" in odd.stderr
    unlike = mobilebench("bench", "--ab", onnx, tflite)
    assert unlike.code == 2 and "No runtime runs both" in unlike.stderr
