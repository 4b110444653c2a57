"""Write the leaderboard as CSV, JSON or Markdown.

CSV and JSON hold every field, Markdown the columns that people see.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import fields

from mobilebench.leaderboard.columns import Column, offered
from mobilebench.leaderboard.groups import groups
from mobilebench.leaderboard.notes import notes
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes
from mobilebench.values import wire

_WITH_EVERY_NUMBER = ("device", "device_model", "compute_unit", "protocol", "marks", "failure")
"""Fields without which a number could be compared with one that it must not be compared with."""


def as_csv(rows: Sequence[Row], columns: Sequence[Column] | None = None) -> str:
    """Format the rows as CSV, below a line of field names; an unknown value is empty.

    With columns, only their fields are there, and those that tell what may be compared.
    """
    out = io.StringIO()
    names = _names(columns)
    writer = csv.DictWriter(out, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        plain = {
            **wire.to_plain(row),
            "marks": "; ".join(row.marks),
            "inputs": "; ".join(row.inputs),
        }
        writer.writerow({name: _cell(content) for name, content in plain.items()})
    return out.getvalue()


def _names(columns: Sequence[Column] | None) -> list[str]:
    if columns is None:
        return [field.name for field in fields(Row)]
    chosen = (name for column in columns for name in column.fields)
    return list(dict.fromkeys([*chosen, *_WITH_EVERY_NUMBER]))


def _cell(content: wire.Plain) -> wire.Plain:
    return escapes.csv(content) if isinstance(content, str) else content


def as_json(rows: Sequence[Row], columns: Sequence[Column] | None = None) -> str:
    """Format the rows as a JSON list of objects; an unknown value is null.

    Columns choose as in `as_csv`.
    """
    names = _names(columns)
    plain = [wire.to_plain(row) for row in rows]
    chosen = [{name: row[name] for name in names} for row in plain]
    return json.dumps(chosen, indent=2, allow_nan=False) + "\n"


def as_markdown(rows: Sequence[Row], columns: Sequence[Column] | None = None) -> str:
    """Format the rows as a Markdown table for each group, with the notes below.

    It is meant for README files and pull requests.
    """
    columns = offered(rows) if columns is None else columns
    lines: list[str] = []
    for group in groups(rows):
        lines += [
            f"### {escapes.markdown(group.heading)}",
            "",
            "| # | " + " | ".join(escapes.markdown(column.title) for column in columns) + " |",
            "|---:|" + "|".join("---:" if column.numeric else "---" for column in columns) + "|",
        ]
        for number, row in group.rows:
            cells = (escapes.markdown(column.text(row)) for column in columns)
            lines.append(f"| {number} | " + " | ".join(cells) + " |")
        lines += ["", escapes.markdown(group.details)] if group.details else []
        lines.append("")
    about = notes(rows, [column.name for column in columns])
    lines += [f"- {escapes.markdown(sentence)}" for sentence in about]
    return "\n".join(lines) + "\n"
