"""`mobilebench models`: list the zoo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Json
from mobilebench.notation.quantities import duration

if TYPE_CHECKING:
    from rich.console import Group

    from mobilebench.values.modelspec import ModelSpec, Published


def command(
    family: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completions.families,
            rich_help_panel=Panel.CHOICE,
            help="Only this family.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the zoo: counts of our networks beside published accuracy and latency."""
    from mobilebench.values import wire
    from mobilebench.zoo import list_models, model_spec

    specs = [model_spec(name) for name in list_models(family)]
    if json:
        output.show_json([wire.to_plain(spec) for spec in specs])
    else:
        output.show(_table(specs))


def _table(specs: list[ModelSpec]) -> Group:
    from rich.console import Group
    from rich.text import Text

    table = output.columns("model", "params M>", "GMACs>", "top-1 %>", "latency>", "on", "licence")
    sources: dict[str, int] = {}

    def cite(source: str) -> str:
        return f"\\[{sources.setdefault(source, len(sources) + 1)}]"

    for spec in specs:
        accuracy, latency = spec.published_top1, spec.published_latency
        table.add_row(
            spec.name,
            f"{spec.params / 1e6:.2f}" if spec.params else "",
            f"{spec.macs.total / 1e9:.3f}" if spec.macs else "",
            f"{accuracy.top1:.1f} {cite(accuracy.source)}" if accuracy else "",
            f"{_milliseconds(latency)} {cite(latency.source)}" if latency else "",
            latency.device or "" if latency else "",
            spec.source.licence if spec.source else "",
        )
    return Group(
        table,
        Text(
            "Params and MACs are counted on our networks at 224 x 224, both heads included; "
            "top-1 and latency are published figures, not measured here:",
            style="dim",
        ),
        *(Text(f"  [{number}] {source}", style="dim") for source, number in sources.items()),
    )


def _milliseconds(latency: Published) -> str:
    return "" if latency.latency_ms is None else duration(latency.latency_ms * 1e6)
