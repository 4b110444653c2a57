"""Find the source line of the operation that a toolkit error names."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

_NAMED = re.compile(r"\baten(?:\.|::)(\w+)|\bfx node (\w+)|\bnode (\w+) \(")
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in [^\n]*\n\s*(?P<code>[^\n]*)')
_LIBRARIES = ("/site-packages/", "/dist-packages/", "/lib/python")
_OWN = f"{Path(__file__).parents[1]}/"
"""The folder of mobilebench itself, which may lie outside of the libraries."""


class CodeLine(NamedTuple):
    """A line of the network's code."""

    file: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.code}"


def of_user(error: BaseException) -> CodeLine | None:
    """Return the innermost line of the user's code that an error passed through.

    That of a syntax error is the line that Python could not read. None where all of the lines are
    those of libraries.
    """
    file = error.filename if isinstance(error, SyntaxError) else None
    if isinstance(error, SyntaxError) and file and error.lineno and not _in_library(file):
        return CodeLine(file, error.lineno, (error.text or "").strip())
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        own = frame.filename.startswith(_OWN)
        if not own and not _in_library(frame.filename) and frame.lineno is not None:
            return CodeLine(frame.filename, frame.lineno, frame.line or "")
    return None


def of(error: BaseException, module: nn.Module, example: Sequence[Tensor]) -> CodeLine | None:
    """Return the source line that a toolkit failed on.

    The error was raised in the network's own code, or quotes its line, or names an operation, which
    is then looked up in the exported graph. None where none of these is the case.
    """
    words = "\n".join(str(part) for part in error.args)
    return (
        _raised_in(error)
        or next(_frames(words), None)
        or next(_lines_of(_names(words), module, example), None)
    )


def _raised_in(error: BaseException) -> CodeLine | None:
    """Return the innermost line outside libraries that a library called: the network's."""
    place, called = None, False
    for frame in traceback.extract_tb(error.__traceback__):
        library = _in_library(frame.filename)
        if called and not library and frame.lineno is not None:
            place = CodeLine(frame.filename, frame.lineno, frame.line or "")
        called = called or library
    return place


def _in_library(file: str) -> bool:
    return file.startswith("<") or any(part in file for part in _LIBRARIES)


def _names(words: str) -> set[str]:
    return {name for match in _NAMED.findall(words) for name in match if name}


def _lines_of(names: set[str], module: nn.Module, example: Sequence[Tensor]) -> Iterator[CodeLine]:
    if not names:
        return
    try:
        program = torch.export.export(module, tuple(example))
        # Toolkits name operations as they are before or after PyTorch decomposes them.
        programs = (program, program.run_decompositions())
    except Exception:  # noqa: BLE001 - the log then shows what the toolkit failed on
        return
    for exported in programs:
        for node in exported.graph.nodes:
            if node.op == "call_function" and _name(node) in names:
                yield from _frames(node.meta.get("stack_trace") or "")


def _name(node: Any) -> str:
    return str(node.target).removeprefix("aten.").partition(".")[0]


def _frames(trace: str) -> Iterator[CodeLine]:
    """Yield the places in a trace, the innermost first, without installed libraries."""
    for match in reversed(list(_FRAME.finditer(trace))):
        if not _in_library(match["file"]):
            yield CodeLine(match["file"], int(match["line"]), match["code"].strip())
