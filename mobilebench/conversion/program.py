"""Compute a digest of the graph that exporters take from a network."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from mobilebench.zoo.fingerprint import add_tensor

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def program_sha256(module: nn.Module, example: Sequence[Tensor]) -> str | None:
    """Compute the sha256 over the operations, constants and outputs of a network's graph.

    Every exporter starts from this graph, so it holds whatever decides the file: functions in other
    files, values of all kinds that the forward pass reads, hooks and replaced methods. The numbers
    of parameters and buffers are left to the fingerprint. None where PyTorch cannot export the
    network; then no format can.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the toolkits' own exports repeat them into the log
            program = torch.export.export(module, tuple(example))
    except Exception:  # noqa: BLE001 - every format then fails with the same error, and says it
        return None
    digest = hashlib.sha256()
    for line in _lines(program):
        digest.update(f"{_ADDRESS.sub('', line)}\n".encode())
    for name, constant in sorted(program.constants.items()):
        if isinstance(constant, Tensor):
            add_tensor(digest, name, constant)
    return digest.hexdigest()


def _lines(program: Any) -> Iterator[str]:
    """Yield the text of a program: its graphs, its signature, and the names of its outputs."""
    for path, part in program.graph_module.named_modules():
        if isinstance(part, fx.GraphModule):
            yield f"{path}|{part.graph}"
    yield str(program.graph_signature)
    yield str(program.call_spec.out_spec)
