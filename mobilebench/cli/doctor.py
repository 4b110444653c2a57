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
    """Say whether models of timm can be exported; found by looking, since importing takes long."""
    from importlib import metadata

    versions = {}
    for name in ("timm", "torchvision"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    tools = ", ".join(f"{name} {version}" for name, version in versions.items())
    if len(versions) == 2:
        return "yes", "", f"{tools}; torchvision has to be built for the torch that is installed"
    missing = " and ".join(name for name in ("timm", "torchvision") if name not in versions)
    advice = (
        f"{missing} not installed; run: pip install timm, and get torchvision from the same index "
        f"as torch, for the same kind of machine (CPU or CUDA)"
    )
    return "no", "", f"{tools}; {advice}" if tools else advice
