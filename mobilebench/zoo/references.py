"""Check that a model reference names something, without loading torch or the user's code.

A reference is a name of the zoo, `timm:NAME`, `FILE.py:FUNCTION` or `package.module:FUNCTION`.
FUNCTION takes no required arguments and returns a `torch.nn.Module`; a class counts as one.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import NoSuchModel, UnknownName, UserError
from mobilebench.values.request import TIMM
from mobilebench.zoo.registry import list_models

EXAMPLE = "def make(): return MyNetwork(width=64)"
"""What a function that a reference names looks like."""


def require(reference: str) -> None:
    """Raise `UserError` for a reference that names no network, with what it may have meant.

    The names of timm, and what only running the user's code can show, are not checked.
    """
    if reference.startswith(TIMM):
        if reference == TIMM:
            raise UserError("timm: names no model; write timm:NAME, such as timm:resnet18.")
        return
    place, colon, function = reference.rpartition(":")
    if not colon:
        _require_zoo_name(reference)
    elif place.endswith(".py"):
        _require_function(Path(place), function)
    elif not place or not function:
        raise UserError(
            f"{reference!r} names no network; write FILE.py:FUNCTION or package.module:FUNCTION."
        )


def _require_zoo_name(reference: str) -> None:
    if reference in list_models():
        return
    path = Path(reference)
    if reference.endswith(".py"):
        if not path.is_file():
            raise NoSuchModel(f"The file {path} does not exist; a model is named FILE.py:FUNCTION.")
        raise UserError(
            f"{reference} names no function; write {reference}:FUNCTION, where the function takes "
            f"no required arguments and returns the network. It has {_listed(_read(path))}."
        )
    package, dot, name = reference.rpartition(".")
    if dot and name.isidentifier() and Path(package.replace(".", "/")).with_suffix(".py").is_file():
        raise UserError(
            f"There is no model called {reference!r}; a function of a module is named with a "
            f"colon: {package}:{name}."
        )
    error = UnknownName.among("model", reference, list_models())
    raise NoSuchModel(
        f"{str(error).rstrip('.')}; a model of timm is named with timm: before it, as "
        f"timm:{reference}."
    )


@dataclass(frozen=True)
class _Definition:
    """A name at the top of a file; `required` are the arguments that it cannot do without."""

    name: str
    required: tuple[str, ...] = ()
    callable: bool = True


def _require_function(path: Path, function: str) -> None:
    if not path.is_file():
        raise NoSuchModel(f"The file {path} does not exist; a model is named FILE.py:FUNCTION.")
    definitions = _read(path)
    if definitions is None or not any(each.callable for each in definitions):
        return
    by_name = {definition.name: definition for definition in definitions}
    if function not in by_name:
        names = [definition.name for definition in definitions if definition.callable]
        error = UnknownName.among(f"function in {path}", function, names)
        raise NoSuchModel(
            f"{error} It has to take no required arguments and to return the network: {EXAMPLE}"
        )
    required = by_name[function].required
    if required:
        raise UserError(
            f"{path}:{function} takes {', '.join(required)}, and nothing is known to give; name a "
            f"function without required arguments that returns the network: {EXAMPLE}"
        )


def _listed(definitions: list[_Definition] | None) -> str:
    names = [definition.name for definition in definitions or () if definition.callable]
    return ", ".join(names) or "none"


def _read(path: Path) -> list[_Definition] | None:
    """Read what a file defines at its top; None where only running it can tell."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return None  # running it raises the error with its line
    definitions: list[_Definition] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            definitions.append(_Definition(node.name, _required(node.args)))
        elif isinstance(node, ast.ClassDef):
            definitions.append(_Definition(node.name, _required_of_class(node)))
        elif isinstance(node, ast.ImportFrom | ast.Import):
            if any(alias.name == "*" for alias in node.names):
                return None
            definitions += [
                _Definition(alias.asname or alias.name.partition(".")[0], callable=False)
                for alias in node.names
            ]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            definitions += [_Definition(name, callable=False) for name in names]
        elif not isinstance(node, ast.Expr):
            return None  # names may be made under a condition
    return definitions


def _required_of_class(node: ast.ClassDef) -> tuple[str, ...]:
    for member in node.body:
        if isinstance(member, ast.FunctionDef) and member.name == "__init__":
            return _required(member.args)[1:]
    return ()


def _required(arguments: ast.arguments) -> tuple[str, ...]:
    positional = [*arguments.posonlyargs, *arguments.args]
    first = positional[: len(positional) - len(arguments.defaults)]
    keywords = [
        argument
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return tuple(argument.arg for argument in (*first, *keywords))
