"""Find the source line that an error comes from: the user's, not that of a library."""

from __future__ import annotations

import inspect
import linecache
import re
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mobilebench.zoo import references

_NAMED = re.compile(
    r"\baten(?:\.|::)(\w+)|\bfx node (\w+)|\bnode (\w+) \(|\bNode number \d+ \((\w+)\)"
    r"|builtin opcode '(\w+)'"
)
_MOST_LINES = 2
_SAME = (
    {"batchmatmul", "matmul", "bmm", "linear", "baddbmm"},
    {"fullyconnected", "gemm", "linear", "addmm", "mm"},
    {"conv", "conv2d", "depthwiseconv2d", "convolution"},
    {"transposeconv", "convtranspose", "convtranspose2d", "convolution"},
    {"pow", "square"},
    {"logistic", "sigmoid"},
    {"averagepool2d", "averagepool", "globalaveragepool", "avgpool2d", "adaptiveavgpool2d"},
    {"maxpool2d", "maxpool", "maxpool2dwithindices"},
    {"concatenation", "concat", "cat"},
)
"""Names that formats and PyTorch have for one kind of operation."""
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


def outside_libraries(error: BaseException) -> str:
    """Return the innermost line of the user's code that an error passed.

    It is `FILE, line N: CODE`, and the innermost of all where no line is the user's.
    """
    place = of_user(error)
    if place is not None:
        return str(place)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}, line {last.lineno}: {last.line}"


def definition(function: object) -> str | None:
    """Return the line that a function is defined on; None for one that is not Python's."""
    code = getattr(inspect.unwrap(function), "__code__", None)  # type: ignore[arg-type]
    if code is None:
        return None
    line = code.co_firstlineno
    while linecache.getline(code.co_filename, line).lstrip().startswith("@"):
        line += 1
    return references.line_of(code.co_filename, line)


def of_operation(
    kind: str,
    layer: str | None,
    place: int,
    places: int,
    module: nn.Module,
    example: Sequence[Tensor],
) -> list[str]:
    """Return the source lines that an operation of a file can come from; at most two.

    It is the one at `place` of the `places` operations of its `kind` in its `layer`, the path of a
    module. Where the network has as many, its line is the one at that place.
    """
    for program in _programs(module, example):
        nodes = [
            node
            for node in program.graph.nodes
            if node.op == "call_function" and _is_kind(_name(node), kind)
        ]
        nodes = [node for node in nodes if layer and _layer(node).endswith(layer)] or nodes
        if len(nodes) == places:
            nodes = [nodes[place]]
        traces = (node.meta.get("stack_trace") or "" for node in nodes)
        lines = dict.fromkeys(str(line) for trace in traces if (line := next(_frames(trace), None)))
        if lines:
            return list(lines)[:_MOST_LINES] if len(lines) <= _MOST_LINES else []
    return []


def _is_kind(name: str, kind: str) -> bool:
    """Return whether PyTorch's name and a format's are those of the same kind of operation."""
    plain = [re.sub("^reduce_?|^stablehlo_|[^a-z0-9]", "", word.lower()) for word in (name, kind)]
    return plain[0] == plain[1] or any(set(plain) <= names for names in _SAME)


def _layer(node: Any) -> str:
    """Return the path of the module that a node came from."""
    paths = [str(path) for path, _ in node.meta.get("nn_module_stack", {}).values()]
    return re.sub(r"\['?(\w+)'?\]", r".\1", paths[-1]) if paths else ""


def _raised_in(error: BaseException) -> CodeLine | None:
    """Return the innermost line outside libraries that a library called: the network's."""
    place, called = None, False
    for frame in traceback.extract_tb(error.__traceback__):
        library = _in_library(frame.filename)
        if called and not library and frame.lineno is not None:
            place = CodeLine(frame.filename, frame.lineno, frame.line or "")
        called = called or library
    return place


def _in_library(file: str, *more: str) -> bool:
    return file.startswith("<") or any(part in file for part in (*_LIBRARIES, *more))


def _names(words: str) -> set[str]:
    return {name for match in _NAMED.findall(words) for name in match if name}


def _lines_of(names: set[str], module: nn.Module, example: Sequence[Tensor]) -> Iterator[CodeLine]:
    if not names:
        return
    for exported in _programs(module, example):
        for node in exported.graph.nodes:
            if node.op == "call_function" and any(_is_kind(_name(node), name) for name in names):
                yield from _frames(node.meta.get("stack_trace") or "")


def _programs(module: nn.Module, example: Sequence[Tensor]) -> Sequence[Any]:
    """Return the graph of a network before and after PyTorch decomposes it.

    Toolkits name operations as they are in one of them. Empty where there is no graph.
    """
    try:
        program = torch.export.export(module, tuple(example))
        return (program, program.run_decompositions())
    except Exception:  # noqa: BLE001 - the log then shows what the toolkit failed on
        return ()


def _name(node: Any) -> str:
    return str(node.target).removeprefix("aten.").partition(".")[0]


def _frames(trace: str) -> Iterator[CodeLine]:
    """Yield the places in a trace, the innermost first, without installed libraries."""
    for match in reversed(list(_FRAME.finditer(trace))):
        if not _in_library(match["file"]):
            yield CodeLine(match["file"], int(match["line"]), match["code"].strip())
