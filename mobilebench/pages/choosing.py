"""Make one page as a file by itself, or one chart as a picture, from what a user named."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from mobilebench.errors import UserError
from mobilebench.leaderboard.groups import Group, groups
from mobilebench.leaderboard.over_time import rankings
from mobilebench.leaderboard.rows import Row
from mobilebench.leaderboard.view import View
from mobilebench.pages import compare, history
from mobilebench.pages import ranking as ranking_page
from mobilebench.pages.compare import Side
from mobilebench.pages.devices import devices
from mobilebench.pages.distribution import distribution
from mobilebench.pages.figure import Figure
from mobilebench.pages.latencies import latencies
from mobilebench.pages.links import Form, Links
from mobilebench.pages.record import record as record_page
from mobilebench.pages.records import records
from mobilebench.pages.site import listed
from mobilebench.pages.source import Source
from mobilebench.pages.templates import Shell
from mobilebench.pages.timeline import timeline
from mobilebench.values.device import DeviceKind
from mobilebench.values.record import Record

_MOST_RECORDS = 12
_ALONE = Links(Form.FILE)


class Chart(StrEnum):
    """The charts, by their names; `pareto` is the plot of the leaderboard itself."""

    PARETO = "pareto"
    LATENCY = "latency"
    RANKING = "ranking"
    COMPARE = "compare"
    TIMELINE = "timeline"
    DISTRIBUTION = "distribution"
    HISTORY = "history"


class OnePage(StrEnum):
    """The pages that can be a file by themselves."""

    BOARD = "board"
    RECORD = "record"
    COMPARE = "compare"
    RANKING = "ranking"
    HISTORY = "history"
    DEVICES = "devices"
    RECORDS = "records"


ABOUT_SOMETHING = (
    Chart.COMPARE, Chart.TIMELINE, Chart.DISTRIBUTION, Chart.HISTORY,
    OnePage.RECORD, OnePage.COMPARE, OnePage.HISTORY,
)  # fmt: skip
"""What `--of` is for."""


def page(name: OnePage, rows: Sequence[Row], source: Source, of: str | None) -> str:
    """Return a page that needs nothing else, as HTML; all but that of the board.

    `of` is the beginning of a record's id, or two models or devices with a comma between. Raises
    `UserError` where it names nothing, and where it is missing and there is more than one.
    """
    shell = Shell.now(_ALONE)
    match name:
        case OnePage.RECORD:
            shown = _record(rows, source, of)
            facts = shown.artifact
            accuracies = source.accuracies(facts.sha256) if facts else ()
            return record_page(shown, shell, accuracies, _row(rows, of).model)
        case OnePage.COMPARE:
            kind, first, second = _two(rows, of)
            compare.pairs(rows, kind, first, second)  # a file that only says no is of no use
            return compare.compare(rows, kind, first, second, shell)
        case OnePage.RANKING:
            return ranking_page.ranking(rows, source.entries(rows), shell)
        case OnePage.HISTORY:
            series = source.histories(_row(rows, of).record_id)
            return history.history(series, shell, () if series else source.cells())
        case OnePage.DEVICES:
            return devices(source.devices(), shell)
        case OnePage.RECORDS:
            newest = sorted(rows, key=lambda row: (row.created, row.record_id), reverse=True)
            return records([listed(row) for row in newest], shell, View())
        case OnePage.BOARD:
            raise ValueError("the board is made of rows alone")


def charts(name: Chart, rows: Sequence[Row], source: Source, of: str | None) -> list[Figure]:
    """Return the charts of a name, one for each group or record; `of` is as for `page`.

    Raises `UserError` where there is nothing to draw.
    """
    match name:
        case Chart.LATENCY:
            found_charts = [
                (_labelled(group), latencies([row for _, row in group.rows], _ALONE))
                for group in groups(rows)
            ]
        case Chart.RANKING:
            found_charts = [
                (_labelled(each.group), ranking_page.chart(each, _ALONE))
                for each in rankings(rows, source.entries(rows))
            ]
        case Chart.COMPARE:
            kind, first, second = _two(rows, of)
            pairs = compare.pairs(rows, kind, first, second)
            found_charts = [(f"{first} and {second}", compare.chart(pairs, kind, first, second))]
        case Chart.TIMELINE | Chart.DISTRIBUTION:
            draw = timeline if name is Chart.TIMELINE else distribution
            found_charts = [(_titled(each), draw(each)) for each in _records(rows, source, of)]
        case Chart.HISTORY:
            series = source.histories(_row(rows, of).record_id)
            found_charts = [(each.cell, history.chart(each)) for each in series]
        case Chart.PARETO:
            raise ValueError("the plot of the leaderboard is not made here")
    drawn = [each.titled(title) for title, each in found_charts if each is not None]
    if not drawn:
        raise UserError(f"No row has what the chart {name} shows; measure more, or filter less.")
    return drawn


def _labelled(group: Group) -> str:
    """Return a heading that says what is no phone."""
    return _with_kind(group.heading, group.rows[0][1].device_kind)


def _titled(record: Record) -> str:
    return _with_kind(record.title, record.device.kind)


def _with_kind(title: str, kind: DeviceKind) -> str:
    return title if kind is DeviceKind.PHONE else f"{title} ({kind})"


def _row(rows: Sequence[Row], of: str | None) -> Row:
    own = [row for row in rows if of is None or row.record_id.startswith(of)]
    if len(own) == 1:
        return own[0]
    if not own:
        raise UserError(f"No row is of a record that begins with {of!r}; `--as csv` has the ids.")
    raise UserError(
        f"{len(own)} rows {'pass the filters' if of is None else f'begin with {of!r}'}; name the "
        f"record with --of ID, as `--as csv` has it."
    )


def _record(rows: Sequence[Row], source: Source, of: str | None) -> Record:
    row = _row(rows, of)
    shown = source.record(row.record_id)
    if shown is None:
        raise UserError(f"The record {row.record_id} has just been removed; run it again.")
    return shown


def _records(rows: Sequence[Row], source: Source, of: str | None) -> list[Record]:
    if of is not None:
        return [_record(rows, source, of)]
    measured = [row for row in rows if row.p50_ms is not None]
    if len(measured) > _MOST_RECORDS:
        raise UserError(
            f"{len(measured)} records are too many for one picture; name one with --of ID, or "
            f"use filters until at most {_MOST_RECORDS} are left."
        )
    return [each for row in measured if (each := source.record(row.record_id)) is not None]


def _two(rows: Sequence[Row], of: str | None) -> tuple[Side, str, str]:
    names = [part.strip() for part in (of or "").split(",")]
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise UserError("A comparison needs two models or two devices; give --of ONE,OTHER.")
    first, second = names
    for kind in Side:
        if {first, second} <= set(compare.names(rows, kind)):
            return kind, first, second
    known = ", ".join([*compare.names(rows, Side.MODEL), *compare.names(rows, Side.DEVICE)])
    raise UserError(
        f"{first} and {second} are not two models or two devices of the rows; there are: {known}."
    )
