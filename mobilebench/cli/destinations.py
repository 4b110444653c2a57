"""The files and folders that the options of a verb name for its output, before it starts.

An option is one of them by its type, a path, and by its group in the help; its placeholder FILE or
FOLDER says which of the two it is. A PATH is a folder where the form of the output is a site.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

FOLDER = "FOLDER"
PATH = "PATH"
_RECORDS = "RECORDS"
"""Placeholder of texts that may be the path of a file of records."""


@dataclass(frozen=True)
class Destination:
    """An option for output that the user gave, with its path."""

    option: str
    path: Path
    is_folder: bool

    @property
    def place(self) -> Path:
        """Return the path that is written, with links followed."""
        return Path(os.path.realpath(self.path))

    def collides(self, other: Destination) -> bool:
        """Return whether both name one path, or one would need the other's file as a folder."""
        if self.place == other.place:
            return True
        nested = self.place in other.place.parents or other.place in self.place.parents
        return nested and not (self.is_folder or other.is_folder)


def require(ctx: Any, group: str) -> None:
    """Raise `UserError` unless all that a command line names for output can be written.

    `group` is the group of these options. Two of them must not write to one place, and none to a
    file that the verb reads.
    """
    from mobilebench import files
    from mobilebench.errors import UserError

    destinations = list(_given(ctx, group))
    for each in destinations:
        (files.require_folder if each.is_folder else files.require_file)(each.path)
    lasting = [each for each in destinations if not files.is_special(each.path)]
    for first, second in combinations(lasting, 2):
        if first.collides(second):
            raise UserError(
                f"{first.option} {first.path} and {second.option} {second.path} cannot both be "
                f"written; name another place for one of them."
            )
    for each in lasting:
        for name, path in _inputs(ctx, group):
            if os.path.realpath(path) == str(each.place):
                raise UserError(
                    f"{each.option} {each.path} would replace what {name} names; name another "
                    f"{'folder' if each.is_folder else 'file'}."
                )


def _given(ctx: Any, group: str) -> Iterator[Destination]:
    for parameter in ctx.command.params:
        path = ctx.params.get(parameter.name)
        source = ctx.get_parameter_source(parameter.name)
        on_line = source is not None and source.name == "COMMANDLINE"
        if on_line and isinstance(path, Path) and _is_in(group, parameter):
            site = parameter.metavar == PATH and ctx.params.get("shape") == "site"
            yield Destination(parameter.opts[0], path, site or parameter.metavar == FOLDER)


def _inputs(ctx: Any, group: str) -> Iterator[tuple[str, Path]]:
    """Yield the paths that a verb reads, each with the name of its option or argument."""
    from mobilebench.store import default_url
    from mobilebench.store.place import Place

    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name)
        name = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar
        for each in value if isinstance(value, list | tuple) else [value]:
            if parameter.name == "store":
                store = Place.parse(each or default_url()).path
                if store is not None:
                    yield "--store" if each else "the default of --store", store
            elif isinstance(each, Path) and not _is_in(group, parameter):
                yield str(name), each
            elif isinstance(each, str) and parameter.metavar == _RECORDS:
                yield str(name), Path(each)


def _is_in(group: str, parameter: Any) -> bool:
    return getattr(parameter, "rich_help_panel", None) == group
