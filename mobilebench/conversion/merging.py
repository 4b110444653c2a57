"""Find the form of a network whose branches for training are merged, and say what it saves."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from torch import Tensor, nn

from mobilebench.deploy import branches
from mobilebench.errors import MobilebenchWarning
from mobilebench.values.artifact import Branches
from mobilebench.zoo.complexity import count_macs, count_params


def without_branches(module: nn.Module, example: Sequence[Tensor]) -> nn.Module:
    """Return the merged form of a network; the network itself where that is not safe."""
    network = _merged(module, example)[0]
    return module if network is None else network


def examine(module: nn.Module, example: Sequence[Tensor], name: str) -> Branches | None:
    """Return what the merged form of a network has; None where it has no such form.

    Warns where the form exists but cannot be used, and what the files cost therefore.
    """
    if not branches.has_branches(module):
        return None
    network, blocks, problem = _merged(module, example)
    params, macs = count_params(module), count_macs(module, example).total
    if network is None:
        warnings.warn(
            f"{name} has blocks that offer a form for inference, but {problem}, so its files keep "
            f"the branches for training: {params / 1e6:.2f} M parameters and {macs / 1e9:.3f} G "
            f"MACs, more than inference needs. Merge them yourself before the export.",
            MobilebenchWarning,
            stacklevel=2,
        )
        return Branches(blocks=blocks, merged=False, params=params, macs=macs)
    return Branches(
        blocks=blocks,
        merged=True,
        params=count_params(network),
        macs=count_macs(network, example).total,
    )


def _merged(module: nn.Module, example: Sequence[Tensor]) -> tuple[nn.Module | None, int, str]:
    """Return the merged form, the number of blocks, and why there is none, as a clause."""
    if not branches.has_branches(module):
        return None, 0, "no block has one"
    try:
        network, blocks = branches.merged(module)
        same = branches.computes_the_same(module, network, *example)
    except Exception as error:  # noqa: BLE001 - the blocks' own code; its error goes into the warning
        return None, 0, f"merging them raised {type(error).__name__}: {error}"
    if not same:
        return None, blocks, "the merged form computes something else"
    return network, blocks, ""
