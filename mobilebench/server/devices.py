"""Devices by alias: what they are, whose key they have, and which computer serves them."""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field

from mobilebench.server import tokens
from mobilebench.server.database import Database, as_time, now_ms
from mobilebench.server.problems import Refused
from mobilebench.server.tables import DEVICES, JOBS, LEASES
from mobilebench.server.tokens import Caller, Scope
from mobilebench.values.device import DeviceKind

ALIAS = r"^[a-z0-9][a-z0-9._-]{0,39}$"
TEXT = r"^[^\x00-\x1f\x7f]+$"
Alias = Annotated[str, Field(pattern=ALIAS, max_length=40)]
Text = Annotated[str, Field(pattern=TEXT, max_length=100)]


class Described(BaseModel):
    """What a device says of itself; nothing in it names one phone among others."""

    model_config = ConfigDict(extra="forbid")
    model: Text
    os: Text
    os_build: Text | None = None
    kind: Annotated[str, Field(pattern=f"^({'|'.join(DeviceKind)})$")]
    soc: Text | None = None


def require_free(connection: sa.Connection, alias: str) -> None:
    """Raise `Refused` where a device has the alias."""
    if _row(connection, alias) is not None:
        raise Refused(
            "alias_taken", f"A device has the alias {alias}; remove it first, or take another."
        )


def free_alias(connection: sa.Connection, model: str) -> str:
    """Return an alias that no device has, made of its model."""
    name = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")[:30] or "device"
    for number in range(1, 100):
        alias = f"{name}-{number}"
        if _row(connection, alias) is None:
            return alias
    return f"{name}-{secrets.token_hex(4)}"


def _row(connection: sa.Connection, alias: str) -> sa.Row[Any] | None:
    return connection.execute(sa.select(DEVICES).where(DEVICES.c.alias == alias)).one_or_none()


def insert(
    connection: sa.Connection,
    alias: str,
    device: Described,
    *,
    public_key: str | None = None,
    served_by: str | None = None,
) -> None:
    """Add a device."""
    now = now_ms()
    row = {"public_key": public_key, "served_by": served_by, "enrolled": now, "last_seen": now}
    connection.execute(sa.insert(DEVICES).values(alias=alias, **device.model_dump(), **row))


def serve(database: Database, caller: Caller, alias: str, device: Described) -> bool:
    """Register a device that an enrolled computer serves; return whether it is new.

    Raises `Refused` where the alias is another's.
    """
    if caller.alias is None:
        raise Refused("other_device", "Only an enrolled computer serves devices; enrol it first.")
    with database.writing() as connection:
        row = _row(connection, alias)
        if row is None:
            insert(connection, alias, device, served_by=caller.alias)
            return True
        if row.served_by != caller.alias:
            raise Refused("alias_taken", f"The alias {alias} is another's; take another one.")
        values = {**device.model_dump(), "last_seen": now_ms()}
        connection.execute(sa.update(DEVICES).where(DEVICES.c.alias == alias).values(**values))
    return False


def remove(database: Database, caller: Caller, alias: str) -> None:
    """Remove a device and those that it serves; their tokens and leases end. Raises `Refused`."""
    with database.writing() as connection:
        row = _row(connection, alias)
        if row is None:
            raise Refused("not_there", "There is no such device.")
        if not caller.may(Scope.ADMIN) and (caller.alias is None or row.served_by != caller.alias):
            raise Refused("other_device", f"The token does not serve the device {alias}.")
        served = sa.select(DEVICES.c.alias).where(DEVICES.c.served_by == alias)
        for each in (alias, *connection.execute(served).scalars().all()):
            tokens.revoke_of(connection, each)
            _end_leases(connection, each)
            connection.execute(sa.delete(DEVICES).where(DEVICES.c.alias == each))


def _end_leases(connection: sa.Connection, alias: str) -> None:
    here = sa.and_(LEASES.c.alias == alias, LEASES.c.state == "open")
    jobs = connection.execute(sa.select(LEASES.c.job_id).where(here)).scalars().all()
    connection.execute(sa.update(LEASES).where(here).values(state="over"))
    waiting = sa.update(JOBS).where(JOBS.c.job_id.in_(jobs), JOBS.c.state == "leased")
    connection.execute(waiting.values(state="waiting"))


def seen(database: Database, alias: str) -> None:
    """Note that a device was here."""
    with database.writing() as connection:
        here = DEVICES.c.alias == alias
        connection.execute(sa.update(DEVICES).where(here).values(last_seen=now_ms()))


def listed(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return every device for all to see, by alias: no key, no serial number."""
    busy = sa.select(LEASES.c.alias).where(LEASES.c.state == "open", LEASES.c.expires >= now_ms())
    at_work = set(connection.execute(busy).scalars())
    return [
        {
            "device": row.alias,
            "model": row.model,
            "os": row.os,
            "os_build": row.os_build,
            "kind": row.kind,
            "soc": row.soc,
            "served_by": row.served_by,
            "enrolled": as_time(row.enrolled),
            "last_seen": as_time(row.last_seen),
            "state": "busy" if row.alias in at_work else "idle",
        }
        for row in connection.execute(sa.select(DEVICES).order_by(DEVICES.c.alias))
    ]


def aliases_by_key(connection: sa.Connection, keys: set[str]) -> dict[str, str]:
    """Return the alias for each of some keys; none for computers that serve other devices."""
    others = sa.select(DEVICES.c.served_by).where(DEVICES.c.served_by.is_not(None))
    statement = sa.select(DEVICES.c.public_key, DEVICES.c.alias).where(
        DEVICES.c.public_key.in_(keys), DEVICES.c.alias.not_in(others)
    )
    return {row.public_key: row.alias for row in connection.execute(statement)}
