"""Run one set of shared weights at several widths, for training.

The recipe is that of slimmable networks (Yu et al. 2019, arXiv:1812.08928): every width has a
private BatchNorm, and all else is shared.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from mobilebench.errors import UserError
from mobilebench.slimmable.extraction import extract, plan_of
from mobilebench.slimmable.plan import Plan
from mobilebench.values.width import Width


class SharedNetwork(nn.Module):
    """A network whose widths share its weights: each runs on the leading channels.

    Call it with a width: `shared(x, 0.5)`. Outputs are those of the network in its mode, in
    training mode a pair of logits for networks with two heads. Without a width it is the full
    network, which need not be among `widths`. Every narrower one has a private BatchNorm, which
    starts as the leading channels of the full one's. With `private_norms=False` the norms are
    shared too, and their statistics mix those of all widths: call `recalibrate` on what `extract`
    returns, as US-Nets do.

    Parameters and buffers are those of `network` and, under `norms`, those of the widths.
    """

    def __init__(
        self,
        network: nn.Module,
        widths: Sequence[Width | float | str | Sequence[float]],
        *,
        private_norms: bool = True,
    ) -> None:
        super().__init__()
        self.network = network
        self.widths = tuple(Width.given(width) for width in widths)
        self.norms = nn.ModuleDict()
        # No submodules: they have no weights, and each call fills in those of its width.
        self._forms: dict[Width, nn.Module] = {}
        self._plans: dict[Width, Plan] = {}
        for width in self.widths:
            self._plans[width] = plan_of(network, width)
            if not width.is_full:
                narrow = extract(network, width)
                if private_norms:
                    self.norms[_key(width)] = _norms_of(narrow)
                self._forms[width] = narrow.to("meta")

    def forward(self, x: Tensor, width: Width | float | str | Sequence[float] = 1.0) -> object:
        """Run one of the widths: (N, 3, H, W) -> logits. Raises `UserError` for another width."""
        chosen = Width.given(width)
        if chosen.is_full:
            return self.network(x)
        form = self._form(chosen).train(self.training)
        return functional_call(form, self._tensors(chosen), (x,))

    def extract(self, width: Width | float | str | Sequence[float]) -> nn.Module:
        """Return an ordinary network of one of the widths, with its private BatchNorm.

        It shares no memory with this one. Raises `UserError` for another width.
        """
        chosen = Width.given(width)
        if chosen.is_full:
            return copy.deepcopy(self.network)
        self._form(chosen)
        narrow = extract(self.network, chosen)
        with torch.no_grad():
            state = narrow.state_dict()
            for name, tensor in self._private(chosen).items():
                state[name].copy_(tensor)
        return narrow

    def _form(self, width: Width) -> nn.Module:
        form = self._forms.get(width)
        if form is None:
            known = " and ".join(str(known) for known in self.widths)
            raise UserError(
                f"The width {width} was asked of a network with the widths {known}; name it when "
                f"you build the network."
            )
        return form

    def _private(self, width: Width) -> dict[str, Tensor]:
        key = _key(width)
        if key not in self.norms:
            return {}
        norms = self.norms[key]
        return {**dict(norms.named_parameters()), **dict(norms.named_buffers())}

    def _tensors(self, width: Width) -> dict[str, Tensor]:
        """Return every tensor of a width: parts of the shared ones, and its private norms."""
        plan, private = self._plans[width], self._private(width)
        shared = {**dict(self.network.named_parameters()), **dict(self.network.named_buffers())}
        cut = {
            name: plan.cut(name, tensor) for name, tensor in shared.items() if name not in private
        }
        return cut | private


def _key(width: Width) -> str:
    """Return a width as a name of a module, which has no dots."""
    return width.label.replace(".", "_")


def _norms_of(network: nn.Module) -> nn.Module:
    """Copy the BatchNorms of a network into modules of the same names, without the rest."""
    root = nn.Module()
    for name, part in network.named_modules():
        if isinstance(part, nn.BatchNorm2d):
            *path, leaf = name.split(".")
            place = root
            for step in path:
                if not hasattr(place, step):
                    place.add_module(step, nn.Module())
                place = place.get_submodule(step)
            place.add_module(leaf, copy.deepcopy(part))
    return root
