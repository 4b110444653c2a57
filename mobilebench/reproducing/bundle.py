"""Pack a table with what stands behind it into one file, and read it.

The file is a zip whose parts are not compressed, in one order and without times, so that the same
content gives the same bytes on every machine. What is read has to be, byte by byte, what would have
been written: a part that was changed, added, compressed or put elsewhere is refused, and a part
cannot be larger than the file. Nothing is unpacked to a disk.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from mobilebench.errors import SchemaError
from mobilebench.store.documents import Document
from mobilebench.values import value, wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.artifact import Manifest
from mobilebench.values.reported import Reported

SUFFIX = ".mbbundle"
KIND = "mobilebench bundle"
VERSION = 1
_INDEX = "index.json"
_SHELF = re.compile(r"(rows|runs|accuracies|reported|manifests)/[0-9a-f]{1,64}\.json")
_TIME = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can state."""
_MAGIC = b"PK"
_UNIX = 3
_MODE = 0o644 << 16
_LARGEST_BYTES = 1 << 30
_ANEW = "fetch it anew from where it was published"


@value
class TableView:
    """What a table shows of a store, as the options of `mobilebench leaderboard` have it."""

    model: str | None = None
    format: str | None = None
    device: str | None = None
    protocol: str | None = None
    data: str | None = None
    """The data set whose accuracies it shows."""
    columns: tuple[str, ...] = ()
    """Empty where nobody chose them."""
    sort: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    """Other names of models."""

    @property
    def words(self) -> tuple[str, ...]:
        """The options of `mobilebench leaderboard` that show the table."""
        options: list[str] = []
        for name in ("model", "format", "device", "protocol", "data", "sort"):
            content = getattr(self, name)
            options += [] if content is None else [f"--{name}", content]
        options += ["--columns", ",".join(self.columns)] if self.columns else []
        for model, text in self.names.items():
            options += ["--name", f"{model}={text}"]
        return tuple(options)


@value
class Part:
    """One file inside a bundle."""

    path: str
    sha256: str
    size_bytes: int


