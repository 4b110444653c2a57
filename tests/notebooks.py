"""Run the code cells of a notebook in one process, without Jupyter.

`python -m tests.notebooks docs/analysis.ipynb` writes what they print into the notebook.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

Cell = dict[str, Any]


def outputs(notebook: Path) -> list[list[Cell]]:
    """Return what each code cell of a notebook gives, run in its folder, in the form of Jupyter."""
    space: dict[str, Any] = {}
    sources = ["".join(cell["source"]) for cell in code_cells(notebook)]
    with contextlib.chdir(notebook.parent):
        return [_output(source, space, number) for number, source in enumerate(sources, start=1)]


def code_cells(notebook: Path) -> list[Cell]:
    """Return the code cells of a notebook, in their order."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _output(source: str, space: dict[str, Any], number: int) -> list[Cell]:
    """Run one cell; its last expression is its result, as in Jupyter."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), f"<cell {number}>", "exec"), space)
        result = None
        if isinstance(last, ast.Expr):
            result = eval(compile(ast.Expression(last.value), f"<cell {number}>", "eval"), space)
    given: list[Cell] = []
    if printed.getvalue():
        lines = printed.getvalue().splitlines(keepends=True)
        given.append({"name": "stdout", "output_type": "stream", "text": lines})
    if result is not None:
        given.append(
            {
                "data": {"text/plain": repr(result).splitlines(keepends=True)},
                "execution_count": number,
                "metadata": {},
                "output_type": "execute_result",
            }
        )
    return given


def _write(notebook: Path) -> None:
    document = json.loads(notebook.read_text(encoding="utf-8"))
    results = outputs(notebook)
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    for number, (cell, given) in enumerate(zip(cells, results, strict=True), start=1):
        cell["execution_count"], cell["outputs"] = number, given
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    notebook.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
