"""What an exporter offers, and the one sentence said where something else was asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib import metadata

from mobilebench.errors import MissingToolkit, RecipeError
from mobilebench.recipe import ExportRecipe, Format, Precision


@dataclass(frozen=True)
class Offer:
    """Choices of one format; the first target and the first delegate are the defaults."""

    format: Format
    distributions: tuple[str, ...]
    """Packages whose version decides what the file looks like, torch left out."""
    precisions: tuple[Precision, ...]
    targets: tuple[str | None, ...] = (None,)
    delegates: tuple[str | None, ...] = (None,)

    def recipe(
        self, precision: Precision, target: str | None, delegate: str | None
    ) -> ExportRecipe:
        """The full recipe; raises `RecipeError` for a choice that is not offered."""
        self._require("precision", precision, self.precisions)
        target = self.targets[0] if target is None else target
        delegate = self.delegates[0] if delegate is None else delegate
        self._require("target", target, self.targets)
        self._require("delegate", delegate, self.delegates)
        return ExportRecipe(
            format=self.format, precision=precision, target=target, delegate=delegate
        )

    def _require(self, noun: str, asked: str | None, offered: Collection[str | None]) -> None:
        if asked not in offered:
            names = ", ".join(str(name) for name in offered if name is not None)
            offers = f"it offers {names}" if names else f"it has no choice of {noun}"
            raise RecipeError(
                f"The format {self.format} was asked for with {noun} {asked!s}; {offers}."
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
