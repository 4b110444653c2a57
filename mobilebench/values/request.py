"""Request: which network to load, with which weights, at which input size."""

from __future__ import annotations

from mobilebench.values import value
from mobilebench.values.modelspec import Preprocessing
from mobilebench.values.tensor import TensorSpec


@value
class Request:
    """A network by its reference: a name of the zoo, `timm:NAME`, `FILE.py:FUNCTION` or
    `package.module:FUNCTION`."""

    reference: str
    checkpoint: str | None = None
    ema: bool = False
    resolution: int | None = None
    inputs: tuple[TensorSpec, ...] = ()
    num_classes: int = 1000
    preprocessing: Preprocessing | None = None
    """How images are prepared for a network of the user's own; the others know it."""

    @property
    def name(self) -> str:
        """For people, before the network is there to say its own name."""
        size = f" at {self.resolution}" if self.resolution else ""
        return f"{self.reference}{size}"
