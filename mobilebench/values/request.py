"""Which network to load, with which weights, at which input size."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from mobilebench.values import value
from mobilebench.values.modelspec import Preprocessing
from mobilebench.values.tensor import TensorSpec
from mobilebench.values.width import Width

TIMM = "timm:"
"""What references to models of timm begin with."""


def is_own(reference: str) -> bool:
    """Return whether a reference names a function of the user's own code."""
    return ":" in reference and not reference.startswith(TIMM)


@value
class Request:
    """A network, named by a reference.

    The reference is a name of the zoo, `timm:NAME`, `FILE.py:FUNCTION` or
    `package.module:FUNCTION`.
    """

    LEFT_OUT_WHERE_ABSENT: ClassVar = ("widths",)

    reference: str
    checkpoint: str | None = None
    checkpoint_key: str | None = None
    """The entry of the checkpoint that holds the weights; None to look for it."""
    ema: bool = False
    resolution: int | None = None
    inputs: tuple[TensorSpec, ...] = ()
    num_classes: int | None = None
    """None for as many as the network has by itself."""
    preprocessing: Preprocessing | None = None
    """How images are prepared for the user's own network; other networks define it."""
    width: Width | None = None
    """The share of the channels to cut the network to, after its weights are loaded."""
    widths: tuple[Width, ...] = ()
    """The widths that one file is to hold together, the widest first; then `width` is None."""

    @property
    def each(self) -> tuple[Request, ...]:
        """The networks of one file: one for each width, or this one alone."""
        if not self.widths:
            return (self,)
        return tuple(replace(self, widths=(), width=width) for width in self.widths)

    @property
    def name(self) -> str:
        """Name for people, before the network is loaded and its own name is known."""
        size = f" at {self.resolution}" if self.resolution else ""
        cut = "" if self.width is None or self.width.is_full else f" {self.width.label}"
        cut += f" {'+'.join(width.label for width in self.widths)}" if self.widths else ""
        return f"{self.reference}{cut}{size}"
