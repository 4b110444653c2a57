"""What every exporter shares: its choices, the sentence for any other, and example inputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, ClassVar

from mobilebench.cures import Cure
from mobilebench.errors import MissingToolkit, RecipeError
from mobilebench.inputs import sample
from mobilebench.recipe import Calibration, ExportRecipe, Format, Precision
from mobilebench.tensor import TensorSpec

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Offer:
    """Choices of one format; the first target and the first delegate are the defaults."""

    format: Format
    distributions: tuple[str, ...]
    """Packages whose version decides what the file looks like, torch left out."""
    precisions: tuple[Precision, ...]
    targets: tuple[str | None, ...] = (None,)
    delegates: tuple[str | None, ...] = (None,)
    targets_of: Mapping[Precision, tuple[str, ...]] = field(default_factory=dict)
    """Targets of a precision that not all of them have; the first is its default."""

    def recipe(
        self,
        precision: Precision,
        target: str | None,
        delegate: str | None,
        calibration: Calibration | None,
    ) -> ExportRecipe:
        """The full recipe; raises `RecipeError` for a choice that is not offered."""
        self._require("precision", precision, self.precisions)
        targets = self.targets_of.get(precision, self.targets)
        target = targets[0] if target is None else target
        delegate = self.delegates[0] if delegate is None else delegate
        self._require("target", target, targets, f" in {precision}" * (targets != self.targets))
        self._require("delegate", delegate, self.delegates)
        return ExportRecipe(
            format=self.format,
            precision=precision,
            target=target,
            delegate=delegate,
            calibration=(calibration or Calibration()) if precision.calibrated else None,
        )

    def _require(
        self, noun: str, asked: str | None, offered: Collection[str | None], where: str = ""
    ) -> None:
        if asked not in offered:
            names = ", ".join(str(name) for name in offered if name is not None)
            offers = f"it offers {names}" if names else f"it has no choice of {noun}"
            raise RecipeError(
                f"The format {self.format}{where} was asked for with {noun} {asked!s}; {offers}."
            )

    def tool_versions(self) -> dict[str, str]:
        """Installed versions by distribution, with torch, which every export starts from.

        Raises `MissingToolkit` where one is not installed.
        """
        found = {}
        for name in ("torch", *self.distributions):
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError as error:
                raise MissingToolkit(
                    f"The export format {self.format} needs the package {name!r}, which is not "
                    f"installed; run: pip install 'mobilebench[{self.format}]'"
                ) from error
        return found


class Offering:
    """The part of `interfaces.Exporter` that follows from a format's choices alone."""

    offer: ClassVar[Offer]
    evaluator: str | None = None
    cures: tuple[Cure, ...] = ()

    @property
    def format(self) -> Format:
        return self.offer.format

    def precisions(self) -> frozenset[Precision]:
        return frozenset(self.offer.precisions)

    def recipe(
        self,
        precision: Precision,
        target: str | None = None,
        delegate: str | None = None,
        calibration: Calibration | None = None,
    ) -> ExportRecipe:
        return self.offer.recipe(precision, target, delegate, calibration)

    def tool_versions(self) -> Mapping[str, str]:
        return self.offer.tool_versions()


def example(inputs: Sequence[TensorSpec]) -> tuple[torch.Tensor, ...]:
    """Tensors for tracing a network: shapes and types count, the numbers do not."""
    import torch

    return tuple(torch.from_numpy(array) for array in sample(inputs, seed=0))
