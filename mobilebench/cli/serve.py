"""`mobilebench serve`: records in, jobs out to devices, and the leaderboard, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Store


def command(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            rich_help_panel=Panel.SETTING,
            help="Address to listen on. Any but this machine's own needs an admin token first: "
            "`mobilebench server token --scope admin`.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=1, max=65535, metavar="N", rich_help_panel=Panel.SETTING, help="Port to listen on."
        ),
    ] = 8400,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            rich_help_panel=Panel.SETTING,
            help="How clients reach the server, such as https://bench.example.org behind nginx. "
            "Default: the address and the port.",
        ),
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            rich_help_panel=Panel.WORK,
            help="Folder of the files of jobs. Default: beside an SQLite store, else in your data "
            "folder.",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            rich_help_panel=Panel.WORK,
            help="Processes that take requests; as many as there are cores for the server.",
        ),
    ] = 1,
    store: Store = None,
) -> None:
    """Serve a store: records in, jobs out to devices, and the leaderboard as pages.

    The first token comes from `mobilebench server token` on this machine. docs/server.md says what
    clients can rely on.
    """
    from mobilebench.cli.server import settings_of
    from mobilebench.server import listen

    settings = settings_of(store, files=files, host=host, port=port, url=url, workers=workers)
    output.tell(f"serving {settings.address}; stop with Ctrl-C")
    listen.serve(settings)
