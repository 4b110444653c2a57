"""Preparation: what every export of one network needs, found once and kept beside the bundles.

    OUT/.prepared/KEY/prepared.json    the spec, the fingerprint, preflight's findings
    OUT/.prepared/KEY/reference.npz    PyTorch's outputs on the inputs of parity
    OUT/.prepared/KEY/images.npz       images that calibrated files are compared on, if any
    OUT/.prepared/KEY/of_images.npz    PyTorch's outputs for them

A network of the zoo or of timm is known by its name, its checkpoint and the versions of the code,
so a later run finds all this without loading torch. A network from the user's own code is prepared
in every run: that code may have changed without a trace.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mobilebench.errors import MobilebenchWarning, SchemaError
from mobilebench.files import writing
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Array
from mobilebench.inputs.source import Samples
from mobilebench.machine import installation
from mobilebench.values import value, wire
from mobilebench.values.artifact import REFERENCE_FILE, Preflight
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ExportRecipe, Precision
from mobilebench.values.request import Request

_FOLDER = ".prepared"
_FILE = "prepared.json"
_IMAGES_FILE = "images.npz"
_OF_IMAGES_FILE = "of_images.npz"


@value
class Needs:
    """What the recipes at hand need beside the outputs to match."""

    half_precision: bool = False
    """PyTorch's own error in half precision, to judge fp16 files by."""
    agreement: str | None = None
    """The inputs that quantized files are judged on: `noise` or a sha256 over images."""
    image_input: bool = False
    """The files take images: the outputs to match are those for images."""

    @classmethod
    def of(
        cls, recipes: Iterable[ExportRecipe], samples: Samples, image_input: bool = False
    ) -> Needs:
        precisions = {recipe.precision for recipe in recipes}
        quantized = any(precision.quantized for precision in precisions)
        return cls(
            half_precision=Precision.FP16 in precisions,
            agreement=samples.agreement_source() if quantized else None,
            image_input=image_input,
        )


@dataclass(frozen=True)
class Reference:
    """PyTorch's outputs that files have to match."""

    seeded: list[list[Array]]
    """For the inputs of preflight's seeds."""
    images: list[list[Array]]
    """Images as the file takes them; none where nothing quantized is judged on images."""
    of_images: list[list[Array]]


@value
class Prepared:
    """A network that passed preflight, as its exports need to know it."""

    model: ModelSpec
    fingerprint: str
    preflight: Preflight
    classes: tuple[int, ...] | None = None
    """What PyTorch names for each input of the agreement; None where nothing quantized was asked
    for, and for outputs that are no class scores."""
    warnings: tuple[str, ...] = ()
    """What has to be known about the network, in sentences."""


def place(request: Request, needs: Needs, out_dir: Path) -> Path | None:
    """Where a preparation is kept; None for a network from the user's own code, and where the
    checkpoint is no file, which loading says in words."""
    from_timm = request.reference.startswith("timm:")
    if ":" in request.reference and not from_timm:
        return None
    if request.checkpoint is not None and not Path(request.checkpoint).is_file():
        return None
    content = {
        "request": wire.to_plain(request),
        "checkpoint": _checkpoint_sha256(request),
        "needs": wire.to_plain(needs),
        "code": installation.source_sha256("mobilebench"),
        "versions": [_version("torch"), _version("timm") if from_timm else None],
    }
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return out_dir / _FOLDER / key[:24]


def write(folder: Path, prepared: Prepared, reference: Reference) -> None:
    """Fill an empty folder. Raises `OutputError` where it cannot be written."""
    with writing(folder):
        seeded.save_batches(folder / REFERENCE_FILE, reference.seeded)
        seeded.save_batches(folder / _IMAGES_FILE, reference.images)
        seeded.save_batches(folder / _OF_IMAGES_FILE, reference.of_images)
    wire.write(folder / _FILE, prepared)


def read(folder: Path) -> Prepared | None:
    """What was prepared; None where nothing was, or another version wrote it."""
    if not (folder / REFERENCE_FILE).is_file():
        return None
    try:
        prepared = wire.read(Prepared, folder / _FILE)
    except (OSError, SchemaError):
        return None
    for sentence in prepared.warnings:
        warnings.warn(sentence, MobilebenchWarning, stacklevel=2)
    return prepared


def reference(folder: Path) -> Reference:
    """What `write` was given."""
    names = (REFERENCE_FILE, _IMAGES_FILE, _OF_IMAGES_FILE)
    return Reference(*(seeded.load_batches(folder / name) for name in names))


def _checkpoint_sha256(request: Request) -> str | None:
    if request.checkpoint is None:
        return None
    with Path(request.checkpoint).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # said so in words when the network is loaded
        return None
