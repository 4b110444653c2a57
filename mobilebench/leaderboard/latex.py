"""Write the leaderboard as tables of a paper, for the packages booktabs and threeparttable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mobilebench.leaderboard import elsewhere
from mobilebench.leaderboard.columns import Column, of_a_paper
from mobilebench.leaderboard.groups import FAILED, groups
from mobilebench.leaderboard.notes import letter, of_columns, shared_marks
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes
from mobilebench.values.reported import Reported

_PACKAGES = r"% \usepackage{booktabs,threeparttable}"


def as_latex(
    rows: Sequence[Row],
    reported: Sequence[Reported] = (),
    columns: Sequence[Column] | None = None,
) -> str:
    """Return a table for each group, its marks as letters with notes below it.

    What holds for every row of a table is a note without a letter. The text of an error stays out:
    a failed row names its stage. Results that others report follow in a separate table.
    """
    chosen = of_a_paper(rows) if columns is None else columns
    parts = [_PACKAGES]
    for group in groups(rows):
        parts += _table([row for _, row in group.rows], chosen, group.heading)
    if reported:
        cells = [list(map(escapes.latex, elsewhere.cells(result))) for result in reported]
        titles = list(map(escapes.latex, elsewhere.COLUMNS))
        body = _tabular("l" * len(titles), titles, cells)
        parts += _floating(escapes.latex(elsewhere.TITLE), body, ())
    return "\n".join(parts) + "\n"


def _table(rows: Sequence[Row], columns: Sequence[Column], heading: str) -> list[str]:
    letters: dict[str, str] = {}
    general = shared_marks(rows)
    lines = []
    for row in rows:
        cells = [escapes.latex(column.text(row)) for column in columns]
        remarks = list(_remarks(row, columns, general))
        for _, sentence in remarks:
            letters.setdefault(sentence, letter(len(letters)))
        # The letters of a cell stand in their order, whatever the order of the remarks.
        known = list(letters)
        for place, sentence in sorted(remarks, key=lambda remark: known.index(remark[1])):
            cells[place] = _with_letter(cells[place], letters[sentence])
        lines.append(cells)
    titles = [escapes.latex(column.title) for column in columns]
    spec = "".join("r" if column.numeric else "l" for column in columns)
    numbers = of_columns(rows, [column.name for column in columns])
    every = [f"All rows: {'; '.join(general)}"] if general and len(rows) > 1 else general
    items = [rf"\item {escapes.latex(sentence)}" for sentence in _ended([*every, *numbers])]
    items += [
        rf"\item[{sign}] {escapes.latex(sentence)}"
        for sentence, sign in zip(_ended(letters), letters.values(), strict=True)
    ]
    title = heading if heading == FAILED else f"Latency on {heading}"
    return _floating(escapes.latex(f"{title}."), _tabular(spec, titles, lines), items)


def _remarks(
    row: Row, columns: Sequence[Column], general: Sequence[str]
) -> Iterable[tuple[int, str]]:
    """Return the remarks about a row, each with the column that its letter stands in."""
    names = [column.name for column in columns]
    first, p50, top1 = 0, *(names.index(name) if name in names else 0 for name in ("p50", "top1"))
    if row.failure is not None:
        yield p50, f"failed at {row.failure.partition(':')[0]}; its record holds the message"
    for mark in row.marks:
        if mark not in general:
            yield (top1 if mark.startswith("top-1") else first), mark
    if "published" in names and row.published_source is not None:
        yield names.index("published"), f"published: {row.published_source}"


def _with_letter(cell: str, sign: str) -> str:
    """Put a letter behind a cell, after a comma where it has one already."""
    if cell.endswith("}") and r"\tnote{" in cell:
        return rf"{cell[:-1]},{sign}}}"
    return rf"{cell}\tnote{{{sign}}}"


def _ended(sentences: Iterable[str]) -> list[str]:
    return [f"{sentence.removesuffix('.')}." for sentence in sentences]


def _tabular(spec: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = (" & ".join(row) + r" \\" for row in (titles, *rows))
    begin, end = r"\begin{tabular}{" + spec + "}", r"\end{tabular}"
    return [begin, r"\toprule", head, r"\midrule", *body, r"\bottomrule", end]


def _floating(caption: str, tabular: Sequence[str], items: Sequence[str]) -> list[str]:
    notes = [r"\begin{tablenotes}\footnotesize", *items, r"\end{tablenotes}"] if items else []
    return [
        "",
        r"\begin{table}",
        r"\centering",
        r"\begin{threeparttable}",
        rf"\caption{{{caption}}}",
        *tabular,
        *notes,
        r"\end{threeparttable}",
        r"\end{table}",
    ]
