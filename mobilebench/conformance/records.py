"""Vectors of the record: its canonical form, its signature, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobilebench.conformance import example
from mobilebench.conformance.vector import Kind, Vector
from mobilebench.errors import SchemaError
from mobilebench.store import signing
from mobilebench.store.documents import Document
from mobilebench.values import wire
from mobilebench.values.wire import Plain

_KEY = bytes(range(32))
"""A key that everybody knows; it signs vectors and nothing else."""
_OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw().hex()
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


_Edit = Callable[[dict[str, Any]], Any]
_REFUSED: dict[str, tuple[str, _Edit, list[str]]] = {
    "newer-schema": (
        "A newer version may mean something else by a field that looks the same.",
        lambda plain: plain.update(schema_version=9),
        ["schema version", "9"],
    ),
    "unknown-field": (
        "What is not understood may change what the others mean.",
        lambda plain: plain["outcome"].update(colour="red"),
        ["colour"],
    ),
    "latency-of-0": (
        "Nothing takes no time.",
        lambda plain: plain["outcome"]["samples"]["latency_ns"].__setitem__(2, 0),
        ["latency"],
    ),
    "width-of-2": (
        "A width is a share of the full network.",
        lambda plain: plain["outcome"]["samples"]["width"][0].update(value=2),
        ["width", "2"],
    ),
    "width-of-0": (
        "No network has a width of 0.",
        lambda plain: plain["outcome"]["samples"]["width"][0].update(value=0),
        ["width", "0"],
    ),
    "columns-of-different-length": (
        "A sample without a width, or a width without a sample.",
        lambda plain: plain["outcome"]["samples"]["width"].pop(),
        ["length"],
    ),
    "temperature-of-3000": (
        "No phone has 3000 degrees; the unit is another one.",
        lambda plain: plain["outcome"]["before"]["temperatures_c"].update(skin=3000.0),
        ["skin", "3000"],
    ),
    "round-that-the-protocol-lacks": (
        "A sample of a round that was never run.",
        lambda plain: plain["outcome"]["samples"]["round"][1].update(value=7),
        ["round", "7"],
    ),
    "signature-of-another-key": (
        "The signature was made with another key than the one that is named.",
        lambda plain: plain["signature"].update(public_key=_OTHER),
        ["signature"],
    ),
    "changed-after-signing": (
        "A number was changed after the record was signed.",
        lambda plain: plain["outcome"]["samples"]["latency_ns"].__setitem__(2, 1),
        ["signature"],
    ),
}


def vectors() -> Iterator[Vector]:
    """Yield one vector for each point at which implementations differ."""
    key = Ed25519PrivateKey.from_private_bytes(_KEY)
    whole = wire.to_plain(signing.sign(example.record(), key))
    documents = {**_DOCUMENTS, "whole": ("A record, with its signature.", whole)}
    for name, (about, document) in documents.items():
        form = signing.canonical(document)
        yield Vector(
            kind=Kind.RECORD,
            name=f"canonical-{name}",
            about=about,
            given={"document": document},
            expected={"canonical": form.decode(), "sha256": hashlib.sha256(form).hexdigest()},
        )
    for name in ("numbers", "whole"):
        _, document = documents[name]
        yield Vector(
            kind=Kind.SIGNATURE,
            name=f"{signing.ALGORITHM}-{name}",
            about="Ed25519 over the canonical form; the key is 32 bytes in hexadecimal.",
            given={"document": document, "private_key": _KEY.hex()},
            expected={
                "algorithm": signing.ALGORITHM,
                "public_key": key.public_key().public_bytes_raw().hex(),
                "value": key.sign(signing.canonical(document)).hex(),
            },
        )
    for name, (about, edit, words) in _REFUSED.items():
        changed = json.loads(json.dumps(whole))
        edit(changed)
        if words != ["signature"]:
            del changed["signature"]
        yield _refused(name, about, json.dumps(changed), words)
    text = json.dumps(wire.to_plain(example.record()))
    yield _refused("cut-off", "Half a record is not a record.", text[:-9], ["JSON"])
    yield _refused(
        "not-a-number", "JSON has no NaN.", text.replace("0.002", "NaN"), ["JSON"]
    )  # fmt: skip
    yield _refused("infinite", "Nor has it infinity.", text.replace("0.002", "1e999"), ["finite"])
    yield _refused("nested-without-end", "It does not end the program.", "[" * 5_000, ["JSON"])


def _refused(name: str, about: str, text: str, words: list[str]) -> Vector:
    return Vector(
        kind=Kind.RECORD,
        name=f"refused-{name}",
        about=about,
        given={"text": text},
        expected={"refused": words},
    )


def answer(given: dict[str, Any]) -> dict[str, Plain]:
    """Return the sentence why a text is refused as a record; empty for a record."""
    try:
        Document.from_plain(wire.parse(given["text"], "the record"), "the record")
    except SchemaError as error:
        return {"refused": str(error)}
    return {}
