"""The folder of pages: whole or not at all, and no link that leads nowhere."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from mobilebench.errors import OutputError
from mobilebench.leaderboard.view import View
from mobilebench.pages import site
from mobilebench.pages.stored import StoredPages
from mobilebench.store import RecordStore
from tests.pages.examples import made

_LINK = re.compile(r'(?:href|src)="([^"]*)"')


def test_every_link_of_a_site_leads_to_a_file_of_it(folder: Path) -> None:
    pages = sorted(folder.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        for link in map(unescape, _LINK.findall(page.read_text(encoding="utf-8"))):
            if link.startswith(("#", "data:")):
                continue
            assert not re.match(r"[a-z]+:|/", link), f"{link} leads out of the site"
            assert (page.parent / unquote(link)).resolve().is_relative_to(folder.resolve())
            assert (page.parent / unquote(link)).is_file(), f"{page.name}: {link}"


def test_charts_link_to_pages_that_are_there(folder: Path) -> None:
    links = {
        (page.parent / url).resolve()
        for page in folder.rglob("*.html")
        for block in re.findall(
            r'<script type="application/json">(.*?)</script>', page.read_text(encoding="utf-8")
        )
        for url in re.findall(r'"url":"([^"]+)"', block)
    }
    assert links and all(link.is_file() for link in links)


def test_a_site_has_the_documents_of_its_records_as_they_came(
    folder: Path, source: StoredPages
) -> None:
    documents = sorted((folder / "record").glob("*.json"))
    assert len(documents) == len(source.rows(View()))
    for path in documents:
        assert path.read_text(encoding="utf-8") == source.document(
            json.loads(path.read_text(encoding="utf-8"))["record_id"]
        )


def test_a_site_replaces_an_older_one_and_nothing_else(tmp_path: Path, source: StoredPages) -> None:
    shown = site.Board(tuple(source.rows(View()))[:1])
    place = tmp_path / "site"
    site.write(place, shown, source)
    (place / "index.html").write_text("old")
    site.write(place, shown, source)
    assert (place / "index.html").read_text() != "old"
    other = tmp_path / "photos"
    other.mkdir()
    (other / "one.jpg").write_bytes(b"1")
    with pytest.raises(OutputError, match="holds other files; name a new or an empty folder"):
        site.write(other, shown, source)
    (tmp_path / "file").write_text("text")
    with pytest.raises(OutputError, match="a file of that name is in the way"):
        site.write(tmp_path / "file", shown, source)
    assert [path.name for path in other.iterdir()] == ["one.jpg"]
    assert {path.name for path in tmp_path.iterdir()} == {"site", "photos", "file"}


class _Failing(StoredPages):
    """A store whose disk fails in the middle of a site."""

    def devices(self) -> list[object]:  # type: ignore[override]
        raise OSError(28, "No space left on device")


def test_a_site_that_could_not_be_written_whole_is_not_there(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "lab.sqlite") as store:
        store.add_all([made("mobilevig_ti", level_ms=10)])
        source = _Failing(store)
        with pytest.raises(OSError, match="No space"):
            site.write(tmp_path / "site", site.Board(tuple(source.rows(View()))), source)
    assert not (tmp_path / "site").exists()
    assert not list(tmp_path.glob(".partial-*"))


@pytest.mark.parametrize("nasty", ["../../etc/passwd", "CON", "a/b", "Aa", '"><script>', "%2e%2e"])
def test_an_id_of_others_is_no_path(nasty: str, tmp_path: Path) -> None:
    with RecordStore(tmp_path / "lab.sqlite") as store:
        record = replace(made("mobilevig_ti", level_ms=10), record_id=nasty)
        store.add_all([record, replace(record, record_id="aa", created="2026-01-01T00:00:00Z")])
        source = StoredPages(store)
        site.write(tmp_path / "site", site.Board(tuple(source.rows(View()))), source)
    names = [path.name for path in (tmp_path / "site" / "record").iterdir()]
    assert len(names) == 2 and all(re.fullmatch(r"[0-9a-z-]+\.(html|json)", n) for n in names)
