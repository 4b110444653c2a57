"""An option is used or refused, whatever the form of the output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench.cli.verify import Verified
from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.record import Record
from mobilebench.values.reported import Latency, Reported
from tests.conftest import Ran
from tests.records import judged, measured

Program = Callable[..., Ran]
FORMS = (
    "table", "markdown", "csv", "json", "html", "latex", "github-action-benchmark", "bencher",
    "records", "svg",
)  # fmt: skip
QUICK = ("table", "html", "latex")
"""Forms that differ most from each other; the others are tried with the slow tests."""
OPTIONS = {
    "--name": ("--name", "alpha=ALPHA"),
    "--sort": ("--sort", "model"),
    "--columns": ("--columns", "model,p50"),
    "--data": ("--data", "digits"),
    "--model": ("--model", "alpha"),
    "--x": ("--x", "params"),
    "--standalone": ("--standalone",),
    "--bibtex": ("--bibtex", "nets.bib"),
}
REFUSED = {
    "--name": {"records"},
    "--sort": {"bencher", "svg"},
    "--columns": {"github-action-benchmark", "bencher", "records", "svg"},
    "--data": {"github-action-benchmark", "bencher", "records"},
    "--model": set(),
    "--x": {form for form in FORMS if form != "svg"},
    "--standalone": {form for form in FORMS if form != "latex"},
    "--bibtex": {form for form in FORMS if form != "latex"},
}


def _record(name: str, digit: str, milliseconds: int) -> Record:
    latencies = (milliseconds * 1_000_000,) * 4
    record = measured(model=name, record_id=digit * 32, latencies_ns=latencies)
    assert record.artifact is not None
    return replace(record, artifact=replace(record.artifact, sha256=digit * 64))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store of two networks, each evaluated on two data sets; the second is faster."""
    records = [_record("alpha", "1", 20), _record("beta", "2", 10)]
    accuracies: list[Accuracy] = []
    for number, record in enumerate(records):
        accuracies += [
            judged(record, 90 + number, accuracy_id=f"{number}a" * 16),
            judged(record, 60 + number, folder="digits", accuracy_id=f"{number}b" * 16,
                   created="2025-01-01T00:00:00.000Z"),
        ]  # fmt: skip
    with RecordStore(tmp_path / "records.sqlite") as stored:
        stored.add_all(records, accuracies=accuracies)
    return tmp_path


@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=() if form in QUICK else pytest.mark.slow) for form in FORMS]
)
def test_an_option_of_the_leaderboard_changes_the_output_or_is_refused(
    mobilebench: Program, store: Path, form: str
) -> None:
    plain = mobilebench("leaderboard", "--as", form)
    assert plain.code == 0, plain.stderr
    for option, words in OPTIONS.items():
        done = mobilebench("leaderboard", "--as", form, *words)
        if form in REFUSED[option]:
            assert done.code == 2 and option in done.stderr, (option, done.stdout)
        else:
            assert done.code == 0, done.stderr
            assert done.stdout != plain.stdout, f"{option} is ignored"


def test_a_data_set_has_no_use_in_a_picture_without_accuracy(
    mobilebench: Program, store: Path
) -> None:
    axes = ("--x", "params", "--y", "latency")
    done = mobilebench("leaderboard", "--as", "svg", *axes, "--data", "digits")
    assert done.code == 2 and "--data is about accuracy" in done.stderr


def test_filters_choose_among_the_results_of_others_too(mobilebench: Program, store: Path) -> None:
    others = [
        Reported(report_id=name, source=f"tool {name}", file="f", model="gamma", format=name,
                 latency=Latency(mean_ns=1_000_000))
        for name in ("onnx", "tflite")
    ]  # fmt: skip
    with RecordStore(store / "records.sqlite") as stored:
        stored.add_all(reported=others)
    every = mobilebench("leaderboard", "--as", "markdown").stdout
    assert "tool onnx" in every and "tool tflite" in every
    onnx = mobilebench("leaderboard", "--as", "markdown", "--format", "onnx").stdout
    assert "tool onnx" in onnx and "tool tflite" not in onnx
    protocol = mobilebench("leaderboard", "--as", "markdown", "--protocol", "smoke-1").stdout
    assert "alpha" in protocol and "tool" not in protocol


def test_a_word_that_is_no_format_is_said_to_be_none(mobilebench: Program, store: Path) -> None:
    done = mobilebench("leaderboard", "--format", "foo")
    assert done.code == 2 and "There is no format called 'foo'" in done.stderr


def test_a_store_has_no_use_beside_files_of_records(mobilebench: Program, tmp_path: Path) -> None:
    (tmp_path / "records.json").write_text(wire.dumps([measured()]))
    sides = ("--baseline", "records.json", "--candidate", "records.json")
    for words in (("history", "records.json"), ("check", *sides)):
        done = mobilebench(*words, "--store", "other.sqlite")
        assert done.code == 2 and "--store is for records named store:" in done.stderr
        assert not (tmp_path / "other.sqlite").exists()
        assert "not signed" in mobilebench(*words).stderr


def test_verify_says_which_inputs_a_class_was_compared_on() -> None:
    facts = measured().artifact
    assert facts is not None
    [line] = Verified(Path("bundle"), "net int8", facts.parity, not_judged=256).lines()
    assert "same class for 100%" in line and line.endswith("on the 16 inputs in the bundle")


def test_notes_are_about_the_columns_that_are_shown(mobilebench: Program, store: Path) -> None:
    for form in ("table", "markdown"):
        words = ("leaderboard", "--as", form, "--columns", "model,p50")
        without = mobilebench(*words).stdout
        assert "a paper" not in without and "top-1" not in without and "spread:" not in without
    page = mobilebench("leaderboard", "--as", "html", "--columns", "model,p50").stdout
    assert "p50 spread:" not in page
    assert "top-1 accuracy" in page, "the chart shows accuracies, whatever the table has"
    words = ("leaderboard", "--as", "markdown", "--columns", "model,top1,published")
    whole = mobilebench(*words).stdout
    assert "a paper" in whole and "top-1 measured" in whole
