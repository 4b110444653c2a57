"""Read tables strictly: separators, numbers and columns, with the line where one is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilebench import interop
from mobilebench.errors import SchemaError
from mobilebench.values.reported import Reported

HEADER = "model,source,latency_ms,threads,top1\n"


def _read(tmp_path: Path, text: str) -> list[Reported]:
    table = tmp_path / "table.csv"
    table.write_text(text, encoding="utf-8")
    return interop.read(table)


@pytest.mark.parametrize(
    "text",
    [
        "model,source,latency_ms\nnet_a,Paper,0.85\n",
        '\ufeff"model","source","latency_ms"\n"net_a","Paper","0.85"\n',
        "\ufeffmodel;source;latency_ms\r\nnet_a;Paper;0,85\r\n",
        "model\tsource\tlatency_ms\nnet_a\tPaper\t0,85\n",
        'Model, Source ,LATENCY_MS\n\nnet_a,Paper,"0,85"\n,,\n',
        "latency_ms|model|source\n8.5e-1|net_a|Paper",
    ],
)
def test_every_separator_quote_and_decimal_comma_is_read(tmp_path: Path, text: str) -> None:
    [result] = _read(tmp_path, text)
    assert (result.model, result.source, result.latency.mean_ns) == ("net_a", "Paper", 850_000)


def test_a_separator_in_quotes_belongs_to_the_text(tmp_path: Path) -> None:
    [result] = _read(tmp_path, 'model,source,latency_ms\nnet_a,"Li et al., 2023",0.85\n')
    assert result.source == "Li et al., 2023"
    [result] = _read(tmp_path, "model\tsource\tlatency_ms\nnet_a\tLi et al., 2023\t0.85\n")
    assert result.source == "Li et al., 2023"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("net_a,Li et al., 2023,0.85,1,70", "there are 6 cells for 5 columns"),
        ("net_a,Paper", "there are 2 cells for 5 columns"),
        ("net_a,Paper,1,2.7,70", "threads is 2.7; give a whole number"),
        ("net_a,Paper,1,0,70", "threads is 0; give a number above 0"),
        ("net_a,Paper,1,2,101", "top1 is 101; give percent"),
        ("net_a,Paper,1,2,-1", "top1 is -1; give percent"),
        ("net_a,Paper,-1,2,70", "latency_ms is -1; give a number above 0"),
        ("net_a,Paper,0,2,70", "latency_ms is 0; give a number above 0"),
        ("net_a,Paper,NaN,2,70", "latency_ms is 'NaN'; give a finite number"),
        ("net_a,Paper,-inf,2,70", "give a finite number"),
        ("net_a,Paper,1e300,2,70", "no such quantity is that large"),
        ("net_a,Paper,1_0,2,70", "give a number"),
        ("net_a,Paper,0.85 ms,2,70", "give a number"),
        ('net_a,Paper,"1,234",2,70', "thousands or for decimals"),
        ('net_a,"Paper,1,2,70', "not CSV"),
        (",Paper,1,2,70", "there is no model"),
        ("net_a,,1,2,70", "there is no source"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_read(
    tmp_path: Path, line: str, sentence: str
) -> None:
    with pytest.raises(SchemaError, match=f"line 3: .*{sentence}"):
        _read(tmp_path, f"{HEADER}good,Paper,1,1,70\n{line}\n")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("model,latency_ms", "lacks source"),
        ("model,source,latency_us", "lacks latency_ms and has latency_us, which is not known"),
        ("model,source,latency_ms,", "has a column without a name"),
    ],
)
def test_wrong_columns_are_named(tmp_path: Path, header: str, sentence: str) -> None:
    with pytest.raises(SchemaError, match=sentence):
        _read(tmp_path, f"{header}\na,b,1\n")


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="line 1: the column latency_ms is there twice"):
        _read(tmp_path, "model,source,latency_ms,latency_ms\na,b,1,2\n")


def test_a_row_over_several_lines_is_named_by_its_last(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="line 4: threads"):
        _read(tmp_path, f'{HEADER}a,"x\ny",1,1,1\nb,c,1,0.5,1\n')
