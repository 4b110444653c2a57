"""`mobilebench devices`: what can run a benchmark now."""

from __future__ import annotations

from typing import Annotated

import typer

from mobilebench.cli import output


def command(
    json: Annotated[bool, typer.Option("--json", help="Every field, as JSON.")] = False,
) -> None:
    """List the devices that can be reached, with their runtimes by format."""
    from rich.markup import escape
    from rich.table import Table

    from mobilebench import plugins
    from mobilebench.values import wire
    from mobilebench.values.recipe import Format

    found = [
        (runner, device)
        for runner in map(plugins.runner, plugins.runner_names())
        for device in runner.devices()
    ]
    if json:
        output.show_json([wire.to_plain(device) for _, device in found])
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for title in ("id", "kind", "model", "system", "cores", "runtimes"):
        table.add_column(title, overflow="fold")
    for runner, device in found:
        runtimes = [name for format_ in Format for name in runner.runtimes(format_)]
        table.add_row(
            device.id,
            device.kind,
            escape(device.model),
            f"{device.os} {device.os_version}",
            str(device.cores or ""),
            ", ".join(runtimes),
        )
    output.show(table)
