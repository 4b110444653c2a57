"""What this computer is to a server: its token, its scopes and its name there.

One file for each server, which only its owner can read. The token is never on a command line and
in no message.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from mobilebench.errors import UserError
from mobilebench.files import writing
from mobilebench.submitting.address import Address

VARIABLE = "MOBILEBENCH_SERVERS"
_FILE = "token.json"


@dataclass(frozen=True)
class Membership:
    """A token, and what it is good for."""

    token: str = field(repr=False)
    device: str | None = None
    """The alias of this computer at the server; None for a token that is no device's."""
    scopes: tuple[str, ...] = ()
    """Empty where they are not known."""


def folder(address: Address) -> Path:
    """Return the folder with everything that this computer keeps for a server.

    It is below `MOBILEBENCH_SERVERS`, or else in the user's data folder.
    """
    place = os.environ.get(VARIABLE)
    root = Path(place) if place else platformdirs.user_data_path("mobilebench") / "servers"
    return root / address.folder


def keep(address: Address, membership: Membership) -> Path:
    """Write the token of a server; return the file, which only its owner can read.

    Raises `OutputError`.
    """
    path = folder(address) / _FILE
    plain = {
        "server": str(address),
        "token": membership.token,
        "device": membership.device,
        "scopes": list(membership.scopes),
    }
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        neighbour = path.with_name(f".{_FILE}.{os.getpid()}")
        neighbour.unlink(missing_ok=True)
        handle = os.open(neighbour, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(json.dumps(plain, indent=2) + "\n")
                out.flush()
                os.fsync(out.fileno())
            neighbour.replace(path)
        finally:
            neighbour.unlink(missing_ok=True)
    return path


def find(address: Address) -> Membership | None:
    """Return the token of a server; None where there is none.

    Raises `UserError` for a file that others can read, or that is damaged.
    """
    path = folder(address) / _FILE
    try:
        with path.open("rb") as file:
            _require_private(os.fstat(file.fileno()), path)
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"The token in {path} cannot be read: {error.strerror}.") from error
    try:
        return _read(json.loads(content))
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path} does not hold a token; remove it, and enrol again with `mobilebench enrol`."
        ) from error


def require(address: Address) -> Membership:
    """Return the token of a server; raises `UserError` where there is none, or as `find` does."""
    membership = find(address)
    if membership is None:
        raise UserError(
            f"This computer has no token of {address}; ask its administrator for a code, and run "
            f"`mobilebench enrol CODE --server {address}`."
        )
    return membership


def is_token(text: str) -> bool:
    """Return whether a text can be a token: visible ASCII, such as `mb_ID_SECRET`."""
    return 8 <= len(text) <= 512 and all("!" <= character <= "~" for character in text)


def _require_private(status: os.stat_result, path: Path) -> None:
    if os.name != "posix":
        return
    others = stat.S_IMODE(status.st_mode) & 0o077
    if others or status.st_uid != os.geteuid():
        raise UserError(
            f"The token in {path} can be read or replaced by others than its owner; ask for a new "
            f"one, or make sure that nobody has read it and run: chmod 600 {path}"
        )


def _read(plain: Any) -> Membership:
    token, device, scopes = plain["token"], plain.get("device"), plain.get("scopes") or ()
    if not isinstance(token, str) or not is_token(token):
        raise ValueError("token")
    if not isinstance(device, str | None) or not all(isinstance(each, str) for each in scopes):
        raise ValueError("device or scopes")
    return Membership(token, device, tuple(scopes))
