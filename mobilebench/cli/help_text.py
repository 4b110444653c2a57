"""The help of a verb: what it does, its options in groups, and an example."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

_WIDEST = 100
"""Characters of a line, also where the terminal has more: longer lines are hard to read."""
_MARGIN = 2


def show(
    command: Any, ctx: Any, panels: Iterable[str], sections: Iterable[str] | None = None
) -> None:
    """Print the help of a verb, or of a group of verbs, with groups in the order given."""
    from rich.text import Text

    from mobilebench.cli.console import SafeConsole

    console = SafeConsole(markup=False)
    console.width = min(console.width, _WIDEST)
    console.print(command.get_usage(ctx), soft_wrap=True)
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        console.print()
        console.print(Text(" ".join(paragraph.split())))
    options, verbs = _groups(command, ctx, panels), []
    if sections is not None:
        members = [command.get_command(ctx, name) for name in command.list_commands(ctx)]
        verbs = _grouped(members, sections, _verb_row, "Commands")
    for part in (verbs, options):
        # One width for all groups of a kind, so that they line up.
        width = max((len(left) for _, rows in part for left, _ in rows), default=0)
        for title, rows in part:
            console.print()
            console.print(title, style="bold")
            console.print(_table(rows, width))
    if command.epilog:
        console.print()
        console.print("Example", style="bold")
        console.print(f"  $ {command.epilog}", soft_wrap=True)


def placeholder(param: Any) -> str:
    """Return the word that stands for a value; empty for a flag."""
    if param.metavar is not None:
        return str(param.metavar)
    return "" if getattr(param, "is_flag", False) else str(param.name).upper()


def _groups(
    command: Any, ctx: Any, panels: Iterable[str]
) -> list[tuple[str, list[tuple[str, str]]]]:
    params = [p for p in command.get_params(ctx) if not getattr(p, "hidden", False)]
    arguments = [p for p in params if p.param_type_name == "argument"]
    options = [p for p in params if p.param_type_name == "option"]
    groups = [("Arguments", [_argument_row(param) for param in arguments])] if arguments else []
    return groups + _grouped(options, panels, _option_row, "Help")


def _grouped(
    things: Sequence[Any], order: Iterable[str], row: Any, rest: str
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Group verbs or options by their panel; `rest` is the title of those without one."""
    rows: dict[str, list[tuple[str, str]]] = {title: [] for title in (*order, rest)}
    for thing in things:
        rows.setdefault(thing.rich_help_panel or rest, []).append(row(thing))
    return [(str(title), members) for title, members in rows.items() if members]


def _verb_row(verb: Any) -> tuple[str, str]:
    first, _, _ = inspect.cleandoc(verb.help or "").partition("\n\n")
    sentence, stop, _ = " ".join(first.split()).partition(". ")
    return verb.name, sentence + stop.strip()


def _argument_row(param: Any) -> tuple[str, str]:
    return placeholder(param), param.help or ""


def _option_row(param: Any) -> tuple[str, str]:
    names = [*(n for n in param.opts if len(n) == 2), *(n for n in param.opts if len(n) > 2)]
    left = ", ".join([*names, *param.secondary_opts])
    # Long names line up below each other, with and without a short one.
    left = left if len(names[0]) == 2 else f"    {left}"
    value = placeholder(param)
    text = param.help or ""
    if param.required:
        text += " Required."
    elif "Default:" not in text and (default := _default(param)):
        text += f" Default: {default}."
    return f"{left} {value}" if value else left, text


def _default(param: Any) -> str:
    default = param.default
    if default is None or isinstance(default, bool) or callable(default):
        return ""
    if isinstance(default, float):
        return f"{default:g}"
    return str(default.value if isinstance(default, Enum) else default)


def _table(rows: Iterable[tuple[str, str]], width: int) -> Table:
    from rich.padding import Padding
    from rich.table import Table

    table = Table.grid(padding=(0, _MARGIN), pad_edge=False)
    table.add_column(min_width=width, no_wrap=True, style="cyan")
    table.add_column(overflow="fold")
    for left, text in rows:
        table.add_row(left, text)
    return Padding.indent(table, _MARGIN)  # type: ignore[return-value]
