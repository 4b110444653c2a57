"""Vectors of the protocols: their definitions, which never change."""

from __future__ import annotations

from collections.abc import Iterator

from mobilebench.conformance.vector import Kind, Vector
from mobilebench.values import wire
from mobilebench.values.protocol import protocols


def vectors() -> Iterator[Vector]:
    """Yield one vector for each protocol."""
    for protocol in protocols():
        yield Vector(
            kind=Kind.PROTOCOL,
            name=protocol.id,
            about=f"The definition of {protocol.id}, which never changes.",
            given={"id": protocol.id},
            expected=wire.to_sparse(protocol),
        )
