"""Run one set of shared weights at several widths, for training.

The recipe is that of slimmable networks (Yu et al. 2019, arXiv:1812.08928): every width has a
private BatchNorm, and all else is shared.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from mobilebench.errors import CheckpointError, UserError
from mobilebench.slimmable.extraction import extract, plan_of
from mobilebench.slimmable.plan import Plan
from mobilebench.values.width import Width

_MOST_FORMS = 64
"""Widths whose form is kept: random ones come back."""


@dataclass(frozen=True)
class _Form:
    """A width's layers, without weights, and what they take of the shared ones."""

    plan: Plan
    module: nn.Module


class SharedNetwork(nn.Module):
    """A network whose widths share its weights: each runs on the leading channels.

    Call it with a width: `shared(x, 0.5)`. Outputs are those of the network in its mode, in
    training mode a pair of logits for networks with two heads. Without a width it is the full
    network, which need not be among `widths`. Every narrower one has a private BatchNorm, which
    starts as the leading channels of the full one's. With `private_norms=False` the norms are
    shared too, and any width runs. Their statistics mix those of all widths: call `recalibrate` on
    what `extract` returns, as US-Nets do.

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
        self._forms: dict[Width, _Form] = {}
        self._template = [copy.deepcopy(network).to("meta")]
        for width in self.widths:
            if not width.is_full:
                if private_norms:
                    self.norms[key_of(width)] = _norms_of(extract(network, width))
                self._forms[width] = self._built(width)
        self._private_norms = private_norms

    def forward(self, x: Tensor, width: Width | float | str | Sequence[float] = 1.0) -> object:
        """Run one of the widths: (N, 3, H, W) -> logits. Raises `UserError` for another width."""
        chosen = Width.given(width)
        if chosen.is_full:
            return self.network(x)
        form = self._form(chosen)
        module = form.module.train(self.training)
        return functional_call(module, self._tensors(chosen, form.plan), (x,))

    def extract(self, width: Width | float | str | Sequence[float]) -> nn.Module:
        """Return an ordinary network of one of the widths, with its private BatchNorm.

        It shares no memory with this one. Raises `UserError` for another width.
        """
        chosen = Width.given(width)
        if chosen.is_full:
            return copy.deepcopy(self.network)
        self._form(chosen)
        narrow = extract(self.network, chosen)
        _fill(narrow, self._private(chosen))
        return narrow

    def _form(self, width: Width) -> _Form:
        form = self._forms.pop(width, None)
        if form is None and not self._private_norms:
            while len(self._forms) >= _MOST_FORMS:
                del self._forms[next(iter(self._forms))]  # the one that was not used for longest
            form = self._built(width)
        if form is None:
            known = " and ".join(str(known) for known in self.widths)
            raise UserError(
                f"The width {width} was asked of a network with the widths {known}; name it when "
                f"you build the network."
            )
        self._forms[width] = form
        return form

    def _built(self, width: Width) -> _Form:
        [template] = self._template
        return _Form(plan_of(template, width), extract(template, width))

    def _private(self, width: Width) -> dict[str, Tensor]:
        key = key_of(width)
        if key not in self.norms:
            return {}
        norms = self.norms[key]
        return {**dict(norms.named_parameters()), **dict(norms.named_buffers())}

    def _tensors(self, width: Width, plan: Plan) -> dict[str, Tensor]:
        """Return every tensor of a width: parts of the shared ones, and its private norms."""
        private = self._private(width)
        shared = {**dict(self.network.named_parameters()), **dict(self.network.named_buffers())}
        cut = {
            name: plan.cut(name, tensor) for name, tensor in shared.items() if name not in private
        }
        return cut | private


def key_of(width: Width) -> str:
    """Return a width as a name of a module, which has no dots."""
    return width.label.replace(".", "_")


def with_norms(
    narrow: nn.Module, width: Width, norms: Mapping[str, Mapping[str, Tensor]], source: str
) -> None:
    """Give a cut network the private norms of its width, as a file holds them under `norms`.

    `norms` has them by the width's name in the file. Raises `CheckpointError` where the width is
    not among them, or its norms are those of another network.
    """
    own = norms.get(key_of(width))
    if own is None:
        known = " and ".join(sorted(_label(key) for key in norms))
        raise CheckpointError(
            f"--width {width} was given with {source}, which holds norms for the widths {known} "
            f"alone; take one of them, or add {width} by `mobilebench slim recalibrate`."
        )
    expected = norm_tensors(narrow)
    wrong = [
        name
        for name in {*own, *expected}
        if name not in own or name not in expected or own[name].shape != expected[name].shape
    ]
    if wrong:
        raise CheckpointError(
            f"The norms of the width {width} in {source} do not fit the network, as {min(wrong)}; "
            f"the file is of another network, or damaged."
        )
    if not all(bool(torch.isfinite(tensor).all()) for tensor in own.values()):
        raise CheckpointError(
            f"The norms of the width {width} in {source} have values that are not finite; nothing "
            f"was loaded."
        )
    _fill(narrow, own)


def norm_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Return the tensors of every BatchNorm of a network, by their names in its state dict."""
    return dict(_norms_of(network).state_dict())


@torch.no_grad()
def _fill(narrow: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    state = narrow.state_dict()
    for name, tensor in tensors.items():
        state[name].copy_(tensor)


def _label(key: str) -> str:
    """Return the width that a name of a module stands for, as `--width` takes it."""
    return key.removeprefix("w").replace("_", ".").replace("-", ",")


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
