"""Lay records out as tables that pandas, polars and spreadsheets read without a guess."""

from __future__ import annotations

import csv
import dataclasses
import io
import subprocess
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from pyarrow import parquet

import mobilebench
from mobilebench.errors import NoRecords, UserError
from mobilebench.leaderboard import rank
from mobilebench.results import tidy
from mobilebench.results.tidy import RECORD_FIELDS, SAMPLE_FIELDS, Kind
from mobilebench.store import RecordStore
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record
from tests.leaderboard.test_groups import A
from tests.records import failed_export, measured, sustained

RECORDS = [A, measured(), sustained([10.0] * 5 + [14.0] * 25, record_id="l"), failed_export()]
TABLE = tidy.of_records(RECORDS)


def test_every_record_is_a_row_with_every_column() -> None:
    assert len(TABLE) == len(RECORDS)
    assert list(TABLE.columns) == [field.name for field in RECORD_FIELDS]
    assert TABLE.columns["record_id"] == [record.record_id for record in RECORDS]
    assert TABLE.columns["outcome"] == ["measurement"] * 3 + ["failure"]
    known = {name for name, cells in TABLE.columns.items() if any(c is not None for c in cells)}
    assert {"p50_ms", "spread_low_ms", "change", "frames", "error", "source_commit"} - known == {
        "source_commit"
    }


def test_the_numbers_are_those_of_the_leaderboard() -> None:
    rows = {row.record_id: row for row in rank(RECORDS)}
    assert len(rows) == 3, "a failed export is left out where the recipe was measured"
    for index, record_id in enumerate(TABLE.columns["record_id"][:3]):
        row = rows[str(record_id)]
        for name in ("p50_ms", "p90_ms", "p99_ms", "min_ms", "spread_low_ms", "change", "macs"):
            assert TABLE.columns[name][index] == getattr(row, name)


def test_pandas_knows_the_type_of_every_column() -> None:
    frame = TABLE.pandas()
    types = {
        Kind.TEXT: pd.api.types.is_string_dtype,
        Kind.WHOLE: pd.api.types.is_integer_dtype,
        Kind.NUMBER: pd.api.types.is_float_dtype,
        Kind.FLAG: pd.api.types.is_bool_dtype,
        Kind.TIME: pd.api.types.is_datetime64_any_dtype,
    }
    for field in RECORD_FIELDS:
        assert types[field.kind](frame[field.name]), field.name
    assert frame["p50_ms"].isna().tolist() == [False, False, False, True]
    assert frame["params"].sum() == 4 * 5_271_074
    assert frame["created"].min() == pd.Timestamp("2026-01-02T03:04:05.678Z")


def test_polars_and_parquet_have_the_same_table(tmp_path: Path) -> None:
    frame = TABLE.polars()
    types = {
        Kind.TEXT: pl.String,
        Kind.WHOLE: pl.Int64,
        Kind.NUMBER: pl.Float64,
        Kind.FLAG: pl.Boolean,
        Kind.TIME: pl.Datetime("ns", "UTC"),
    }
    assert frame.schema == {field.name: types[field.kind] for field in RECORD_FIELDS}
    (tmp_path / "records.parquet").write_bytes(TABLE.parquet())
    assert pl.read_parquet(tmp_path / "records.parquet").equals(frame)
    assert parquet.read_table(tmp_path / "records.parquet").equals(TABLE.arrow())
    assert pd.read_parquet(tmp_path / "records.parquet")["p50_ms"].count() == 3


@pytest.mark.parametrize("records", [[], [failed_export()]])
def test_columns_have_their_types_where_nothing_is_known(records: list[Record]) -> None:
    table = tidy.of_records(records)
    assert table.polars().schema == TABLE.polars().schema
    assert list(table.pandas().dtypes) == list(TABLE.pandas().dtypes)
    assert table.arrow().schema == TABLE.arrow().schema


def test_csv_is_read_back_as_it_was() -> None:
    frame = pd.read_csv(io.StringIO(TABLE.csv()))
    assert frame["p50_ms"].tolist()[:3] == TABLE.columns["p50_ms"][:3]
    lines = list(csv.reader(io.StringIO(TABLE.csv())))
    assert lines[0] == [field.name for field in RECORD_FIELDS] and len(lines) == 5


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_formula_in_a_name_is_text_in_a_spreadsheet(start: str) -> None:
    [line] = csv.DictReader(io.StringIO(tidy.of_records([measured(model=f"{start}1+1")]).csv()))
    assert line["model"] == f"'{start}1+1"
    assert tidy.of_records([measured(model=f"{start}1+1")]).columns["model"] == [f"{start}1+1"]


def test_every_sample_is_a_row_and_warm_up_is_marked() -> None:
    table = tidy.of_samples(RECORDS)
    outcomes = [record.outcome for record in RECORDS]
    counts = [len(each.samples.t_ns) for each in outcomes if isinstance(each, Measurement)]
    assert len(table) == sum(counts)
    frame = table.pandas()
    assert list(frame.columns) == [field.name for field in SAMPLE_FIELDS]
    medians = frame[frame["phase"] == "measured"].groupby("record_id")["latency_ns"].median() / 1e6
    shown = TABLE.pandas().set_index("record_id")["p50_ms"].dropna()
    pd.testing.assert_series_equal(
        medians.sort_index(), shown.sort_index(), check_names=False, check_dtype=False
    )


def test_one_call_takes_records_a_file_a_store_and_conditions(tmp_path: Path) -> None:
    place = tmp_path / "lab.sqlite"
    with RecordStore(place) as store:
        store.add_all(RECORDS)
        assert len(mobilebench.records(store)) == 4
    assert len(mobilebench.records(store=place)) == 4
    assert len(mobilebench.records("store:protocol=burst-1", store=place)) == 1
    assert len(mobilebench.records(iter(RECORDS), samples=True)) > 1800
    with pytest.raises(NoRecords, match="holds no records"):
        mobilebench.records("store:model=other", store=place)
    with RecordStore(tmp_path / "empty.sqlite") as store, pytest.raises(NoRecords):
        mobilebench.records(store)


def test_records_of_a_cell_that_a_newer_one_replaces_are_there() -> None:
    newer = dataclasses.replace(A, record_id="newer", created="2027-01-01T00:00:00.000Z")
    assert len(rank([A, newer])) == 1 and len(tidy.of_records([A, newer])) == 2


@pytest.mark.parametrize(("module", "call"), [("pandas", "pandas"), ("pyarrow", "parquet")])
def test_without_the_packages_the_extra_is_named(module: str, call: str) -> None:
    script = (
        f"import sys\nsys.modules[{module!r}] = None\n"
        "from mobilebench.errors import MissingToolkit\nfrom mobilebench.results import tidy\n"
        f"try: tidy.of_records([]).{call}()\n"
        "except MissingToolkit as error: sys.stdout.write(str(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    assert "pip install 'mobilebench[analysis]'" in done.stdout and module in done.stdout


def test_a_wrong_condition_is_one_sentence(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "lab.sqlite"):
        pass
    with pytest.raises(UserError, match="condition"):
        mobilebench.records("store:colour=red", store=tmp_path / "lab.sqlite")


def test_the_documentation_lists_every_column() -> None:
    page = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text(encoding="utf-8")
    for fields in (RECORD_FIELDS, SAMPLE_FIELDS):
        lines = [f"| `{each.name}` | {each.kind.value} | {each.about} |" for each in fields]
        assert "\n".join(lines) in page
