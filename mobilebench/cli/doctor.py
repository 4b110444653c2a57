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
    table.add_row("timm:NAME", *_timm())
    output.show_plain(table)


def _timm() -> tuple[str, str, str]:
    """Say whether models of timm can be exported; by versions, since importing takes seconds."""
    from mobilebench.machine import torchvision

    versions = {name: torchvision.version_of(name) for name in ("timm", "torchvision")}
    tools = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    match, installed = torchvision.matching(), versions["torchvision"]
    fits = installed is not None and match is not None and match.fits(installed)
    if versions["timm"] and fits:
        return "yes", "", tools
    missing = " and ".join(name for name, version in versions.items() if version is None)
    why = f"{missing} not installed" if missing else "torchvision is built for another torch"
    commands = [] if versions["timm"] else ["pip install --no-deps timm"]
    if not fits and match is not None:
        commands.append(match.command)
    advice = f"{why}; run: {' && '.join(commands)}" if commands else f"{why}; install torch first"
    return "no", "", f"{tools}; {advice}" if tools else advice
