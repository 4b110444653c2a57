"""`mobilebench import`: records from elsewhere into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output

if TYPE_CHECKING:
    from mobilebench.record import Record


def command(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Record files: one record, or a list of them."),
    ],
    store: Annotated[str | None, typer.Option(help="Path or SQLAlchemy URL.")] = None,
) -> None:
    """Add records to the store; all files are read before the first is added."""
    from mobilebench.store import RecordStore, default_url

    records = [record for path in paths for record in _read(path)]
    kept = RecordStore(store or default_url())
    added = sum(kept.add(record) for record in records)
    kept.close()
    output.tell(f"{added} added, {len(records) - added} there already: {kept.place}")


def _read(path: Path) -> list[Record]:
    import json

    from mobilebench import wire
    from mobilebench.errors import SchemaError
    from mobilebench.record import Record

    try:
        plain = json.loads(path.read_bytes())
    except OSError as error:
        raise SchemaError(f"The file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SchemaError(f"{path} is not JSON ({error}); it may have been cut off.") from error
    documents = plain if isinstance(plain, list) else [plain]
    return [
        wire.from_plain(Record, document, f"{path}, record {number}")
        for number, document in enumerate(documents, start=1)
    ]
