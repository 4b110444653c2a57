"""The choices that exporters offer, the error for any other, and example inputs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from mobilebench.errors import MissingToolkit, RecipeError
from mobilebench.inputs.seeded import sample
from mobilebench.interfaces import Cure, Evaluator
from mobilebench.values.graph import Graph, ModelIO
from mobilebench.values.recipe import (
    Calibration,
    ExportRecipe,
    Feature,
    Format,
    Precision,
)
from mobilebench.values.tensor import TensorSpec

if TYPE_CHECKING:
    import torch


Words = tuple[str | None, ...]


@dataclass(frozen=True)
class DelegateOffer:
    """Choices of one delegate, which take the place of its format's."""

    precisions: tuple[Precision, ...]
    targets: Words = (None,)
    """The first is the default."""
    distributions: tuple[str, ...] = ()
    """Packages that it needs besides those of the format."""


@dataclass(frozen=True)
class TogetherOffer:
    """Choices for files of several widths; the first target is the default."""

    precisions: tuple[Precision, ...]
    targets: Words = (None,)
    delegates: Words = (None,)


@dataclass(frozen=True)
class Offer:
    """Choices of one format; the first target and the first delegate are the defaults."""

    format: Format
    distributions: tuple[str, ...]
    """Packages besides torch whose version decides what the file looks like."""
    precisions: tuple[Precision, ...]
    targets: Words = (None,)
    delegates: Words = (None,)
    targets_of: Mapping[Precision, tuple[str, ...]] = field(default_factory=dict)
    """Targets of a precision that not every target offers; the first is its default."""
    features: frozenset[Feature] = frozenset()
    of_delegate: Mapping[str, DelegateOffer] = field(default_factory=dict)
    of_target: Mapping[str, tuple[Precision, ...]] = field(default_factory=dict)
    """Precisions of a target that offers others than the rest of the format."""
    together: TogetherOffer = field(default_factory=lambda: TogetherOffer(()))

    def recipe_together(
        self,
        widths: Sequence[str],
        precision: Precision,
        target: str | None,
        delegate: str | None,
    ) -> ExportRecipe:
        """Return the full recipe of a file of several widths.

        Raises `RecipeError` for a choice that is not offered.
        """
        offer = self.together
        usual = self.recipe(precision, target, delegate, None)
        target = offer.targets[0] if target is None else target
        for noun, choice, offered in (
            ("precision", precision, offer.precisions),
            ("target", target, offer.targets),
            ("delegate", usual.delegate, offer.delegates),
        ):
            if choice not in offered:
                names = ", ".join(str(name) for name in offered if name is not None)
                raise RecipeError(
                    f"Several widths in one file were asked for in the format {self.format} with "
                    f"{noun} {choice}; {self.format} has such files with {names or 'none'}. Leave "
                    f"--together out for a file of each width."
                )
        return replace(usual, target=target, widths=tuple(widths))

    def recipe(
        self,
        precision: Precision,
        target: str | None,
        delegate: str | None,
        calibration: Calibration | None,
    ) -> ExportRecipe:
        """Return the full recipe.

        Raises `RecipeError` for a choice that is not offered.
        """
        delegate = self.delegates[0] if delegate is None else delegate
        self._require("delegate", delegate, self.delegates)
        special = self.of_delegate.get(delegate or "")
        targets = special.targets if special else self.targets
        which = target if target in self.of_target else delegate
        self._require("precision", precision, self.precisions_for(target, delegate), which)
        self._require("target", target or targets[0], targets, delegate)
        possible = self.targets_of.get(precision, targets)
        target = possible[0] if target is None else target
        self._require("target", target, possible, precision)
        return ExportRecipe(
            format=self.format,
            precision=precision,
            target=target,
            delegate=delegate,
            calibration=(calibration or Calibration()) if precision.calibrated else None,
        )

    def precisions_for(self, target: str | None, delegate: str | None) -> tuple[Precision, ...]:
        """Return the precisions of a target and a delegate; unknown names count as the default."""
        special = self.of_delegate.get(delegate or "")
        usual = special.precisions if special else self.precisions
        offered = self.of_target.get(target or "", usual)
        return tuple(
            precision
            for precision in offered
            if target not in self.targets or target in self.targets_of.get(precision, self.targets)
        )

    def _require(
        self,
        noun: str,
        choice: str | None,
        offered: Collection[str | None],
        which: str | None = None,
    ) -> None:
        if choice not in offered:
            names = ", ".join(str(name) for name in offered if name is not None)
            offers = f"it offers {names}" if names else f"it has no choice of {noun}"
            if isinstance(choice, Precision):
                offers += self._elsewhere(choice, offered, which)
            special = any(which in of for of in (self.of_delegate, self.of_target, self.targets_of))
            subject = f"{self.format} for {which}" if special else str(self.format)
            raise RecipeError(
                f"The format {subject} was asked for with {noun} {choice!s}; {offers}."
            )

    def _elsewhere(
        self, precision: Precision, offered: Collection[str | None], which: str | None
    ) -> str:
        """Say where the format has a precision, or which of those on offer comes closest."""
        if which in self.of_target and precision in self.precisions:
            return f"; for other targets it offers {precision}"
        delegates = [
            name for name, offer in self.of_delegate.items() if precision in offer.precisions
        ]
        if delegates:
            return f"; --delegate {' or '.join(delegates)} has {precision}"
        names = [other for other in offered if isinstance(other, Precision)]
        nearest = precision.nearest(names)
        return f"; the nearest is {nearest}" if nearest else ""

    def tool_versions(self, delegate: str | None) -> dict[str, str]:
        """Return the installed versions by distribution.

        torch is one of them, for every export starts from it. Raises `MissingToolkit` where one is
        not installed.
        """
        special = self.of_delegate.get(delegate or "")
        extra = special.distributions if special else ()
        versions = {}
        for name in ("torch", *self.distributions, *extra):
            try:
                versions[name] = metadata.version(name)
            except metadata.PackageNotFoundError as error:
                raise MissingToolkit(
                    f"The export format {self.format} needs the package {name!r}, which is not "
                    f"installed; run: pip install 'mobilebench[{self.format}]'"
                ) from error
        return versions


