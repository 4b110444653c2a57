"""Keep answers in a file as they come, so that a killed evaluation can go on.

Lines of JSON are appended and never changed. A line that was cut off is skipped.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from mobilebench.errors import SchemaError
from mobilebench.files import writing
from mobilebench.values import value, wire


class ImageVerdict(StrEnum):
    """The outcome for one image."""

    RANKED = "ranked"
    NOT_FINITE = "not finite"
    """A score was infinite or not a number."""
    UNREADABLE = "unreadable"


@value
class Answer:
    """The answer for one image of a data set."""

    image: int
    """Its position in the data set."""
    sha256: str
    """sha256 of the image file."""
    verdict: ImageVerdict
    rank: int | None = None
    """How many classes the network ranks before the right one."""


@value
class Part:
    """The answers for some images, computed together."""

    evaluated_by: str | None
    """Runtime that computed them; None where no image could be read."""
    answers: tuple[Answer, ...]


@value
class _Line:
    key: str
    part: Part


class Journal:
    """The parts stored in one file; those of other evaluations are left alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, output: Path) -> Journal:
        """Return the journal of the result that will be written to `output`."""
        return cls(output.with_name(f"{output.name}.progress"))

    def read(self, key: str) -> list[Part]:
        """Read the parts stored under a key; an empty list where there is no file yet."""
        if not self.path.exists():
            return []
        parts = []
        for text in self.path.read_bytes().splitlines():
            try:
                line = wire.loads(_Line, text)
            except SchemaError:  # cut off, or written by another version
                continue
            if line.key == key:
                parts.append(line.part)
        return parts

    def add(self, key: str, part: Part) -> None:
        """Append a part. Raises `OutputError` where the file cannot be written."""
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                text = wire.dumps(_Line(key=key, part=part)).encode() + b"\n"
                # One write: another process may be appending too.
                file.write(text if self._ends_whole() else b"\n" + text)

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            if file.seek(0, 2) == 0:
                return True
            file.seek(-1, 2)
            return file.read(1) == b"\n"

    def discard(self) -> None:
        """Remove the file, once the result has been written."""
        with writing(self.path):
            self.path.unlink(missing_ok=True)
