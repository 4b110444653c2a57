"""A query reads the records that match it, and no other document."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobilebench.errors import UnknownName, UserError
from mobilebench.regress import baselines
from mobilebench.store import Query, RecordStore
from mobilebench.store.tables import AT_ONCE
from mobilebench.values.record import Record, Session
from tests.records import failed_export, measured
from tests.store.damage import change

V1 = Path(__file__).parent.parent / "data" / "store-v1.sqlite"


def _record(number: int, commit: str, side: str = "A") -> Record:
    record = measured(record_id=f"{number:032x}", created=f"2026-01-02T03:04:05.{number:03}Z")
    return dataclasses.replace(
        record,
        provenance=dataclasses.replace(record.provenance, source_commit=commit),
        session=Session(id="5e55", position=number, pair=number, side=side),  # type: ignore[arg-type]
    )


@pytest.fixture
def store(store_place: str) -> Iterator[RecordStore]:
    with RecordStore(store_place) as store:
        for number, commit in enumerate(("3f2a00", "3f2a01", "4000")):
            store.add(_record(number, commit, "AB"[number % 2]))
        yield store


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("commit=3f2a", [0, 1]),
        ("commit=3f2a01", [1]),
        ("commit=3F2A", []),
        ("commit=3f%", []),
        ("session=5e", [0, 1, 2]),
        ("side=A,runtime=onnxruntime", [0, 2]),
        ("precision=fp32,format=onnx,protocol=smoke-1,device=ios:0000", [0, 1, 2]),
        ("precision=fp16", []),
        (f"id={2:032x}", [2]),
        ("device_model=Made-up phone,os_build=23B85,device_kind=simulated", [0, 1, 2]),
        ("compute_unit=cpu,threads=1,runtime_version=1.0,resolution=224x224", [0, 1, 2]),
        ("outcome=measurement,weights=random", [0, 1, 2]),
        ("threads=2", []),
        ("outcome=failure", []),
    ],
)
def test_conditions_choose(store: RecordStore, text: str, numbers: list[int]) -> None:
    records = store.find(Query.parse(text))
    assert [int(record.record_id, 16) for record in records] == numbers


def test_conditions_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UserError, match="'commit' is not a condition; write NAME=VALUE"):
        Query.parse("commit")
    with pytest.raises(UnknownName, match="did you mean commit"):
        Query.parse("comit=3f2a")
    with pytest.raises(UserError, match="threads=two is not a whole number"):
        Query.parse("threads=two")
    with pytest.raises(UserError, match="side is given twice"):
        Query.parse("side=A,side=B")


def test_a_store_is_read_bit_by_bit(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    with RecordStore(path) as store:
        store.add_all([_record(number, "3f2a") for number in range(2 * AT_ONCE)])
    read = baselines.each(baselines.EVERYTHING, str(path))
    seen = [next(read).record_id for _ in range(AT_ONCE)]
    with RecordStore(path) as store:
        store.remove([f"{2 * AT_ONCE - 1:032x}"])
    seen += [record.record_id for record in read]
    assert seen == [f"{number:032x}" for number in range(2 * AT_ONCE - 1)]


def test_the_newest_record_of_each_cell(store: RecordStore) -> None:
    other = measured(record_id="c" * 32, threads=2)
    store.add(other)
    store.add(failed_export())
    newest = store.find(Query(newest=True))
    assert [record.record_id[-1] for record in newest] == ["2", "c", "b"]
    assert store.find(Query(newest=True, commit="3f2a")) == [_record(1, "3f2a01", "B")]


def test_documents_that_were_not_asked_for_are_not_read(
    store: RecordStore, store_place: str
) -> None:
    change(store_place, "UPDATE documents SET content = 'cut' WHERE record_id NOT LIKE '%2'")
    [record] = baselines.load("store:commit=4000", store_place)
    assert record == _record(2, "4000")


def test_a_store_of_the_first_version_is_taken_along(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    shutil.copy(V1, path)
    for _ in range(2):
        with RecordStore(path) as store:
            assert [record.record_id[0] for record in store.find()] == ["a", "b", "c"]
            assert store.find(Query(runtime="onnxruntime", newest=True)) == [
                measured(record_id="c" * 32, created="2026-01-03T03:04:05.678Z")
            ]
            assert store.find(Query(precision="fp32", runtime="x")) == []


def test_a_damaged_document_does_not_close_a_store_of_the_first_version(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    shutil.copy(V1, path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET document = 'cut' WHERE record_id LIKE 'a%'")
    with RecordStore(path) as store:
        assert len(store.find(Query(runtime="onnxruntime"))) == 1


@pytest.mark.parametrize("text", ["format=foo", "precision=fp3"])
def test_a_format_that_does_not_exist_is_said_to_be_none(text: str) -> None:
    noun, _, name = text.partition("=")
    with pytest.raises(UnknownName, match=f"There is no {noun} called '{name}'"):
        Query.parse(text)
