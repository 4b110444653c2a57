"""The name under which a server shows a device: its model, and a few digits.

The digits are a keyed digest of what tells the device from others of its model. They stay the same
as long as this computer keeps its signing key, and nobody without the key can find a serial number
by trying all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OTHER = re.compile(r"[^a-z0-9]+")
_DIGITS = 8
_LONGEST = 40
"""Characters of an alias that a server takes."""


def alias(model: str, claim: str, key: Ed25519PrivateKey) -> str:
    """Return the alias of a device, such as `google-pixel-8-3f2a9c01`.

    `claim` is what `Attached.claim` gives: the same on every connection to the device.
    """
    secret = hashlib.sha256(b"mobilebench alias\0" + key.private_bytes_raw()).digest()
    digits = hmac.new(secret, claim.encode(), hashlib.sha256).hexdigest()[:_DIGITS]
    name = _OTHER.sub("-", model.lower()).strip("-")[: _LONGEST - _DIGITS - 1].strip("-")
    return f"{name or 'device'}-{digits}"
