"""Write a paper's tables, how they were measured, and what to cite.

The two parts, tables and a paragraph, stand one below the other, to be pasted where they belong; or
they are a small document that pdflatex takes as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from mobilebench.leaderboard import methods
from mobilebench.leaderboard.bibtex import Bibliography
from mobilebench.leaderboard.columns import Column
from mobilebench.leaderboard.latex import LINE_PT, PACKAGES, as_latex, cut, wrapped
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes
from mobilebench.values.record import Record
from mobilebench.values.reported import Reported

_LINE_PT = 455.0
"""Points of a line of A4 between margins of 2.5 cm."""
_LONGEST = 2000
"""Characters of a sentence."""


def as_paper(
    rows: Sequence[Row],
    records: Sequence[Record],
    reported: Sequence[Reported] = (),
    columns: Sequence[Column] | None = None,
    *,
    standalone: bool = False,
    bibliography: Bibliography | None = None,
    bibliography_file: str = "networks",
) -> str:
    """Return the tables of some rows, and a paragraph on how their records were measured.

    `records` are those behind the rows. With a bibliography the paragraph cites its entries, and a
    whole document (`standalone`) names its file, without the ending.
    """
    width = _LINE_PT if standalone else LINE_PT
    tables = as_latex(rows, reported, columns, width)
    lines = ["", *_methods(records, reported)]
    if bibliography is not None and (bibliography.cited or bibliography.unknown):
        lines += ["", *wrapped(_citing(bibliography))]
    parts = "\n".join([tables.rstrip("\n"), *lines]) + "\n"
    if not standalone:
        return parts
    cites = [r"\bibliographystyle{plain}", rf"\bibliography{{{bibliography_file}}}"]
    return "\n".join(
        [
            r"\documentclass[a4paper]{article}",
            r"\usepackage[utf8]{inputenc}",
            r"\usepackage[margin=2.5cm]{geometry}",
            PACKAGES,
            r"\begin{document}",
            parts,
            *(cites if bibliography is not None and bibliography.cited else []),
            r"\end{document}",
            "",
        ]
    )


def _methods(records: Sequence[Record], reported: Sequence[Reported]) -> list[str]:
    lines = []
    for heading, sentences in methods.sentences(records, reported):
        text = " ".join(escapes.latex(cut(sentence, _LONGEST)) for sentence in sentences)
        lines += [*wrapped(rf"\paragraph{{{escapes.latex(heading)}.}} {text}"), ""]
    return lines[:-1]


def _citing(bibliography: Bibliography) -> str:
    """Return a sentence that cites the papers of the networks."""
    parts = [
        f"{escapes.latex(cut(each.name))}~\\cite{{{each.key}}} "
        f"({escapes.latex(cut(', '.join(each.models)))})"
        for each in bibliography.cited
    ]
    if bibliography.unknown:
        names = escapes.latex(cut(", ".join(bibliography.unknown)))
        parts.append(f"without a source to cite: {names}")
    return rf"\paragraph{{Networks.}} {'; '.join(parts)}."
