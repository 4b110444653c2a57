"""Show measured accuracies beside the latency of the same file, of one data set alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import mobilebench as mb
from mobilebench.errors import UserError
from mobilebench.leaderboard import Row, rank
from mobilebench.leaderboard.columns import NAMES, by_column
from mobilebench.leaderboard.judgement import not_shown
from mobilebench.leaderboard.notes import notes
from mobilebench.leaderboard.text import as_csv, as_json, as_markdown
from mobilebench.pages.board import as_page
from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.modelspec import Interpolation, Preprocessing, Source
from mobilebench.values.record import Record
from mobilebench.values.tensor import DType, TensorSpec
from tests.conftest import Ran
from tests.records import judged, measured


def _file(name: str, digit: str) -> Record:
    """Return a record of another file of another model."""
    record = measured(model=name, record_id=digit * 32)
    assert record.artifact is not None
    return replace(record, artifact=replace(record.artifact, sha256=digit * 64))


ONE, TWO, THREE = _file("one", "1"), _file("two", "2"), _file("three", "3")


def _of(rows: list[Row], model: str) -> Row:
    [row] = [row for row in rows if row.model == model]
    return row


def test_an_accuracy_belongs_to_the_records_of_the_same_file_alone() -> None:
    rows = rank([ONE, TWO], [judged(ONE, 90)])
    row = _of(rows, "one")
    assert (row.measured_top1, row.accuracy_images) == (90.0, 100)
    # Wilson's interval of 90 of 100, as R's prop.test without correction gives it.
    assert row.top1_low == pytest.approx(82.563, abs=1e-3)
    assert row.top1_high == pytest.approx(94.477, abs=1e-3)
    other = _of(rows, "two")
    assert (other.measured_top1, other.top1_low, other.accuracy_data) == (None, None, None)
    assert other.top1 == 75.7, "the published one"


def test_every_form_shows_it_beside_the_published_one() -> None:
    rows = rank([ONE], [judged(ONE, 90)])
    title = rows[0].accuracy_data
    assert title is not None and title.startswith("val (") and title.endswith("), 100 images")
    for shown in (as_markdown(rows), as_page(rows)):
        assert "90.0" in shown and "82.6 to 94.5" in shown and "75.7" in shown and title in shown
    [line] = csv.DictReader(io.StringIO(as_csv(rows)))
    assert (line["measured_top1"], line["published_top1"]) == ("90.0", "75.7")
    assert line["accuracy_images"] == "100" and line["accuracy_data"] == title
    assert json.loads(as_json(rows))[0]["measured_top1"] == 90.0


def test_a_subset_says_its_number_and_yields_to_the_whole() -> None:
    part = judged(ONE, 45, 50, available=100, accuracy_id="p" * 32)
    rows = rank([ONE], [part])
    assert rows[0].measured_top1 == 90.0 and rows[0].accuracy_images == 50
    assert "50 of 100 images" in " ".join(notes(rows, NAMES))
    older = judged(ONE, 80, created="2025-01-01T00:00:00.000Z")
    rows = rank([ONE], [part, older])
    assert rows[0].measured_top1 == 80.0, "the whole set, although it is older"
    assert not any("other images" in mark for mark in rows[0].marks)
    sentence = not_shown([part, older], {rows[0].file_sha256}, {rows[0].accuracy_data})
    assert sentence is not None and sentence.startswith(
        "Accuracy on other images is not shown: val"
    )
    assert sentence.endswith("50 of 100 images. --data chooses.")
    assert not_shown([older], {rows[0].file_sha256}, {rows[0].accuracy_data}) is None


def test_two_data_sets_never_stand_in_one_column() -> None:
    digits = judged(THREE, 99, folder="data/digits", accuracy_id="d" * 32)
    rows = rank([ONE, TWO, THREE], [judged(ONE, 90), judged(TWO, 70, accuracy_id="e" * 32), digits])
    assert [_of(rows, name).measured_top1 for name in ("one", "two", "three")] == [90, 70, None]
    [mark] = [mark for mark in _of(rows, "three").marks if "digits" in mark]
    assert mark.startswith("accuracy known on other images only: data/digits (")
    for data in ("data/digits", digits.data.sha256[:6]):
        chosen = rank([ONE, TWO, THREE], [judged(ONE, 90), digits], data=data)
        shown = [_of(chosen, name).measured_top1 for name in ("one", "two", "three")]
        assert shown == [None, None, 99.0]
    with pytest.raises(UserError, match="data set 'imagenet'; there are val .*, data/digits"):
        rank([ONE, THREE], [judged(ONE, 90), digits], data="imagenet")
    with pytest.raises(UserError, match="run `mobilebench eval`"):
        rank([ONE], [], data="imagenet")


def test_the_newest_result_of_a_file_counts() -> None:
    older = judged(ONE, 10, accuracy_id="o" * 32, created="2026-01-01T00:00:00.000Z")
    for accuracies in ([older, judged(ONE, 90)], [judged(ONE, 90), older]):
        assert rank([ONE], accuracies)[0].measured_top1 == 90.0


def test_what_makes_it_doubtful_is_a_mark() -> None:
    accuracy = judged(ONE, 90)
    broken = replace(accuracy, not_finite=4)
    assert any("scores of 4 images are not finite" in m for m in rank([ONE], [broken])[0].marks)
    data = replace(accuracy.data, images=102, available=102, unreadable=("a.png", "b.png"))
    row = rank([ONE], [replace(accuracy, data=data)])[0]
    assert row.accuracy_images == 100
    assert any("2 images could not be read" in mark for mark in row.marks)


def test_rows_are_sorted_by_accuracy_the_best_first_and_the_unknown_last() -> None:
    rows = rank([ONE, TWO, THREE], [judged(ONE, 70), judged(TWO, 90, accuracy_id="e" * 32)])
    assert [row.model for row in by_column(rows, "top1")] == ["two", "one", "three"]
    assert [row.model for row in by_column(rows, "model")] == ["one", "three", "two"]


HALF = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
SOURCE = Source(paper="p", repository="r", commit="c", licence="MIT")


def _prepared(accuracy: Accuracy, digit: str, **changes: object) -> Accuracy:
    """Return a later result with a change in how images were prepared."""
    return replace(
        accuracy,
        preprocessing=replace(accuracy.preprocessing, **changes),  # type: ignore[arg-type]
        accuracy_id=digit * 32,
        created=f"2026-02-0{digit}T00:00:00.000Z",
    )


OTHER_WAYS: list[tuple[dict[str, object], str]] = [
    ({"crop_pct": 224 / 256}, "shorter side 256 bicubic"),
    ({"interpolation": Interpolation.BILINEAR}, "shorter side 224 bilinear"),
    ({"mean": (0.4, 0.5, 0.5)}, "mean 0.4,0.5,0.5"),
    ({"std": (0.5, 0.5, 0.25)}, "std 0.5,0.5,0.25"),
]


@pytest.mark.parametrize(("change", "words"), OTHER_WAYS)
def test_images_prepared_otherwise_do_not_compare(change: dict[str, object], words: str) -> None:
    alone = _prepared(judged(THREE, 99), "3", **change)
    same = [judged(ONE, 90), judged(TWO, 70, accuracy_id="e" * 32)]
    rows = rank([ONE, TWO, THREE], [*same, alone])
    [mark] = [mark for mark in _of(rows, "three").marks if "prepared otherwise" in mark]
    assert mark.startswith("top-1 with *:") and words in mark
    assert not any(
        "prepared otherwise" in m for name in ("one", "two") for m in _of(rows, name).marks
    )
    assert [row.model for row in by_column(rows, "top1")] == ["one", "two", "three"]
    assert [row.model for row in by_column(rows, "interval")] == ["one", "two", "three"]
    text = as_markdown(rows)
    assert r"99.0 \*" in text and "90.0 |" in text
    [note] = [note for note in notes(rows, NAMES) if note.startswith("top-1 measured")]
    assert note.endswith(
        "images: shorter side 224 bicubic, crop 224x224, mean 0.5,0.5,0.5, std 0.5,0.5,0.5."
    )
    plain = {row["model"]: row for row in json.loads(as_json(rows))}
    assert [plain[name]["accuracy_apart"] for name in ("one", "two", "three")] == [0, 0, 1]
    assert words in plain["three"]["accuracy_preparation"]


def test_of_two_preparations_the_one_that_most_files_share_is_shown() -> None:
    shared = [judged(ONE, 90), judged(TWO, 70, accuracy_id="e" * 32)]
    later = _prepared(judged(ONE, 99), "3", crop_pct=0.5)
    rows = rank([ONE, TWO], [*shared, later])
    assert [_of(rows, name).measured_top1 for name in ("one", "two")] == [90.0, 70.0]
    [mark] = [mark for mark in _of(rows, "one").marks if "prepared otherwise too" in mark]
    assert "shorter side 448" in mark and "which is not shown" in mark
    assert rank([ONE], [judged(ONE, 90), later])[0].measured_top1 == 99.0, "the newest of one file"
    both = [*shared, later, _prepared(judged(TWO, 60), "4", crop_pct=0.5)]
    assert [row.measured_top1 for row in by_column(rank([ONE, TWO], both), "top1")] == [99.0, 60.0]


def test_published_preparations_belong_to_their_networks() -> None:
    def published(record: Record, hits: int, digit: str, **changes: object) -> Accuracy:
        accuracy = _prepared(judged(record, hits), digit, **changes)
        return replace(accuracy, model=replace(accuracy.model, source=SOURCE))

    zoo = [published(ONE, 90, "1"), published(TWO, 70, "2", crop_pct=0.9)]
    own = _prepared(judged(THREE, 99), "3", crop_pct=0.5)
    rows = rank([ONE, TWO, THREE], [*zoo, own])
    assert [row.accuracy_apart for row in (_of(rows, n) for n in ("one", "two", "three"))] == [
        False, False, True,
    ]  # fmt: skip
    marks = [mark for name in ("one", "two") for mark in _of(rows, name).marks]
    assert (
        sum(mark.startswith("top-1: images prepared as the network's own") for mark in marks) == 1
    )
    alike = _prepared(judged(THREE, 99), "3", crop_pct=0.9)
    assert not _of(rank([ONE, TWO, THREE], [*zoo, alike]), "three").accuracy_apart


def test_a_file_of_pixels_normalises_by_itself_and_a_larger_input_crops_the_same_share() -> None:
    base = judged(ONE, 90)
    pixels = _prepared(judged(TWO, 80), "2", mean=(0.0, 0.0, 0.0), std=(1 / 255,) * 3)
    image = TensorSpec(name="image", shape=(1, 3, 224, 224), dtype=DType.UINT8)
    pixels = replace(pixels, model=replace(pixels.model, inputs=(image,)))
    large = replace(
        _prepared(judged(THREE, 70), "3", crop_pct=base.preprocessing.crop_pct),
        resolution=(256, 256),
    )
    rows = rank([ONE, TWO, THREE], [base, pixels, large])
    assert not any(row.accuracy_apart for row in rows)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"accuracy_id": ""}, "accuracy_id"),
        ({"created": "yesterday"}, "not a time in UTC"),
        ({"classes": ()}, "without any evaluated image"),
        ({"not_finite": 101}, "not_finite is 101"),
    ],
)
def test_an_impossible_accuracy_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(judged(ONE, 90), **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="top1 is 101"):
        judged(ONE, 101)


def test_python_ranks_with_accuracies_from_the_store_and_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    with RecordStore(path) as store:
        store.add_all([ONE, TWO], accuracies=[judged(ONE, 90)])
    more = judged(TWO, 80, accuracy_id="e" * 32)
    rows = mb.rank(path, [more], names={"one": "Ours"})
    assert {row.model: row.measured_top1 for row in rows} == {"Ours": 90.0, "two": 80.0}
    assert mb.rank([ONE], [judged(ONE, 90)])[0].measured_top1 == 90.0


def test_the_program_imports_a_file_of_eval_and_shows_it(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    accuracy: Accuracy = judged(ONE, 90)
    (tmp_path / "acc.json").write_text(wire.dumps([accuracy]))
    (tmp_path / "bad.json").write_text(wire.dumps(accuracy).replace('"top1":90', '"top1":900'))
    assert mobilebench("import", "acc.json").code == 0
    alone = mobilebench("leaderboard")
    assert alone.code == 2 and "1 accuracy without a latency" in alone.stderr
    refused = mobilebench("import", "bad.json")
    assert refused.code == 2 and "bad.json, accuracy 1" in refused.stderr
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add_all([ONE, TWO], accuracies=[judged(THREE, 50, accuracy_id="e" * 32)])
    done = mobilebench("leaderboard", "--sort", "top1", "--columns", "model,top1,interval,images")
    assert done.code == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("1 "))
    [said] = done.stderr.splitlines()
    assert said == "Evaluated, but not measured, so without a row: three onnx-fp32-opset20."
    assert line.split() == ["1", "one", "90.0", "82.6", "to", "94.5", "100"]