@value
class Index:
    """The first part of a bundle: what it is, and every other part with its sha256."""

    ABSENT_IS_LEFT_OUT: ClassVar = True

    kind: str = KIND
    version: int = VERSION
    view: TableView = field(default_factory=TableView)
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Bundle:
    """A table with everything that stands behind it."""

    rows: tuple[Document, ...]
    """The records of its rows, in its order."""
    runs: tuple[Document, ...] = ()
    """Other runs of the same cells, by which noise can be told from change."""
    accuracies: tuple[Accuracy, ...] = ()
    reported: tuple[Reported, ...] = ()
    """Results of others that the table shows beside its rows."""
    manifests: tuple[Manifest, ...] = ()
    """Of the artifacts that were at hand."""
    view: TableView = field(default_factory=TableView)

    @property
    def documents(self) -> tuple[Document, ...]:
        """Every record in it."""
        return (*self.rows, *self.runs)

    def as_bytes(self) -> bytes:
        """Return the file; the same content gives the same bytes."""
        contents = dict(self._contents())
        parts = tuple(
            Part(path=path, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
            for path, content in contents.items()
        )
        return _written(Index(view=self.view, parts=parts), contents)

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        numbered = (
            ("rows", list(map(_text, self.rows))),
            ("runs", list(map(_text, self.runs))),
            ("accuracies", list(map(wire.dumps, self.accuracies))),
            ("reported", list(map(wire.dumps, self.reported))),
        )
        for shelf, texts in numbered:
            for number, text in enumerate(texts, start=1):
                yield f"{shelf}/{number:06d}.json", text.encode()
        for manifest in sorted(self.manifests, key=lambda each: each.facts.sha256):
            yield f"manifests/{manifest.facts.sha256}.json", wire.dumps(manifest).encode()


def _text(document: Document) -> str:
    """Return the one text of a document's content, however a store wrote it."""
    return wire.text_of(wire.parse(document.text)).decode()


def _written(index: Index, contents: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path, content in {_INDEX: wire.dumps(index).encode(), **contents}.items():
            entry = zipfile.ZipInfo(path, _TIME)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, content)
    return out.getvalue()


def is_bundle(path: Path) -> bool:
    """Return whether a file begins as a zip does, which no file of records does."""
    try:
        with path.open("rb") as handle:
            return handle.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def read(path: Path) -> Bundle:
    """Read a bundle, with the signatures of its records checked.

    Raises `SchemaError`, in one sentence, for any other file: one that was cut off or changed, that
    a newer version made, whose parts lead out of it or are larger than itself.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise SchemaError(f"The bundle {path} is larger than {_LARGEST_BYTES >> 30} GB.")
        content = path.read_bytes()
    except OSError as error:
        raise SchemaError(f"The bundle {path} cannot be read: {error.strerror}.") from error
    index, contents = _opened(content, path)
    shelves: dict[str, list[str]] = {}
    for name in contents:
        shelves.setdefault(name.partition("/")[0], []).append(name)

    def texts(shelf: str) -> Iterator[tuple[bytes, str]]:
        for name in shelves.get(shelf, []):
            yield contents[name], f"{path}, {name}"

    def documents(shelf: str) -> tuple[Document, ...]:
        return tuple(Document.parse(text, what) for text, what in texts(shelf))

    return Bundle(
        rows=documents("rows"),
        runs=documents("runs"),
        accuracies=tuple(wire.loads(Accuracy, *each) for each in texts("accuracies")),
        reported=tuple(wire.loads(Reported, *each) for each in texts("reported")),
        manifests=tuple(wire.loads(Manifest, *each) for each in texts("manifests")),
        view=index.view,
    )


def _opened(content: bytes, path: Path) -> tuple[Index, dict[str, bytes]]:
    """Return the index and the parts, each verified. Raises `SchemaError`."""
    if not content.startswith(_MAGIC):
        raise SchemaError(f"{path} is not a bundle; give a file that `mobilebench bundle` wrote.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            # The version first: a newer one may have other parts.
            index = _index(archive, entries, path)
            _require_plain(entries, len(content), path)
            contents = {entry.filename: archive.read(entry) for entry in entries[1:]}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise SchemaError(f"The bundle {path} is damaged or was cut off ({error}); {_ANEW}.") from (
            error
        )
    stated = {part.path: part for part in index.parts}
    if list(stated) != list(contents) or len(stated) != len(index.parts):
        odd = sorted({*stated} ^ {*contents}) or ["the order of its parts"]
        raise SchemaError(
            f"The bundle {path} does not hold what its index states ({odd[0]}); {_ANEW}."
        )
    for name, part in stated.items():
        if hashlib.sha256(contents[name]).hexdigest() != part.sha256:
            raise SchemaError(
                f"The bundle {path} was changed after it was made: the sha256 of its part {name} "
                f"is not the one in its index; {_ANEW}."
            )
    if _written(index, contents) != content:
        raise SchemaError(
            f"The bundle {path} was packed anew by another program, or holds something beside its "
            f"parts; {_ANEW}."
        )
    return index, contents


def _require_plain(entries: Sequence[zipfile.ZipInfo], size: int, path: Path) -> None:
    """Require parts with names of this version that are stored as they are."""
    names = [entry.filename for entry in entries]
    for name in names[1:]:
        if not _SHELF.fullmatch(name):
            raise SchemaError(
                f"The bundle {path} has a part called {name!r}, which no bundle of this version "
                f"has; {_ANEW}, or update mobilebench."
            )
    if len(set(names)) < len(names):
        raise SchemaError(f"The bundle {path} has two parts of one name; {_ANEW}.")
    if not all(map(_stored, entries)):
        raise SchemaError(
            f"The bundle {path} has a compressed part, and a bundle's are stored as they are, so "
            f"that none is larger than the file; {_ANEW}."
        )
    if sum(entry.file_size for entry in entries) > size:
        raise SchemaError(f"The bundle {path} states parts larger than itself; {_ANEW}.")


def _stored(entry: zipfile.ZipInfo) -> bool:
    return entry.compress_type == zipfile.ZIP_STORED and entry.file_size == entry.compress_size


def _index(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], path: Path) -> Index:
    what = f"The index of the bundle {path}"
    no_bundle = f"{path} is a zip, and no bundle of mobilebench"
    advice = "give a file that `mobilebench bundle` wrote"
    if not entries or entries[0].filename != _INDEX or not _stored(entries[0]):
        raise SchemaError(f"{no_bundle}: it does not begin with a plain {_INDEX}; {advice}.")
    plain = wire.parse(archive.read(entries[0]), what)
    if not isinstance(plain, dict) or plain.get("kind") != KIND:
        raise SchemaError(f"{no_bundle}: its {_INDEX} does not say {KIND!r}; {advice}.")
    version = plain.get("version")
    if type(version) is not int or version < 1:
        raise SchemaError(f"{what} states no version; {_ANEW}.")
    if version > VERSION:
        raise SchemaError(
            f"The bundle {path} has version {version}, newer than the {VERSION} that this "
            f"mobilebench reads; update mobilebench."
        )
    return wire.from_plain(Index, plain, what)
