"""Read and write records as JSON files, one or a list in each; check their signatures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mobilebench.errors import SchemaError
from mobilebench.store import signing
from mobilebench.values import wire
from mobilebench.values.record import Record

_LARGEST_BYTES = 1 << 30


def read_records(path: Path) -> list[Record]:
    """Read the records of one file: one document, or a list of them.

    Raises `SchemaError`, naming the record, for any other file.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise SchemaError(f"The file {path} is larger than {_LARGEST_BYTES >> 30} GB.")
        content = path.read_bytes()
    except OSError as error:
        raise SchemaError(f"The file {path} cannot be read: {error.strerror}.") from error
    return parse_records(content, str(path))


def parse_records(content: bytes, name: str) -> list[Record]:
    """Read records from the content of a file; otherwise as `read_records`."""
    plain = wire.parse(content, name)
    documents = plain if isinstance(plain, list) else [plain]
    records = []
    for number, document in enumerate(documents, start=1):
        place = f"{name}, record {number}"
        signing.require_intact(document, place)
        records.append(wire.from_plain(Record, document, place))
    return records


def as_json(records: Iterable[Record]) -> str:
    """Return a file of records, with their signatures."""
    documents = ",\n".join(wire.dumps(record) for record in records)
    return f"[\n{documents}\n]\n"
