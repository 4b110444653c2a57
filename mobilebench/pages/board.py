"""The pages of the board: all groups in short, one group, or everything in one file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from mobilebench.leaderboard import elsewhere, text
from mobilebench.leaderboard.columns import UNKNOWN, Column
from mobilebench.leaderboard.groups import Group, groups
from mobilebench.leaderboard.notes import notes
from mobilebench.leaderboard.rows import Row, Status
from mobilebench.leaderboard.view import View, choices
from mobilebench.notation.quantities import counted, duration
from mobilebench.pages.figure import Figure
from mobilebench.pages.latencies import latencies
from mobilebench.pages.links import Form, Links
from mobilebench.pages.pareto import pareto
from mobilebench.pages.templates import Shell, render
from mobilebench.values.device import DeviceKind
from mobilebench.values.reported import Reported

FAILED = "failed"
"""The name in addresses of the group of failed exports, which has no id."""
_BELOW = {
    "model": {"weights": "weights: {}"},
    "p50": {"spread": "{}"},
    "top1": {"interval": "{}", "images": "{} images"},
}
"""Columns that stand in the cell of another one, each with the words around its text."""
_MOST_CHOICES = 300
_SHARED = ("runtime", "threads")
"""Columns that the conditions of a group state already."""
_WIDE = ("artifact", "runtime")
"""Columns that have a whole line on a phone."""


@dataclass(frozen=True)
class Brief:
    """A group in a line."""

    group: Group
    name: str
    """In addresses."""
    kind: DeviceKind
    networks: int
    failed: int
    suspect: int
    best: Row | None
    newest: str

    @property
    def fastest(self) -> str:
        """The fastest row and its median, in words."""
        if self.best is None or self.best.result_ms is None:
            return UNKNOWN
        return f"{self.best.model} {self.best.artifact}: {duration(self.best.result_ms * 1e6)}"


def brief(group: Group) -> Brief:
    """Return a group in a line."""
    rows = [row for _, row in group.rows]
    measured = [row for row in rows if row.result_ms is not None]
    return Brief(
        group=group,
        name=group.id or FAILED,
        kind=rows[0].device_kind,
        networks=len({row.model for row in rows}),
        failed=sum(row.status is Status.FAILED for row in rows),
        suspect=sum(row.status is Status.SUSPECT for row in rows),
        best=min(measured, key=lambda row: row.result_ms or 0.0, default=None),
        newest=max(row.created for row in rows),
    )


def overview(
    rows: Sequence[Row],
    shell: Shell,
    view: View | None = None,
    reported: Sequence[Reported] = (),
) -> str:
    """Return the first page, as HTML: every group in a line, and results of others."""
    view = view or View()
    passing = view.rows(rows)
    return render(
        "overview.html.j2",
        shell,
        page="board",
        heading=shell.title,
        briefs=[brief(group) for group in groups(passing)],
        count=counted(len(passing), "row"),
        view=view,
        choices=_choices(rows, view),
        elsewhere=elsewhere,
        reported=[elsewhere.cells(result) for result in reported],
        unknown=UNKNOWN,
        charted=False,
    )


def group(
    rows: Sequence[Row],
    shell: Shell,
    view: View | None = None,
    columns: Sequence[Column] | None = None,
) -> str:
    """Return the page of one group, whose rows these are, as HTML."""
    view = view or View()
    [whole] = groups(rows)
    passing = view.rows(rows)
    return _tables(
        passing,
        shell,
        heading=whole.heading,
        conditions=[(title, _bare(title, text)) for title, text in whole.conditions],
        view=view,
        choices=_choices(rows, view),
        columns=columns,
        page="group",
        name=whole.id or FAILED,
    )


def _bare(title: str, text: str) -> str:
    """Return what a heading says of a condition without the word that its title has."""
    return text.removeprefix(f"{title.partition(' ')[0]} ").removesuffix(f" {title}")


def as_page(
    rows: Sequence[Row],
    reported: Sequence[Reported] = (),
    columns: Sequence[Column] | None = None,
    title: str = "mobilebench leaderboard",
) -> str:
    """Return the whole board as one file that needs nothing else, as HTML."""
    return _tables(
        rows,
        Shell.now(Links(Form.FILE), title),
        heading=title,
        conditions=(),
        view=View(),
        choices=(),
        columns=columns,
        reported=reported,
        page="board",
    )


def _tables(
    rows: Sequence[Row],
    shell: Shell,
    *,
    heading: str,
    conditions: Sequence[tuple[str, str]],
    view: View,
    choices: Sequence[Choice],
    columns: Sequence[Column] | None,
    reported: Sequence[Reported] = (),
    page: str,
    name: str = "",
) -> str:
    chosen = list(view.shown_columns(rows) if columns is None else columns)
    below = {
        column.name: [other for other in chosen if other.name in _BELOW.get(column.name, ())]
        for column in chosen
    }
    if columns is None and not view.columns:
        chosen = [column for column in chosen if column.name not in _SHARED]
    small = [column for others in below.values() for column in others]
    parts = groups(rows)
    charts = {part.id: figures([row for _, row in part.rows], shell.links) for part in parts}
    return render(
        "group.html.j2",
        shell,
        page=page,
        name=name,
        heading=heading,
        conditions=conditions,
        parts=parts,
        briefs={part.id: brief(part) for part in parts},
        rows=rows,
        columns=[column for column in chosen if column not in small],
        below=below,
        words={name: text for others in _BELOW.values() for name, text in others.items()},
        wide=_WIDE,
        view=view,
        choices=choices,
        notes=notes(rows, [column.name for column in chosen]),
        charts=charts,
        charted=any(charts.values()),
        unknown=UNKNOWN,
        elsewhere=elsewhere,
        reported=[elsewhere.cells(result) for result in reported],
        chosen=columns is not None,
        downloads={
            "CSV": _data_url("text/csv", text.as_csv(rows, columns)),
            "JSON": _data_url("application/json", text.as_json(rows, columns)),
        },
        falling=falling,
    )


def figures(rows: Sequence[Row], links: Links) -> list[Figure]:
    """Return the charts of a group."""
    return [each for each in (pareto(rows, links), latencies(rows, links)) if each is not None]


@dataclass(frozen=True)
class Choice:
    """A filter, and what it can be set to."""

    name: str
    """In addresses."""
    title: str
    texts: tuple[tuple[str, str], ...]
    """Each with what is shown for it."""
    chosen: tuple[str, ...]


def _choices(rows: Sequence[Row], view: View) -> list[Choice]:
    offered_choices = choices(rows)
    return [
        Choice(
            name=name,
            title=name.replace("-", " "),
            texts=tuple((text, f"{text} ({count})") for text, count in counts.items()),
            chosen=view.chosen(name),
        )
        for name, counts in offered_choices.items()
        if len(counts) <= _MOST_CHOICES
    ]


def falling(column: Column, view: View) -> str:
    """Return how a column is sorted, in the words of aria-sort."""
    return "ascending" if column.falling == view.worst_first else "descending"


def _data_url(kind: str, content: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content.encode()).decode()}"
