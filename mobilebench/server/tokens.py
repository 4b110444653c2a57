"""Tokens: made once, kept as hashes, checked at every request."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from mobilebench.server.database import Database, as_time, now_ms
from mobilebench.server.problems import Refused
from mobilebench.server.tables import DEVICES, TOKENS

_TEXT = re.compile(r"mb_([a-z2-7]{10})_([A-Za-z0-9_-]{43})")
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class Scope(StrEnum):
    """What a token may do."""

    SUBMIT = "submit"
    """Send records."""
    JOBS = "jobs"
    """Give, take and end jobs, and move their files."""
    ADMIN = "admin"
    """Everything."""


OF_DEVICES = (Scope.SUBMIT, Scope.JOBS)
"""What an enrolled device may do, where nobody chose."""


@dataclass(frozen=True)
class Caller:
    """Whose token came with a request."""

    token_id: str
    name: str
    scopes: frozenset[Scope]
    alias: str | None
    """Of the device that the token is bound to."""
    public_key: str | None
    """Of that device."""

    def may(self, scope: Scope) -> bool:
        """Return whether the token has a scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


@dataclass(frozen=True)
class Made:
    """A new token; its text is never shown again."""

    token_id: str
    text: str


def make(
    connection: sa.Connection, scopes: Iterable[Scope], name: str, alias: str | None = None
) -> Made:
    """Make a token."""
    token_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    connection.execute(
        sa.insert(TOKENS).values(
            token_id=token_id,
            secret_sha256=_hash(secret),
            name=name,
            scopes=" ".join(sorted(set(scopes))),
            alias=alias,
            created=now_ms(),
        )
    )
    return Made(token_id, f"mb_{token_id}_{secret}")


def _hash(secret: str) -> str:
    # The secret is 256 random bits: a slow hash would protect nothing more.
    return hashlib.sha256(secret.encode()).hexdigest()


def caller(database: Database, header: str | None) -> Caller:
    """Return whose token is in an `Authorization` header.

    Raises `Refused` without one, and for one that is unknown or revoked.
    """
    if not header:
        raise Refused("no_token", "Send a token, as in `Authorization: Bearer mb_...`.")
    kind, _, text = header.partition(" ")
    match = _TEXT.fullmatch(text.strip())
    if kind.lower() != "bearer" or match is None:
        raise Refused("bad_token", "The text is not a token; send `Authorization: Bearer mb_...`.")
    token_id, secret = match.groups()
    columns = (*TOKENS.c, DEVICES.c.public_key)
    statement = (
        sa.select(*columns)
        .select_from(TOKENS.outerjoin(DEVICES, DEVICES.c.alias == TOKENS.c.alias))
        .where(TOKENS.c.token_id == token_id)
    )
    with database.reading() as connection:
        row = connection.execute(statement).mappings().one_or_none()
    if row is None or not hmac.compare_digest(row["secret_sha256"], _hash(secret)):
        raise Refused("bad_token", "The token is not known here; ask for a new one.")
    if row["revoked"] is not None:
        raise Refused("revoked_token", "The token was revoked; ask for a new one.")
    return Caller(
        token_id=token_id,
        name=row["name"],
        scopes=frozenset(map(Scope, row["scopes"].split())),
        alias=row["alias"],
        public_key=row["public_key"],
    )


def revoke(connection: sa.Connection, token_id: str) -> bool:
    """Revoke a token; return whether there is one."""
    here = TOKENS.c.token_id == token_id
    if connection.execute(sa.select(TOKENS.c.token_id).where(here)).scalar() is None:
        return False
    connection.execute(
        sa.update(TOKENS).where(here, TOKENS.c.revoked.is_(None)).values(revoked=now_ms())
    )
    return True


def revoke_of(connection: sa.Connection, alias: str) -> None:
    """Revoke every token of a device."""
    here = sa.and_(TOKENS.c.alias == alias, TOKENS.c.revoked.is_(None))
    connection.execute(sa.update(TOKENS).where(here).values(revoked=now_ms()))


def listed(connection: sa.Connection) -> list[dict[str, Any]]:
    """Return every token without its secret, the oldest first."""
    rows = connection.execute(sa.select(TOKENS).order_by(TOKENS.c.created, TOKENS.c.token_id))
    return [
        {
            "id": row.token_id,
            "name": row.name,
            "scopes": row.scopes.split(),
            "device": row.alias,
            "created": as_time(row.created),
            "revoked": None if row.revoked is None else as_time(row.revoked),
        }
        for row in rows
    ]


def has_admin(connection: sa.Connection) -> bool:
    """Return whether anybody could administer the server."""
    rows = connection.execute(sa.select(TOKENS.c.scopes).where(TOKENS.c.revoked.is_(None)))
    return any(Scope.ADMIN in scopes.split() for (scopes,) in rows)
