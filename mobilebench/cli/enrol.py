"""`mobilebench enrol`: make this computer known to a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Server

_LINK = "mobilebench://enrol?"


def command(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE",
            help="What the server's administrator gave you: a code of 8 letters and digits, or the "
            "text of its QR code.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="PATH",
            rich_help_panel=Panel.WORK,
            help="Take a token that the administrator made from this file (/dev/stdin too) in "
            "place of a code, for a computer that only sends records or jobs.",
        ),
    ] = None,
    server: Server = None,
) -> None:
    """Make this computer known to a server, and keep the token that it gives.

    The server learns the key that signs this computer's records, and takes no others from it. The
    token lies in your data folder, where only you can read it.
    """
    from mobilebench.errors import UserError
    from mobilebench.machine import host
    from mobilebench.store import signing
    from mobilebench.submitting import membership
    from mobilebench.submitting.address import Address
    from mobilebench.submitting.client import Server as Client
    from mobilebench.submitting.membership import Membership
    from mobilebench.submitting.patience import Patience

    if (code is None) == (token_file is None):
        raise UserError("Give either a code or --token-file, and not both.")
    patience = Patience(total_s=15.0, answer_s=20.0)
    if token_file is not None:
        address = Address.chosen(server)
        token = _token(token_file)
        with Client(address, token, patience) as client:
            plain = client.me()
        scopes = tuple(str(each) for each in plain.get("scopes") or ())
        device = plain.get("device")
        member = Membership(token, device if isinstance(device, str) else None, scopes)
        path = membership.keep(address, member)
        output.tell(f"token of {address} ({', '.join(scopes)}) kept: {path}")
        return
    code, linked = _read(code or "")
    address = Address.chosen(server or linked)
    key = signing.device_key()
    with Client(address, None, patience) as client:
        enrolment = client.enrol(code, key, host.host_device())
    path = membership.keep(address, Membership(enrolment.token, enrolment.device, enrolment.scopes))
    output.tell(
        f"enrolled at {address} as {enrolment.device} ({', '.join(enrolment.scopes)}); token kept: "
        f"{path}"
    )


def _read(text: str) -> tuple[str, str | None]:
    """Return the code, and the server that the text of a QR code names."""
    from urllib.parse import parse_qs

    if not text.startswith(_LINK):
        return text, None
    words = parse_qs(text.removeprefix(_LINK))
    return "".join(words.get("code", ())), next(iter(words.get("server", ())), None)


def _token(path: Path) -> str:
    from mobilebench.errors import UserError
    from mobilebench.submitting import membership

    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The token in {path} cannot be read: {error}.") from error
    if not membership.is_token(text):
        # Not shown: it may be a token all the same.
        raise UserError(f"{path} holds no token; it is one line such as mb_ID_SECRET.")
    return text
