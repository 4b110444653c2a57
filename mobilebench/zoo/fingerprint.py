"""Compute fingerprints of a network's numbers, alone or with its structure and code."""

from __future__ import annotations

import hashlib
import inspect
import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


def state_sha256(module: nn.Module) -> str:
    """Compute the sha256 of all state-dict entries in order of their names.

    It covers the name, type, shape and bytes of every entry.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        add_tensor(digest, name, tensor)
    return digest.hexdigest()


def fingerprint(module: nn.Module) -> str:
    """Compute the sha256 of everything visible that decides what a network computes.

    It covers, for each submodule by its path: its class, the source file of that class, its plain
    attributes, its tensors (including buffers that are left out of the state dict), and whether it
    is in training mode. `conversion.program` covers the code that a forward pass calls in other
    files, and values of other kinds.
    """
    digest = hashlib.sha256()
    for path, part in module.named_modules():
        cls: Any = type(part)
        digest.update(f"{path}|{cls.__module__}.{cls.__qualname__}|{_source_sha256(cls)}|".encode())
        plain = {
            key: value
            for key, value in vars(part).items()
            if not key.startswith("_") and _is_plain(value)
        }
        digest.update(repr(sorted(plain.items())).encode())
        for name, tensor in sorted(
            {
                **dict(part.named_parameters(recurse=False)),
                **dict(part.named_buffers(recurse=False)),
            }.items()
        ):
            add_tensor(digest, name, tensor)
    return digest.hexdigest()


def add_tensor(digest: hashlib._Hash, name: str, tensor: Tensor) -> None:
    """Add the name, type, shape and bytes of a tensor to a digest."""
    digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    if flat.numel():
        digest.update(flat.view(torch.uint8).numpy().data)  # its own memory: weights may be large


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, bool | int | float | str | torch.dtype)


@cache
def _source_sha256(cls: Any) -> str:
    """Compute the sha256 of the file that defines a class.

    torch's own classes are identified by torch's version.
    """
    if cls.__module__.partition(".")[0] == "torch":
        return str(torch.__version__)
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    if file is None or not Path(file).is_file():
        try:
            return hashlib.sha256(inspect.getsource(cls).encode()).hexdigest()
        except (OSError, TypeError):  # defined at a prompt, without a source file
            return "no source"
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
