"""Choose columns by name, in every form that has columns, and name models."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from mobilebench.errors import UserError
from mobilebench.leaderboard import rank
from mobilebench.leaderboard.columns import COLUMNS, NAMES, by_importance, named, offered
from mobilebench.leaderboard.groups import groups
from mobilebench.leaderboard.naming import Naming
from mobilebench.leaderboard.notes import notes
from mobilebench.leaderboard.rows import Row
from mobilebench.leaderboard.table import as_table
from mobilebench.leaderboard.text import as_csv, as_json, as_markdown
from mobilebench.pages.board import as_page
from mobilebench.results.spread import spread
from mobilebench.store import RecordStore
from mobilebench.values.measurement import ComputeUnit, Measurement, Phase, Samples
from mobilebench.values.protocol import protocol
from mobilebench.values.record import Record
from mobilebench.values.reported import Latency, Reported
from tests.conftest import Ran
from tests.records import failed_export, judged, measured

WORDS = "model,params,macs,protocol,p50,spread"


def _rounds(medians_ms: Sequence[float], protocol_id: str = "burst-1") -> Record:
    """Return a record with three samples around each round's median."""
    record = measured(protocol_id=protocol_id)
    assert isinstance(record.outcome, Measurement)
    around = [round(1e6 * median * part) for median in medians_ms for part in (0.99, 1, 1.01)]
    several = record.job is not None and record.job.protocol.rounds > 1
    rounds = tuple(place // 3 if several else 0 for place in range(len(around)))
    samples = Samples(
        t_ns=tuple(place * 10**9 for place in range(len(around))),
        latency_ns=tuple(around),
        phase=(Phase.MEASURED,) * len(around),
        round=rounds,
    )
    return replace(record, outcome=replace(record.outcome, samples=samples))


def _shown(rows: list[Row], width: int, words: str | None = None) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(as_table(rows, width, None if words is None else named(words)))
    return console.export_text()


def test_the_spread_of_five_rounds_is_their_range_at_94_percent() -> None:
    [row] = rank([_rounds([11.0, 10.0, 12.0, 10.5, 13.0])])
    assert (row.spread_low_ms, row.spread_high_ms) == (10.0, 13.0)
    assert row.spread_kind == "94% interval of the median round, from 5 rounds"
    assert "burst-1, p50 spread: 94% interval of the median round" in " ".join(notes([row], NAMES))
    assert "10.0 to 13.0 ms" in as_markdown([row])


def test_the_spread_of_twenty_rounds_leaves_out_their_ends() -> None:
    """The sixth and the fifteenth of twenty hold the median in 95.9 of 100 cases."""
    latencies = tuple((1 + round_) * 1_000_000 for round_ in range(20) for _ in range(3))
    samples = Samples(
        t_ns=tuple(range(0, 60 * 10**8, 10**8)),
        latency_ns=latencies,
        phase=(Phase.MEASURED,) * 60,
        round=tuple(round_ for round_ in range(20) for _ in range(3)),
    )
    interval = spread(protocol("modelbench-1"), samples)
    assert interval is not None
    assert (interval.low_ns, interval.high_ns) == (6_000_000, 15_000_000)
    assert interval.kind == "96% interval of the median round, from 20 rounds"


def test_a_spread_is_not_claimed_where_there_is_none() -> None:
    [one] = rank([_rounds([11.0])])
    assert one.spread_kind is None and one.spread_low_ms is None
    [single] = rank([_rounds([11.0, 12.0], "mlperf-ss-1")])
    assert single.spread_kind is None, "one round, and no windows"


def test_windows_of_a_long_round_have_a_range_and_no_confidence() -> None:
    [row] = rank([_rounds([10.0, 11.0, 14.0, 12.0], "sustained-1")])
    assert row.spread_kind is not None and "range of the medians of 3 windows of 5.00 s" in (
        row.spread_kind
    )
    assert "%" not in row.spread_kind


def test_columns_are_in_every_form_in_the_order_given() -> None:
    rows = rank([_rounds([11.0, 10.0, 12.0])])
    titles = ["model", "params", "MACs", "protocol", "p50", "p50 spread"]
    head = as_markdown(rows, named(WORDS)).splitlines()[2]
    assert [cell.strip() for cell in head.split("|")[1:-1]] == ["#", *titles]
    table = _shown(rows, 200, WORDS).splitlines()[1]
    assert re.sub(r"\s+", " ", table).strip() == " ".join(["#", *titles])
    page = as_page(rows, (), named(WORDS))
    shown = re.findall(r'<th scope="col" role="columnheader" data-name.*?>([^<]*)</th>', page)
    assert shown == titles[:-1], "the spread stands small in the cell of the median"
    assert '<small title="p50 spread">10.0 to 12.0 ms</small>' in page
    [line] = csv.DictReader(io.StringIO(as_csv(rows, named(WORDS))))
    assert list(line)[:5] == ["model", "params", "macs", "protocol", "p50_ms"]
    assert {"device", "device_model", "compute_unit", "marks", "failure"} < set(line)
    assert "runtime" not in line and (line["params"], line["macs"]) == ("5271074", "662142336")
    assert json.loads(as_json(rows, named(WORDS)))[0].keys() == line.keys()


def test_every_column_can_be_shown_and_leaves_a_terminal_in_some_order() -> None:
    rows = rank([measured()], [judged(measured(), 90)])
    assert len(set(NAMES)) == len(NAMES)
    for name in NAMES:
        assert named(name)[0].title in as_markdown(rows, named(name))
    always = {"model", "artifact", "p50"}
    order = {column.name for column in by_importance(COLUMNS)}
    assert {column.name for column in offered(rows)} <= order | always


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "model,latency",
            "There is no column 'latency'; there are: rank, model, artifact, .*macs",
        ),
        ("model,,p50", "There is no column ''"),
        ("", "There is no column ''"),
        ("p50,p50", "p50 is named twice"),
    ],
)
def test_a_wrong_list_of_columns_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        named(text)


