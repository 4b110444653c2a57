"""Keep the records of a batch in a folder, so that a batch that was cut off goes on.

A file for each cell, `MODEL-DEVICE-DIGEST.json`, with the record as every other verb reads it. The
digest is over all that decides the cell.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from mobilebench import files
from mobilebench.errors import SchemaError
from mobilebench.measuring import batch
from mobilebench.measuring.batch import Batch
from mobilebench.measuring.setting import Cell
from mobilebench.store.documents import Document, as_json, read_records
from mobilebench.values import wire
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record

_DIGEST = 12
_UNSAFE = re.compile(r"[^A-Za-z0-9._]+")
_LONGEST_NAME = 80


@dataclass(frozen=True)
class BatchFolder:
    """The records of a batch, by cell."""

    path: Path

    def earlier(self, cell: Cell) -> Record | None:
        """Return the measurement of a cell from an earlier call; None where there is none.

        A failure does not count: what was in its way may be gone. Raises `SchemaError` for a file
        that is damaged, or of another cell.
        """
        place = self._place(cell)
        if not place.exists():
            return None
        records = read_records(place)
        if len(records) != 1 or records[0].job != cell.job:
            raise SchemaError(
                f"The file {place} is not the record of its cell; remove it, and the cell is "
                f"measured again."
            )
        return records[0] if isinstance(records[0].outcome, Measurement) else None

    def keep(self, cell: Cell, record: Record) -> None:
        """Write the record of a cell. Raises `OutputError`."""
        with files.writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        files.write_text(self._place(cell), as_json([Document.of(record)]))

    def split(self, planned: Batch) -> tuple[list[Record], Batch]:
        """Return the measurements of earlier calls, and the batch of what is missing.

        Raises as `earlier`.
        """
        done = {digest(cell): self.earlier(cell) for cell in planned.cells}
        records = [record for record in done.values() if record is not None]
        return records, batch.without(planned, lambda cell: done[digest(cell)] is not None)

    def _place(self, cell: Cell) -> Path:
        words = (cell.artifact.manifest.model.name, cell.device.model)
        name = "-".join(_UNSAFE.sub("_", word).strip("_") for word in words)[:_LONGEST_NAME]
        return self.path / f"{name}-{digest(cell)[:_DIGEST]}.json"


def digest(cell: Cell) -> str:
    """Return the sha256 over a cell: the device, the files, the job and the commit."""
    facts = [each.manifest.facts for each in (cell.artifact, *cell.variants)]
    parts = (
        cell.device.id,
        *(f"{each.sha256} {each.key}" for each in facts),
        wire.dumps(cell.job),
        cell.commit or "",
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
