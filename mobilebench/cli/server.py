"""`mobilebench server`: tokens and codes of a server, made on the machine of its store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel, Section, Verbs, add
from mobilebench.cli.options import Json, Store

if TYPE_CHECKING:
    from mobilebench.server.settings import Settings

app = typer.Typer(
    cls=Verbs,
    help="Make the tokens and codes of a server, on the machine that has its store.",
    epilog="mobilebench server token --scope admin",
    no_args_is_help=True,
)
_SCOPES = ("submit", "jobs", "admin")
Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        rich_help_panel=Panel.SETTING,
        help="submit (send records), jobs (give and take jobs) or admin (everything); repeatable. "
        "Default: submit and jobs.",
    ),
]


def settings_of(store: str | None, files: Path | None = None, **more: Any) -> Settings:
    """Return the settings of a server of a store. Raises `UserError` without the extra."""
    from mobilebench.errors import MissingToolkit, UserError

    try:
        import alembic as _alembic  # noqa: F401
        import fastapi as _fastapi  # noqa: F401
        import uvicorn as _uvicorn  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingToolkit(
            f"The server needs {error.name}, which is not installed; install it with `pip install "
            f"'mobilebench[server]'`."
        ) from error
    import platformdirs

    from mobilebench.server.settings import Settings
    from mobilebench.store import default_url
    from mobilebench.store.place import Place

    text = store or default_url()
    path = Place.parse(text).path
    if files is None:
        beside = None if path is None else path.with_name(f"{path.name}.files")
        files = beside or platformdirs.user_data_path("mobilebench") / "server-files"
    try:
        place = text if path is None else str(path)
        return Settings(store=place, files=str(files.resolve()), **more)
    except ValueError as error:
        raise UserError(f"The server cannot be started: {error}.") from error


def token(
    scope: Scopes = None,
    name: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            rich_help_panel=Panel.SETTING,
            help="What the token is for, as lists show it.",
        ),
    ] = "made on the server",
    store: Store = None,
) -> None:
    """Make a token, and print it; nobody can print it again."""
    from mobilebench.errors import require_known

    for each in scope or ():
        require_known("scope", each, _SCOPES)
    settings = settings_of(store)
    from mobilebench.server import listen, tokens

    scopes = [tokens.Scope(each) for each in scope or tokens.OF_DEVICES]
    with listen.opened(settings) as database, database.writing() as connection:
        new = tokens.make(connection, scopes, name)
    output.show_text(f"{new.text}\n")
    output.tell(f"It is printed this once; `mobilebench server revoke {new.token_id}` ends it.")


def enrol(
    alias: Annotated[
        str | None,
        typer.Option(
            metavar="ALIAS",
            rich_help_panel=Panel.SETTING,
            help="Name of the device in all lists: small letters, digits, '.', '_' and '-'. "
            "Default: made of its model.",
        ),
    ] = None,
    url: Annotated[
        str,
        typer.Option(
            metavar="URL",
            rich_help_panel=Panel.SETTING,
            help="How the device reaches the server.",
        ),
    ] = "http://127.0.0.1:8400",
    scope: Scopes = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Make a code for a device, which is valid for ten minutes, and show it as text and as QR."""
    import re

    from mobilebench.errors import UserError, require_known

    for each in scope or ():
        require_known("scope", each, _SCOPES)
    settings = settings_of(store, url=url)
    import io

    import segno

    from mobilebench.server import devices, enrolment, listen, problems, tokens

    if alias is not None and not re.fullmatch(devices.ALIAS, alias):
        raise UserError(
            f"The alias {alias!r} is not 1 to 40 small letters, digits, '.', '_' and '-'."
        )
    scopes = [tokens.Scope(each) for each in scope or ()]
    with listen.opened(settings) as database:
        try:
            new = enrolment.prepare(database, settings.address, alias, scopes)
        except problems.Refused as problem:
            raise UserError(problem.detail) from problem
    if json:
        output.show_json({"code": new.code, "expires": new.expires, "url": new.url})
        return
    picture = io.StringIO()
    segno.make(new.url).terminal(picture, compact=True)
    output.show_text(f"{picture.getvalue()}\n{new.code}\n{new.url}\n")
    output.tell(f"The code is valid until {new.expires}, for one device.")


def listed(store: Store = None, json: Json = False) -> None:
    """List the tokens of a server, without their texts."""
    settings = settings_of(store)
    from mobilebench.server import listen, tokens

    with listen.opened(settings) as database, database.reading() as connection:
        every = tokens.listed(connection)
    if json:
        output.show_json(every)
        return
    for each in every:
        state = f"revoked {each['revoked']}" if each["revoked"] else "valid"
        owner = each["device"] or each["name"]
        output.show_line(f"{each['id']}  {'+'.join(each['scopes'])}  {owner}  {state}")


def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a token.")],
    store: Store = None,
) -> None:
    """Revoke a token: it is refused from the next request on."""
    from mobilebench.errors import UserError

    settings = settings_of(store)
    from mobilebench.server import listen, tokens

    with listen.opened(settings) as database, database.writing() as connection:
        known = tokens.revoke(connection, token_id)
    if not known:
        raise UserError(f"There is no token {token_id}; `mobilebench server tokens` lists them.")
    output.tell(f"revoked: {token_id}")


add(app, "token", token, Section.RESULTS, "mobilebench server token --scope admin")
add(app, "enrol", enrol, Section.RESULTS, "mobilebench server enrol --alias shelf-1")
add(app, "tokens", listed, Section.RESULTS, "mobilebench server tokens")
add(app, "revoke", revoke, Section.RESULTS, "mobilebench server revoke abcdefghij")
