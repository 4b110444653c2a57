"""Keep filters, order and columns in a link, and read them back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobilebench.errors import UserError
from mobilebench.leaderboard import rank
from mobilebench.leaderboard.view import FILTERS, View, choices
from tests.leaderboard.test_groups import A, B, C, rounds
from tests.records import failed_export

ROWS = rank([A, B, C, rounds("d", [11.0, 11.1], threads=2), failed_export(target="opset18")])


@pytest.mark.parametrize(
    "view",
    [
        View(),
        View.of({"precision": ["int8", "fp32"], "model": ["a & b=c", "é ü"]}),
        View(words=("pixel", "8")),
        View(sort="top1", worst_first=True),
        View.of({"status": ["valid"]}, sort="p50", columns=("model", "p50"), data="val"),
    ],
)
def test_a_link_keeps_the_view(view: View) -> None:
    assert View.parse(view.query) == view
    assert View.parse(f"?{view.query}") == view


def test_the_same_view_has_one_link() -> None:
    one, other = View.parse("threads=2&model=b&model=a"), View.parse("model=a&model=b&threads=2")
    assert one == other and one.query == "model=a&model=b&threads=2"
    assert View().query == ""


def test_rows_meet_every_filter_and_keep_their_ranks() -> None:
    shown = View.parse("model=b&model=c").rows(ROWS)
    assert [(row.model, row.place) for row in shown] == [("b", "1="), ("c", "3")]
    assert [row.model for row in View.parse("threads=2").rows(ROWS)] == ["d"]
    assert View.parse("model=a&threads=2").rows(ROWS) == []
    assert [row.status for row in View.parse("status=failed").rows(ROWS)] == ["failed"]


def test_a_runtime_is_met_by_its_name_and_by_its_version() -> None:
    for query in ("runtime=onnxruntime", "runtime=onnxruntime+1.0"):
        assert len(View.parse(query).rows(ROWS)) == 4
    assert View.parse("runtime=onnx").rows(ROWS) == []


def test_a_network_is_met_at_every_image_size() -> None:
    rows = rank([A, rounds("a", [12.0, 12.1], resolution=256), B])
    assert {row.model for row in View.parse("model=a").rows(rows)} == {"a", "a@256"}
    assert [row.model for row in View.parse("model=a%40256").rows(rows)] == ["a@256"]


def test_words_are_met_in_any_order_and_case() -> None:
    assert [row.model for row in View.parse("q=BURST-1+made-UP+c").rows(ROWS)].count("c") == 1
    assert View.parse("q=nowhere").rows(ROWS) == []


def test_rows_are_sorted_within_their_group_either_way() -> None:
    best = [row.model for row in View.parse("sort=p50&threads=1").rows(ROWS)]
    assert best == ["a", "b", "c"]
    worst = [row.model for row in View.parse("sort=-p50&threads=1").rows(ROWS)]
    assert worst == ["c", "b", "a"]
    assert [row.model for row in View.parse("sort=-model&threads=1").rows(ROWS)] == worst


def test_what_is_not_known_stays_last_either_way() -> None:
    unknown = replace(ROWS[0], top1_low=None, measured_top1=None)
    rows = [unknown, *(replace(ROWS[at], measured_top1=70.0 + 10 * (at - 1)) for at in (1, 2))]
    for query, expected in (("sort=top1", [80.0, 70.0, None]), ("sort=-top1", [70.0, 80.0, None])):
        assert [row.measured_top1 for row in View.parse(query).rows(rows)] == expected


def test_a_view_changes_in_one_thing() -> None:
    view = View.of({"model": ["a"]}, sort="p50")
    assert view.filtered("model", ()).query == "sort=p50"
    assert view.filtered("threads", ["2"]).chosen("threads") == ("2",)
    assert view.sorted("p50").worst_first and not view.sorted("p50").sorted("p50").worst_first
    assert view.sorted("size") == replace(view, sort="size")


def test_choices_are_what_tells_rows_apart() -> None:
    offered = choices(ROWS)
    assert offered["model"] == {"a": 1, "b": 1, "c": 1, "d": 1, "mobilevig_ti": 1}
    assert offered["threads"] == {"1": 3, "2": 1}
    assert "device-model" not in offered and "group" not in offered


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("colour=red", "colour"),
        ("sort=speed", "There is no column 'speed'"),
        ("columns=model,speed", "There is no column 'speed'"),
        ("sort=p50&sort=p90", "The link has sort twice"),
        ("&".join(["model=a"] * 300), "more than 200 parameters"),
    ],
)
def test_a_wrong_link_is_one_sentence(query: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        View.parse(query)


def test_parameters_of_a_page_are_no_part_of_the_view() -> None:
    assert View.parse("after=abc&model=a", also=("after",)) == View.of({"model": ["a"]})


def test_every_filter_is_a_field_of_rows() -> None:
    for field in FILTERS.values():
        assert hasattr(ROWS[0], field)
