"""Compare the size of a network's parameters with what a file of a format can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mobilebench.errors import CellFailed

if TYPE_CHECKING:
    import torch

ONE_FILE_BYTES = 2_000_000_000
"""What protobuf and FlatBuffers hold in one file is 2^31 - 1 bytes; the rest is for the graph."""


def stored_bytes(module: torch.nn.Module) -> int:
    """Return the size of a network's parameters and buffers, in the types that it has them in."""
    tensors = {id(t): t for t in (*module.parameters(), *module.buffers())}
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def require_one_file(module: torch.nn.Module, limit_bytes: int, what: str, instead: str) -> None:
    """Raise `CellFailed` where the parameters do not fit into one file of a format."""
    size = stored_bytes(module)
    if size > limit_bytes:
        raise CellFailed(
            "export",
            "TooLarge",
            f"the network's parameters take {size / 1e9:.2f} GB, and {what} holds at most "
            f"{limit_bytes / 1e9:.2f} GB; {instead}",
        )
