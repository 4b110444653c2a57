"""Inputs of a file with PyTorch's outputs for them, and how a bundle stores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import BundleError
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Batch
from mobilebench.values.artifact import INPUTS_FILE, REFERENCE_FILE, Artifact


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

    def save(self, bundle: Path) -> None:
        """Write the outputs into a bundle, and the inputs unless seeds give them again."""
        seeded.save_batches(bundle / REFERENCE_FILE, self.outputs)
        if self.images:
            seeded.save_batches(bundle / INPUTS_FILE, self.inputs)

    @classmethod
    def of_bundle(cls, artifact: Artifact) -> Reference:
        """Read the reference that a bundle holds.

        Raises `BundleError` where a file is missing.
        """
        manifest = artifact.manifest
        outputs = load(artifact, REFERENCE_FILE, "the outputs to match")
        calibration = manifest.recipe.calibration
        if calibration is not None and calibration.on_images:
            inputs = load(artifact, INPUTS_FILE, "the images it was compared on")
            seen = any(result.on_calibration for result in manifest.facts.parity)
            return cls(inputs, outputs, images=True, on_calibration=seen)
        preflight = manifest.facts.preflight
        assert preflight is not None  # it made the outputs
        return cls([seeded.sample(manifest.inputs, seed) for seed in preflight.seeds], outputs)


def load(artifact: Artifact, name: str, what: str) -> list[list[seeded.Array]]:
    """Read the arrays of one file of a bundle. Raises `BundleError` where it is missing."""
    path = artifact.folder / name
    if not path.is_file():
        raise BundleError(
            f"The artifact {artifact.folder} has lost its {name}, {what}; export it again with "
            f"--force."
        )
    return seeded.load_batches(path)
