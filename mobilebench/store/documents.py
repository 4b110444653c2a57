"""Read and write records and accuracies as JSON files, one document or a list in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

from mobilebench.errors import SchemaError
from mobilebench.store import signing
from mobilebench.values import value, wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.record import Record

_LARGEST_BYTES = 1 << 30


@value
class Document:
    """A record and its text, as it came: the signature is about that text.

    A record of an older version, read and written again, would have another text.
    """

    record: Record
    text: str

    @classmethod
    def of(cls, record: Record) -> Self:
        """Write a record in this version; a signature over an older text is left out."""
        if record.signature is not None and record.signature.algorithm != signing.ALGORITHM:
            record = replace(record, signature=None)
        return cls(record=record, text=wire.dumps(record))

    @classmethod
    def from_plain(cls, plain: wire.Plain, what: str) -> Self:
        """Read a record from parsed JSON, with its signature checked.

        Raises `SchemaError`, naming `what`, for anything else.
        """
        signing.require_intact(plain, what)
        text = _text(plain, what)
        record = wire.from_plain(Record, plain, what, text)
        return cls(record=record, text=text.decode())

    @classmethod
    def parse(cls, text: str | bytes, what: str = "the record") -> Self:
        """Read a record from JSON text; otherwise as `from_plain`.

        The document is kept with its keys in their order and its numbers, without spaces between.
        """
        return cls.from_plain(wire.parse(text, what), what)


def read_records(path: Path) -> list[Record]:
    """Read the records of one file, with their signatures checked.

    Raises `SchemaError`, naming the record, for any other file.
    """
    return parse_records(_content(path), str(path))


def read_accuracies(path: Path) -> list[Accuracy]:
    """Read the accuracies of one file, such as that of `eval --out`.

    Raises `SchemaError`, naming the accuracy, for any other file.
    """
    plain = wire.parse(_content(path), str(path))
    return [
        wire.from_plain(Accuracy, document, f"{path}, accuracy {number}")
        for number, document in enumerate(_listed(plain), start=1)
    ]


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise SchemaError(f"The file {path} is larger than {_LARGEST_BYTES >> 30} GB.")
        return path.read_bytes()
    except OSError as error:
        raise SchemaError(f"The file {path} cannot be read: {error.strerror}.") from error


def parse_records(content: bytes, name: str) -> list[Record]:
    """Read records from the content of a file; otherwise as `read_records`."""
    return [document.record for document in _documents(content, name)]


def read_documents(path: Path) -> list[Document]:
    """Read the records of one file, each with its text; otherwise as `read_records`."""
    return _documents(_content(path), str(path))


def _documents(content: bytes, name: str) -> list[Document]:
    plain = wire.parse(content, name)
    return [
        Document.from_plain(document, f"{name}, record {number}")
        for number, document in enumerate(_listed(plain), start=1)
    ]


def texts_of(path: Path) -> Iterator[tuple[bytes, str]]:
    """Yield the text of each record of a file, unchecked, and what an error calls it.

    Raises `SchemaError`, naming the file, for what is not JSON.
    """
    plain = wire.parse(_content(path), str(path))
    for number, document in enumerate(_listed(plain), start=1):
        what = f"{path}, record {number}"
        yield _text(document, what), what


def _text(plain: wire.Plain, what: str) -> bytes:
    try:
        return wire.text_of(plain)
    except ValueError as error:  # half of a pair of surrogates, which is not text
        raise SchemaError(f"{what} is not a valid Record: {error}.") from error


def as_json(documents: Iterable[Document]) -> str:
    """Return a file of records, with their signatures."""
    texts = ",\n".join(document.text for document in documents)
    return f"[\n{texts}\n]\n"


def _listed(plain: wire.Plain) -> list[wire.Plain]:
    return plain if isinstance(plain, list) else [plain]
