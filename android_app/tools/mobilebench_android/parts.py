"""The table of parts that others made."""

from __future__ import annotations

import os
import platform
import re
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mobilebench.errors import UserError

TABLE = Path(__file__).with_name("parts.toml")
_FIELDS = {
    "name", "registry", "package", "version", "path", "sha256", "licence", "take", "members",
    "host",
}  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """Something that is taken out of an archive."""

    pattern: str
    """A path with wildcards; `A!B` is B in the archive A; with / at its end, a whole folder."""
    folder: str
    """Where it goes in the part's folder; empty for the folder itself."""


@dataclass(frozen=True)
class Part:
    """An archive of a registry, and what is taken out of it."""

    name: str
    registry: str
    package: str
    version: str
    path: str
    """Below an address of its registry."""
    sha256: str
    licence: str
    take: tuple[Taken, ...]
    members: tuple[tuple[str, str], ...]
    """SHA-256 of single files, where one was published or written down apart."""
    host: str | None
    """The only kind of machine that has a use for it; None for any."""

    @property
    def file(self) -> str:
        """The archive's name, whose ending tells its kind."""
        return self.path.rpartition("/")[2]

    @property
    def addresses(self) -> list[str]:
        """Full addresses, the first to try first; the user's own mirror replaces them."""
        registry = registries()[self.registry]
        mirror = os.environ.get(registry["override"])
        bases = [mirror.rstrip("/")] if mirror else registry["addresses"]
        return [f"{base}/{self.path}" for base in bases]

    @property
    def title(self) -> str:
        """What a sentence names: `npm kotlin-compiler 2.4.20`."""
        return f"{self.registry} {self.package} {self.version}"


def host() -> str:
    """Return the kind of this machine: `linux-x86_64`."""
    return f"{sys.platform}-{platform.machine()}"


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def registries() -> dict[str, Any]:
    """Return the registries by name, each with its addresses and the variable of a mirror."""
    rows: dict[str, Any] = _table()["registries"]
    return rows


@cache
def parts() -> dict[str, Part]:
    """Return all parts by name. Raises `UserError` for a table that is wrong."""
    return read(_table())


def read(table: dict[str, Any]) -> dict[str, Part]:
    """Return the parts of a table by name. Raises `UserError` for one that is wrong."""
    rows = [_part(row, table["registries"]) for row in table["parts"]]
    if len({row.name for row in rows}) < len(rows):
        raise UserError(f"{TABLE.name} names a part twice; names are unique")
    return {row.name: row for row in rows}


def _part(row: dict[str, Any], registries: dict[str, Any]) -> Part:
    name = row.get("name", "a part without a name")
    if unknown := row.keys() - _FIELDS:
        raise UserError(f"{TABLE.name}: {name} has the field {min(unknown)!r}, which no part has")
    for field in ("name", "registry", "version", "sha256", "licence", "take"):
        if not row.get(field):
            raise UserError(f"{TABLE.name}: {name} has no {field}; every part needs one")
    if not re.fullmatch("[0-9a-f]{64}", row["sha256"]):
        raise UserError(f"{TABLE.name}: the sha256 of {name} is not 64 hexadecimal digits")
    if row["registry"] not in registries:
        raise UserError(f"{TABLE.name}: {name} comes from an unknown registry")
    package = row.get("package", name)
    base = package.rpartition("/")[2]
    path = row.get("path") or f"{package}/-/{base}-{row['version']}.tgz"
    return Part(
        name=name,
        registry=row["registry"],
        package=package,
        version=row["version"],
        path=path,
        sha256=row["sha256"],
        licence=row["licence"],
        take=tuple(Taken(pattern, folder) for pattern, folder in row["take"]),
        members=tuple(row.get("members", {}).items()),
        host=row.get("host"),
    )
