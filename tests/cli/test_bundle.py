"""Pack a table, hand it on, take it in and show it, as an author and a reader do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench.reproducing import bundle
from mobilebench.store import RecordStore, signing
from mobilebench.values import wire
from tests.conftest import Ran
from tests.records import failed_export, judged, measured, runs

Program = Callable[..., Ran]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return the folder of a store with a signed row, an older run of it, and a failed export."""
    record = signing.sign(measured())
    older = signing.sign(measured(record_id="c" * 32, created="2025-01-01T00:00:00.000Z"))
    with RecordStore(tmp_path / "records.sqlite") as stored:
        stored.add_all(
            [record, older, failed_export(target="opset18")], accuracies=[judged(record, 90)]
        )
    return tmp_path


def test_a_table_travels_in_one_file(mobilebench: Program, store: Path) -> None:
    words = ("--protocol", "smoke-1", "--columns", "model,p50,top1", "--name", "mobilevig_ti=Ti")
    packed = mobilebench("bundle", *words)
    assert packed.code == 0, packed.stderr
    assert "packed: 1 row, 1 accuracy, 0 manifests; " in packed.stderr
    assert "1 file of 1 without a manifest" in packed.stderr
    shown = mobilebench("leaderboard", *words, "--as", "markdown").stdout
    (store / "elsewhere").mkdir()
    taken = mobilebench("import", "table.mbbundle", "--store", "elsewhere/records.sqlite")
    assert "2 added, 0 there already" in taken.stderr
    options = [*bundle.read(store / "table.mbbundle").view.words, "--as", "markdown"]
    there = mobilebench("leaderboard", *options, "--store", "elsewhere/records.sqlite")
    assert there.stdout == shown, "the view shows the table as it was"
    again = mobilebench("import", "table.mbbundle", "--store", "elsewhere/records.sqlite")
    assert "0 added, 2 there already" in again.stderr


def test_the_same_table_is_the_same_file(mobilebench: Program, store: Path) -> None:
    for name in ("one.mbbundle", "two.mbbundle"):
        assert mobilebench("bundle", "--out", name).code == 0
    assert (store / "one.mbbundle").read_bytes() == (store / "two.mbbundle").read_bytes()


def test_every_run_comes_along_where_it_was_asked_for(mobilebench: Program, store: Path) -> None:
    packed = mobilebench("bundle", "--all-runs")
    assert "packed: 2 rows, 1 other run, 1 accuracy" in packed.stderr
    taken = bundle.read(store / "table.mbbundle")
    assert [document.record.record_id for document in taken.runs] == ["c" * 32]
    assert "1 of 2 records is not signed." in packed.stderr
    plan = mobilebench("reproduce", "table.mbbundle", "--dry-run")
    assert plan.code in (0, 3) and "mobilevig_ti" in plan.stdout


def test_manifests_at_hand_are_packed(mobilebench: Program, store: Path) -> None:
    record = measured()
    folder = store / "artifacts" / "net-onnx"
    folder.mkdir(parents=True)
    facts = wire.to_plain(record.artifact)
    manifest = {
        "schema_version": 1, "created": record.created, "mobilebench_version": "0.1",
        "model": wire.to_plain(record.model), "recipe": wire.to_plain(record.recipe),
        "model_file": "model.onnx", "facts": facts,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (store / "artifacts" / "broken").mkdir()
    (store / "artifacts" / "broken" / "manifest.json").write_text("{")
    packed = mobilebench("bundle")
    assert packed.code == 0 and "1 manifest;" in packed.stderr
    assert "Left out: " in packed.stderr and "without a manifest" not in packed.stderr
    [taken] = bundle.read(store / "table.mbbundle").manifests
    assert taken.facts == record.artifact


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--out", "table.zip"), "ends in .mbbundle"),
        (("--model", "gone"), "has no such record, so there is no table to pack"),
        (("--artifacts", "gone"), "There is no folder gone"),
        (("--columns", "gone"), "There is no column 'gone'"),
        (("--sort", "gone"), "There is no column 'gone'"),
        (("--name", "gone=Net"), "There is no model 'gone' to name"),
        (("--store", "gone.sqlite"), "There is no store gone.sqlite"),
    ],
)
def test_what_cannot_be_packed_is_refused(
    mobilebench: Program, store: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = mobilebench("bundle", *words)
    assert done.code == 2 and sentence in done.stderr
    assert not list(store.glob("*.mbbundle"))


def test_a_changed_bundle_is_refused_by_every_verb(mobilebench: Program, store: Path) -> None:
    assert mobilebench("bundle").code == 0
    place = store / "table.mbbundle"
    place.write_bytes(
        place.read_bytes().replace(b'"latency_ns":[20000000', b'"latency_ns":[10000000')
    )
    for words in (("reproduce", "table.mbbundle", "--dry-run"), ("import", "table.mbbundle")):
        done = mobilebench(*words)
        assert done.code == 2 and done.stdout == "", words
        assert len(done.stderr.splitlines()) == 1 and "fetch it anew" in done.stderr


def test_a_bundle_is_not_a_file_of_records_and_not_the_other_way_round(
    mobilebench: Program, store: Path
) -> None:
    (store / "table.json").write_text(wire.dumps(measured()))
    done = mobilebench("import", "table.json", "--as", "bundle")
    assert done.code == 2 and "table.json is not a bundle" in done.stderr
    assert mobilebench("bundle").code == 0
    done = mobilebench("import", "table.mbbundle", "--as", "record")
    assert done.code == 2 and "is not JSON" in done.stderr


def test_options_about_a_verdict_need_several_runs(mobilebench: Program, store: Path) -> None:
    assert mobilebench("bundle").code == 0
    done = mobilebench("reproduce", "table.mbbundle", "--tolerance", "5%")
    assert done.code == 2 and "give --runs" in done.stderr
    done = mobilebench("reproduce", "table.mbbundle", "--files-only", "--runs", "8")
    assert done.code == 2 and "--files-only measures nothing" in done.stderr


def test_runs_of_a_file_that_was_made_anew_are_not_runs_of_the_row(
    mobilebench: Program, store: Path
) -> None:
    [other] = runs([10], seed=1)
    assert other.artifact is not None
    other = replace(
        other,
        created="2025-01-01T00:00:00.000Z",
        artifact=replace(other.artifact, sha256="7" * 64),
    )
    with RecordStore(store / "records.sqlite") as stored:
        stored.add(other)
    assert mobilebench("bundle", "--all-runs").code == 0
    taken = bundle.read(store / "table.mbbundle")
    assert [document.record.record_id for document in taken.runs] == ["c" * 32]
