"""List the parts of a network that stay in floats when the rest is quantized to 8 bits.

Distances, gates, scans, normalisations and softmax sum many terms or take exponents: steps in
8 bits break them. Leaving them in floats costs little, because nearly all multiplications are in
convolutions. All toolkits keep the classes of the modules that an operation came from, so a part is
identified by the full name of its class.
"""

from __future__ import annotations

import re

PATTERN = re.compile(
    r"mobilebench\.deploy\.aggregation\.(?:NearCandidates|GatedNeighbours|Attended|ChannelSum)"
    r"|mobilebench\.deploy\.(?:scan|norms)\."
    r"|mobilebench\.zoo\.greedyvig\.DynamicAxialGraphConv"
    r"|mobilebench\.zoo\.adaptvig\.(?:GatedGraphConv|AttentionGraphConv)"
    r"|mobilebench\.zoo\.vcmamba\.SnakeMamba"
    r"|torch\.nn\.modules\.normalization\.(?:LayerNorm|GroupNorm|RMSNorm)"
    r"|torch\.nn\.modules\.activation\.(?:Softmax|MultiheadAttention)"
)


def stays_float(scope: str) -> bool:
    """Return whether an operation stays in floats.

    `scope` holds the full names of the module classes that the operation came from.
    """
    return PATTERN.search(scope) is not None
