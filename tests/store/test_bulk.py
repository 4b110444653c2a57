"""Read many records at once, by several processes, as one by one."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from mobilebench.errors import SchemaError, UserError
from mobilebench.store import RecordStore, bulk, signing
from mobilebench.store.arrivals import Row
from mobilebench.store.documents import Document, as_json, read_documents
from tests.store.test_records import measured


def _files(folder: Path, count: int, each: int) -> list[Path]:
    paths = []
    for number in range(count):
        records = (
            signing.sign(measured(record_id=f"{number * each + place:032x}"))
            for place in range(each)
        )
        paths.append(folder / f"{number}.json")
        paths[-1].write_text(as_json(Document.of(record) for record in records), "utf-8")
    return paths


@pytest.mark.parametrize("processes", [1, 2])
def test_records_come_in_the_order_of_their_files_with_their_texts(
    processes: int, tmp_path: Path
) -> None:
    paths = _files(tmp_path, 4, 60)  # more than a process is given at once
    files: list[int] = []
    rows = bulk.rows_of(paths, processes, counted=files.append)
    plainly = [Row.of(document) for path in paths for document in read_documents(path)]
    assert [(row.columns, row.content) for row in rows] == [
        (row.columns, row.content) for row in plainly
    ]
    assert files == [1] * 4
    with RecordStore(tmp_path / "records.sqlite") as store:
        assert store.add_all(rows) == 240
        assert store.add_all(rows[:3]) == 0
        assert store.problems() == (240, [])


@pytest.mark.parametrize("processes", [1, 2])
def test_a_record_that_was_changed_is_named_with_its_file(processes: int, tmp_path: Path) -> None:
    paths = _files(tmp_path, 3, 2)
    paths[1].write_text(paths[1].read_text().replace("mobilevig_ti", "mobilevig_xx"))
    with pytest.raises(SchemaError, match=f"^{paths[1]}, record 1 .*signature"):
        bulk.rows_of(paths, processes)
    paths[1].write_text("[{]")
    with pytest.raises(SchemaError, match=f"^{paths[1]} is not"):
        bulk.rows_of(paths, processes)


def _dies(_: object) -> None:
    os._exit(1)


def test_a_process_that_dies_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_rows", _dies)
    with pytest.raises(UserError, match="ended before its time.*Nothing was added"):
        bulk.rows_of(_files(tmp_path, 2, 1), 2)


def test_two_records_of_one_id_in_a_file_are_refused(tmp_path: Path) -> None:
    [path] = _files(tmp_path, 1, 1)
    [document] = read_documents(path)
    other = dataclasses.replace(document.record, signature=None, created="2026-01-01T00:00:00Z")
    path.write_text(as_json([document, Document.of(other)]), "utf-8")
    with RecordStore(tmp_path / "records.sqlite") as store:
        with pytest.raises(UserError, match="none of those given"):
            store.add_all(bulk.rows_of([path]))
        assert store.count() == 0
