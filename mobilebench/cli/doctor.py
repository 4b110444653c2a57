"""`mobilebench doctor`: show what is installed here, and how to install the rest."""

from __future__ import annotations

from mobilebench.cli import output


def command() -> None:
    """Show for every export format whether its toolkit is installed, and how to get it."""
    from mobilebench import plugins
    from mobilebench.errors import MissingToolkit

    table = output.columns("format", "ready", "precisions", "tools")
    for name in plugins.exporter_names():
        exporter = plugins.exporter(name)
        try:
            versions = exporter.tool_versions()
            ready, tools = "yes", ", ".join(f"{tool} {v}" for tool, v in versions.items())
        except MissingToolkit as error:
            ready, tools = "no", str(error)
        table.add_row(name, ready, ", ".join(sorted(exporter.precisions())), tools)
    output.show_plain(table)
