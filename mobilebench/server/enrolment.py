"""Enrol devices: a code that is valid for minutes, for one device, and pins its key."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mobilebench.server import devices, tokens
from mobilebench.server.database import Database, as_time, now_ms
from mobilebench.server.problems import Refused
from mobilebench.server.tables import DEVICES, ENROLMENTS, TOKENS
from mobilebench.server.tokens import Scope

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of codes: without those that look like another."""
LENGTH = 8
VALID_MS = 600_000
_SIGNED = "mobilebench-enrol:"
_KEPT_MS = 86_400_000
"""How long a code that is over is known as such."""


@dataclass(frozen=True)
class Enrolment:
    """A code for one device."""

    code: str
    expires: str
    url: str
    """The text of the QR code."""


@dataclass(frozen=True)
class Enrolled:
    """A device that has its token."""

    alias: str
    token: str
    scopes: tuple[Scope, ...]


def prepare(
    database: Database, address: str, alias: str | None = None, scopes: Iterable[Scope] = ()
) -> Enrolment:
    """Make a code. Raises `Refused` where a device has the alias."""
    code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    now = now_ms()
    with database.writing() as connection:
        if alias is not None:
            devices.require_free(connection, alias)
        connection.execute(sa.delete(ENROLMENTS).where(ENROLMENTS.c.expires < now - _KEPT_MS))
        connection.execute(
            sa.insert(ENROLMENTS).values(
                code_sha256=_hash(code),
                alias=alias,
                scopes=" ".join(sorted(set(scopes) or tokens.OF_DEVICES)),
                expires=now + VALID_MS,
            )
        )
    query = urlencode({"server": address, "code": code})
    return Enrolment(code, as_time(now + VALID_MS), f"mobilebench://enrol?{query}")


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def enrol(
    database: Database, typed: str, public_key: str, signature: str, device: devices.Described
) -> Enrolled:
    """Give a device its token for a code, and pin its key to its alias. Raises `Refused`."""
    code = re.sub(r"[\s-]", "", typed).upper()
    with database.writing() as connection:
        statement = sa.select(ENROLMENTS).where(ENROLMENTS.c.code_sha256 == _hash(code))
        row = connection.execute(statement.with_for_update()).mappings().one_or_none()
        if row is None:
            raise Refused(
                "no_code", "There is no such code; compare it with what the server shows."
            )
        if row["expires"] < now_ms() or row["public_key"] not in (None, public_key):
            raise Refused("code_over", "The code has expired or was used; ask for a new one.")
        _require_signed(code, public_key, signature)
        scopes = tuple(map(Scope, row["scopes"].split()))
        if row["public_key"] is None:
            alias = row["alias"] or devices.free_alias(connection, device.model)
            devices.require_free(connection, alias)
            devices.insert(connection, alias, device, public_key=public_key)
        else:  # the answer was lost
            statement = sa.select(TOKENS.c.alias).where(TOKENS.c.token_id == row["token_id"])
            alias = connection.execute(statement).scalar_one()
            here = DEVICES.c.alias == alias
            if connection.execute(sa.select(DEVICES.c.public_key).where(here)).scalar() is None:
                raise Refused("code_over", "The device was removed; ask for a new code.")
            tokens.revoke_of(connection, alias)
        new = tokens.make(connection, scopes, alias, alias)
        connection.execute(
            sa.update(ENROLMENTS)
            .where(ENROLMENTS.c.code_sha256 == row["code_sha256"])
            .values(public_key=public_key, token_id=new.token_id)
        )
    return Enrolled(alias, new.text, scopes)


def _require_signed(code: str, public_key: str, signature: str) -> None:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), f"{_SIGNED}{code}".encode())
    except (InvalidSignature, ValueError) as error:
        raise Refused(
            "invalid",
            f"The signature is not over {_SIGNED} and the code by this key; sign it again.",
        ) from error
