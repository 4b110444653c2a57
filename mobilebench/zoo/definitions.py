"""What a Python file defines at its top, read without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Definition:
    """A name at the top of a file; `required` are the arguments that it cannot do without."""

    name: str
    required: tuple[str, ...] = ()
    line: int | None = None
    """Line of the file, counted from 1, that states these arguments."""
    callable: bool = True


def read(path: Path) -> list[Definition] | None:
    """Read what a file defines at its top; None where only running it can tell."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return None  # running it raises the error with its line
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    definitions: list[Definition] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            definitions.append(Definition(node.name, _required(node.args), node.lineno))
        elif isinstance(node, ast.ClassDef):
            definitions.append(_of_class(node, classes))
        elif isinstance(node, ast.ImportFrom | ast.Import):
            if any(alias.name == "*" for alias in node.names):
                return None
            names = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
            definitions += [Definition(name, callable=False) for name in names]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            definitions += [Definition(name, callable=False) for name in names]
        elif not isinstance(node, ast.Expr) and not _is_main(node):
            return None  # names may be made under a condition
    return definitions


def _is_main(node: ast.stmt) -> bool:
    """Return whether a statement is `if __name__ == "__main__":`, which importing skips."""
    return isinstance(node, ast.If) and ast.unparse(node.test).startswith("__name__ ==")


def _of_class(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Definition:
    """Describe a class by its constructor, or by that of its first base in the same file."""
    owner: ast.ClassDef | None = node
    seen: set[str] = set()
    while owner is not None and owner.name not in seen:
        seen.add(owner.name)
        for member in owner.body:
            if isinstance(member, ast.FunctionDef) and member.name == "__init__":
                return Definition(node.name, _required(member.args)[1:], member.lineno)
        base = owner.bases[0] if owner.bases else None
        owner = classes.get(base.id) if isinstance(base, ast.Name) else None
    return Definition(node.name)


def _required(arguments: ast.arguments) -> tuple[str, ...]:
    positional = [*arguments.posonlyargs, *arguments.args]
    first = positional[: len(positional) - len(arguments.defaults)]
    keywords = [
        argument
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return tuple(argument.arg for argument in (*first, *keywords))
