"""Write the leaderboard as CSV, JSON or Markdown.

CSV and JSON hold every field, Markdown the columns that people see.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import fields

from mobilebench.leaderboard.columns import notes, offered
from mobilebench.leaderboard.rows import Row
from mobilebench.notation import escapes
from mobilebench.values import wire


def as_csv(rows: Sequence[Row]) -> str:
    """Format the rows as CSV, below a line of field names; an unknown value is empty."""
    out = io.StringIO()
    names = [field.name for field in fields(Row)]
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        plain = {
            **wire.to_plain(row),
            "marks": "; ".join(row.marks),
            "inputs": "; ".join(row.inputs),
        }
        writer.writerow({name: _cell(content) for name, content in plain.items()})
    return out.getvalue()


def _cell(content: wire.Plain) -> wire.Plain:
    return escapes.csv(content) if isinstance(content, str) else content


def as_json(rows: Sequence[Row]) -> str:
    """Format the rows as a JSON list of objects; an unknown value is null."""
    return json.dumps([wire.to_plain(row) for row in rows], indent=2, allow_nan=False) + "\n"


def as_markdown(rows: Sequence[Row]) -> str:
    """Format the rows as a Markdown table, with its notes below.

    It is meant for README files and pull requests.
    """
    columns = offered(rows)
    lines = [
        "| # | " + " | ".join(escapes.markdown(column.title) for column in columns) + " |",
        "|---:|" + "|".join("---:" if column.numeric else "---" for column in columns) + "|",
    ]
    for number, row in enumerate(rows, start=1):
        cells = (escapes.markdown(column.text(row)) for column in columns)
        lines.append(f"| {number} | " + " | ".join(cells) + " |")
    lines += ["", *(f"- {escapes.markdown(sentence)}" for sentence in notes(rows))]
    return "\n".join(lines) + "\n"