def test_the_program_takes_columns_or_refuses_them(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add(measured())
    for shape in ("table", "markdown", "csv", "json", "html", "latex"):
        done = mobilebench("leaderboard", "--as", shape, "--columns", "model,macs,p50")
        assert done.code == 0, done.stderr
        assert ("662142336" if shape in ("csv", "json") else "662 M") in done.stdout
        # What people read says under which conditions the rows of a group were measured.
        assert shape not in ("csv", "json") or "onnxruntime" not in done.stdout, shape
    for shape in ("bencher", "github-action-benchmark"):
        done = mobilebench("leaderboard", "--as", shape, "--columns", "model")
        assert done.code == 2 and "--columns was given" in done.stderr
    done = mobilebench("leaderboard", "--columns", "model,speed")
    assert done.code == 2 and "spread, min, p90" in done.stderr and done.stdout == ""
    done = mobilebench("leaderboard", "--sort", "speed")
    assert done.code == 2 and "There is no column 'speed'" in done.stderr


@pytest.mark.parametrize("width", [60, 80, 100, 140, 160])
def test_model_artifact_and_median_survive_and_the_rest_is_named(width: int) -> None:
    record = _rounds([11.0, 10.0, 12.0])
    rows = rank([record], [judged(record, 90)])
    shown = _shown(rows, width)
    assert max(map(len, shown.splitlines())) <= width
    head = shown.splitlines()[1]
    for word in ("mobilevig_ti", "onnx-fp32-opset20", "11.0 ms"):
        assert word in shown
    said = " ".join(shown.split()).partition("left out: ")[2].partition(";")[0].split(", ")
    for column in offered(rows):
        assert (column.title in head) != (column.title in said), column.title


def test_named_columns_that_do_not_fit_are_said_too() -> None:
    rows = rank([measured()])
    shown = _shown(rows, 60, "runtime,device-model,protocol,macs,params,model,artifact,p50")
    head = shown.splitlines()[1]
    assert "model" in head and "artifact" in head and "p50" in head
    assert "left out: " in shown and max(map(len, shown.splitlines())) <= 60


def test_what_must_not_be_ranked_together_is_in_sections() -> None:
    first = measured()
    assert first.job is not None
    gpu = replace(first, job=replace(first.job, compute_unit=ComputeUnit.GPU), record_id="g")
    burst = measured(record_id="d" * 32, protocol_id="burst-1", latencies_ns=[1, 2_000_000])
    other = replace(first, device=replace(first.device, model="Other"), record_id="o")
    rows = rank([first, gpu, burst, other, failed_export(target="opset18")])
    parts = groups(rows)
    assert [part.heading for part in parts] == [
        "Made-up phone (ios:0000, cpu), protocol burst-1",
        "Made-up phone (ios:0000, cpu), protocol smoke-1",
        "Made-up phone (ios:0000, gpu), protocol smoke-1",
        "Other (ios:0000, cpu), protocol smoke-1",
        "Failed exports",
    ]
    assert [number for part in parts for number, _ in part.rows] == [1, 2, 3, 4, 5]
    for shown in (as_markdown(rows), as_page(rows), _shown(rows, 100)):
        places = [shown.replace("<wbr>", "").index(part.heading) for part in parts]
        assert places == sorted(places)


@pytest.mark.slow
def test_a_model_has_the_authors_name_in_every_form(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    result = Reported(
        report_id="r", source="a paper", file="x.csv", model="theirs", latency=Latency(mean_ns=5e6)
    )
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add_all([measured(), measured(record_id="e" * 32, resolution=256)], [result])
    names = ("--name", "mobilevig_ti=Mobile ViG & Co", "--name", "theirs=Their net")
    for shape in ("table", "markdown", "csv", "json", "html", "latex", "bencher",
                  "github-action-benchmark"):  # fmt: skip
        done = mobilebench("leaderboard", "--as", shape, *names)
        assert done.code == 0, done.stderr
        assert re.search(r"Mobile ViG (&|&amp;|\\&) Co", done.stdout), shape
        assert "Co@256" in done.stdout, "the size stays"
        assert not re.search(r"mobilevig\\?_ti", done.stdout), shape
        if shape in ("table", "markdown", "html", "latex"):
            assert "Their net" in done.stdout
    for name, sentence in (
        ("resnet=R", "There is no model 'resnet' to name; there are: mobilevig_ti"),
        ("mobilevig_ti", "write MODEL=TEXT"),
        ("mobilevig_ti= ", "write MODEL=TEXT"),
        ("mobilevig_ti=theirs", "would both be shown as 'theirs'"),
    ):
        done = mobilebench("leaderboard", "--name", name)
        assert done.code == 2 and sentence in done.stderr and done.stdout == "", done.stderr
    twice = mobilebench("leaderboard", "--name", "theirs=a", "--name", "theirs=b")
    assert twice.code == 2 and "--name names theirs twice" in twice.stderr


def test_one_size_can_have_its_own_name() -> None:
    titles = ["net", "net@256", "other"]
    naming = Naming.of({"net": "N", "net@256": "N large"}, titles)
    assert [naming.shown(title) for title in titles] == ["N", "N large", "other"]


def test_a_name_is_that_of_every_width_too() -> None:
    titles = ["net", "net w0.5", "net@256 w1-0.75-0.5-0.5", "a width"]
    naming = Naming.of({"net": "N"}, titles)
    shown = [naming.shown(title) for title in titles]
    assert shown == ["N", "N w0.5", "N@256 w1-0.75-0.5-0.5", "a width"]
