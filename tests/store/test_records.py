"""The store keeps every record exactly, and reports when it cannot."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobilebench.errors import OutputError, SchemaError, UserError
from mobilebench.machine import host
from mobilebench.store import Arrival, Query, RecordStore, default_url
from mobilebench.store.documents import Document, as_json, read_documents
from tests.records import failed_export, judged, measured
from tests.store.damage import change, rewrite

V2 = Path(__file__).parent.parent / "data" / "store-v2.sqlite"
V3 = Path(__file__).parent.parent / "data" / "store-v3.sqlite"
"""Two records of one cell, signed by the version that wrote records of version 1."""


@pytest.fixture
def store(store_place: str) -> Iterator[RecordStore]:
    with RecordStore(store_place) as store:
        yield store


def test_a_record_comes_back_as_it_was(store: RecordStore) -> None:
    assert store.add(measured())
    assert store.add(failed_export())
    assert store.find() == [measured(), failed_export()]


def test_the_same_record_twice_is_kept_once(store: RecordStore) -> None:
    assert store.add(measured())
    assert not store.add(measured())
    assert len(store.find()) == 1


def test_another_record_with_the_same_id_is_refused_and_the_first_is_kept(
    store: RecordStore,
) -> None:
    store.add(measured())
    with pytest.raises(UserError, match="another record with the id"):
        store.add(measured(created="2027-01-01T00:00:00.000Z"))
    assert store.find() == [measured()]


def test_accuracies_are_kept_beside_the_records_the_oldest_first(store: RecordStore) -> None:
    older = judged(measured(), 90, accuracy_id="d" * 32, created="2026-01-01T00:00:00.000Z")
    assert store.add_all([measured()], accuracies=[judged(measured(), 91), older]) == 3
    assert not store.add_accuracy(older)
    assert store.find_accuracies() == [older, judged(measured(), 91)]
    with pytest.raises(UserError, match="another accuracy with the id"):
        store.add_accuracy(judged(measured(), 1, accuracy_id="d" * 32))
    assert store.remove(["d" * 32]) == 1 and len(store.find_accuracies()) == 1


def test_a_store_of_the_second_version_is_taken_along_with_all_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    shutil.copy(V2, path)
    for number in (1, 2):
        with RecordStore(path) as store:
            assert store.find() == [measured(), failed_export()]
            assert [each.source for each in store.find_reported()] == ["a paper"]
            assert store.add_accuracy(judged(measured(), 90)) == (number == 1)
            assert store.problems() == (4, [])
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version FROM store").fetchall() == [(6,)]


def test_a_store_of_the_third_version_keeps_its_signed_texts_and_knows_its_cells(
    tmp_path: Path,
) -> None:
    path = tmp_path / "records.sqlite"
    shutil.copy(V3, path)
    with RecordStore(path) as store:
        first, second = store.find_documents()
        assert store.find(Query(newest=True)) == [second.record]
        assert store.problems() == (2, [])
        again = dataclasses.replace(second.record, record_id="f" * 32, created=host.now())
        store.add(again)
        assert [record.record_id for record in store.find(Query(newest=True))] == ["f" * 32]
        assert store.problems() == (3, [])
        assert store.find_documents()[:2] == [first, second]


def test_a_record_of_an_older_version_keeps_its_signature_from_store_to_store(
    tmp_path: Path,
) -> None:
    shutil.copy(V3, tmp_path / "old.sqlite")
    with RecordStore(tmp_path / "old.sqlite") as store:
        documents = store.find_documents()
    assert all(json.loads(document.text)["schema_version"] == 1 for document in documents)
    exported = tmp_path / "records.json"
    exported.write_text(as_json(documents), "utf-8")
    read = read_documents(exported)
    assert [json.loads(each.text) for each in read] == [json.loads(each.text) for each in documents]
    with RecordStore(tmp_path / "new.sqlite") as store:
        assert store.add_all(read) == 2
        assert store.find_documents() == read
        assert store.problems() == (2, [])
        assert store.add_all([document.record for document in read]) == 0, "they are there"
        assert store.find_documents() == read


def test_a_record_of_an_older_version_that_is_written_again_is_unsigned(tmp_path: Path) -> None:
    shutil.copy(V3, tmp_path / "old.sqlite")
    with RecordStore(tmp_path / "old.sqlite") as store:
        [old, _] = store.find()
    assert old.signature is not None
    assert Document.of(old).record == dataclasses.replace(old, signature=None)
    with RecordStore(tmp_path / "new.sqlite") as store:
        store.add(old)
        assert store.problems() == (1, [])


def test_queries_narrow(store: RecordStore) -> None:
    burst = measured(record_id="c" * 32, protocol_id="burst-1", model="other")
    for record in (measured(), failed_export(), burst):
        store.add(record)
    assert store.find(Query(protocol="burst-1")) == [burst]
    assert store.find(Query(model="other")) == [burst]
    assert store.find(Query(model="mobilevig_ti", protocol="burst-1")) == []
    assert len(store.find(Query(format="onnx", device="ios:0000"))) == 3


def test_records_are_in_the_order_of_time(store: RecordStore) -> None:
    late = measured(record_id="1" * 32, created="2030-01-01T00:00:00.000Z")
    store.add(late)
    store.add(measured())
    assert store.find() == [measured(), late]


def test_a_store_is_opened_again_with_what_it_held(store_place: str) -> None:
    with RecordStore(store_place) as first:
        first.add(measured())
    with RecordStore(store_place, create=False) as again:
        assert again.find() == [measured()]


def test_records_are_written_ahead(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    RecordStore(path).close()
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_killed_writer_loses_nothing_that_was_added(store_place: str) -> None:
    path = store_place
    code = (
        "import os, signal\nfrom mobilebench.store import RecordStore\n"
        "from tests.records import measured\n"
        f"store = RecordStore({str(path)!r})\nstore.add(measured())\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parent.parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, timeout=60, check=False)
    assert done.returncode == -9
    with RecordStore(path) as store:
        assert store.find() == [measured()]


def test_two_writers_at_once_lose_nothing(store_place: str) -> None:
    path = store_place
    RecordStore(path).close()
    code = (
        "import sys\nfrom mobilebench.store import RecordStore\n"
        "from tests.records import measured\n"
        f"store = RecordStore({str(path)!r})\n"
        "for n in range(20): store.add(measured(record_id=sys.argv[1] + format(n, '031x')))\n"
    )
    root = Path(__file__).parent.parent.parent
    writers = [subprocess.Popen([sys.executable, "-c", code, name], cwd=root) for name in "ab"]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    with RecordStore(path) as store:
        assert len(store.find()) == 40


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(UserError, match="is not a mobilebench store: it is not SQLite"):
        RecordStore(path)
    assert path.read_text().startswith("not a database")


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    RecordStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE store SET version = 9")
    with pytest.raises(SchemaError, match="has version 9"):
        RecordStore(path)


@pytest.mark.parametrize("place", ["nonsense://x", "oracle+nothing://host/db"])
def test_a_url_that_nobody_knows_is_one_sentence(place: str) -> None:
    with pytest.raises(UserError, match="cannot be opened"):
        RecordStore(place)


def test_a_place_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another folder"):
        RecordStore(tmp_path / "file" / "records.sqlite")


def test_the_place_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBILEBENCH_STORE", "/somewhere/else.sqlite")
    assert default_url() == "/somewhere/else.sqlite"
    monkeypatch.delenv("MOBILEBENCH_STORE")
    assert default_url().endswith("records.sqlite")


def test_a_damaged_document_is_named(store_place: str) -> None:
    with RecordStore(store_place) as store:
        store.add(measured())
        rewrite(store_place, "a" * 32, lambda text: text[:100])
        with pytest.raises(SchemaError, match=f"record {'a' * 32} in .*cut off"):
            store.find()
        change(store_place, "UPDATE documents SET content = substr(content, 1, 30)")
        with pytest.raises(SchemaError, match=f"record {'a' * 32} in .* is damaged"):
            store.find()


def test_what_came_of_each_record_is_told(store: RecordStore) -> None:
    documents = [Document.of(measured()), Document.of(failed_export()), Document.of(measured())]
    assert store.add_each(documents) == [Arrival.ADDED, Arrival.ADDED, Arrival.THERE]
    other = measured(created="2027-01-01T00:00:00.000Z")
    new = measured(record_id="n" * 32)
    assert store.add_each([other, new]) == [Arrival.ANOTHER, Arrival.ADDED]
    assert store.find() == [measured(), new, failed_export()]


def test_a_document_comes_back_by_its_id_as_it_came(store: RecordStore) -> None:
    text = json.dumps(dict(reversed(json.loads(Document.of(measured()).text).items())), indent=3)
    given = Document.parse(text.encode())
    store.add_each([given])
    assert store.document("a" * 32) == given.text
    assert list(json.loads(given.text)) == list(json.loads(text)), "keys keep their order"
    assert json.loads(given.text) == json.loads(text)
    assert store.document("a") is None


def test_pages_lead_through_all_records_each_once(store: RecordStore) -> None:
    records = [
        measured(record_id=f"r{number:02}", created=f"2026-01-02T03:04:{number // 3:02}.000Z")
        for number in range(20)
    ]
    store.add_all(records)
    expected = [record.record_id for record in store.find()]
    for oldest_first in (True, False):
        seen: list[str] = []
        after = None
        while True:
            page = store.page(Query(model="mobilevig_ti"), after, 7, oldest_first=oldest_first)
            seen += [line.record_id for line in page.records]
            after = page.next
            if after is None:
                break
        assert seen == (expected if oldest_first else expected[::-1])
    assert store.page(Query(model="other")).records == ()
    assert store.count() == 20 and store.count(Query(model="other")) == 0
    with pytest.raises(UserError, match="is not a place in a list"):
        store.page(after="nonsense")
    for limit in (0, 1001):
        with pytest.raises(UserError, match="from 1 to 1000"):
            store.page(limit=limit)


def test_text_that_no_index_takes_is_found_all_the_same(store: RecordStore) -> None:
    long, nul, sql = "m" * 5000, "with \0 in it", "'; DROP TABLE records; --"
    for number, name in enumerate((long, f"{long}!", nul, sql)):
        store.add(measured(record_id=str(number), model=name))
    for number, name in enumerate((long, f"{long}!", nul, sql)):
        assert [line.record_id for line in store.page(Query(model=name)).records] == [str(number)]
        assert store.find(Query(model=name))[0].model.name == name
    assert store.problems() == (4, [])
