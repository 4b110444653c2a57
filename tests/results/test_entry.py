"""Derive entries from records: everything a board says, without the samples."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mobilebench.errors import SchemaError
from mobilebench.leaderboard import rank
from mobilebench.results import VERSION, Entry
from mobilebench.values import wire
from mobilebench.values.measurement import Failure, Stage
from mobilebench.values.modelspec import Weights
from mobilebench.values.record import Record
from tests.records import failed_export, measured, sustained

OLD = Path("tests/data/record-v1-host.json")
RECORDS = [
    measured(),
    measured(protocol_id="burst-1"),
    sustained([10.0] * 5 + [14.0] * 25),
    failed_export(),
]


def _failed_run() -> Record:
    failure = Failure(stage=Stage.RUN, error="Crashed", message="signal 11", log_tail="x" * 9999)
    return dataclasses.replace(measured(), outcome=failure)


@pytest.mark.parametrize("record", [*RECORDS, _failed_run(), wire.read(Record, OLD)])
def test_an_entry_goes_through_json_unchanged(record: Record) -> None:
    entry = Entry.of(record)
    assert entry.version == VERSION
    assert wire.loads(Entry, wire.dumps(entry)) == entry


@pytest.mark.parametrize("record", [*RECORDS, _failed_run(), wire.read(Record, OLD)])
def test_rows_are_the_same_from_records_and_from_entries(record: Record) -> None:
    assert rank([record]) == rank([wire.loads(Entry, wire.dumps(Entry.of(record)))])


def test_an_entry_is_small_whatever_its_samples() -> None:
    few, many = (sustained([10.0] * minutes) for minutes in (60, 600))
    sizes = [len(wire.dumps(Entry.of(record))) for record in (few, many)]
    assert max(sizes) < 16_000 and sizes[1] < 1.1 * sizes[0]


def test_an_entry_keeps_no_log() -> None:
    entry = Entry.of(_failed_run())
    assert entry.failure is not None and entry.failure.log_tail == ""
    assert entry.measured is None and entry.file is not None


def test_a_line_is_a_cell_with_its_weights() -> None:
    first, again = Entry.of(measured()), Entry.of(measured(record_id="f" * 32))
    assert (first.cell, first.line, first.network) == (again.cell, again.line, again.network)
    trained = Weights(origin="3fa2c1d0" * 8, state_sha256="1" * 64)
    other = dataclasses.replace(
        measured(), model=dataclasses.replace(measured().model, weights=trained)
    )
    assert Entry.of(other).cell == first.cell and Entry.of(other).line != first.line
    assert Entry.of(measured(threads=2)).cell != first.cell
    assert Entry.of(measured(threads=2)).network == first.network


def test_an_entry_of_nothing_is_refused() -> None:
    entry = Entry.of(measured())
    with pytest.raises(ValueError, match="of a measurement or of a failure"):
        dataclasses.replace(entry, measured=None)
    with pytest.raises(SchemaError, match="at cell"):
        wire.from_plain(Entry, {**wire.to_plain(entry), "cell": 1})
