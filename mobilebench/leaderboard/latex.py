"""Write the leaderboard as tables of a paper, which need the package booktabs alone."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TypeVar

from mobilebench.leaderboard import elsewhere
from mobilebench.leaderboard.columns import Column, by_importance, of_a_paper
from mobilebench.leaderboard.groups import FAILED, groups
from mobilebench.leaderboard.notes import TIES, letter, of_columns, shared_marks
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes
from mobilebench.values.reported import Reported

_T = TypeVar("_T")
PACKAGES = r"\usepackage{booktabs,graphicx}"
"""What the tables need; graphicx only where one is made narrower."""
_MOST_ROWS = 40
"""Rows of one table: a page holds no more, and a float does not go on on the next."""
_LONGEST_CELL = 48
_LONGEST_NOTE = 600
_LINE = 100
"""Characters of a line of the file. TeX reads lines of at most 200,000."""
_SIZES = ((r"\small", 0.93), (r"\footnotesize", 0.86), (r"\scriptsize", 0.8))
"""Sizes of type, the largest first, as shares of the widths of 10 points; small type is wider."""
LINE_PT = 345.0
"""Points of a line of the class article; a paper in one column has as much or more."""
_GAP = 12.0
"""Points between two columns."""
_WIDE, _NARROW = "mwMWABCDEFGHKLNOPQRSTUVXYZ%@&+–±", "ijlftrI.,:;'!|()[] "  # noqa: RUF001


def as_latex(
    rows: Sequence[Row],
    reported: Sequence[Reported] = (),
    columns: Sequence[Column] | None = None,
    width: float = LINE_PT,
) -> str:
    """Return a table for each group, its marks as letters with notes below it.

    What holds for every row of a table is a note without a letter. The text of an error stays out:
    a failed row names its stage. Results that others report follow in a separate table. Without
    `columns` a table has those of a paper that fit its width in points, and a comment names the
    others.
    """
    parts = [f"% {PACKAGES}"]
    number = 0
    for group in groups(rows):
        of_group = [row for _, row in group.rows]
        chosen, left_out = (columns, []) if columns is not None else _fitting(of_group, rows, width)
        if left_out:
            names = ", ".join(column.name for column in left_out)
            parts += ["", f"% Left out, for the table is wide enough: {names}; see --columns."]
        pieces = _pieces(of_group)
        for place, piece in enumerate(pieces, start=1):
            number += 1
            part = f", part {place} of {len(pieces)}" if len(pieces) > 1 else ""
            title = f"{_title(group.heading)}{part}."
            parts += _table(piece, chosen, title, group.details, number, width)
    if reported:
        cells = [elsewhere.cells(result) for result in reported]
        for others in _pieces(cells):
            number += 1
            parts += _of_others(others, number, width)
    return "\n".join(parts) + "\n"


def _pieces(rows: Sequence[_T]) -> list[Sequence[_T]]:
    """Part rows into tables that a page holds."""
    return [rows[start : start + _MOST_ROWS] for start in range(0, len(rows), _MOST_ROWS)]


def _title(heading: str) -> str:
    return heading if heading == FAILED else f"Latency on {heading}"


def _fitting(
    rows: Sequence[Row], every: Sequence[Row], width: float
) -> tuple[Sequence[Column], Sequence[Column]]:
    """Return the columns of a paper that fit its width, and those that do not."""
    offered = of_a_paper(every)
    chosen = list(offered)
    for column in reversed(by_importance(offered)):
        if _width(_texts(rows, chosen), _SIZES[-1][1]) <= width:
            break
        chosen.remove(column)
    return chosen, [column for column in offered if column not in chosen]


def _texts(rows: Sequence[Row], columns: Sequence[Column]) -> list[list[str]]:
    """Return the texts of a table, with its head."""
    head = [column.title for column in columns]
    return [head, *([_short(column.text(row)) for column in columns] for row in rows)]


def _width(texts: Sequence[Sequence[str]], share: float) -> float:
    """Estimate the width of a table in points, in type of a share of 10 points."""
    columns = list(zip(*texts, strict=True))
    return share * sum(max(map(_points, column)) for column in columns) + _GAP * len(columns)


def _size(texts: Sequence[Sequence[str]], width: float) -> str | None:
    """Return the largest type in which a table fits a line; None where it fits in none."""
    return next((name for name, share in _SIZES if _width(texts, share) <= width), None)


def _points(text: str) -> float:
    """Estimate the width of a text in points, in type of 10 points, from above."""
    return sum(8 if c in _WIDE else 3.4 if c in _NARROW else 5.3 for c in text)


def _short(text: str) -> str:
    """Return a text that a cell has room for: without its middle where it is long."""
    if len(text) <= _LONGEST_CELL:
        return text
    half = (_LONGEST_CELL - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def _table(
    rows: Sequence[Row],
    columns: Sequence[Column],
    title: str,
    details: str,
    number: int,
    width: float,
) -> list[str]:
    letters: dict[str, str] = {}
    general = shared_marks(rows)
    texts = _texts(rows, columns)
    lines = []
    for row, cells_of_row in zip(rows, texts[1:], strict=True):
        cells = list(map(escapes.latex, cells_of_row))
        remarks = list(_remarks(row, columns, general))
        for _, sentence in remarks:
            letters.setdefault(sentence, letter(len(letters)))
        # The letters of a cell stand in their order, whatever the order of the remarks.
        signs: dict[int, list[str]] = {}
        for sentence, sign in letters.items():
            for place in [place for place, each in remarks if each == sentence]:
                signs.setdefault(place, []).append(sign)
        for place, of_cell in signs.items():
            cells[place] += rf"\textsuperscript{{{','.join(of_cell)}}}"
        lines.append(cells)
    titles = [escapes.latex(column.title) for column in columns]
    spec = "".join("r" if column.numeric else "l" for column in columns)
    names = [column.name for column in columns]
    numbers = of_columns(rows, names)
    if "rank" in names and any(row.tied for row in rows):
        numbers = [TIES, *numbers]
    every = [f"All rows: {'; '.join(general)}"] if general and len(rows) > 1 else general
    conditions = [f"Conditions: {details}"] if details else []
    about = _ended([*conditions, *every, *numbers])
    notes = [escapes.latex(cut(sentence)) for sentence in about]
    notes += [
        rf"\textsuperscript{{{sign}}}~{escapes.latex(cut(sentence))}"
        for sentence, sign in zip(_ended(letters), letters.values(), strict=True)
    ]
    tabular = _tabular(spec, titles, lines)
    return _floating(title, tabular, notes, number, _size(texts, width))


def _of_others(cells: Sequence[Sequence[str]], number: int, width: float) -> list[str]:
    """Return a table of results that others report."""
    texts = [[_short(text) for text in row] for row in (elsewhere.COLUMNS, *cells)]
    titles, *rows = [list(map(escapes.latex, row)) for row in texts]
    remarks = [row[-1] for row in cells if row[-1] != _short(row[-1])]
    notes = [escapes.latex(cut(remark)) for remark in _ended(dict.fromkeys(remarks))]
    tabular = _tabular("l" * len(titles), titles, rows)
    return _floating(f"{elsewhere.TITLE}.", tabular, notes, number, _size(texts, width))


def _remarks(
    row: Row, columns: Sequence[Column], general: Sequence[str]
) -> Iterable[tuple[int, str]]:
    """Return the remarks about a row, each with the column that its letter stands in."""
    names = [column.name for column in columns]
    model, p50, top1 = (
        names.index(name) if name in names else 0 for name in ("model", "p50", "top1")
    )
    if row.failure is not None:
        yield p50, f"failed at {row.failure.partition(':')[0]}; its record holds the message"
    for mark in row.marks:
        if mark not in general:
            yield (top1 if mark.startswith("top-1") else model), mark
    if "published" in names and row.published_source is not None:
        yield names.index("published"), f"published: {row.published_source}"
    if "rank" in names and row.unranked is not None and row.failure is None:
        yield names.index("rank"), f"not ranked: {row.unranked}"
    for place, column in enumerate(columns):
        if (text := column.text(row)) != _short(text):
            yield place, f"in full: {text}"


def _ended(sentences: Iterable[str]) -> list[str]:
    return [f"{sentence.removesuffix('.')}." for sentence in sentences]


def cut(sentence: str, longest: int = _LONGEST_NOTE) -> str:
    """Return a sentence that a paper has room for; a longer one ends with what is missing."""
    if len(sentence) <= longest:
        return sentence
    return f"{sentence[:longest]}… ({len(sentence) - longest} more characters)."


def _tabular(spec: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = (" & ".join(row) + r" \\" for row in (titles, *rows))
    begin, end = r"\begin{tabular}{" + spec + "}", r"\end{tabular}"
    return [begin, r"\toprule", head, r"\midrule", *body, r"\bottomrule", end]


def _floating(
    title: str, tabular: Sequence[str], notes: Sequence[str], number: int, size: str | None
) -> list[str]:
    """Return a table with its notes below it.

    Where no size of type makes it fit (None), it is made narrower as a picture is.
    """
    if size is None:
        size = _SIZES[-1][0]
        tabular = [r"\resizebox{\linewidth}{!}{%", *tabular, "}"]
    below: list[str] = []
    if notes:
        below = [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize\raggedright"]
        below += [line for note in notes for line in wrapped(rf"{note}\par")]
        below.append(r"\end{minipage}")
    return [
        "",
        r"\begin{table}[htbp]",
        r"\centering",
        *wrapped(rf"\caption{{{escapes.latex(cut(title))}}}"),
        rf"\label{{tab:latency-{number}}}",
        size,
        *tabular,
        *below,
        r"\end{table}",
    ]


def wrapped(text: str) -> list[str]:
    """Part a text of LaTeX into lines, at its spaces."""
    return textwrap.wrap(
        text, _LINE, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
