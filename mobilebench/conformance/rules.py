"""Vectors of the protocols: their definitions, which never change."""

from __future__ import annotations

from collections.abc import Iterator

from mobilebench.conformance.vector import Kind, Vector
from mobilebench.values import wire
from mobilebench.values.protocol import half_hour, protocols


def vectors() -> Iterator[Vector]:
    """Yield one vector for each protocol, and one of half an hour at some frame rate."""
    for protocol in (*protocols(), half_hour(24)):
        yield Vector(
            kind=Kind.PROTOCOL,
            name=protocol.id,
            about=f"The definition of {protocol.id}, which never changes.",
            given={"id": protocol.id},
            expected=wire.to_sparse(protocol),
        )
