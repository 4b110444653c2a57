"""Vectors of a record's canonical form, which its signature is over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobilebench.conformance.vector import Kind, Vector
from mobilebench.store import signing
from mobilebench.values.wire import Plain

_KEY = bytes(range(32))
"""A key that everybody knows; it signs vectors and nothing else."""
_DOCUMENTS: dict[str, tuple[str, dict[str, Plain]]] = {
    "keys-in-order": (
        "Keys are in the order of their UTF-16 units, at every depth; lists keep theirs.",
        {"b": {"z": 1, "a": 2}, "a": [3, 1, 2], "\u20ac": 1, "\U0001f600": 2, "\ufb33": 3, "A": 0},
    ),
    "numbers": (
        "Numbers are written as ECMAScript does: no point without need, exponents from 1e21 on.",
        {
            "whole": [0, -0.0, 1.0, 100.0, -5, 9007199254740991, 1e20],
            "small": [0.1, 1e-6, 1e-7, 0.30000000000000004, 5e-324],
            "large": [1e21, 1.5e22, 123456789012345680000.0, 1.7976931348623157e308],
        },
    ),
    "texts": (
        "Only what JSON must escape is escaped, and text is neither normalised nor made ASCII.",
        {
            "escaped": 'quote " back \\ tab \t bell \u0007 line \n',
            "as it is": "/ e\u0301 \u00e9 \u2028 \U0001f4f1",
        },
    ),
    "absent-and-empty": (
        "The form is over the document as it is written: a null is not an absent key.",
        {"null": None, "list": [], "object": {}, "false": False, "empty": ""},
    ),
    "without-its-signature": (
        "The signature is left out before anything is computed, at the top and only there.",
        {"a": 1, "signature": {"value": "ff"}, "inner": {"signature": 2}},
    ),
}


def vectors() -> Iterator[Vector]:
    """Yield one vector for each point at which implementations differ."""
    for name, (about, document) in _DOCUMENTS.items():
        form = signing.canonical(document)
        yield Vector(
            kind=Kind.RECORD,
            name=f"canonical-{name}",
            about=about,
            given={"document": document},
            expected={"canonical": form.decode(), "sha256": hashlib.sha256(form).hexdigest()},
        )
    key = Ed25519PrivateKey.from_private_bytes(_KEY)
    document = _DOCUMENTS["numbers"][1]
    yield Vector(
        kind=Kind.SIGNATURE,
        name="ed25519-jcs",
        about="Ed25519 over the canonical form; the key is 32 bytes in hexadecimal.",
        given={"document": document, "private_key": _KEY.hex()},
        expected={
            "algorithm": "ed25519-jcs",
            "public_key": key.public_key().public_bytes_raw().hex(),
            "value": key.sign(signing.canonical(document)).hex(),
        },
    )
