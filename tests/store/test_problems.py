"""A record that no verb can show is named with its cure, found by a check, and removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.errors import SchemaError, UserError
from mobilebench.store import RecordStore
from mobilebench.store.signing import sign
from mobilebench.values.reported import Reported
from tests.conftest import Ran
from tests.records import judged, measured
from tests.store.damage import change, rewrite

Program = Callable[..., Ran]
BAD = "bad" + "0" * 29
REPORTED = Reported(report_id="e" * 64, source="a paper", file="x.csv", model="net")


def _without_samples(path: Path) -> None:
    """Write a document into the store that older versions took: it has no measured samples."""
    with RecordStore(path) as store:
        store.add_all([measured(), measured(record_id=BAD)], [REPORTED])
    created = "2027-01-01T00:00:00.000Z"

    def edit(text: str) -> str:
        plain = json.loads(text)
        plain["outcome"]["samples"] = {"t_ns": [], "latency_ns": [], "phase": [], "round": []}
        plain["created"] = created
        return json.dumps(plain)

    rewrite(path, BAD, edit)
    change(path, "UPDATE records SET created = :c WHERE record_id = :id", c=created, id=BAD)


def test_a_bad_record_is_named_with_its_cure_by_every_verb_that_reads(
    mobilebench: Program, tmp_path: Path
) -> None:
    _without_samples(tmp_path / "records.sqlite")
    good = ("store:id=aaaa",)
    for arguments in (
        ("leaderboard",),
        ("leaderboard", "--as", "html"),
        ("history", "store:model=mobilevig_ti"),
        ("check", "--baseline", "store:id=bad", "--candidate", *good),
    ):
        done = mobilebench(*arguments)
        assert done.code == 2 and done.stdout == "", arguments
        [line] = done.stderr.splitlines()
        assert f"record {BAD} in " in line and "no measured samples" in line
        assert line.endswith(f"remove it with `mobilebench store remove {BAD}`.")
    checked = mobilebench("store", "check")
    assert checked.code == 1 and checked.stdout.startswith(f"{BAD}: ")
    assert "1 of 3 documents cannot be shown" in checked.stderr
    assert [each["id"] for each in json.loads(mobilebench("store", "check", "--json").stdout)] == [
        BAD
    ]
    removed = mobilebench("store", "remove", BAD)
    assert removed.code == 0 and "1 removed" in removed.stderr
    assert "2 documents, and nothing is wrong" in mobilebench("store", "check").stderr
    assert mobilebench("leaderboard").code == 0


def test_the_cure_names_the_store_that_was_given(tmp_path: Path) -> None:
    path = tmp_path / "my lab.sqlite"
    _without_samples(path)
    with RecordStore(path) as store, pytest.raises(SchemaError) as caught:
        store.find()
    assert str(caught.value).endswith(f"store remove {BAD} --store '{path}'`.")


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda text: text[:100], "cut off"),
        (lambda text: text.replace("20000000", "20000001"), "signature"),
        (lambda text: text.replace("a" * 32, "b" * 32), "signature"),
        (lambda text: "[]", "not a valid Record"),
    ],
)
def test_a_document_that_was_changed_is_found_and_removed(
    store_place: str, edit: Callable[[str], str], reason: str
) -> None:
    with RecordStore(store_place) as store:
        store.add_all([sign(measured()), measured(record_id="other")])
        rewrite(store_place, "a" * 32, edit)
        count, [problem] = store.problems()
        assert count == 2 and reason in problem.reason and problem.id == "a" * 32
        assert store.remove([problem.id]) == 1
        assert store.problems() == (1, [])


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE documents SET content = substr(content, 1, 50)", "damaged"),
        ("UPDATE documents SET content = 'a text'", "damaged"),
        ("DELETE FROM documents", "has no document"),
        ("UPDATE records SET model = 'another'", "another model in the index"),
        ("UPDATE records SET threads = 7, model = NULL", "another model, threads in the index"),
        ("UPDATE reported SET document = '[]'", "not a valid Reported"),
        ("UPDATE reported SET model = 'another'", "under other words"),
        ("UPDATE accuracies SET file_sha256 = 'another'", "under other words"),
        ("UPDATE accuracies SET document = '{}'", "schema_version"),
        (
            "UPDATE accuracies SET document = replace(document, '\"top1\"\\:90', '\"top1\"\\:190')",
            "top1 is 190",
        ),
    ],
)
def test_whatever_is_wrong_is_found_and_removed(
    store_place: str, statement: str, reason: str
) -> None:
    with RecordStore(store_place) as store:
        store.add_all([sign(measured())], [REPORTED], [judged(measured(), 90)])
        assert store.problems() == (3, [])
        change(store_place, statement)
        count, [problem] = store.problems()
        assert count == 3 and reason in problem.reason
        assert store.remove([problem.id]) == 1
        assert store.problems() == (2, [])


def test_a_document_outside_the_index_is_found_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    with RecordStore(path) as store:
        store.add_all([measured(), measured(record_id="b")])
        change(path, "DELETE FROM records WHERE record_id = 'b'")  # without foreign keys
        assert [each.id for each in store.problems()[1]] == ["b"]
        assert store.remove(["b"]) == 1 and store.problems() == (1, [])


def test_an_unknown_id_removes_nothing(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add(measured())
        for ids in (["a" * 32, "unknown"], ["a" * 31], [""]):
            with pytest.raises(UserError, match="Nothing was removed"):
                store.remove(ids)
        assert len(store.find()) == 1
        assert store.remove(["a" * 32, "a" * 32]) == 1 and store.find() == []


def test_a_record_without_samples_is_not_imported(mobilebench: Program, tmp_path: Path) -> None:
    from mobilebench.values import wire

    plain = wire.to_plain(measured())
    plain["outcome"]["samples"] = {"t_ns": [], "latency_ns": [], "phase": [], "round": []}
    (tmp_path / "bad.json").write_text(json.dumps([wire.to_plain(measured()), plain]))
    done = mobilebench("import", "bad.json")
    assert done.code == 2 and not (tmp_path / "records.sqlite").exists()
    assert "bad.json, record 2 is not a valid Record" in done.stderr
    assert "no measured samples; what measured nothing is a failure" in done.stderr
