"""How a command line is written: the groups of its help, and errors about its words.

A verb is registered by `add` with its group and an example; an option names its group as
`typer.Option(rich_help_panel=Panel.OUTPUT)`.
"""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from mobilebench.cli import destinations, help_text, stopping
from mobilebench.cli.output import complain
from mobilebench.errors import CellFailed, UnknownName, UserError

UsageError: Any = typer.BadParameter.__base__
"""Typer's error about the words of a command line."""
_ALIKE = 0.7
"""Similarity of an option with its typing error; --presicion and --resolution have 0.696."""
_SHORTEST = 3
"""Characters, with the dashes, below which the beginning of an option says nothing."""
_REFUSED = (errno.EACCES, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EPERM)
"""Errors of the system about a path, for which whoever named it can name another."""
_NO_CHOICE = re.compile(r"'(.*?)' is not one of (.*)")
_QUOTED = re.compile("'(.*?)'")
_STOPPED = "Stopped. Finished artifacts and records are kept; nothing is half written."


class Section(StrEnum):
    """Groups of verbs, in the order of the help."""

    START = "What there is, and a first run"
    FILES = "Make and verify files"
    MEASURE = "Measure"
    COMPARE = "Compare"
    RESULTS = "Keep and show results"
    DEVELOP = "Write an app or a runner"


class Panel(StrEnum):
    """Groups of options, in the order of the help."""

    MODEL = "The network and its weights"
    FILES = "The files to make"
    IMAGES = "Images"
    ARTIFACTS = "Model files from elsewhere"
    TRAINING = "How to train"
    SETTING = "Where and how to measure"
    VERDICT = "The verdict"
    CHOICE = "What to show"
    WORK = "How the work is done"
    OUTPUT = "Output"
    HELP = "Help"


class Verb(TyperCommand):
    """A verb, whose help is in groups."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb, where all that it shall write can be written. Raises `UserError`."""
        destinations.require(ctx, Panel.OUTPUT)
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno not in _REFUSED or not _stands_in(ctx, str(error.filename)):
                raise
            raise UserError(
                f"{error.filename} cannot be used: {error.strerror}; name another path."
            ) from error

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help of a verb."""
        help_text.show(self, ctx, Panel)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words after the verb in its usage line."""
        arguments = (p for p in self.get_params(ctx) if p.param_type_name == "argument")
        words = ((argument.required, help_text.placeholder(argument)) for argument in arguments)
        return ["[OPTIONS]", *(word if required else f"[{word}]" for required, word in words)]


class Verbs(TyperGroup):
    """Runs a verb, and turns errors into one sentence and an exit code."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help of a group, with its verbs by section."""
        help_text.show(self, ctx, Panel, Section)

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command line; exit, unless the caller takes errors itself."""
        exits = options.pop("standalone_mode", True)
        options["standalone_mode"] = False
        if not exits:
            return super().main(*args, **options)
        try:
            code = super().main(*args, **options)
        except UsageError as error:
            complain(sentence(error))
            code = 2
        except Exception:
            code = stopping.exit_code()
            if code is None:
                raise
            complain(_STOPPED)
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            complain(str(error))
            raise typer.Exit(2) from error
        except CellFailed as error:
            complain(str(error), error.log_tail)
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            complain(_STOPPED)
            raise typer.Exit(130) from error

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Return the verb that the first word names. Raises `UnknownName`."""
        if args[0] in self.commands or ctx.resilient_parsing or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        raise UnknownName.among("command", args[0], self.commands)


def add(
    app: typer.Typer, name: str, function: Callable[..., None], section: Section, example: str
) -> None:
    """Add a verb to the program; its help ends with the example."""
    app.command(name, cls=Verb, rich_help_panel=section, epilog=example)(function)


def sentence(error: Any) -> str:
    """Say in one sentence what is wrong with the words of a command line, and what to write."""
    ctx, kind = error.ctx, type(error).__name__
    if kind == "BadOptionUsage":
        return f"{error.option_name} needs a value after it."
    if ctx is None:
        return str(error.format_message())
    verb, example = ctx.command_path, ctx.command.epilog
    if kind == "NoSuchOption":
        return _unknown_option(error.option_name, ctx)
    if kind == "MissingParameter":
        return f"{verb} needs {_name(error.param)}; for example: {example}"
    if kind == "BadParameter" and error.param is not None:
        return f"{verb}: {_name(error.param)}: {_reason(error.message)}"
    if not ctx.args and hasattr(ctx.command, "commands"):  # its help is printed already
        return f"{verb} needs a command; for example: {example}"
    message = error.format_message().rstrip(".")
    return f"{verb}: {message[:1].lower()}{message[1:]}; `{verb} --help` lists what it takes."


def _stands_in(ctx: Any, path: str) -> bool:
    """Return whether a path, or a folder that holds it, was named on the command line."""
    for value in ctx.params.values():
        for word in value if isinstance(value, list | tuple) else [value]:
            parts = {str(word), *re.split("[=:]", str(word))} - {""}
            # A name whose ending is added, such as .py, may be what is too long.
            if any(path == part or path.startswith((f"{part}/", f"{part}.")) for part in parts):
                return True
    return False


def _reason(message: str) -> str:
    """Return why a value is refused, with the nearest names where it has to be one of several."""
    text = message.removeprefix("Value error, ").rstrip(".")
    if match := _NO_CHOICE.fullmatch(text):
        return str(UnknownName.among("value", match[1], _QUOTED.findall(match[2])))
    return f"{text[:1].lower()}{text[1:]}."


def _unknown_option(name: str, ctx: Any) -> str:
    """Say what an option may have meant, or which verbs have it."""
    verb = ctx.command_path
    others = [
        other
        for other, command in getattr(ctx.find_root().command, "commands", {}).items()
        if command is not ctx.command and name in _options(command, ctx)
    ]
    if others and ctx.parent is None:
        return f"{verb} takes {name} only after a command: {verb} {others[0]} {name}."
    if others:
        return f"{verb} has no option {name}; it is an option of {_listed(others)}."
    near = _near(name, _options(ctx.command, ctx))
    advice = f"did you mean {' or '.join(near)}?" if near else f"`{verb} --help` lists them."
    return f"{verb} has no option {name}; {advice}"


def _near(name: str, options: list[str]) -> list[str]:
    """Return what an option may have meant: one that begins so, is written alike or longer."""
    return (
        [option for option in options if len(name) > _SHORTEST and option.startswith(name)]
        or get_close_matches(name, options, cutoff=_ALIKE)
        or sorted(
            (each for each in options if _shortens(name.lstrip("-"), each.lstrip("-"))), key=len
        )[:1]
    )


def _shortens(name: str, option: str) -> bool:
    """Return whether a name is letters of an option in their order, such as ckpt of checkpoint."""
    letters = iter(option)
    return name[:1] == option[:1] and len(name) >= _SHORTEST and all(c in letters for c in name)


def _name(param: Any) -> str:
    return str(param.opts[0]) if param.param_type_name == "option" else help_text.placeholder(param)


def _options(command: Any, ctx: Any) -> list[str]:
    return [name for param in command.get_params(ctx) for name in _names(param)]


def _names(param: Any) -> Iterator[str]:
    if param.param_type_name == "option" and not param.hidden:
        yield from (*param.opts, *param.secondary_opts)


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
