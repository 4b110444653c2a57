"""The pages in a real browser, as files and from a server, on a phone and on a wide screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mobilebench.leaderboard import rank
from mobilebench.leaderboard.rows import Row
from mobilebench.leaderboard.view import View
from mobilebench.pages import choosing
from mobilebench.pages.board import as_page
from mobilebench.pages.choosing import OnePage
from mobilebench.pages.records import Listed
from mobilebench.pages.stored import StoredPages
from mobilebench.values.measurement import Diagnosis
from tests.pages.browser import WIDTHS, Watched, needs_browser, serving
from tests.records import failed_export, judged, measured

pytestmark = needs_browser
_LOOKS = [(390, "light"), (1400, "dark")]
"""Both widths and both sets of colours; every page is seen in both pairs."""


@pytest.fixture
def opened(browser: Any, folder: Path, address: str) -> Iterator[Any]:
    """Return a function that opens a window, and fails in the end where one had a fault."""
    windows: list[tuple[Any, Watched]] = []

    def open_(
        width: int = 1400, colours: str = "light", script: bool = True, at: str = address
    ) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=colours,
            java_script_enabled=script,
        )
        watched = Watched(context.new_page(), (at, "file://"))
        windows.append((context, watched))
        return watched

    yield open_
    faults = [fault for _, watched in windows for fault in watched.faults]
    for context, _ in windows:
        context.close()
    assert faults == []


def _samples(folder: Path) -> dict[str, Path]:
    """Return one page of each kind, the heaviest of those of which there are many."""

    def heaviest(kind: str) -> Path:
        return max((folder / kind).glob("*.html"), key=lambda path: path.stat().st_size)

    return {
        "index": folder / "index.html",
        "group": heaviest("group"),
        "failed": folder / "group" / "failed.html",
        "record": heaviest("record"),
        "failure": folder / "record" / f"{'b' * 32}.html",
        "comparison": heaviest("compare"),
        "history": heaviest("history"),
        **{name: folder / f"{name}.html" for name in ("compare", "ranking", "devices", "records")},
    }


@pytest.mark.parametrize(("width", "colours"), _LOOKS)
def test_every_page_of_a_site_is_drawn_and_accessible_from_a_file(
    opened: Any, folder: Path, width: int, colours: str
) -> None:
    window = opened(width, colours)
    for name, path in _samples(folder).items():
        window.page.goto(path.as_uri())
        window.draw()
        assert window.overflow() == 0, name
        assert window.accessible() == [], name


@pytest.mark.parametrize(("width", "colours"), _LOOKS)
def test_every_page_of_a_server_is_drawn_and_accessible(
    opened: Any, address: str, source: StoredPages, width: int, colours: str
) -> None:
    window = opened(width, colours)
    rows = source.rows(View())
    hot = next(row for row in rows if row.protocol == "paced-2fps-30min-1")
    paths = ["", f"group/{hot.group}", f"record/{hot.record_id}", "records", "history", "compare"]
    paths += ["compare?kind=model&a=mobilevig_ti&b=rapidnet_ti", "ranking", "devices"]
    for path in paths:
        window.page.goto(address + path)
        window.draw()
        assert window.overflow() == 0, path
        assert window.accessible() == [], path


@pytest.mark.parametrize("width", WIDTHS)
def test_each_page_as_one_file_is_drawn(
    opened: Any, source: StoredPages, tmp_path: Path, width: int
) -> None:
    rows = source.rows(View())
    hot = next(row for row in rows if row.protocol == "paced-2fps-30min-1")
    many = next(row for row in rows if row.model == "mobilevit_xs")
    of = {
        OnePage.RECORD: hot.record_id,
        OnePage.COMPARE: "mobilevig_ti,rapidnet_ti",
        OnePage.HISTORY: many.record_id,
    }
    window = opened(width)
    for name in OnePage:
        page = (
            as_page(rows, source.reported())
            if name is OnePage.BOARD
            else choosing.page(name, rows, source, of.get(name))
        )
        file = tmp_path / f"{name}.html"
        file.write_text(page, encoding="utf-8")
        window.page.goto(file.as_uri())
        window.draw()
        assert window.overflow() == 0, name


def _long_rows() -> list[Row]:
    """Return rows with every column, long names, two protocols, doubts and failures."""
    names = [f"edgeformer.edgeformer_{letter}" for letter in "abcde"]
    names.append("edgeformers_of_a_long_name.edgeformer_attention_f")
    records = [
        measured(model=name, record_id=f"{name}-{rule}", protocol_id=rule, reasons=(reason,))
        for name, reason in zip(names, Diagnosis, strict=False)
        for rule in ("burst-1", "smoke-1")
    ]
    return rank([*records, failed_export(target="opset18")], [judged(records[0], 90)])


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_and_every_column_have_room(opened: Any, tmp_path: Path, width: int) -> None:
    window = opened(width)
    (tmp_path / "board.html").write_text(as_page(_long_rows()), encoding="utf-8")
    window.page.goto((tmp_path / "board.html").as_uri())
    window.draw()
    assert window.overflow() == 0
    boxes = window.page.evaluate(
        """() => [...document.querySelectorAll(".board tbody tr")].map((row) => {
            const text = (cell) => { const all = document.createRange();
              all.selectNodeContents(cell.querySelector("span"));
              return all.getBoundingClientRect(); };
            return [row.closest("section").getBoundingClientRect().right,
                    Math.max(...[...row.cells].filter((cell) => cell.querySelector("span"))
                      .map((cell) => text(cell).right))]; })"""
    )
    if width < 800:
        assert all(text <= card for card, text in boxes), "a phone shows whole cells"
    top = window.page.locator("table.board").first.bounding_box()["y"]
    assert top < 500, "the first screen shows the table, not the notes"


def test_a_site_is_filtered_and_sorted_and_the_address_keeps_both(
    opened: Any, folder: Path
) -> None:
    window = opened()
    page = window.page
    page.goto(_samples(folder)["group"].as_uri())
    models = page.locator("table.board tbody tr:visible th")
    everything = models.count()
    page.get_by_label("words").fill("mobilev")
    assert 0 < models.count() < everything
    assert page.locator("#count").inner_text() == f"{models.count()} of {everything} rows"
    page.get_by_role("button", name="publ. top-1 %").click()
    best = models.first.inner_text()
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("publ. top-1")
    page.get_by_role("button", name="publ. top-1 %").click()
    assert models.first.inner_text() != best
    assert "q=mobilev" in page.url and "sort=-published" in page.url
    kept = [models.nth(place).inner_text() for place in range(models.count())]
    page.reload()
    assert [models.nth(place).inner_text() for place in range(models.count())] == kept


def test_a_site_can_be_used_with_a_keyboard_alone(opened: Any, folder: Path) -> None:
    window = opened()
    page = window.page
    page.goto(_samples(folder)["group"].as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0, "it is seen when it has the focus"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="p90").focus()
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort]").inner_text().startswith("p90")


def test_a_reader_walks_from_the_board_to_a_timeline(opened: Any, address: str) -> None:
    window = opened()
    page = window.page
    page.goto(address)
    page.get_by_label("words").fill("paced mobilevig")
    page.get_by_role("button", name="Filter").click()
    assert "q=paced+mobilevig" in page.url
    page.get_by_role("link", name="Example Phone 9").first.click()
    assert "q=paced+mobilevig" in page.url, "the filter is kept"
    page.get_by_role("link", name="mobilevig_ti").first.click()
    window.draw()
    plot = page.get_by_role("img", name="Over time")
    assert "The warmest thermal status was serious from minute 9" in plot.get_attribute(
        "aria-label"
    )
    page.get_by_text("Its numbers as a table").first.click()
    assert page.get_by_role("columnheader", name="skin, °C").is_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG").first.click()
    assert download.value.suggested_filename == "timeline.svg"
    assert Path(download.value.path()).read_text().startswith("<svg")


def test_two_models_are_compared_from_the_form(opened: Any, address: str) -> None:
    window = opened()
    page = window.page
    page.goto(f"{address}compare")
    page.get_by_label("one model").select_option("mobilevig_ti")
    page.get_by_label("another").first.select_option("rapidnet_ti")
    page.get_by_role("button", name="Compare models").click()
    window.draw()
    assert "mobilevig_ti is 1.17 times as fast" in page.locator("main").inner_text()


def test_a_board_works_without_scripts(opened: Any, address: str, folder: Path) -> None:
    window = opened(script=False)
    page = window.page
    page.goto(address)
    page.get_by_label("words").fill("burst fp32")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="Example Phone 9").first.click()
    page.get_by_role("link", name="p50", exact=True).click()
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("p50")
    assert page.locator("noscript").first.is_visible()
    page.goto((folder / "index.html").as_uri())
    assert page.locator("#tools").is_hidden(), "what only a script can do is not offered"
    assert page.get_by_role("link", name="Example Phone 9").count()


def test_charts_follow_the_colours_and_the_width(opened: Any, folder: Path) -> None:
    window = opened(colours="light")
    page = window.page
    page.goto(_samples(folder)["record"].as_uri())
    window.draw()

    def ink() -> str:
        text: str = page.locator(".plot svg text").first.evaluate("(e) => e.getAttribute('fill')")
        return text

    light = ink()
    page.emulate_media(color_scheme="dark")
    window.wait(f"document.querySelector('.plot svg text')?.getAttribute('fill') !== '{light}'")
    page.set_viewport_size({"width": 390, "height": 900})
    window.wait("document.querySelector('.plot svg')?.clientWidth < 390")
    assert window.overflow() == 0


class _Many(StoredPages):
    """A store of a hundred thousand records: the list asks for one page of them at a time."""

    def records(self, view: View, after: str, limit: int) -> tuple[list[Listed], str]:
        start = int(after or 0)
        lines = [
            Listed(
                record_id=f"{number:032x}", created="2026-01-01T00:00:00Z",
                model=f"network-{number}", artifact="onnx-fp32", device="Example Phone",
                device_kind="phone", protocol="burst-1", p50_ns=1e7,
            )
            for number in range(start, min(start + limit, 100_000))
        ]  # fmt: skip
        end = start + limit
        return lines, str(end) if end < 100_000 else ""


def test_a_hundred_thousand_records_are_paged_through(opened: Any, source: StoredPages) -> None:
    many = _Many(source._store)
    with serving(many) as place:
        page = opened(at=place).page
        page.goto(f"{place}records")
        for expected in (0, 100, 200):
            rows = page.locator("table.board tbody tr")
            assert rows.count() == 100
            assert rows.first.locator("th").inner_text() == f"network-{expected}"
            page.get_by_role("link", name="Next page").click()
        page.goto(f"{place}records?after=99900")
        assert page.locator("table.board tbody tr").last.locator("th").inner_text() == (
            "network-99999"
        )
        assert page.get_by_role("link", name="Next page").count() == 0
        page.get_by_role("link", name="Newest").click()
        assert page.locator("table.board th").nth(6).inner_text() == "network-0"
