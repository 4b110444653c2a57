"""Read files as machines leave them: encodings, colours, prefixes, and what is not text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench import interop
from mobilebench.errors import SchemaError
from tests.conftest import Ran

DATA = Path(__file__).parent.parent / "data" / "interop"
LOG = (DATA / "two_runs.txt").read_text()
RESULTS = (DATA / "benchmark_results.json").read_text()


def _prefixed(prefix: str) -> bytes:
    return "".join(prefix + line for line in LOG.splitlines(True)).encode()


@pytest.mark.parametrize(
    "content",
    [
        LOG.encode("utf-16"),
        LOG.encode("utf-16-le"),
        LOG.encode("utf-16-be"),
        LOG.encode("utf-32"),
        LOG.encode("utf-8-sig"),
        LOG.replace("\n", "\r\n").encode(),
        LOG.replace("\n", "\r\r\n").encode(),
        "".join(f"\x1b[32m{line}\x1b[0m\n" for line in LOG.splitlines()).encode(),
        _prefixed("01-01 12:00:00.000  123  123 I tflite: "),
        _prefixed("2024-05-31 10:31:13.022  1000 21767 21767 I tflite  : "),
        _prefixed("05-31 10:31:13.022 I/tflite  (21767): "),
        _prefixed("I/tflite  ( 123): "),
        _prefixed("2024-05-31T10:31:13.0220000Z "),
        LOG.encode() + b"device \xff\xfe left\n",
    ],
    ids=[
        *("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8 with mark", "crlf", "crcrlf"),
        *("colours", "logcat", "logcat with year and uid", "logcat time", "logcat brief", "ci"),
        "stray bytes",
    ],
)
def test_a_log_is_read_from_any_form_of_text(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(content)
    a, b = interop.read(file)
    assert (a.model, a.latency.p50_ns) == ("net_a", 105_718_000)
    assert (b.model, b.latency.p50_ns) == ("net_b", 9_040_000)


def test_a_table_in_a_log_is_read(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    lines = ("model,source,latency_ms", "net_a,Paper,0.85")
    file.write_text("\n".join(f"05-31 10:31:13.022  217  217 I bench: {line}" for line in lines))
    [result] = interop.read(file)
    assert (result.model, result.latency.mean_ns) == ("net_a", 850_000)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(entry) for entry in json.loads(RESULTS)),
        f"$ adb shell cat benchmark_results.json\n{RESULTS}\n1|husky:/ $ exit\n",
        f"\x1b[1m{RESULTS}\x1b[0m",
    ],
    ids=["lines", "shell", "colours"],
)
def test_json_is_read_from_lines_and_a_shell(tmp_path: Path, text: str) -> None:
    file = tmp_path / "results.json"
    file.write_text(text)
    assert [(result.model, result.latency) for result in interop.read(file)] == [
        (result.model, result.latency) for result in interop.read(DATA / "benchmark_results.json")
    ]


@pytest.mark.parametrize(
    "text",
    [
        RESULTS[:-30],
        RESULTS[RESULTS.index("\n", 200) + 1 :],
        "\n".join(json.dumps(entry) for entry in json.loads(RESULTS))[:-20],
        RESULTS + RESULTS[:200],
    ],
    ids=["end missing", "beginning missing", "last line cut", "second document cut"],
)
def test_json_that_was_cut_off_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "results.json"
    file.write_text(text)
    with pytest.raises(SchemaError, match="cut off"):
        interop.read(file, "executorch")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\x1c\0\0\0TFL3" + bytes(range(256)), "is not text"),
        (bytes(range(128, 256)) * 4, "is not text"),
        (LOG.encode("utf-16")[:-1], "cannot be decoded"),
        ("model,source,latency_ms\nnet,Müller,1\n".encode("cp1252"), "not UTF-8"),
        (b"hello", "No reader knows"),
        (b"<html></html>", "No reader knows"),
        (b"[]", "No reader knows"),
        (b'{"a": 1}', "No reader knows"),
        (b"\x1b[31m\x1b[0m", "No reader knows|is empty"),
    ],
)
def test_anything_else_is_one_sentence(
    mobilebench: Callable[..., Ran], tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(SchemaError, match=sentence):
        interop.read(file)


def test_an_unknown_file_is_answered_with_what_each_reader_reads(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "x.txt").write_text("hello")
    done = mobilebench("import", "x.txt")
    assert done.code == 2 and "is not JSON" not in done.stderr
    answer = " ".join(done.stderr.split())
    for name, reader in interop.READERS.items():
        assert f"{name} ({reader.reads})" in answer
    assert not (tmp_path / "records.sqlite").exists()


def test_a_record_that_quotes_a_log_is_a_record(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"schema_version": 1, "record_id": "1", "log_tail": LOG}))
    assert interop.is_record(record)
    record.write_text('{"schema_version": 1, "model')
    assert interop.is_record(record)
    assert not interop.is_record(DATA / "two_runs.txt")
    assert not interop.is_record(tmp_path / "none.json")


def test_one_wrong_file_keeps_those_beside_it_out(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "wrong.csv").write_text("model,source,latency_ms\na,b,1\na,b\n")
    done = mobilebench("import", DATA / "two_runs.txt", "wrong.csv")
    assert done.code == 2 and "line 3" in done.stderr
    assert not (tmp_path / "records.sqlite").exists()
