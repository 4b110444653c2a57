"""A board reads the newest record of each line, and that follows imports and removals at once."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mobilebench import results
from mobilebench.errors import SchemaError, UserError
from mobilebench.results import Entry
from mobilebench.store import Query, RecordStore
from mobilebench.store.entries import Held
from mobilebench.store.query import After
from mobilebench.values.modelspec import Weights
from mobilebench.values.record import Record
from tests.records import failed_export, measured
from tests.store.damage import change, rewrite


@pytest.fixture
def store(store_place: str) -> Iterator[RecordStore]:
    with RecordStore(store_place) as store:
        yield store


def _at(day: int, **changes: Any) -> Record:
    created = f"2026-01-{day:02}T00:00:00.000Z"
    return measured(**{"record_id": f"day{day}", "created": created, **changes})


def _weights(record: Record) -> Record:
    weights = Weights(origin="f" * 64, state_sha256="0" * 64)
    return dataclasses.replace(record, model=dataclasses.replace(record.model, weights=weights))


def _shown(store: RecordStore, query: Query | None = None) -> set[str]:
    return {entry.record_id for entry in store.find_entries(query)}


def test_the_newest_record_of_a_line_stands_for_it_whatever_the_order(store: RecordStore) -> None:
    store.add_all([_at(2), _at(3)])
    store.add(_at(1))
    assert _shown(store) == {"day3"}
    store.add_all([_at(5), _at(4), _at(6, threads=2), _weights(_at(7))])
    assert _shown(store) == {"day5", "day6", "day7"}


def test_entries_that_are_known_are_read_no_more_and_those_that_changed_are(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_all([_at(1), _at(2, threads=2), _at(3, threads=4)])
    for _ in range(2):  # derived, then read
        known = store.renew_entries({})
    assert list(known.values()) == store.find_entries()
    read: list[Held] = []

    def noted(held: Sequence[Held]) -> list[Entry]:
        read.extend(held)
        return RecordStore._entries(store, held)

    monkeypatch.setattr(store, "_entries", noted)
    assert store.renew_entries(known) == known and not read
    store.add(_at(4))
    store.remove(["day2"])
    renewed = store.renew_entries(known)
    assert {entry.record_id for entry in renewed.values()} == {"day3", "day4"}
    assert [each.record_id for each in read] == ["day4"]
    only = store.renew_entries(known, Query(threads=4))
    assert [entry.record_id for entry in only.values()] == ["day3"]


def test_another_record_under_the_id_of_a_removed_one_is_read(store: RecordStore) -> None:
    store.add(_at(1))
    for _ in range(2):
        known = store.renew_entries({})
    store.remove(["day1"])
    slower = _at(1, latencies_ns=(90, 70, 71, 72))
    store.add(slower)
    for _ in range(2):
        [entry] = store.renew_entries(known).values()
        assert entry == Entry.of(slower)


def test_an_entry_is_what_its_record_comes_to(store: RecordStore) -> None:
    records = [_at(1), _at(2, threads=2), failed_export()]
    store.add_all(records)
    expected = {record.record_id: Entry.of(record) for record in records}
    for _ in range(2):  # derived, then read
        held = store.find_entries()
        assert {entry.record_id: entry for entry in held} == expected
    assert all(entry.line in {each.line for each in expected.values()} for entry in held)


def test_entries_are_derived_once_and_anew_for_another_version(
    store: RecordStore, store_place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_all([_at(1), _at(2, threads=2)])
    assert store.derive_entries() == 2 and store.derive_entries() == 0
    entries = store.find_entries()
    rewrite(store_place, "day1", lambda text: "not read any more")
    assert store.find_entries() == entries
    change(store_place, "UPDATE entries SET version = :old", old=results.VERSION - 1)
    with pytest.raises(SchemaError, match="record day1 in .*store remove day1"):
        store.find_entries()
    assert store.derive_entries() == 1, "the good one"


def test_a_removal_gives_the_line_to_the_record_before(store: RecordStore) -> None:
    store.add_all([_at(1), _at(2), _at(3), _at(4, threads=2)])
    assert _shown(store) == {"day3", "day4"}
    store.remove(["day3"])
    assert _shown(store) == {"day2", "day4"}
    store.remove(["day1", "day4"])
    assert _shown(store) == {"day2"}
    store.remove(["day2"])
    assert _shown(store) == set()


def test_conditions_choose_entries(store: RecordStore) -> None:
    store.add_all([_at(1), _at(2, model="other"), _at(3, protocol_id="burst-1"), failed_export()])
    for query, expected in (
        (Query(model="other"), {"day2"}),
        (Query(device_model="Made-up phone"), {"day1", "day2", "day3", "b" * 32}),
        (Query(device_model="Made-up phone", compute_unit="cpu"), {"day1", "day2", "day3"}),
        (
            Query(device_model="Made-up phone", compute_unit="cpu", protocol="burst-1"),
            {"day3"},
        ),
        (Query(device_model="Made-up phon"), set()),
        (Query(protocol="smoke-1", device="ios:0000"), {"day1", "day2"}),
        (Query(outcome="failure"), {"b" * 32}),
        (Query(id="day"), {"day1", "day2", "day3"}),
    ):
        assert _shown(store, query) == expected, query
    assert [
        (place.device_model, place.compute_unit, place.protocol, place.entries)
        for place in store.places()
    ] == [
        ("Made-up phone", "cpu", "burst-1", 1),
        ("Made-up phone", "cpu", "smoke-1", 2),
        ("Made-up phone", None, None, 1),
    ]


def test_pages_of_entries_lead_through_all_each_once(store: RecordStore) -> None:
    store.add_all([_at(day, threads=day) for day in range(1, 20)])
    whole = store.find_entries()
    seen: list[Entry] = []
    after = None
    while page := store.find_entries(after=after, limit=6):
        seen += page
        after = page[-1].line
    assert seen == whole and len(whole) == 19
    with pytest.raises(UserError, match="is no line of the board any more"):
        store.find_entries(after="nonsense")


def test_writers_and_removers_at_once_leave_the_newest_on_the_board(
    store: RecordStore, store_place: str
) -> None:
    """Two writers of the same lines in other orders, and one who removes."""
    failures: list[BaseException] = []

    def work(name: str, days: list[int]) -> None:
        try:
            with RecordStore(store_place) as mine:
                for turn, day in enumerate(days):
                    lines = range(1, 6) if name == "a" else range(5, 0, -1)
                    mine.add_each(
                        [_at(day, record_id=f"{name}{day}-{n}", threads=n) for n in lines]
                    )
                    if turn % 2:
                        mine.remove([f"{name}{day}-{n}" for n in lines])
        except BaseException as error:
            failures.append(error)
            raise

    threads = [
        threading.Thread(target=work, args=("a", list(range(1, 21)))),
        threading.Thread(target=work, args=("b", list(range(20, 0, -1)))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    newest: dict[str | None, tuple[str, str]] = {}
    for line in store.page(limit=1000).records:
        newest[line.line] = max(newest.get(line.line, ("", "")), (line.created, line.record_id))
    shown = {entry.line: (entry.created, entry.record_id) for entry in store.find_entries()}
    assert shown == newest and len(shown) == 5


def test_no_question_scans_a_table(tmp_path: Path) -> None:
    """Each is answered by an index: what it costs does not grow with what is not asked for."""
    asked: list[tuple[str, Any]] = []
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add_all([_at(1), _at(2, threads=2)])
        engine = store._database._engine

        def note(_: Any, __: Any, statement: str, parameters: Any, *more: Any) -> None:
            asked.append((statement, parameters))

        sa.event.listen(engine, "before_cursor_execute", note)
        after = After(created="2026-01-02T00:00:00.000Z", record_id="x").text
        line = store.find_entries(limit=1)[0].line
        asked.clear()
        store.page(after=after)
        store.document("day1")
        store.find_by_id(["day1", "day2"])
        store.find_entries(after=line, limit=5)
        phone = {"device_model": "Made-up phone", "compute_unit": "cpu"}
        for query in (
            Query(model="x"),
            Query(device="x"),
            Query(device_model="x"),
            Query(line=line),
            Query(id="day"),
            Query(commit="3f"),
            Query(session="5e"),
        ):
            store.find(query)
            store.page(query, after)
        for query in (
            Query(model="x"),
            Query(device="x"),
            Query(protocol="x"),
            Query(**phone),  # type: ignore[arg-type]
            Query(**phone, protocol="smoke-1"),  # type: ignore[arg-type]
        ):
            store.find_entries(query)
        sa.event.remove(engine, "before_cursor_execute", note)
        with store._database.bare() as connection:
            plans = {
                statement: [
                    row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", given)
                ]
                for statement, given in asked
                if statement.startswith("SELECT")
            }
    scans = {
        (statement, step)
        for statement, steps in plans.items()
        for step in steps
        if step.startswith("SCAN") and "USING" not in step and "CONSTANT ROW" not in step
    }
    assert len(plans) >= 15 and scans == set()
