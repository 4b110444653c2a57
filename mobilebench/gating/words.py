"""The words of an export command in another checkout: the same files of the repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_WITH_PATH = ("--checkpoint", "-c", "--calibration", "--class-labels")
"""Options of an export whose value is a path."""


@dataclass(frozen=True)
class Move:
    """From a folder of one checkout to the same folder of another one."""

    root: Path
    folder: Path
    """Where the command runs, below the root."""
    other_root: Path
    tracked: Callable[[Path], bool]
    """Whether git tracks a path, relative to the root."""

    def words(self, arguments: Sequence[str], models: Sequence[str]) -> list[str]:
        """Return arguments of `mobilebench export` as the other checkout has to get them.

        A path of the repository is that of the other checkout, a path outside is the same one.
        What git does not track, such as a checkpoint, is read from the first checkout.
        """
        moved: list[str] = []
        for place, word in enumerate(arguments):
            option, equals, content = word.partition("=")
            if word in models:
                moved.append(self.model(word))
            elif place and arguments[place - 1] in _WITH_PATH:
                moved.append(self._named(word, models))
            elif equals and option in _WITH_PATH:
                moved.append(f"{option}={self._named(content, models)}")
            else:
                moved.append(word)
        return moved

    def model(self, reference: str) -> str:
        """Return a reference to a network; one that names no file is the same everywhere."""
        path, colon, function = reference.rpartition(":")
        if not path.endswith(".py"):
            return reference
        return f"{self._path(path, code=True)}{colon}{function}"

    def _named(self, text: str, models: Sequence[str]) -> str:
        """Return a path, or MODEL=PATH."""
        name, equals, path = text.partition("=")
        if equals and name in models:
            return f"{self.model(name)}={self._path(path)}"
        return self._path(text)

    def _path(self, text: str, code: bool = False) -> str:
        full = Path(os.path.normpath(self.folder / text))
        if not full.is_relative_to(self.root):
            # Through a link to the repository it is a path of the repository all the same.
            full = full.parent.resolve() / full.name
        if not full.is_relative_to(self.root):
            return str(full)
        inside = full.relative_to(self.root)
        there = self.other_root / inside
        if not code and full.exists() and not there.exists() and not self.tracked(inside):
            return str(full)
        return str(there) if Path(text).is_absolute() else text
