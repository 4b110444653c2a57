"""`mobilebench doctor`: what is installed here, and what to install for the rest."""

from __future__ import annotations

from mobilebench.cli import output


def command() -> None:
    """Say for every export format whether its toolkit is installed, and how to get it."""
    from rich.markup import escape
    from rich.table import Table

    from mobilebench import plugins
    from mobilebench.errors import MissingToolkit

    table = Table(header_style="bold", box=None, pad_edge=False)
    for title in ("format", "ready", "precisions", "tools"):
        table.add_column(title, overflow="fold")
    for name in plugins.exporter_names():
        exporter = plugins.exporter(name)
        precisions = ", ".join(sorted(exporter.precisions()))
        try:
            tools = exporter.tool_versions()
            table.add_row(
                name, "yes", precisions, ", ".join(f"{tool} {v}" for tool, v in tools.items())
            )
        except MissingToolkit as error:
            table.add_row(name, "no", precisions, escape(str(error)))
    output.show(table)
