"""Part rows into groups: only rows of one group may be ranked among each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mobilebench.leaderboard.rows import Row
from mobilebench.notation.quantities import counted

FAILED = "Failed exports"


@dataclass(frozen=True)
class Condition:
    """One thing that rows of a group share; they differ in what is ranked, and in nothing else."""

    field: str
    title: str
    text: Callable[[Row], str | None]
    """What a heading says of it; None where it is not known, or nothing was set."""


def _words(field: str, title: str, before: str = "", after: str = "") -> Condition:
    def text(row: Row) -> str | None:
        content = getattr(row, field)
        return None if content is None else f"{before}{content}{after}"

    return Condition(field, title, text)


def _settings(field: str, title: str) -> Condition:
    return Condition(field, title, lambda row: ", ".join(getattr(row, field)) or None)


def _threads(row: Row) -> str | None:
    return None if row.threads is None else counted(row.threads, "thread")


def _charging(row: Row) -> str | None:
    return None if row.charging is None else ("charging" if row.charging else "on battery")


CONDITIONS: Sequence[Condition] = (
    _words("device_model", "device"),
    _words("compute_unit", "compute unit"),
    _words("protocol", "protocol", "protocol "),
    _words("specimen", "this very device"),
    _words("runtime", "runtime"),
    Condition("threads", "threads", _threads),
    _words("precision", "precision"),
    _words("resolution", "input"),
    _words("os", "system"),
    _words("os_build", "build of the system", "build "),
    _words("app_build", "build of the app", "", " build"),
    _settings("device_settings", "set on the device"),
    _settings("runtime_settings", "set in the runtime"),
    Condition("charging", "power", _charging),
    _words("start_thermal", "thermal state at the start", "began "),
    _words("device_kind", "kind of device"),
    _words("soc", "chip"),
    _words("cores", "cores", "", " cores"),
    _words("ram_gib", "memory", "", " GiB"),
)
"""What is equal in a group: of `values.record.Identity` everything but what is ranked, which is the
network and its file (format, deployment target, delegate, a policy of widths)."""
_IN_HEADING = 3


@dataclass(frozen=True)
class Group:
    """The rows of one set of conditions; only these are ranked together."""

    id: str | None
    """The same for the same conditions at any time; None for failed exports."""
    heading: str
    """What no other group of the board has: device, unit and protocol, and what else differs."""
    conditions: tuple[tuple[str, str], ...]
    """Everything that is known of the conditions, each with its title."""
    rows: tuple[tuple[int, Row], ...]
    """Each with its number in the whole leaderboard, from 1."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that its rows were measured on, in their order."""
        return tuple(dict.fromkeys(row.device for _, row in self.rows))

    @property
    def details(self) -> str:
        """What the heading leaves out of the conditions, in words."""
        if self.id is None:
            return ""
        row = _fullest(row for _, row in self.rows)
        texts = (condition.text(row) for condition in CONDITIONS[_IN_HEADING:])
        return ", ".join(text for text in texts if text and text not in self.heading)


def _fullest(rows: Iterable[Row]) -> Row:
    """Return a row that knows every condition: a failed run may not."""
    return min(rows, key=lambda row: row.p50_ms is None)


def groups(rows: Sequence[Row]) -> list[Group]:
    """Return the groups in the order in which their first rows stand, failed exports last."""
    numbered: dict[str | None, list[tuple[int, Row]]] = {}
    for number, row in enumerate(rows, start=1):
        numbered.setdefault(row.group, []).append((number, row))
    shown = {id_: _heading([row for _, row in own]) for id_, own in numbered.items()}
    parts = []
    for id_, own in numbered.items():
        alike = [other for other, heading in shown.items() if heading == shown[id_]]
        rivals = [_fullest(row for _, row in numbered[other]) for other in alike]
        more = _apart(_fullest(row for _, row in own), rivals) if len(rivals) > 1 else ()
        parts.append(
            Group(
                id=id_,
                heading=", ".join((shown[id_], *more)),
                conditions=() if id_ is None else _known(_fullest(row for _, row in own)),
                rows=tuple(own),
            )
        )
    return sorted(parts, key=lambda part: part.id is None)


def _heading(rows: Sequence[Row]) -> str:
    """Return device, compute unit and protocol in words."""
    row = rows[0]
    if row.protocol is None:
        return FAILED
    devices = dict.fromkeys(each.device for each in rows)
    where = row.device if len(devices) == 1 else counted(len(devices), "device")
    unit = f", {row.compute_unit}" if row.compute_unit else ""
    return f"{row.device_model} ({where}{unit}), protocol {row.protocol}"


def _apart(row: Row, rivals: Sequence[Row]) -> tuple[str, ...]:
    """Return in words what tells a group from others of the same device, unit and protocol."""
    return tuple(
        condition.text(row) or f"{condition.title} not known"
        for condition in CONDITIONS[_IN_HEADING:]
        if len({getattr(rival, condition.field) for rival in rivals}) > 1
    )


def _known(row: Row) -> tuple[tuple[str, str], ...]:
    texts = ((condition.title, condition.text(row)) for condition in CONDITIONS)
    return tuple((title, text) for title, text in texts if text is not None)


def ids(rows: Sequence[Row]) -> list[str | None]:
    """Return the id of the group that each row belongs to; None for a failed export.

    A failed run belongs to the first group whose conditions have all that is known of it.
    """
    own = [_key(row) for row in rows]
    measured = dict.fromkeys(
        key for key, row in zip(own, rows, strict=True) if row.p50_ms is not None
    )
    by_key: dict[tuple[object, ...], str] = {}
    result: list[str | None] = []
    for key, row in zip(own, rows, strict=True):
        if row.protocol is None:
            result.append(None)
            continue
        if row.p50_ms is None:
            key = next((other for other in measured if _may_be(key, other)), key)
        if key not in by_key:
            text = json.dumps(key, separators=(",", ":"))
            by_key[key] = hashlib.sha256(text.encode()).hexdigest()[:12]
        result.append(by_key[key])
    return result


def _key(row: Row) -> tuple[object, ...]:
    return tuple(getattr(row, condition.field) for condition in CONDITIONS)


def _may_be(failed: Sequence[object], key: Sequence[object]) -> bool:
    """Return whether a failed run would have been in a group, as far as that is known."""
    for condition, part, other in zip(CONDITIONS, failed, key, strict=True):
        if condition.field == "runtime":
            # Its version is not known where nothing ran.
            if not f"{other} ".startswith(f"{part} "):
                return False
        elif part not in (None, (), other):
            return False
    return True
