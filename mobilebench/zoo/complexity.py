"""Count parameters and multiply-accumulates by running a network once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mobilebench.values.modelspec import Macs
from mobilebench.zoo.layers.selective_scan import PATHS, SnakeScan


def count_params(module: nn.Module) -> int:
    """Count the elements of all parameters; buffers do not count."""
    return sum(parameter.numel() for parameter in module.parameters())


@torch.no_grad()
def count_macs(module: nn.Module, inputs: Sequence[Tensor]) -> Macs:
    """Count the MACs of one forward pass, by kind of operator.

    A MAC is two of the floating-point operations that PyTorch's own counter reports. Of elementwise
    work only a selective scan is counted: three MACs per sequence, token, channel and state.
    """
    counter = FlopCounterMode(display=False)
    scans: list[int] = []

    def count_scan(part: nn.Module, arguments: tuple[Tensor, ...], _: Tensor) -> None:
        u, _, a = arguments[:3]
        scans.append(3 * PATHS * u.numel() * a.shape[1])

    handles = [
        part.register_forward_hook(count_scan)
        for part in module.modules()
        if isinstance(part, SnakeScan)
    ]
    try:
        with counter:
            module(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    by_operator = counter.get_flop_counts().get("Global", {})

    def macs(*names: str) -> int:
        return sum(
            flops // 2
            for operator, flops in by_operator.items()
            if str(operator).removeprefix("aten.").partition(".")[0] in names
        )

    conv = macs("convolution", "_convolution", "cudnn_convolution")
    linear = macs("addmm", "mm", "linear")
    matmul = counter.get_total_flops() // 2 - conv - linear
    return Macs(conv=conv, linear=linear, matmul=matmul, scan=sum(scans))
