"""State which part of every tensor of a network a width keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from mobilebench.slimmable.channels import Channels

WHOLE: tuple[Channels | None, ...] = ()
"""The part of a tensor of which everything is kept."""


@dataclass(frozen=True)
class Plan:
    """The kept channels of every tensor that a width cuts, by its name in the state dict."""

    parts: Mapping[str, tuple[Channels | None, ...]]
    """By tensor: the kept channels along its first dimensions; None keeps a dimension whole."""

    def cut(self, name: str, tensor: Tensor) -> Tensor:
        """Return the kept part of a tensor: a view, or a copy, through which gradients flow."""
        for dim, channels in enumerate(self.parts.get(name, WHOLE)):
            if channels is not None:
                tensor = channels.of(tensor, dim)
        return tensor


class Planner:
    """Collect the plan of a network from rules that follow its channels from layer to layer."""

    def __init__(self, network: nn.Module) -> None:
        self._names = {part: name for name, part in network.named_modules()}
        self._parts: dict[str, tuple[Channels | None, ...]] = {}

    def plan(self) -> Plan:
        """Return the plan, when every layer has been seen."""
        return Plan(dict(self._parts))

    def tensor(self, part: nn.Module, leaf: str, *channels: Channels | None) -> None:
        """Cut a tensor of a module along its first dimensions."""
        self._parts[f"{self._names[part]}.{leaf}".lstrip(".")] = channels

    def conv(self, part: nn.Conv2d, into: Channels, out: Channels) -> None:
        """Cut a convolution that takes `into` and returns `out`; depthwise where they are one."""
        self.tensor(part, "weight", out, None if is_depthwise(part) else into)
        if part.bias is not None:
            self.tensor(part, "bias", out)

    def norm(self, part: nn.BatchNorm2d, channels: Channels) -> None:
        """Cut a BatchNorm with its statistics."""
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            self.tensor(part, leaf, channels)

    def chain(self, layers: Iterable[nn.Module], into: Channels, *outs: Channels) -> Channels:
        """Cut layers that follow each other, and return the channels after them.

        `outs` has the channels after each convolution, except depthwise ones, which keep theirs.
        Layers without channels, such as GELU, are passed over. Raises `TypeError` for any other
        layer with weights.
        """
        current, following = into, iter(outs)
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                out = current if is_depthwise(layer) else next(following)
                self.conv(layer, current, out)
                current = out
            elif isinstance(layer, nn.BatchNorm2d):
                self.norm(layer, current)
            elif any(True for _ in layer.parameters()):
                raise TypeError(f"a chain has {type(layer).__name__}, which no rule cuts")
        return current


def is_depthwise(conv: nn.Conv2d) -> bool:
    """Return whether a convolution computes every channel from itself alone."""
    return conv.groups > 1 and conv.groups == conv.in_channels == conv.out_channels
