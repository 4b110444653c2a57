"""Inputs for int8 calibration and for judging classes: images or seeded noise."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.inputs import images, seeded
from mobilebench.inputs.seeded import Batch
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import NOISE, Calibration, ImageInput, inputs_of_file

IMAGES = 128
"""Images that ranges are taken from, where a folder has as many."""
AGREEMENT_INPUTS = 256
"""Inputs on which a quantized artifact has to name the same class as PyTorch."""
_PART_ELEMENTS = 64 << 20
# Far from the seeds of preflight, of parity and of benchmarks: no input is used twice.
_SEED = 3000
_AGREEMENT_SEED = 4000


@dataclass(frozen=True)
class InputSource:
    """Where inputs for calibration and agreement come from: the images of a folder, or noise."""

    folder: Path | None = None

    def calibration(self) -> Calibration:
        """Return what a recipe records of them. Raises `UserError` for a folder without images."""
        if self.folder is None:
            return Calibration()
        chosen = self._calibration_paths()
        return Calibration(source=_sha256(chosen), inputs=len(chosen))

    def for_calibration(self, spec: ModelSpec) -> list[Batch]:
        """Return the inputs that ranges are taken from, as the network takes them.

        Raises `UserError` where the network takes no images.
        """
        if self.folder is None:
            normalisation = images.normalisation(spec)
            return seeded.samples(spec.inputs, Calibration().inputs, _SEED, normalisation)
        return _prepared(self._calibration_paths(), spec)

    def agreement_source(self) -> str:
        """Return `noise`, or the sha256 over the images that agreement is judged on."""
        return NOISE if self.folder is None else _sha256(self._agreement_paths())

    def for_parity(
        self, spec: ModelSpec, count: int, image_input: ImageInput | None = None
    ) -> list[Batch]:
        """Return images to compare outputs on, as the file takes them; empty for noise."""
        if self.folder is None:
            return []
        return _of_file(images.spread(self._agreement_paths(), count), spec, image_input)

    def for_agreement(
        self,
        spec: ModelSpec,
        image_input: ImageInput | None = None,
        drawn: ImageInput | None = None,
    ) -> Iterator[list[Batch]]:
        """Yield the file's inputs to judge agreement on, in parts that fit into memory.

        They are other images than those of the calibration where there are any. `drawn` is the
        normalisation of pixels that are drawn for a network's own inputs, None for noise.
        """
        at_once = max(1, _PART_ELEMENTS // sum(tensor.elements for tensor in spec.inputs))
        if self.folder is None:
            of_file = inputs_of_file(spec.inputs, image_input)
            normalised = None if image_input else drawn
            for first in range(0, AGREEMENT_INPUTS, at_once):
                count = min(at_once, AGREEMENT_INPUTS - first)
                yield seeded.samples(of_file, count, _AGREEMENT_SEED + first, normalised)
            return
        paths = self._agreement_paths()
        for first in range(0, len(paths), at_once):
            yield _of_file(paths[first : first + at_once], spec, image_input)

    def _calibration_paths(self) -> list[Path]:
        return images.spread(self._paths(), IMAGES)

    @property
    def only_calibration(self) -> bool:
        """Whether every image is used for calibration, so that none is left to judge on."""
        return self.folder is not None and not self._unseen_paths()

    def _agreement_paths(self) -> list[Path]:
        return images.spread(self._unseen_paths() or self._paths(), AGREEMENT_INPUTS)

    def _unseen_paths(self) -> list[Path]:
        used = set(self._calibration_paths())
        return [path for path in self._paths() if path not in used]

    def _paths(self) -> list[Path]:
        assert self.folder is not None
        return images.find(self.folder)


def _of_file(paths: Sequence[Path], spec: ModelSpec, image_input: ImageInput | None) -> list[Batch]:
    if image_input is None:
        return _prepared(paths, spec)
    return [[images.pixels(path, spec)] for path in paths]


def _prepared(paths: Sequence[Path], spec: ModelSpec) -> list[Batch]:
    return [[images.prepare(path, spec)] for path in paths]


def _sha256(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
