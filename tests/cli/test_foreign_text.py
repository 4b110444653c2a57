"""Nasty text in every field of a record stays text in every output of the program."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mobilebench.cli import output
from mobilebench.errors import UserError
from mobilebench.leaderboard import Row, elsewhere, exchange, rank, text
from mobilebench.leaderboard.bibtex import bibliography
from mobilebench.leaderboard.paper import as_paper
from mobilebench.leaderboard.table import as_table
from mobilebench.pages.board import as_page
from mobilebench.regress import check
from mobilebench.regress.annotations import as_annotations
from mobilebench.regress.junit import as_junit
from mobilebench.regress.markdown import as_markdown
from mobilebench.regress.review import Fault, Review
from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.measurement import Failure, Stage
from mobilebench.values.record import Record
from mobilebench.values.reported import Latency, Reported
from tests.conftest import Ran
from tests.records import failed_export, measured, runs

Program = Callable[..., Ran]
NASTY = (
    "=1+1\x1b[31m\x00\x9b\x7f\u202e\u2066\u200b\u2028\r\n::error::owned%0A::error::two ##[error]x\n"
    "| `code` <script>alert(1)</script> &amp; \\input{x}_$%#~^ *b* [red]markup[/] \ufeff\uffff"
)
FENCE = "`" * 3
FORMULA = ("=", "+", "-", "@")


def nasty(part: Any, changed: list[str], place: str = "") -> Any:
    """Return a value with nasty text in every text that it accepts there, at whatever depth."""
    if isinstance(part, str) and not isinstance(part, Enum):
        return f"{NASTY} {part}"
    if isinstance(part, tuple):
        return tuple(nasty(inner, changed, place) for inner in part)
    if isinstance(part, dict):
        return {f"{NASTY} {k}": nasty(inner, changed, place) for k, inner in part.items()}
    if not dataclasses.is_dataclass(part) or isinstance(part, type):
        return part
    for field in dataclasses.fields(part):
        if str(field.type).startswith("Literal"):  # a choice, which nothing else may be
            continue
        new = nasty(getattr(part, field.name), changed, f"{place}.{field.name}")
        if new == getattr(part, field.name):
            continue
        try:
            part = dataclasses.replace(part, **{field.name: new})
            changed.append(f"{place}.{field.name}".lstrip("."))
        except (ValueError, UserError):  # an id, a date or a digest, which takes no such text
            continue
    return part


def _records() -> tuple[list[Record], list[str]]:
    changed: list[str] = []
    failed = dataclasses.replace(
        failed_export(target="opset18"),
        outcome=Failure(stage=Stage.EXPORT, error="E", message="m", log_tail="l", advice="a"),
    )
    records = [nasty(record, changed) for record in (measured(), failed)]
    return records, changed


REPORTED = Reported(
    report_id="a",
    source="s",
    file="f",
    model="m",
    format="f",
    precision="p",
    runtime="r",
    delegate="d",
    compute_unit="c",
    device="d",
    os="o",
    date="d",
    latency=Latency(p50_ns=350.0),
    remarks=("r", "s"),
)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    records, changed = _records()
    for name in ("model.name", "device.id", "device.model", "outcome.message", "job.protocol.id"):
        assert name in changed, "the walk reaches what is shown"
    assert len(set(changed)) > 40
    return rank(records)


@pytest.fixture(scope="module")
def reported() -> list[Reported]:
    changed: list[str] = []
    result: Reported = nasty(REPORTED, changed)
    assert len(set(changed)) > 10
    return [result]


def _clean(shown: str) -> None:
    """Hold that nothing hidden is in a text, except for the ends of its lines."""
    hidden = {
        f"{ord(character):x}"
        for character in shown
        if character != "\n"
        and (
            unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
            or character == "\uffff"
        )
    }
    assert hidden == set()


def _clean_log(shown: str) -> None:
    _clean(shown)
    assert not [line for line in shown.splitlines() if line.lstrip().startswith("::")]
    assert "##[" not in shown


def _printed(*parts: Any, width: int = 100) -> str:
    from mobilebench.cli.console import SafeConsole

    console = SafeConsole(width=width, file=io.StringIO(), force_terminal=False)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 100, 400])
def test_a_terminal(rows: list[Row], reported: list[Reported], width: int) -> None:
    _clean_log(_printed(as_table(rows, width), elsewhere.as_table(reported), width=width))


def test_a_console_is_safe_whatever_is_printed_on_it() -> None:
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column(escape(NASTY))
    table.add_row(escape(NASTY))
    _clean_log(_printed(table, Text(NASTY), escape(NASTY)))
    unsafe = Console(width=100, file=io.StringIO())
    unsafe.print(Text(NASTY))
    assert "\x1b" in unsafe.file.getvalue(), "rich alone would pass it"  # type: ignore[attr-defined]


def test_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    output.tell(NASTY)
    output.complain(NASTY, f"log\n{NASTY}")
    output.show_line(NASTY)
    table = output.columns("name")
    table.add_row(NASTY)
    output.show_plain(table)
    shown = capsys.readouterr()
    _clean_log(shown.out)
    _clean_log(shown.err)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts = 0
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.scripts += tag == "script" and not attrs
        self.attributes |= {name for name, _ in attrs}


def test_the_page(rows: list[Row], reported: list[Reported]) -> None:
    page = as_page(rows, reported)
    _clean(page)
    nasty_page, plain_page = _Tags(), _Tags()
    nasty_page.feed(page)
    records = [measured(), failed_export(target="opset18")]
    plain_page.feed(as_page(rank(records), [REPORTED]))
    ours = set(plain_page.tags)
    assert set(nasty_page.tags) <= ours and nasty_page.scripts == plain_page.scripts
    assert nasty_page.attributes <= plain_page.attributes
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_markdown(rows: list[Row], reported: list[Reported]) -> None:
    for table in (text.as_markdown(rows), elsewhere.as_markdown(reported)):
        _clean(table)
        assert "<script" not in table
        lines = [line for line in table.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines}) == 1
        assert not re.search(r"(?<!\\)(?:\\\\)*[`*\[]", table)


def test_latex(rows: list[Row], reported: list[Reported]) -> None:
    records, _ = _records()
    models = [record.model for record in records]
    cited = bibliography(models, {})
    document = as_paper(rows, records, reported, standalone=True, bibliography=cited)
    _clean(document)
    ours = as_paper(
        rank([measured(), failed_export(target="opset18")]),
        [measured(), failed_export(target="opset18")],
        [REPORTED],
        standalone=True,
    )
    commands = set(re.findall(r"\\([a-zA-Z]+)", document))
    known = set(re.findall(r"\\([a-zA-Z]+)", ours))
    assert commands - known <= {
        "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar",
        "mu", "ldots", "resizebox", "textsuperscript", "linewidth", "scriptsize",
    }  # fmt: skip
    bare = re.sub(r"\\[a-zA-Z]+|\\.", "", document)
    lines = [line.removesuffix("{%") for line in bare.splitlines() if not line.startswith("% ")]
    assert not set("".join(lines).replace("$$", "")) & set("%#_$^")
    body = [line for line in document.splitlines() if line.endswith(r" \\")]
    counts = {line.count(" & ") for line in body}
    assert len(counts) == 2, "as many cells in every row of a table as in its head"
    bibtex = cited.as_bibtex()
    _clean(bibtex)
    assert bibtex.count("@") == len(cited.cited)


def test_csv(rows: list[Row]) -> None:
    document = text.as_csv(rows)
    _clean(document)
    [head, *lines] = csv.reader(io.StringIO(document))
    assert len(lines) == len(rows)
    for line in lines:
        for name, cell in zip(head, line, strict=True):
            assert not cell.lstrip().startswith(FORMULA), (name, cell)


def test_formats_of_other_tools(rows: list[Row]) -> None:
    for document in (
        text.as_json(rows),
        exchange.as_github_benchmark(rows),
        exchange.as_bencher(rows),
    ):
        _clean(document)
    [entry] = json.loads(exchange.as_github_benchmark(rows))
    _clean(entry["name"])
    [name] = json.loads(exchange.as_bencher(rows))
    _clean(name)


def _report() -> Any:
    before = [nasty(record, []) for record in runs([10] * 8, seed=1)]
    after = [nasty(record, []) for record in runs([13] * 8, seed=2)]
    other = nasty(measured(record_id="u", threads=2), [])
    return check([*before, other], after)


def test_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from mobilebench.cli.check import show_review

    report = _report()
    log = f"line\n{FENCE}\n{NASTY}"
    faults = (Fault(subject=NASTY, message=NASTY, advice=NASTY, log_tail=log),)
    review = Review(baseline=NASTY, candidate=NASTY, rule=report.rule, report=report)
    assert report.unmatched and any(c.verdict == "regressed" for c in report.comparisons)
    xml = as_junit(review)
    _clean(xml)
    assert len(list(ET.fromstring(xml).iter("testcase"))) == len(report.comparisons) + 1
    markdown = as_markdown(review)
    _clean(markdown)
    assert "<script" not in markdown and not re.search(r"(?<!\\)(?:\\\\)*`", markdown)
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines} == {6, 9}
    commands = as_annotations(review).splitlines()
    assert all(re.match(r"::(error|warning|notice) title=mobilebench", line) for line in commands)
    assert not [line for line in commands if "%0A" in line or "\x1b" in line]
    broken = dataclasses.replace(review, report=None, broken=faults, missing=faults, refusal=NASTY)
    for document in (as_junit(broken), as_markdown(broken), as_annotations(broken)):
        _clean(document)
    assert as_markdown(broken).count(f"\n{FENCE}`\n") == 2, "the fence is longer than the log's"
    show_review(review, github=True)
    shown = capsys.readouterr()
    _clean_log(shown.out)
    others = [line for line in shown.err.splitlines() if line not in commands]
    _clean_log("\n".join(others))
    assert len(others) < len(shown.err.splitlines()), "the commands themselves are printed raw"


def test_the_program(mobilebench: Program, tmp_path: Path) -> None:
    """Imports nasty records and shows them, as a user does; also names of files."""
    records, _ = _records()
    source = tmp_path / "r\x1b[31m\n::error::x.json"
    source.write_text(json.dumps([wire.to_plain(record) for record in records]))
    assert mobilebench("import", source).code == 0
    for arguments in (("leaderboard",), ("history", source), ("store", "check")):
        done = mobilebench(*arguments)
        assert done.code == 0, done.stderr
        _clean_log(done.stdout)
        _clean_log(done.stderr)
    missing = "no\x1b[31m\n::error::x"
    for arguments in (
        ("import", missing),
        ("export", missing),
        ("leaderboard", "--store", f"{missing}/"),
        ("leaderboard", "--as", missing),
        (missing,),
        ("check", "--baseline", missing, "--candidate", source),
    ):
        done = mobilebench(*arguments)
        assert done.code == 2, arguments
        _clean_log(done.stdout)
        _clean_log(done.stderr)


def _each_text(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from _each_text(inner)


def test_a_store_keeps_the_text_as_it_is(tmp_path: Path) -> None:
    records, _ = _records()
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add_all(records)
        assert store.find() == sorted(records, key=lambda record: record.created)
        assert store.problems() == (2, [])
    texts = list(_each_text(wire.to_plain(records[0])))
    assert any("\x1b" in each for each in texts), "only what is shown is escaped"
