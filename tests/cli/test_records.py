"""Write records as tables by the program, for data frames and spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from mobilebench.store import RecordStore
from tests.conftest import Ran
from tests.leaderboard.test_groups import A, B, C
from tests.records import failed_export, measured


def test_records_of_the_store_are_a_table(mobilebench: Callable[..., Ran], tmp_path: Path) -> None:
    formula = measured(model="=1+1", record_id="f" * 32)
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add_all([A, B, failed_export(), formula])
    done = mobilebench("records")
    assert done.code == 0, done.stderr
    lines = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {line["model"] for line in lines} == {"a", "b", "mobilevig_ti", "'=1+1"}
    assert {line["p50_ms"] for line in lines if line["outcome"] == "failure"} == {""}
    chosen = mobilebench("records", "store:model=a", "--samples")
    assert len(list(csv.reader(io.StringIO(chosen.stdout)))) == 1 + 15
    for words in ((), ("--samples",)):
        done = mobilebench("records", "--as", "parquet", "--out", "t.parquet", *words)
        assert done.code == 0, done.stderr
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert len(frame) == 15 + 15 + 4 and frame["latency_ns"].min() == 9_990_000


def test_what_cannot_be_written_is_one_sentence(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    for words, sentence in (
        (("records",), "There is no store"),
        (("records", "--as", "parquet"), "A Parquet file is no text; name a file"),
        (("records", "nothing.json"), "nothing.json"),
        (("records", "store:colour=red"), "colour"),
    ):
        done = mobilebench(*words)
        assert done.code == 2 and sentence in done.stderr and done.stdout == "", done.stderr
        assert list(tmp_path.glob("*.parquet")) == []
        with RecordStore(tmp_path / "records.sqlite") as store:
            store.add(A)


def test_a_filter_keeps_the_ranks_of_the_whole_group(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add_all([A, B, C])
    done = mobilebench("leaderboard", "--model", "c", "--as", "csv", "--columns", "model,rank")
    assert done.code == 0, done.stderr
    [line] = csv.DictReader(io.StringIO(done.stdout))
    assert (line["model"], line["rank"], line["tied"]) == ("c", "3", "False")