class Offering:
    """The part of `interfaces.Exporter` that follows from a format's choices alone."""

    offer: ClassVar[Offer]
    cures: tuple[Cure, ...] = ()
    usual_entry: ClassVar[str | None] = None
    """What runtimes of the format run where nothing is chosen, where it has a fixed name."""

    @property
    def format(self) -> Format:
        return self.offer.format

    def evaluator(self, recipe: ExportRecipe) -> Evaluator | None:
        return None

    def unverifiable(self, recipe: ExportRecipe) -> str | None:
        return None

    def precisions(
        self, target: str | None = None, delegate: str | None = None
    ) -> frozenset[Precision]:
        return frozenset(self.offer.precisions_for(target, delegate))

    def features(self) -> frozenset[Feature]:
        return self.offer.features

    def recipe(
        self,
        precision: Precision,
        target: str | None = None,
        delegate: str | None = None,
        calibration: Calibration | None = None,
    ) -> ExportRecipe:
        return self.offer.recipe(precision, target, delegate, calibration)

    def recipe_together(
        self,
        widths: Sequence[str],
        precision: Precision,
        target: str | None = None,
        delegate: str | None = None,
    ) -> ExportRecipe:
        return self.offer.recipe_together(widths, precision, target, delegate)

    def tool_versions(self, delegate: str | None = None) -> Mapping[str, str]:
        return self.offer.tool_versions(delegate)

    def entries(self, widths: Sequence[str]) -> tuple[str, ...]:
        names = map(entry_of, widths)
        return tuple(names) if self.usual_entry is None else (self.usual_entry, *[*names][1:])

    def graph(self, model_path: Path) -> Graph:
        raise NotImplementedError

    def operation_in(self, message: str) -> str | None:
        return None

    def io(self, model_path: Path) -> ModelIO:
        graph = self.graph(model_path)
        return ModelIO(inputs=graph.inputs, outputs=graph.outputs)


def entry_of(width: str) -> str:
    """Return a width as a name in code: `w0.5` as `w0_5`."""
    return re.sub(r"\W", "_", width)


def example(inputs: Sequence[TensorSpec]) -> tuple[torch.Tensor, ...]:
    """Return tensors for tracing a network: shapes and types count, numbers do not."""
    import torch

    return tuple(torch.from_numpy(array) for array in sample(inputs, seed=0))
