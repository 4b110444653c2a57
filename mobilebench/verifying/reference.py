"""Inputs of a file with PyTorch's outputs for them, and how a bundle stores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import BundleError
from mobilebench.inputs import images, seeded
from mobilebench.inputs.seeded import Batch
from mobilebench.values.artifact import (
    INPUTS_FILE,
    REFERENCE_FILE,
    Artifact,
    Drawn,
    Preflight,
)
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ExportRecipe, ImageInput, inputs_of_file


@dataclass(frozen=True)
class Reference:
    """Inputs of a file, and PyTorch eager's outputs for them, which the file must match."""

    inputs: Sequence[Batch]
    """As the file takes them."""
    outputs: Sequence[Batch]
    images: bool = False
    """The inputs are images, of which the bundle holds copies; else they came from seeds."""
    on_calibration: bool = False
    """The images are those that ranges were taken from: there are no others."""

    def save(self, bundle: Path, width: str | None = None) -> None:
        """Write the outputs into a bundle, and the inputs unless seeds give them again.

        `width` names a narrower width of a file that holds several.
        """
        seeded.save_batches(bundle / _named(REFERENCE_FILE, width), self.outputs)
        if self.images:
            seeded.save_batches(bundle / _named(INPUTS_FILE, width), self.inputs)

    @classmethod
    def of_bundle(
        cls, artifact: Artifact, count: int | None = None, width: str | None = None
    ) -> Reference:
        """Read the reference that a bundle holds: all of it, or its first `count` inputs.

        `width` names a narrower width, which the artifact is of alone (see `Artifact.of_width`).
        Raises `BundleError` where a file is missing.
        """
        manifest = artifact.manifest
        outputs = load(artifact, _named(REFERENCE_FILE, width), "the outputs to match")[:count]
        facts, calibration = manifest.facts, manifest.recipe.calibration
        on_images = any(result.images for result in facts.parity)
        if on_images or (calibration is not None and calibration.on_images):
            name = _named(INPUTS_FILE, width)
            inputs = load(artifact, name, "the images it was compared on")[:count]
            seen = any(result.on_calibration for result in facts.parity)
            return cls(inputs, outputs, images=True, on_calibration=seen)
        drawn = seeded_inputs(manifest.model, manifest.recipe, facts.of_export(), count)
        return cls(drawn, outputs)


def _named(file: str, width: str | None) -> str:
    """Return the name of a file of a bundle; of a narrower width with its label."""
    return file if width is None else f"{Path(file).stem}-{width}{Path(file).suffix}"


def seeded_inputs(
    model: ModelSpec, recipe: ExportRecipe, preflight: Preflight, count: int | None = None
) -> list[Batch]:
    """Draw the first reference inputs again, or all, as the file of a recipe takes them."""
    seeds = preflight.seeds[:count]
    if recipe.image_input is not None:
        pixels = inputs_of_file(model.inputs, recipe.image_input)
        return [seeded.sample(pixels, seed) for seed in seeds]
    how = drawn_as(model, preflight)
    return [seeded.sample_of_network(model.inputs, seed, how) for seed in seeds]


def drawn_as(model: ModelSpec, preflight: Preflight) -> ImageInput | None:
    """Return how seeded pixels were normalised; None where noise was drawn."""
    return images.normalisation(model) if preflight.drawn is Drawn.PIXELS else None


def load(artifact: Artifact, name: str, what: str) -> list[list[seeded.Array]]:
    """Read the arrays of one file of a bundle. Raises `BundleError` where it is missing."""
    path = artifact.folder / name
    if not path.is_file():
        raise BundleError(
            f"The artifact {artifact.folder} has lost its {name}, {what}; export it again with "
            f"--force."
        )
    return seeded.load_batches(path)
