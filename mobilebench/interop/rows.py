"""Read the rows of a table in CSV, and name the line where one is wrong."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import SchemaError

_SEPARATORS = (",", ";", "\t", "|")
_LARGEST = 1e12
"""Of any quantity in a table; more is a slip, and can overflow in another unit."""
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)


@dataclass(frozen=True)
class Row:
    """One row of a table."""

    place: str
    """The file and the line, for errors."""
    cells: Mapping[str, str]

    def word(self, name: str) -> str | None:
        """Return a cell's text; None where it is empty or there is no such column."""
        return self.cells.get(name) or None

    def number(self, name: str) -> float | None:
        """Return a cell's number, with a decimal point or comma; else raise `SchemaError`."""
        text = self.word(name)
        if text is None:
            return None
        if _THOUSANDS.fullmatch(text):
            raise SchemaError(
                f"{self.place}: {name} is {text}, with a comma for thousands or for decimals; "
                f"write a decimal point."
            )
        plain = text.replace(",", ".") if _COMMA.fullmatch(text) else text
        if not _NUMBER.fullmatch(plain):
            kind = "finite number" if _NOT_FINITE.fullmatch(plain) else "number"
            raise SchemaError(f"{self.place}: {name} is {text!r}; give a {kind}.")
        number = float(plain)
        if abs(number) > _LARGEST:
            raise SchemaError(f"{self.place}: {name} is {text}; no such quantity is that large.")
        return number

    def positive(self, name: str) -> float | None:
        """Return a cell's number above 0. Raises `SchemaError` for any other number."""
        number = self.number(name)
        if number is not None and number <= 0:
            raise SchemaError(
                f"{self.place}: {name} is {self.word(name)}; give a number above 0, or leave it "
                f"empty where it is not known."
            )
        return number

    def whole(self, name: str) -> int | None:
        """Return a cell's whole number above 0. Raises `SchemaError` for any other number."""
        number = self.positive(name)
        if number is not None and not number.is_integer():
            raise SchemaError(f"{self.place}: {name} is {self.word(name)}; give a whole number.")
        return None if number is None else int(number)


def header(text: str) -> tuple[str, ...]:
    """Return the names of the columns in lower case; () where the first line has only one."""
    names = _cells(text, _separator(text))
    return tuple(name.strip().lower() for name in names) if len(names) > 1 else ()


def _cells(text: str, separator: str) -> list[str]:
    """Return the cells of the first line."""
    try:
        return next(csv.reader([text.partition("\n")[0]], delimiter=separator), [])
    except csv.Error:
        return []


def _separator(text: str) -> str:
    """Return the sign that cuts the first line into the most cells."""
    return max(_SEPARATORS, key=lambda sign: len(_cells(text, sign)))


def rows(text: str, path: Path) -> list[Row]:
    """Read all rows below the header; empty rows are left out.

    Raises `SchemaError`, which names the line, for a column that is there twice and for a row that
    has more or fewer cells than the header.
    """
    names = header(text)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise SchemaError(
            f"{path}, line 1: the column {twice[0] or 'without a name'} is there twice; keep one."
        )
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    result = []
    try:
        next(reader, None)
        for cells in reader:
            place = f"{path}, line {reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                advice = f"put a text that has the separator {separator!r} in quotes"
                if len(cells) < len(names):
                    advice = "leave no cell out; the file may have been cut off"
                raise SchemaError(
                    f"{place}: there are {len(cells)} cells for {len(names)} columns; {advice}."
                )
            stripped = (cell.strip() for cell in cells)
            result.append(Row(place, dict(zip(names, stripped, strict=True))))
    except csv.Error as error:
        raise SchemaError(
            f"{path}, line {reader.line_num}: not CSV ({error}); it may have been cut off."
        ) from error
    return result
