"""Write the board as a folder of files, which can be published or opened as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mobilebench.errors import OutputError
from mobilebench.files import publish_folder, staging_folder, writing
from mobilebench.leaderboard.groups import groups
from mobilebench.leaderboard.rows import Row
from mobilebench.leaderboard.view import View
from mobilebench.machine import host
from mobilebench.pages import board
from mobilebench.pages.compare import Side, comparable, compare
from mobilebench.pages.devices import devices
from mobilebench.pages.history import Cell, history
from mobilebench.pages.links import Form, Links, Page, pair_file, record_file
from mobilebench.pages.ranking import ranking
from mobilebench.pages.record import record
from mobilebench.pages.records import Listed, records
from mobilebench.pages.source import Source
from mobilebench.pages.templates import STATIC, Shell
from mobilebench.values.reported import Reported

MARK = ".mobilebench-site.json"
"""A file by which a folder is known as a site, so that a new one may replace it."""
_MOST_PAIRS = 400
_MOST_HISTORIES = 400
_PER_PAGE = 500


@dataclass(frozen=True)
class Board:
    """What a site shows."""

    rows: tuple[Row, ...]
    reported: tuple[Reported, ...] = ()
    title: str = "mobilebench leaderboard"


def require_place(place: Path) -> None:
    """Raise `OutputError` for a place that holds anything but an older site."""
    with writing(place):
        if not place.exists():
            return
        if place.is_dir() and ((place / MARK).is_file() or not any(place.iterdir())):
            return
    raise OutputError(
        f"Could not write the site {place}: "
        + (
            "the folder holds other files"
            if place.is_dir()
            else "a file of that name is in the way"
        )
        + "; name a new or an empty folder, or one that a site was written to before."
    )


def write(place: Path, shown: Board, source: Source) -> int:
    """Write the site to a folder, which then appears whole or not at all; return its pages.

    An older site is replaced. Raises `OutputError` where the folder holds anything else, and where
    it cannot be written.
    """
    place = place.absolute()
    require_place(place)
    pages = 0
    with staging_folder(place.parent) as folder:
        for name, text in files(shown, source):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with writing(path):
                path.write_text(text, encoding="utf-8")
            pages += path.suffix == ".html"
        static = folder / "static"
        static.mkdir()
        for path in STATIC.iterdir():
            if path.is_file():
                with writing(static / path.name):
                    (static / path.name).write_bytes(path.read_bytes())
        mark = {"mobilebench": host.version(), "written": host.now(), "pages": pages}
        (folder / MARK).write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8")
        publish_folder(folder, place)
    return pages


@dataclass(frozen=True)
class _Plan:
    """Which pages there are, so that no link leads nowhere."""

    pairs: tuple[tuple[Side, str, str], ...]
    left_out: int
    cells: tuple[Cell, ...]

    def links(self, rows: Sequence[Row], root: str = "") -> Links:
        names = {f"{Page.GROUP}/{row.group or board.FAILED}" for row in rows}
        names |= {f"{Page.RECORD}/{record_file(row.record_id)}" for row in rows}
        names |= {f"{Page.COMPARE}/{pair_file(*pair)}" for pair in self.pairs}
        names |= {f"{Page.HISTORY}/{record_file(cell.record_id)}" for cell in self.cells}
        names |= {Page.COMPARE, Page.RANKING, Page.DEVICES, Page.RECORDS, Page.HISTORY}
        ids = frozenset(row.record_id for row in rows)
        return Links(Form.SITE, root, records=ids, pages=frozenset(names))


def _plan(shown: Board, source: Source) -> _Plan:
    pairs = [(kind, a, b) for kind in Side for a, b in comparable(shown.rows, kind)]
    ids = {row.record_id for row in shown.rows}
    cells = [cell for cell in source.cells() if cell.record_id in ids]
    return _Plan(
        pairs=tuple(pairs[:_MOST_PAIRS]),
        left_out=max(0, len(pairs) - _MOST_PAIRS),
        cells=tuple(cells[:_MOST_HISTORIES]),
    )


def files(shown: Board, source: Source) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file of a site but its scripts."""
    plan = _plan(shown, source)
    top = Shell.now(plan.links(shown.rows), shown.title)
    below = Shell.now(plan.links(shown.rows, "../"), shown.title)
    rows = shown.rows
    yield "index.html", board.overview(rows, top, reported=shown.reported)
    for group in groups(rows):
        own = [row for _, row in group.rows]
        yield f"{Page.GROUP}/{group.id or board.FAILED}.html", board.group(own, below)
    yield "ranking.html", ranking(rows, source.entries(rows), top)
    yield "compare.html", compare(rows, Side.MODEL, "", "", top, left_out=plan.left_out)
    for kind, a, b in plan.pairs:
        name = f"{Page.COMPARE}/{pair_file(kind, a, b)}.html"
        yield name, compare(rows, kind, a, b, below)
    yield "devices.html", devices(source.devices(), top)
    yield "history.html", history((), top, plan.cells)
    for cell in plan.cells:
        name = f"{Page.HISTORY}/{record_file(cell.record_id)}.html"
        yield name, history(source.histories(cell.record_id), below)
    yield from _records(rows, source, top, below)


def _records(
    rows: Sequence[Row], source: Source, top: Shell, below: Shell
) -> Iterator[tuple[str, str]]:
    for row in rows:
        found_record, text = source.record(row.record_id), source.document(row.record_id)
        if found_record is None or text is None:  # removed meanwhile
            continue
        name = f"{Page.RECORD}/{record_file(row.record_id)}"
        facts = found_record.artifact
        accuracies = source.accuracies(facts.sha256) if facts else ()
        yield f"{name}.html", record(found_record, below, accuracies, row.model)
        yield f"{name}.json", text
    newest = iter(sorted(rows, key=lambda row: (row.created, row.record_id), reverse=True))
    page = 1
    while part := list(islice(newest, _PER_PAGE)):
        more = page * _PER_PAGE < len(rows)
        yield (
            f"{_numbered(page)}.html",
            records(
                [listed(row) for row in part],
                top,
                View(),
                first="records.html" if page > 1 else "",
                following=f"{_numbered(page + 1)}.html" if more else "",
            ),
        )
        page += 1
    if not rows:
        yield "records.html", records((), top, View())


def _numbered(page: int) -> str:
    return "records" if page == 1 else f"records-{page}"


def listed(row: Row) -> Listed:
    """Return a row of the board as a line of the list of records."""
    return Listed(
        record_id=row.record_id,
        created=row.created,
        model=row.model,
        artifact=row.artifact,
        device=row.device_model,
        device_kind=row.device_kind,
        protocol=row.protocol,
        p50_ns=None if row.p50_ms is None else row.p50_ms * 1e6,
        failed=row.failure is not None,
        suspect=row.status == "suspect",
    )
