"""Derive the narrow columns of a record, by which it is found, from its types."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from mobilebench.values import value, wire
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import CellKey, Record

_LONGEST = 160
"""Characters of a text in an index: PostgreSQL refuses entries over 2,700 bytes."""
_CELLS = 4096


@value
class Columns:
    """What a store knows of a record without reading it; what a failed export lacks is None."""

    record_id: str
    created: str
    cell: str | None
    """Digest of what two records share when the second is the same measurement, taken again."""
    line: str | None
    """Digest of the cell, the weights and the device's settings: a line of a board."""
    model: str | None
    format: str | None
    precision: str | None
    delegate: str | None
    resolution: str | None
    """Height by width, `224x224`; None for a network that takes no images."""
    weights: str | None
    device: str | None
    device_model: str | None
    device_kind: str | None
    os_build: str | None
    runtime: str | None
    runtime_version: str | None
    compute_unit: str | None
    threads: int | None
    protocol: str | None
    settings: str | None
    """What was set on the device by a wish, `NAME=VALUE` with commas between."""
    commit: str | None
    session: str | None
    side: str | None
    outcome: str | None
    """`measurement` or `failure`."""
    public_key: str | None
    """Of the signature; None for an unsigned record."""


def columns_of(record: Record) -> Columns:
    """Return the columns of a record."""
    job, session, device, model = record.job, record.session, record.device, record.model
    measured = record.outcome if isinstance(record.outcome, Measurement) else None
    weights = model.weights.label if model.weights else None
    cell, line = _digests(record.cell, weights, record.device_settings)
    size = model.resolution if model.inputs else None
    return Columns(
        record_id=record.record_id,
        created=record.created,
        cell=cell,
        line=line,
        model=narrow(model.name),
        format=record.recipe.format.value,
        precision=record.recipe.precision.value,
        delegate=_narrow(record.recipe.delegate),
        resolution=f"{size[0]}x{size[1]}" if size else None,
        weights=_narrow(weights),
        device=narrow(device.id),
        device_model=narrow(device.model),
        device_kind=device.kind.value,
        os_build=_narrow(device.os_build),
        runtime=_narrow(job.runtime if job else None),
        runtime_version=_narrow(measured.runtime.version if measured else None),
        compute_unit=job.compute_unit.value if job else None,
        threads=job.threads if job else None,
        protocol=_narrow(job.protocol.id if job else None),
        settings=_narrow(",".join(record.device_settings) or None),
        commit=_narrow(record.provenance.source_commit),
        session=_narrow(session.id if session else None),
        side=session.side if session else None,
        outcome=record.outcome.kind,
        public_key=_narrow(record.signature.public_key if record.signature else None),
    )


@lru_cache(_CELLS)
def _digests(cell: CellKey, weights: str | None, settings: tuple[str, ...]) -> tuple[str, str]:
    # Without what is absent: a field that a later version adds then changes no cell.
    text = json.dumps(wire.to_sparse(cell), sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    # As `results.Entry.line`.
    line = json.dumps([digest, weights, *settings])
    return digest, hashlib.sha256(line.encode()).hexdigest()


def narrow(text: str) -> str:
    """Return a text as it stands in a column: a long one ends in a digest."""
    # PostgreSQL takes no NUL, and a board's place has separators between its parts.
    text = text.replace("\0", "\N{SYMBOL FOR NULL}").replace(
        "\x1f", "\N{SYMBOL FOR UNIT SEPARATOR}"
    )
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text[:_LONGEST]}~{digest[:32]}"


def _narrow(text: str | None) -> str | None:
    return None if text is None else narrow(text)
