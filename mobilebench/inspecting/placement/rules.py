"""Read which operations each class of compute unit takes, and with which limits.

The rules are data, `tables/*.toml`; each table names the published document it was read from. Lists
that a toolkit ships are read from the installed toolkit instead of being copied here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mobilebench.inspecting.placement.conditions import CONDITIONS
from mobilebench.values.forecast import RuleSource
from mobilebench.values.graph import Operation
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.recipe import Format

_FOLDER = Path(__file__).parent / "tables"
_ROW = re.compile(r"^\|(?:ai\.onnx[:.])?((?:com\.microsoft:)?\w+)\|([^|]*)\|", re.MULTILINE)
NOT_LISTED = "not on the list of supported operations"


@dataclass(frozen=True)
class Limit:
    """Condition under which operations of some kinds are refused."""

    kinds: frozenset[str] | None
    """In lower case; None for every kind."""
    condition: str
    value: Any
    reason: str

    def refuses(self, operation: Operation) -> bool:
        of_kind = self.kinds is None or operation.kind.casefold() in self.kinds
        return of_kind and CONDITIONS[self.condition](operation, self.value)


@dataclass(frozen=True)
class Rules:
    """Rules of one class of compute unit."""

    id: str
    label: str
    unit: ComputeUnit
    format: Format
    source: RuleSource
    operations: frozenset[str] | None
    """Kinds that it takes, in lower case; None, for every kind, where no list is published."""
    limits: tuple[Limit, ...]

    def refusal(self, operation: Operation) -> str | None:
        """Return why an operation is not taken; None where it is taken."""
        for limit in self.limits:
            if limit.refuses(operation):
                return limit.reason
        if self.operations is not None and operation.kind.casefold() not in self.operations:
            return NOT_LISTED
        return None


@cache
def rules(file_format: Format) -> tuple[Rules, ...]:
    """Return the rules of the classes that run a format.

    Classes whose list is not installed are left out.
    """
    tables = (_read(path) for path in sorted(_FOLDER.glob(f"{file_format}-*.toml")))
    return tuple(sorted(filter(None, tables), key=lambda rule: _ORDER.index(rule.unit)))


_ORDER = (ComputeUnit.NPU, ComputeUnit.ALL, ComputeUnit.GPU, ComputeUnit.CPU)


@cache
def delegates() -> Mapping[str, tuple[str, ComputeUnit]]:
    """Return label and unit of the delegates that a file can name."""
    plain = tomllib.loads((_FOLDER / "delegates.toml").read_text(encoding="utf-8"))
    return {key: (entry["label"], ComputeUnit(entry["unit"])) for key, entry in plain.items()}


def _read(path: Path) -> Rules | None:
    plain = tomllib.loads(path.read_text(encoding="utf-8"))
    as_of = plain["source"].get("as_of")
    operations: frozenset[str] | None = None
    limits = [_limit(entry) for entry in plain.get("limits", ())]
    if shipped := plain.get("shipped"):
        table = _shipped(shipped["package"], shipped["file"])
        if table is None:
            return None
        operations = frozenset(kind.casefold() for kind in table)
        limits += _noted(table, plain["notes"])
        as_of = f"{shipped['package']} {metadata.version(shipped['package'])}"
    elif "operations" in plain:
        operations = frozenset(kind.casefold() for kind in plain["operations"])
    return Rules(
        id=path.stem,
        label=plain["label"],
        unit=ComputeUnit(plain["unit"]),
        format=Format(path.stem.partition("-")[0]),
        source=RuleSource(
            title=plain["source"]["title"], url=plain["source"].get("url"), as_of=str(as_of)
        ),
        operations=operations,
        limits=tuple(limits),
    )


def _limit(entry: Mapping[str, Any]) -> Limit:
    kinds = entry.get("kinds")
    return Limit(
        kinds=None if kinds is None else frozenset(kind.casefold() for kind in kinds),
        condition=entry["when"],
        value=entry.get("value"),
        reason=entry["reason"],
    )


def _shipped(package: str, file: str) -> dict[str, tuple[str, ...]] | None:
    """Read the operations of a table that a package ships, with the sentences of their notes.

    Return None where the package or the table is not installed.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder) / file
        if path.is_file():
            rows = _ROW.findall(path.read_text(encoding="utf-8"))
            return {kind: sentences(note) for kind, note in rows if kind != "Operator"}
    return None


def sentences(note: str) -> tuple[str, ...]:
    """Split a note into its sentences, without their full stops."""
    return tuple(
        part.strip().rstrip(".") for part in re.split(r"<br/>|(?<=\.)\s", note) if part.strip()
    )


def _noted(table: Mapping[str, tuple[str, ...]], notes: Mapping[str, Any]) -> list[Limit]:
    """Make limits of the sentences that a table of notes knows how to check.

    Other sentences make no limit.
    """
    return [
        Limit(frozenset({kind.casefold()}), check["when"], check.get("value"), sentence)
        for kind, note in table.items()
        for sentence in note
        if (check := notes.get(sentence)) and "when" in check
    ]
