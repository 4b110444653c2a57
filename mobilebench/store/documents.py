"""Read and write records and accuracies as JSON files, one document or a list in each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mobilebench.errors import SchemaError
from mobilebench.store import signing
from mobilebench.values import wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.record import Record

_LARGEST_BYTES = 1 << 30


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
    plain = wire.parse(content, name)
    records = []
    for number, document in enumerate(_listed(plain), start=1):
        place = f"{name}, record {number}"
        signing.require_intact(document, place)
        records.append(wire.from_plain(Record, document, place))
    return records


def as_json(records: Iterable[Record]) -> str:
    """Return a file of records, with their signatures."""
    documents = ",\n".join(wire.dumps(record) for record in records)
    return f"[\n{documents}\n]\n"


def _listed(plain: wire.Plain) -> list[wire.Plain]:
    return plain if isinstance(plain, list) else [plain]
