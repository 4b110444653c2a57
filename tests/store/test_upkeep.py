"""A store is copied while it is in use, moved to another database, and gives its room back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench.store import RecordStore
from mobilebench.values.reported import Reported
from tests.conftest import Ran
from tests.postgres import Postgres
from tests.records import failed_export, judged, measured
from tests.store.damage import change

REPORTED = Reported(report_id="e" * 64, source="a paper", file="x.csv", model="net")


def _filled(place: str, count: int = 30) -> RecordStore:
    store = RecordStore(place)
    records = [measured(record_id=f"r{number:03}") for number in range(count)]
    store.add_all([*records, failed_export()], [REPORTED], [judged(measured(), 90)])
    return store


def test_a_backup_is_a_store_with_all_that_was_there(store_place: str, tmp_path: Path) -> None:
    with _filled(store_place) as store:
        size = store.backup(tmp_path / "deep" / "copy.sqlite")
        expected = store.find_documents(), store.find_reported(), store.find_accuracies()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["copy.sqlite"]
    assert size == (tmp_path / "deep" / "copy.sqlite").stat().st_size
    with RecordStore(tmp_path / "deep" / "copy.sqlite", create=False) as copy:
        assert (copy.find_documents(), copy.find_reported(), copy.find_accuracies()) == expected
        assert copy.problems() == (33, [])


def test_a_backup_replaces_no_file(store_place: str, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a poem")
    with _filled(store_place) as store, pytest.raises(UserError, match="never replaces one"):
        store.backup(tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "a poem"
    assert not list(tmp_path.glob(".partial-*"))


def test_a_backup_is_of_one_moment_while_others_write(store_place: str, tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        with RecordStore(store_place) as store:
            number = 0
            while not done.is_set():
                # Two at once: a copy that has one of them alone is of no moment.
                store.add_all([measured(record_id=f"{side}{number}") for side in ("left", "right")])
                number += 1

    with _filled(store_place) as store:
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for turn in range(5):
                store.backup(tmp_path / f"{turn}.sqlite")
        finally:
            done.set()
            writer.join()
        for turn in range(5):
            with RecordStore(tmp_path / f"{turn}.sqlite") as copy:
                ids = {record.record_id for record in copy.find()}
                assert copy.problems()[1] == []
            lefts = {each.removeprefix("left") for each in ids if each.startswith("left")}
            rights = {each.removeprefix("right") for each in ids if each.startswith("right")}
            assert lefts == rights and len(ids) >= 31


def test_a_store_moves_to_a_server_and_back(tmp_path: Path, postgres: Postgres) -> None:
    server = postgres.database()
    with _filled(str(tmp_path / "here.sqlite")) as here, RecordStore(server) as there:
        assert here.copy_to(there) == (33, 0)
        assert there.find_documents() == here.find_documents()
        assert there.problems() == (33, [])
        here.add(measured(record_id="new"))
        assert here.copy_to(there) == (1, 33), "again, only what is new is copied"
        with RecordStore(tmp_path / "back.sqlite") as back:
            assert there.copy_to(back) == (34, 0)
            assert back.find_documents() == here.find_documents()
            assert back.problems() == (34, [])


def test_a_copy_keeps_what_the_other_store_has(store_place: str, tmp_path: Path) -> None:
    other = measured(record_id="r001", created="2027-01-01T00:00:00.000Z")
    with _filled(str(tmp_path / "here.sqlite")) as here, RecordStore(store_place) as there:
        there.add(other)
        with pytest.raises(UserError, match="other documents with the ids r001; it keeps them"):
            here.copy_to(there)
        assert there.find()[-1] == other and there.count() == 31


def test_compacting_gives_back_the_room_of_what_was_removed(store_place: str) -> None:
    with _filled(store_place, 2000) as store:
        store.remove([f"r{number:03}" for number in range(1900)])
        before, after = store.compact()
        assert after < before / 2
        assert store.size_bytes() == after
        assert store.problems() == (103, [])
        assert store.add(measured(record_id="new"))


def test_the_verbs_say_what_they_did(mobilebench: Callable[..., Ran], tmp_path: Path) -> None:
    _filled(str(tmp_path / "records.sqlite")).close()
    done = mobilebench("store", "backup", "copy.sqlite")
    assert done.code == 0 and "written: copy.sqlite" in done.stderr
    again = mobilebench("store", "backup", "copy.sqlite")
    assert again.code == 2 and "name another, or remove it first" in again.stderr
    assert (
        "33 added, 0 there already: moved.sqlite"
        in mobilebench("store", "copy", "moved.sqlite").stderr
    )
    assert "won, " in mobilebench("store", "compact").stderr
    change(tmp_path / "moved.sqlite", "DELETE FROM documents")
    assert mobilebench("store", "check", "--store", "moved.sqlite").code == 1


def test_a_url_without_its_driver_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UserError, match=r"pip install 'mobilebench\[postgres\]'"):
        RecordStore("postgresql://lab:secret@nowhere/records")


def test_a_server_that_does_not_answer_is_one_sentence() -> None:
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL: pip install psycopg")
    with pytest.raises(UserError, match="Check that the server runs") as caught:
        RecordStore("postgresql://lab:secret@127.0.0.1:1/records")
    assert "secret" not in str(caught.value)
