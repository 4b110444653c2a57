"""Keep what every export of one network needs, in a folder beside the bundles.

    OUT/.prepared/KEY/prepared.json    the spec, the fingerprint, preflight's findings
    OUT/.prepared/KEY/reference.npz    PyTorch's outputs on the inputs of parity
    OUT/.prepared/KEY/images.npz       images that files are compared on, if any
    OUT/.prepared/KEY/of_images.npz    PyTorch's outputs for them

A network of the zoo or of timm is known by its name, its checkpoint and a digest of the installed
code, so a later run finds all this without loading torch. A network from the user's own code is
prepared in every run: what that code calls and reads may have changed without a trace.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from mobilebench.errors import MobilebenchWarning, SchemaError
from mobilebench.files import writing
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Batch
from mobilebench.inputs.source import InputSource
from mobilebench.machine import installation
from mobilebench.values import value, wire
from mobilebench.values.artifact import REFERENCE_FILE, Preflight
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ExportRecipe, Precision
from mobilebench.values.request import TIMM, Request, is_own
from mobilebench.verifying.reference import Reference, seeded_inputs

_FOLDER = ".prepared"
_FILE = "prepared.json"
_IMAGES_FILE = "images.npz"
_OF_IMAGES_FILE = "of_images.npz"


@value
class Prepared:
    """A network that passed preflight, with the facts that its exports need."""

    model: ModelSpec
    fingerprint: str
    preflight: Preflight
    classes: tuple[int, ...] | None = None
    """PyTorch's class for each input of the agreement. None where no quantized file was asked
    for, and for outputs that are not class scores."""
    on_calibration: bool = False
    """The images to compare on are those that int8 takes its ranges from: there are no others."""
    warnings: tuple[str, ...] = ()
    """What the user should know about the network, in sentences."""
    narrower: tuple[Prepared, ...] = ()
    """The narrower widths of a file that holds several; their outputs lie in folders beside."""


def needs_half_precision(recipes: Iterable[ExportRecipe]) -> bool:
    """Return whether a recipe is judged by PyTorch's own error in half precision."""
    return any(recipe.precision is Precision.FP16 for recipe in recipes)


def needs_agreement(recipes: Iterable[ExportRecipe]) -> bool:
    """Return whether a recipe is judged by the classes that PyTorch names."""
    return any(recipe.precision.quantized for recipe in recipes)


def place(
    request: Request,
    recipes: Iterable[ExportRecipe],
    source: InputSource,
    image_input: bool,
    out_dir: Path,
) -> Path | None:
    """Return the folder of a preparation, named by a hash of everything that decides it.

    None for a network from the user's own code, and where the checkpoint is not a file, which
    loading reports.
    """
    if is_own(request.reference):
        return None
    if request.checkpoint is not None and not Path(request.checkpoint).is_file():
        return None
    recipes = tuple(recipes)
    content = {
        "request": wire.to_plain(request),
        "checkpoint": _checkpoint_sha256(request),
        "half_precision": needs_half_precision(recipes),
        "agreement": needs_agreement(recipes),
        "judged_on": source.agreement_source(),
        "image_input": image_input,
        "code": installation.source_sha256(*_packages(request)),
        "versions": [_version("torch"), _version("timm")],
    }
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return out_dir / _FOLDER / key[:24]


def write(folder: Path, prepared: Prepared, on_seeds: Reference, on_images: Reference) -> None:
    """Write a preparation into an empty folder.

    Raises `OutputError` where it cannot be written.
    """
    with writing(folder):
        seeded.save_batches(folder / REFERENCE_FILE, on_seeds.outputs)
        seeded.save_batches(folder / _IMAGES_FILE, on_images.inputs)
        seeded.save_batches(folder / _OF_IMAGES_FILE, on_images.outputs)
    wire.write(folder / _FILE, prepared)


def of_width(folder: Path, position: int) -> Path:
    """Return the folder with the outputs of one width of several; the widest is at 0."""
    return folder / str(position) if position else folder


def read(folder: Path) -> Prepared | None:
    """Read a preparation; None where it does not exist or another version wrote it."""
    if not (folder / REFERENCE_FILE).is_file():
        return None
    try:
        prepared = wire.read(Prepared, folder / _FILE)
    except (OSError, SchemaError):
        return None
    for sentence in prepared.warnings:
        warnings.warn(sentence, MobilebenchWarning, stacklevel=2)
    return prepared


def reference(folder: Path, prepared: Prepared, recipe: ExportRecipe) -> Reference:
    """Read the reference that the file of a recipe has to match: on images, if there are any."""
    images = seeded.load_batches(folder / _IMAGES_FILE)
    if images:
        return Reference(
            inputs=images,
            outputs=outputs(folder),
            images=True,
            on_calibration=prepared.on_calibration and recipe.calibration is not None,
        )
    inputs = seeded_inputs(prepared.model, recipe, prepared.preflight)
    return Reference(inputs=inputs, outputs=outputs(folder))


def outputs(folder: Path) -> list[Batch]:
    """Read PyTorch's outputs that files have to match: for images, if there are any."""
    of_images = seeded.load_batches(folder / _OF_IMAGES_FILE)
    return list(of_images or seeded.load_batches(folder / REFERENCE_FILE))


def _packages(request: Request) -> list[str]:
    """List the packages whose code decides what a network that is not the user's computes."""
    # An edited or a development version has the number of another.
    needs_timm = request.reference.startswith(TIMM) and find_spec("timm") is not None
    return ["mobilebench", *(["timm"] if needs_timm else [])]


def _checkpoint_sha256(request: Request) -> str | None:
    if request.checkpoint is None:
        return None
    with Path(request.checkpoint).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # reported when the network is loaded
        return None
