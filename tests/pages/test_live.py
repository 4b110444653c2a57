"""The pages of a server: what each address answers."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from mobilebench.leaderboard.view import View
from mobilebench.pages.live import answer
from mobilebench.pages.stored import StoredPages
from mobilebench.store import RecordStore
from tests.pages.examples import PHONE
from tests.records import judged, measured
from tests.store.damage import change


def _text(source: StoredPages, path: str, query: str = "") -> str:
    reply = answer(source, path, query)
    assert reply.status == 200, reply.body
    assert reply.kind == "text/html; charset=utf-8"
    return reply.body.decode().replace("<wbr>", "")


def _group(source: StoredPages, protocol: str = "burst-1", precision: str = "fp32") -> str:
    return next(
        row.group
        for row in source.rows(View())
        if row.group
        and (row.protocol, row.precision, row.device) == (protocol, precision, PHONE.id)
    )


def _models(page: str) -> list[str]:
    cells = re.findall(r'<th scope="row"[^>]*class="model".*?</th>', page)
    return [re.sub(r"<[^>]+>|suspect|failed", "", cell).strip() for cell in cells]


@pytest.mark.parametrize(
    "path", ["", "compare", "ranking", "history", "devices", "records", "static/pages.css"]
)
def test_every_page_answers(source: StoredPages, path: str) -> None:
    assert answer(source, path, "").status == 200


@pytest.mark.parametrize(
    "path",
    ["nothing", "group", "group/0", "record/none", "static/none", "static/../live.py",
     "static/%2e%2e/live.py", "record", "devices/x", "static"],
)  # fmt: skip
def test_what_is_not_there_is_said_to_be_missing(source: StoredPages, path: str) -> None:
    reply = answer(source, path, "")
    assert reply.status == 404 and b"There is no page at this address" in reply.body


@pytest.mark.parametrize("query", ["colour=red", "sort=speed", "q=a&q=b", "threads=x&" * 300])
def test_a_link_that_is_not_understood_says_what_to_mend(source: StoredPages, query: str) -> None:
    reply = answer(source, "", query)
    assert reply.status == 400 and b"<h1>Not shown</h1>" in reply.body


def test_a_group_is_sorted_by_a_link_and_filtered_by_a_form(source: StoredPages) -> None:
    path = f"group/{_group(source)}"
    assert _models(_text(source, path))[:2] == ["mobilevit_xxs", "mobilevit_xs"]
    by_accuracy = _models(_text(source, path, "sort=published"))
    assert by_accuracy[0] == "rapidnet_ti"
    assert _models(_text(source, path, "sort=-published"))[0] == "mobilevit_xxs"
    assert _models(_text(source, path, "q=MOBILEVIG")) == ["mobilevig_ti"]
    assert _models(_text(source, path, "model=fastvit_t8&model=rapidnet_ti")) == [
        "rapidnet_ti", "fastvit_t8",
    ]  # fmt: skip


def test_links_keep_the_filters_and_the_order(source: StoredPages) -> None:
    page = _text(source, f"group/{_group(source)}", "q=mobile&sort=published&format=onnx")
    heads = re.findall(r"<thead.*?</thead>", page, re.DOTALL)[0]
    links = re.findall(r'href="\?*([^"]+)"', heads)
    assert links and all("format=onnx&amp;q=mobile" in link for link in links)
    assert any("sort=-published" in link for link in links), "again: the other way round"
    assert 'name="sort" value="published"' in page, "the form keeps the order"
    assert 'aria-sort="descending"' in heads
    groups = _text(source, "", "format=onnx")
    assert re.search(r'href="\./group/[0-9a-f]+\?format=onnx"', groups)


def test_a_rank_does_not_change_with_the_filter(source: StoredPages) -> None:
    page = _text(source, f"group/{_group(source)}", "q=fastvit")
    assert re.search(r'data-label="rank"[^>]*><span>5<', page)


def test_addresses_are_relative_so_that_a_proxy_may_have_any_path(source: StoredPages) -> None:
    record = source.rows(View())[0].record_id
    for path in ("", "records", f"record/{record}", f"group/{_group(source)}"):
        for link in re.findall(r'(?:href|src|action)="([^"]*)"', _text(source, path)):
            assert not link.startswith(("/", "http")), link


def test_suspects_failures_and_what_is_no_phone_are_marked(source: StoredPages) -> None:
    page = _text(source, f"group/{_group(source)}")
    assert re.search(r"edgenext_xxs</a> <span class=\"tag doubt\">suspect", page)
    assert '<span class="tag doubt">failed' in _text(source, "group/failed")
    assert '<span class="tag kind">simulated' in _text(source, "")
    assert '<span class="tag kind">reported' in _text(source, "")
    for path in ("devices", "ranking", "records"):
        assert '<span class="tag kind">simulated' in _text(source, path)


def test_the_records_come_page_by_page_each_once(source: StoredPages) -> None:
    seen: list[str] = []
    after = ""
    for _ in range(20):
        lines, after = source.records(View(), after, 7)
        seen += [line.record_id for line in lines]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 38
    first, following = source.records(View(), "", 7)
    page = _text(source, "records", f"after={quote(following)}")
    assert first[0].record_id not in page and 'href="./records?">Newest' in page.replace(
        'href="./records"', 'href="./records?"'
    )


def test_the_list_of_records_gives_the_same_results_as_the_board(source: StoredPages) -> None:
    lines, _ = source.records(View(), "", 100)
    of_record = {line.record_id: line for line in lines}
    rows = [row for row in source.rows(View()) if row.record_id in of_record]
    assert {row.status for row in rows} >= {"valid", "suspect", "failed"}
    for row in rows:
        line = of_record[row.record_id]
        assert line.suspect == (row.status == "suspect")
        assert line.failed == (row.status == "failed")
        assert line.p50_ns == (None if row.p50_ms is None else pytest.approx(row.p50_ms * 1e6))
    assert re.search(
        r"edgenext_xxs.{0,900}tag doubt\">suspect", _text(source, "records"), re.DOTALL
    )


def test_a_damaged_record_hides_no_other_in_the_list(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add_all([measured(record_id=letter * 32) for letter in "ab"])
        change(
            store.place,
            f"UPDATE documents SET content = substr(content, 1, 50) WHERE record_id = '{'a' * 32}'",
        )
        lines, _ = StoredPages(store).records(View(), "", 7)
        assert {line.record_id[0]: line.unreadable for line in lines} == {"a": True, "b": False}
        assert 'tag doubt">unreadable' in _text(StoredPages(store), "records")
        store.remove(["b" * 32])  # the damaged one is the line of the board now
        reply = answer(StoredPages(store), "", "")
        assert reply.status == 500 and b"mobilebench store check" in reply.body
        assert str(tmp_path).encode() not in reply.body, "nobody learns where the store lies"


def test_two_models_stand_side_by_side(source: StoredPages) -> None:
    page = _text(source, "compare", "kind=model&a=mobilevig_ti&b=rapidnet_ti")
    assert "mobilevig_ti is 1.17 times as fast" in page
    same = _text(source, "compare", "kind=device&a=Example+Phone+8&b=Example+Phone+9")
    assert "they are not ranked" in same
    assert "No row is about the model" in _text(source, "compare", "a=x&b=mobilevig_ti")
    assert answer(source, "compare", "kind=city&a=x&b=y").status == 400


def test_a_history_names_its_change(source: StoredPages) -> None:
    record = next(row.record_id for row in source.rows(View()) if row.model == "mobilevit_xs")
    page = _text(source, "history", f"of={record}")
    assert "16 runs from 2026-02-01 to 2026-02-16" in page and "+10.0 %" in page
    assert "mobilevit_xs" in _text(source, "history")


def test_the_board_of_a_server_follows_its_store(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "records.sqlite") as store:
        pages = StoredPages(store)
        store.add(measured(record_id="a" * 32))
        pages.rows(View())  # the first look derives the figures
        first = pages.rows(View())
        assert [row.record_id for row in first] == ["a" * 32]
        assert pages.rows(View()) is first, "it was ranked again, though nothing had changed"
        store.add(measured(record_id="b" * 32, threads=2))
        assert {row.record_id for row in pages.rows(View())} == {"a" * 32, "b" * 32}
        store.add_accuracy(judged(measured(), 90))
        assert any(row.measured_top1 for row in pages.rows(View()))
        store.remove(["a" * 32])
        assert [row.record_id for row in pages.rows(View())] == ["b" * 32]
