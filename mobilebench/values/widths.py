"""The widths that a controller chooses from: how fast each is, and how accurate."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from mobilebench.values import require_range, value
from mobilebench.values.event import MIN_WIDTH

WIDTHS_SCHEMA_VERSION = 1
_HOUR_MS = 3_600_000


@value
class WidthCost:
    """One width of a network: what it costs at the fastest clock, and what it gives."""

    width: float
    """As a share of the channels of the full network."""
    cool_ms: float
    """Median latency at the fastest clock, on a cool device."""
    top1: float
    """In per cent."""

    def __post_init__(self) -> None:
        require_range(self, "width", least=MIN_WIDTH, most=1)
        require_range(self, "cool_ms", least=1e-6, most=_HOUR_MS)
        require_range(self, "top1", most=100)

    @property
    def cool_ns(self) -> int:
        """The latency in nanoseconds."""
        return round(self.cool_ms * 1e6)


@value
class Widths:
    """A table of widths; the file that `mobilebench simulate --widths` reads."""

    READS_SINCE: ClassVar = 1

    schema_version: int = WIDTHS_SCHEMA_VERSION
    latency_source: str
    """Where the latencies come from: the device and the record, or what was assumed."""
    accuracy_source: str
    """Who measured or published the accuracies, on which data set."""
    widths: tuple[WidthCost, ...]
    """The widest first."""

    def __post_init__(self) -> None:
        if not self.widths:
            raise ValueError("the table has no width")
        for earlier, later in pairwise(self.widths):
            if later.width >= earlier.width:
                raise ValueError(
                    f"the widths {earlier.width:g} and {later.width:g} are not in falling order"
                )
            if later.cool_ms >= earlier.cool_ms:
                raise ValueError(
                    f"width {later.width:g} takes {later.cool_ms:g} ms, not less than width "
                    f"{earlier.width:g} with {earlier.cool_ms:g} ms; a controller has no use for it"
                )
