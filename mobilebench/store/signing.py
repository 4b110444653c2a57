"""Sign records, so that a later change to one is detected.

A record is signed in its canonical form: its JSON document without the signature, as RFC 8785
writes it, which other languages can do as well. The key is created on first use and stays on the
machine. A signature shows that the record is as that machine wrote it, not that the machine was
honest.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import platformdirs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mobilebench.errors import MobilebenchWarning, SchemaError, UserError
from mobilebench.store import canonical as jcs
from mobilebench.values import wire
from mobilebench.values.record import Record, Signature


def canonical(plain: dict[str, Any]) -> bytes:
    """Return the canonical form of a record's document, without its signature.

    Raises `ValueError` for a whole number that a double does not hold.
    """
    return jcs.dumps(_unsigned(plain))


def _canonical_of_version_1(plain: dict[str, Any]) -> bytes:
    text = json.dumps(
        _unsigned(plain), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def _unsigned(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in plain.items() if name != "signature"}


ALGORITHM: Final = "ed25519-jcs"
"""How records are signed now; those of version 1 have `ed25519`."""
_FORMS = {"ed25519": _canonical_of_version_1, ALGORITHM: canonical}


def sha256(record: Record) -> str:
    """Return sha256 over a record's canonical form.

    It is the same for the same content, signed or not.
    """
    return hashlib.sha256(canonical(wire.to_plain(record))).hexdigest()


def sign(record: Record, key: Ed25519PrivateKey | None = None) -> Record:
    """Return the record, signed with this machine's key.

    Where the key can be neither read nor created, warn and leave the record unsigned.
    """
    if key is None:
        try:
            key = device_key()
        except UserError as error:
            warnings.warn(f"The record is not signed: {error}", MobilebenchWarning, stacklevel=2)
            return record
    unsigned = replace(record, signature=None)
    public = key.public_key().public_bytes_raw().hex()
    value = key.sign(canonical(wire.to_plain(unsigned))).hex()
    signature = Signature(algorithm=ALGORITHM, public_key=public, value=value)
    return replace(unsigned, signature=signature)


def require_intact(plain: Any, what: str) -> None:
    """Verify the signature of a document, where it has one.

    Raises `SchemaError` where the document was changed after it was signed, or the signature is
    invalid.
    """
    signature = plain.get("signature") if isinstance(plain, dict) else None
    if signature is None:
        return
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["public_key"]))
        form = _FORMS[signature["algorithm"]](plain)
        public.verify(bytes.fromhex(signature["value"]), form)
    except (InvalidSignature, KeyError, TypeError, ValueError) as error:
        raise SchemaError(
            f"{what} does not match its signature: it was changed after it was signed. Take it "
            f"from where it was measured, or remove the signature to take it as unsigned."
        ) from error


def key_path() -> Path:
    """Return `MOBILEBENCH_KEY`, or else a file in the user's data folder."""
    place = os.environ.get("MOBILEBENCH_KEY")
    return Path(place) if place else platformdirs.user_data_path("mobilebench") / "device.key"


def device_key(path: Path | None = None) -> Ed25519PrivateKey:
    """Return this machine's key, created on first use.

    Only its owner may read the file. Raises `UserError` where it can be neither read nor written.
    """
    path = path or key_path()
    try:
        if not path.exists():
            _make(path)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UserError(f"The key {path} cannot be used: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(
            f"{path} is not a key file; delete it and a new one will be created."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(
            f"{path} is not an Ed25519 key file; delete it and a new one will be created."
        )
    return key


def _make(path: Path) -> None:
    """Write a new key; where two processes or threads do so at once, the first one's key stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    neighbour = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    handle = os.open(neighbour, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(pem)
        try:
            os.link(neighbour, path)
        except FileExistsError:
            return
    finally:
        neighbour.unlink()
