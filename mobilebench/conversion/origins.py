"""Origins: the line of a network's code that an operation comes from which an error names."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

_NAMED = re.compile(r"\baten(?:\.|::)(\w+)|\bfx node (\w+)|\bnode (\w+) \(")
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in [^\n]*\n\s*(?P<code>[^\n]*)')
_LIBRARIES = ("/site-packages/", "/dist-packages/", "/lib/python")


def of(error: BaseException, module: nn.Module, example: Sequence[Tensor]) -> str | None:
    """Where the operation comes from that a toolkit stumbled over: `FILE, line N: CODE`.

    The error came out of the network's own code, or quotes its line, or names an operation, which
    is then looked up in the exported graph; None where it does nothing of that.
    """
    words = "\n".join(str(part) for part in error.args)
    return (
        _raised_in(error)
        or next(_frames(words), None)
        or next(_lines_of(_names(words), module, example), None)
    )


def _raised_in(error: BaseException) -> str | None:
    """The innermost line outside of libraries that a library has called: the network's."""
    place, called = None, False
    for frame in traceback.extract_tb(error.__traceback__):
        library = _in_library(frame.filename)
        if called and not library:
            place = f"{frame.filename}, line {frame.lineno}: {frame.line}"
        called = called or library
    return place


def _in_library(file: str) -> bool:
    return file.startswith("<") or any(part in file for part in _LIBRARIES)


def _names(words: str) -> set[str]:
    return {name for match in _NAMED.findall(words) for name in match if name}


def _lines_of(names: set[str], module: nn.Module, example: Sequence[Tensor]) -> Iterator[str]:
    if not names:
        return
    try:
        program = torch.export.export(module, tuple(example))
        # The names of toolkits are those before or after PyTorch takes operations apart.
        programs = (program, program.run_decompositions())
    except Exception:  # noqa: BLE001 - what the toolkit stumbled over is then told in the log
        return
    for found in programs:
        for node in found.graph.nodes:
            if node.op == "call_function" and _name(node) in names:
                yield from _frames(node.meta.get("stack_trace") or "")


def _name(node: Any) -> str:
    return str(node.target).removeprefix("aten.").partition(".")[0]


def _frames(trace: str) -> Iterator[str]:
    """Places in a trace, the innermost first, without those of installed libraries."""
    for match in reversed(list(_FRAME.finditer(trace))):
        if not _in_library(match["file"]):
            yield f"{match['file']}, line {match['line']}: {match['code'].strip()}"
