"""One side of a check: its measured records by cell, and its failures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from mobilebench.values.measurement import Failure
from mobilebench.values.record import Identity, Network, Record

FIELDS = tuple(field.name for field in fields(Identity))
"""Fields that have to be equal before two records are compared."""
Key = tuple[Network, tuple[object, ...]]
Place = Key
"""Network and conditions of a failed run, as far as they are known."""


@dataclass(frozen=True)
class Side:
    """The measured records of one side, by what makes them comparable, and its failures."""

    cells: dict[Key, list[Record]]
    failures: list[Record]
    free: frozenset[str]

    @classmethod
    def of(cls, records: Iterable[Record], free: frozenset[str]) -> Side:
        cells: dict[Key, list[Record]] = {}
        failures = []
        for record in sorted(records, key=lambda record: (record.created, record.record_id)):
            if isinstance(record.outcome, Failure):
                failures.append(record)
            else:
                cells.setdefault(key(record, free), []).append(record)
        return cls(cells, failures, free)

    def failures_of(self, cell: Key) -> tuple[Failure, ...]:
        """Return the failures of a cell's runs, and of the exports that it would have come from."""
        return tuple(
            record.outcome
            for record in self.failures
            if isinstance(record.outcome, Failure) and would_be(record, cell, self.free)
        )

    @property
    def failing(self) -> set[Place]:
        """The places of all failures."""
        return {place_of(record, self.free) for record in self.failures}


def place_of(record: Record, free: frozenset[str]) -> Place:
    """Return what a failed run shares with the runs that it would have been one of."""
    job = record.job
    parts = {
        "device": record.specimen,
        "device_model": record.device.model,
        "runtime": job and job.runtime,
        "compute_unit": job and job.compute_unit,
        "threads": job and job.threads,
        "protocol": job and job.protocol.id,
    }
    return network_of(record, free), tuple(
        None if name in free else part for name, part in parts.items()
    )


def would_be(failed: Record, cell: Key, free: frozenset[str]) -> bool:
    """Return whether a failed record would have been one of a cell's runs."""
    network, same = cell
    if network_of(failed, free) != network:
        return False
    if failed.job is None:
        return True
    values = dict(zip((name for name in FIELDS if name not in free), same, strict=True))
    theirs = {
        "device": failed.specimen,
        "device_model": failed.device.model,
        "device_kind": failed.device.kind,
        "soc": failed.device.soc,
        "cores": failed.device.cores,
        "os_build": failed.device.os_build,
        "runtime": failed.job.runtime,
        "compute_unit": failed.job.compute_unit,
        "threads": failed.job.threads,
        "protocol": failed.job.protocol.id,
    }
    return all(values.get(name, part) == part for name, part in theirs.items())


def key(record: Record, free: frozenset[str] = frozenset()) -> Key:
    """Return the values that have to be equal before two records are compared."""
    identity = record.identity
    same = tuple(getattr(identity, name) for name in FIELDS if name not in free)
    return (network_of(record, free), same)


def network_of(record: Record, free: frozenset[str]) -> Network:
    """Return the record's network, without its inputs where these may differ."""
    return replace(record.network, inputs=()) if "inputs" in free else record.network
