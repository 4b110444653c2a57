"""Shallow networks of the zoo side by side: six families in one file of a format.

Each is the smallest network of its family with the first block of each kind alone. So every kind of
layer is there, in a network that is converted in seconds; `mobilevig_ti` is exported whole.
"""

from __future__ import annotations

from torch import Tensor, nn

from mobilebench.zoo import create_model
from mobilebench.zoo.layers.initialise import for_verification
from mobilebench.zoo.layers.pyramid import GraphBlock, LocalBlock
from mobilebench.zoo.vcmamba import VCMamba

CLASSES = 10
PYRAMIDS = {
    "mobilevigv2": "mobilevigv2_ti",
    "greedyvig": "greedyvig_s",
    "logvig": "logvig_ti",
    "adaptvig": "adaptvig_s",
    "rapidnet": "rapidnet_ti",
}
_MAMBA = "vcmamba"
NAMES = (*PYRAMIDS, _MAMBA)
"""The families, in the order of the outputs."""


class Families(nn.Module):
    """Networks that have nothing in common but the file that they are exported into."""

    def __init__(self) -> None:
        super().__init__()
        self.pyramids = nn.ModuleList(shallow_pyramid(name) for name in PYRAMIDS.values())
        self.mamba = shallow_mamba()

    def forward(self, small: Tensor, large: Tensor) -> tuple[Tensor, ...]:
        """Map (1, 3, 64, 64) and (1, 3, 224, 224) to (1, 10) for each of `NAMES`.

        The large image is VCMamba's, whose positions are learned for that size.
        """
        return *(network(small) for network in self.pyramids), self.mamba(large)


def families() -> nn.Module:
    """Return the networks with weights that let every branch change its output."""
    network = Families()
    # Not the official values: they silence blocks, and ONNX Runtime 1.29.0 with XNNPACK ends its
    # process at an addition that shares its bias with another, as those of VCMamba that start as
    # zeros do in a file; with two copies of the same bias it does not.
    for_verification(network)
    return network.eval()


def shallow_pyramid(name: str) -> nn.Module:
    """Build a network of the zoo with the first block of each kind.

    Blocks are of a kind where they are made of the same layers. None that goes changes the shape of
    a map.
    """
    network = create_model(name, num_classes=CLASSES)
    kinds = set()
    for part in list(network.modules()):
        if not isinstance(part, nn.Sequential):
            continue
        blocks: list[nn.Module] = []
        for block in part:
            kind = tuple(type(layer) for layer in block.modules())
            if not isinstance(block, LocalBlock | GraphBlock) or kind not in kinds:
                blocks.append(block)
            kinds.add(kind)
        del part[:]
        part.extend(blocks)
    return network


def shallow_mamba() -> nn.Module:
    """Build `vcmamba_s` with a block of each kind: a convolution block and a Mamba block."""
    channels = (32, 64, 144, 288)
    return VCMamba(blocks=(1, 0, 0, 1), channels=channels, mamba_blocks=1, num_classes=CLASSES)
