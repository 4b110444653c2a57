"""Which parts of a network stay in floats when the rest is brought to 8 bits.

Distances, gates, scans, normalisations and softmax sum many terms or take exponents: 8 bits for
their steps break them, and leaving them out costs little, since nearly all multiplications are in
convolutions. All toolkits keep the classes of the modules that an operation came from, so a part is
known by its class's full name.
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
    """Whether an operation stays in floats; `scope` holds the full names of the classes it came
    from."""
    return PATTERN.search(scope) is not None
