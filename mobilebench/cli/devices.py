"""`mobilebench devices`: list the devices that can run a benchmark now."""

from __future__ import annotations

from mobilebench.cli import output
from mobilebench.cli.options import Json


def command(
    json: Json = False,
) -> None:
    """List the devices that can be reached, with their runtimes by format."""
    from mobilebench import plugins
    from mobilebench.values import wire
    from mobilebench.values.recipe import Format

    devices = [
        (runner, device)
        for runner in map(plugins.runner, plugins.runner_names())
        for device in runner.devices()
    ]
    if json:
        output.show_json([wire.to_plain(device) for _, device in devices])
        return
    table = output.columns("id", "kind", "model", "system", "cores", "runtimes")
    for runner, device in devices:
        runtimes = [name for format_ in Format for name in runner.runtimes(format_)]
        table.add_row(
            device.id,
            device.kind,
            device.model,
            f"{device.os} {device.os_version}",
            str(device.cores or ""),
            ", ".join(runtimes),
        )
    output.show_plain(table)
