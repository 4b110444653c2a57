"""Artifact: one exported model on disk, as a bundle folder with everything known about it.

A bundle holds the model file, `manifest.json`, `export.log` and `reference.npz`, the outputs of
PyTorch eager, so that the artifact can be verified again where neither torch nor the weights are; a
quantized one also `agreement.npz`, the classes that PyTorch named, and one calibrated on images
`inputs.npz`, the images that `reference.npz` is about. Its name ends in a key made from
everything that went in (network, weights, recipe, tool versions), so the same export finds it
again; the sha256 of what came out is in the manifest and is checked on every load.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import ClassVar

from mobilebench.errors import BundleError, MobilebenchWarning, UserError
from mobilebench.notation.quantities import size
from mobilebench.values import require_range, value, wire
from mobilebench.values.forecast import Forecast
from mobilebench.values.modelspec import Interpolation, ModelSpec, Preprocessing
from mobilebench.values.recipe import NOISE, ExportRecipe, inputs_of_file
from mobilebench.values.tensor import TensorSpec

MANIFEST_FILE = "manifest.json"
LOG_FILE = "export.log"
REFERENCE_FILE = "reference.npz"
INPUTS_FILE = "inputs.npz"
AGREEMENT_FILE = "agreement.npz"
MANIFEST_SCHEMA_VERSION = 1
_SEEN = ", on images that it was calibrated on"


class Drawn(StrEnum):
    """What seeded floats are drawn as."""

    NOISE = "noise"
    """Standard normal: nothing is known about the range of the inputs."""
    PIXELS = "pixels"
    """Pixels of 0 to 255, normalised by the network's own mean and deviation."""


@value
class Branches:
    """Blocks with branches for training, which the blocks themselves can merge for inference."""

    blocks: int
    merged: bool
    """Whether the deployment form has them merged; else merging failed or changed the outputs."""
    params: int
    """Of the form that is deployed."""
    macs: int


@value
class Preflight:
    """What was established about a network before any toolkit saw it."""

    checks: tuple[str, ...]
    """Names of the checks that passed; a network that fails one is never exported."""
    outputs: tuple[TensorSpec, ...]
    fingerprint: str
    """sha256 over code, plain attributes and numbers of every module: what was exported."""
    program_sha256: str | None = None
    """sha256 over the graph that torch.export takes from the network. None for networks of the zoo
    and of timm, whose code has a digest, where there is no such graph, and in old documents."""
    torch_version: str
    seeds: tuple[int, ...]
    """Seeds of the inputs that every artifact is compared on."""
    drawn: Drawn = Drawn.NOISE
    """What the seeds draw for inputs in floats; noise in old documents."""
    passed_over: tuple[int, ...]
    """Seeds of inputs at which PyTorch's own outputs jump (a value lies on a threshold), so that
    nothing could be told from them."""
    branches: Branches | None = None
    """None where no block offers to merge branches for training, and in old documents."""
    half_precision_error: float | None = None
    """Relative error of PyTorch's own half precision on those inputs; None where no file in half
    precision was asked for, and where no input was passed over."""


@value
class ParityLimits:
    """What an artifact of one precision must keep, with the reason for these figures."""

    max_relative_error: float
    min_snr_db: float
    min_cosine: float
    min_top1_agreement: float
    reason: str


@value
class PartParity:
    """How far one output, or a part of one that has another scale, is from PyTorch eager's."""

    name: str
    """`output 0`, or `output 0 at 4 to 83 of axis 1`."""
    max_abs_error: float
    max_relative_error: float | None
    """Over the largest magnitude of the part itself; None for whole numbers and masks, and where
    it is infinite: all of the reference is zero."""
    snr_db: float | None
    cosine: float | None
    equal_share: float | None
    """Of whole numbers and masks: the share of elements that are equal. None for floats."""
    silent: bool
    """The file gives one value where PyTorch's vary: the part carries no signal any more."""
    passed: bool


@value
class Parity:
    """How far an artifact's outputs are from PyTorch eager on the same inputs."""

    evaluated_by: str
    """The runtime that computed the outputs, with its version."""
    inputs: int
    max_abs_error: float | None
    """None, like the other figures, where an output was not finite."""
    max_relative_error: float | None
    """`max_abs_error` over the largest magnitude of the reference, of the worst part."""
    snr_db: float | None
    """None also where the outputs are bit-equal: there is no noise to compare with."""
    cosine: float | None
    top1_agreement: float | None
    """Share of inputs with the same largest output; None where outputs are not class scores."""
    limits: ParityLimits
    passed: bool
    images: bool = False
    """The inputs were images, of which the bundle holds copies; else they came from seeds."""
    on_calibration: bool = False
    """The images are among those that ranges were taken from: the folder held no others."""
    parts: tuple[PartParity, ...] = ()
    """Every output by itself, and parts of one that differ in scale; the figures above are the
    worst of them. Empty in documents from before they were judged apart."""

    def __post_init__(self) -> None:
        require_range(self, "inputs", "max_abs_error", "max_relative_error")
        require_range(self, "top1_agreement", most=1)

    def __repr__(self) -> str:
        return f"<Parity {'passed' if self.passed else 'FAILED'}: {self.description}>"

    @property
    def finite(self) -> bool:
        """Whether every output was finite, so that the figures exist."""
        return self.max_abs_error is not None

    @property
    def bit_equal(self) -> bool:
        """Whether there was no difference at all."""
        return self.max_abs_error == 0

    @property
    def error_text(self) -> str:
        """The relative error, or why there is none."""
        if self.max_relative_error is not None:
            return f"{self.max_relative_error:.1e}"
        return "infinite" if self.finite else "not finite"

    @property
    def snr_text(self) -> str:
        """The signal to noise in decibels, or why there is none."""
        if self.snr_db is not None:
            return f"{self.snr_db:.0f}"
        if self.bit_equal:
            return "equal"
        return "none" if self.finite else "not finite"

    @property
    def description(self) -> str:
        """The result in one line, for messages."""
        if not self.finite:
            return f"an output, computed by {self.evaluated_by} or by PyTorch, is not finite"
        return (
            f"{', '.join(self._figures())}{self._failed_parts}, computed by "
            f"{self.evaluated_by}{_SEEN if self.on_calibration else ''}"
        )

    def _figures(self) -> Iterator[str]:
        """Yield the figures in words; each that misses its limit with that limit."""
        limits, error = self.limits, self.max_relative_error
        if error is None:
            yield f"relative error {self.error_text} (at most {limits.max_relative_error:.1e})"
        else:
            figure, limit = apart(error, limits.max_relative_error, "e", 1)
            yield f"relative error {figure} (at most {limit})"
        if self.bit_equal or self.snr_db is None:
            yield "signal to noise bit-equal" if self.bit_equal else "signal to noise none"
        else:
            yield _at_least("signal to noise", self.snr_db, limits.min_snr_db, "f", 0, " dB")
        if self.cosine is not None and self.cosine < limits.min_cosine:
            yield _at_least("cosine", self.cosine, limits.min_cosine, "f", 6)
        shares = [part.equal_share for part in self.parts if part.equal_share is not None]
        if shares:
            yield f"equal elements {min(shares):.1%}"
        if self.top1_agreement is not None:
            least = limits.min_top1_agreement
            yield _at_least("same class for", self.top1_agreement, least, "%", 0)

    @property
    def _failed_parts(self) -> str:
        """The parts that failed, as the end of a clause; empty where there is only one part."""
        failed = [part for part in self.parts if not part.passed]
        if not failed or len(self.parts) == 1:
            return ""
        names = ", ".join(
            f"{part.name}{' (no signal any more)' if part.silent else ''}" for part in failed[:3]
        )
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        return f"; failed: {names}{more}"


def apart(figure: float, limit: float, kind: str, digits: int) -> tuple[str, str]:
    """Write two numbers with as many digits as tell them apart, from `digits` on."""
    while True:
        texts = f"{figure:.{digits}{kind}}", f"{limit:.{digits}{kind}}"
        if texts[0] != texts[1] or figure == limit:
            return texts
        digits += 1


def _at_least(
    name: str, figure: float, limit: float, kind: str, digits: int, unit: str = ""
) -> str:
    """Write a figure, with the limit that it misses where it is below."""
    if figure >= limit:
        return f"{name} {figure:.{digits}{kind}}{unit}"
    shown, least = apart(figure, limit, kind, digits)
    return f"{name} {shown}{unit} (at least {least}{unit})"


@value
class Agreement:
    """How often a quantized artifact names the same class as PyTorch eager in float32."""

    evaluated_by: str
    source: str
    """`noise`, or the sha256 over the images it was judged on."""
    inputs: int
    top1: float
    least: float
    """What the precision has to keep."""
    on_calibration: bool = False
    """The images are those that ranges were taken from: the folder held no others."""

    def __post_init__(self) -> None:
        require_range(self, "inputs")
        require_range(self, "top1", "least", most=1)

    @property
    def passed(self) -> bool:
        """Whether the share is as high as the precision has to keep."""
        return self.top1 >= self.least

    @property
    def inputs_text(self) -> str:
        """What it was judged on: `noise`, `images`, or the images of the calibration."""
        if self.source == NOISE:
            return NOISE
        return "its calibration images" if self.on_calibration else "images"

    @property
    def description(self) -> str:
        """The agreement in one line, for messages."""
        share, least = f"{self.top1:.1%}", f"{self.least:.0%}"
        if not self.passed:
            share, least = apart(self.top1, self.least, "%", 1)
        return (
            f"it names the same class as PyTorch for {share} of {self.inputs} inputs "
            f"({self.inputs_text}; at least {least}); computed by {self.evaluated_by}"
        )


@value
class ArtifactFacts:
    """What is known about an exported file; travels with every record about it."""

    key: str
    sha256: str
    size_bytes: int
    tool_versions: dict[str, str]
    preflight: Preflight | None
    """None for a file that was not exported here: its network was never seen."""
    parity: tuple[Parity, ...]
    unverified: str | None = None
    """Why `parity` is empty: nothing on a host can compute the file, or there is no reference."""
    agreement: Agreement | None = None
    """None where weights have 16 bits or more, and for outputs that are no class scores."""
    op_histogram: dict[str, int]
    structure: dict[str, str]
    """What the file itself says: opset, spec version, delegates and what they left out."""
    export_seconds: float | None
    """None for a file that was not exported here."""
    export_peak_memory_bytes: int | None = None
    """Resident memory of the process that converted the network, torch and toolkit included; None
    where it was converted in the caller's own process."""
    forecast: tuple[Forecast, ...] | None = None
    """Where the operations could run, by published rules: a forecast, no phone was asked. None in
    documents from before there was one."""

    def __post_init__(self) -> None:
        require_range(self, "size_bytes")
        require_range(self, "export_seconds", "export_peak_memory_bytes")

    def __repr__(self) -> str:
        return f"<ArtifactFacts {self.sha256[:12]}, {size(self.size_bytes)}>"

    @property
    def given(self) -> bool:
        """Whether the file was not exported here."""
        return self.preflight is None

    def of_export(self) -> Preflight:
        """Return the preflight of a file that was exported here; for others there is none."""
        if self.preflight is None:
            raise ValueError("a file that was given has no preflight")
        return self.preflight


@value
class WidthInFile:
    """One width of a network in a file that holds several."""

    name: str
    """The label of the width, `w0.5`, which is also in the recipe."""
    entry: str
    """What chooses it: a method (ExecuTorch), a function (Core ML), a signature (TFLite), or an
    input and its value, `narrow=1` (ONNX)."""
    model: ModelSpec
    """The network of this width, with its parameters and MACs."""
    preflight: Preflight
    parity: tuple[Parity, ...]
    own_bytes: int
    """Bytes of the weights in the file that this width alone reads."""
    shared_bytes: int
    """Bytes of the weights in the file that it reads, all or in part, as other widths do."""

    def __post_init__(self) -> None:
        require_range(self, "own_bytes", "shared_bytes")


@value
class Manifest:
    """The content of `manifest.json`."""

    LEFT_OUT_WHERE_ABSENT: ClassVar = ("widths",)

    schema_version: int = MANIFEST_SCHEMA_VERSION
    created: str
    mobilebench_version: str
    model: ModelSpec
    recipe: ExportRecipe
    model_file: str
    facts: ArtifactFacts
    widths: tuple[WidthInFile, ...] = ()
    """The widths that the file holds, the widest first. The fields above are about that one, which
    the file computes where none is chosen. Empty where the file holds one network; documents of
    such files do not have the field."""

    def __post_init__(self) -> None:
        names = tuple(width.name for width in self.widths)
        if names != self.recipe.widths:
            raise ValueError(f"the file holds the widths {names}, not {self.recipe.widths}")

    def __repr__(self) -> str:
        return f"<Manifest {self.model.title} {self.recipe.label}, {size(self.facts.size_bytes)}>"

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What the file takes: the network's inputs, or pixels in their place."""
        return inputs_of_file(self.model.inputs, self.recipe.image_input)

    @property
    def only_noise(self) -> bool:
        """Whether the file was compared on noise, which may not have the range of real inputs."""
        in_floats = any(tensor.dtype.is_float for tensor in self.inputs)
        seeds = not any(result.images for result in self.facts.parity)
        preflight = self.facts.preflight
        return in_floats and seeds and (preflight is None or preflight.drawn is Drawn.NOISE)


@dataclass(frozen=True)
class Artifact:
    """A bundle folder and its manifest."""

    folder: Path
    manifest: Manifest

    def __repr__(self) -> str:
        return f"<Artifact {self.name} in {self.folder}>"

    @property
    def model_path(self) -> Path:
        return self.folder / self.manifest.model_file

    @property
    def name(self) -> str:
        """`mobilevig_ti onnx-fp32-opset20`: for people, never parsed."""
        return f"{self.manifest.model.title} {self.manifest.recipe.label}"

    def of_width(self, width: WidthInFile) -> Artifact:
        """Return the artifact as one of its widths alone, with that one's model and facts."""
        facts = replace(self.manifest.facts, preflight=width.preflight, parity=width.parity)
        manifest = replace(self.manifest, model=width.model, facts=facts)
        return Artifact(self.folder, manifest)

    def preprocessed(
        self,
        normalised: Preprocessing | None,
        resize: int | None = None,
        interpolation: Interpolation | None = None,
    ) -> Artifact:
        """Return the artifact with the preparation of images that its manifest does not state.

        `normalised` holds means and deviations, `resize` is the shorter side before the crop, in
        pixels. Raises `UserError` where the artifact states another preparation, and for a size or
        an interpolation without means where it states none.
        """
        model = self.manifest.model
        stated = model.preprocessing
        preprocessing = stated or normalised
        if preprocessing is None:
            option = "--interpolation" if resize is None else "--resize"
            if resize is None and interpolation is None:
                return self
            raise UserError(
                f"{option} was given, and it is not known how images are normalised for "
                f"{model.name}; give --mean and --std too."
            )
        if normalised is not None and (normalised.mean, normalised.std) != (
            preprocessing.mean,
            preprocessing.std,
        ):
            raise UserError(
                f"{self.name} states how its images are normalised (mean {preprocessing.mean}, "
                f"deviation {preprocessing.std}); leave --mean and --std out."
            )
        if resize is not None:
            preprocessing = self._resized(preprocessing, resize)
        if interpolation not in (None, preprocessing.interpolation):
            if preprocessing.interpolation is not None:
                raise UserError(
                    f"{self.name} states that its images are resized by "
                    f"{preprocessing.interpolation} interpolation; leave --interpolation out, or "
                    f"export your own network again with another one."
                )
            preprocessing = replace(preprocessing, interpolation=interpolation)
        preprocessing = replace(preprocessing, interpolation=preprocessing.filter)
        return Artifact(
            self.folder,
            replace(self.manifest, model=replace(model, preprocessing=preprocessing)),
        )

    def _resized(self, preprocessing: Preprocessing, resize: int) -> Preprocessing:
        model, size = self.manifest.model, self.manifest.model.resolution
        if size is None:
            raise UserError(f"--resize was given, and {self.name} takes no images.")
        # Whoever exports another network gives means and deviations, and no crop: then 1.0
        # states nothing. The authors of a network with a source do state it.
        if model.source is not None or preprocessing.crop_pct != 1.0:
            if preprocessing.resize(size) == resize:
                return preprocessing
            raise UserError(
                f"{self.name} states that its images are resized to {preprocessing.resize(size)} "
                f"pixels on the shorter side; leave --resize out."
            )
        return preprocessing.resized(resize, size)

    @classmethod
    def load(cls, folder: Path | str) -> Artifact:
        """Read a bundle and check that its model file is the one that was written.

        Warns where a tool of another major version is installed now than made it. Raises
        `BundleError` where a part is missing or the sha256 differs, `SchemaError` where the
        manifest was written by another version of mobilebench.
        """
        folder = Path(folder)
        path = folder / MANIFEST_FILE
        if not is_bundle(folder):
            raise BundleError(
                f"{folder} is not an artifact: it has no {MANIFEST_FILE}; give the folder that "
                f"`mobilebench export` printed, or a model file that ends in .onnx, .tflite, "
                f".pte, .mlpackage or .mlmodel."
            )
        manifest = wire.read(Manifest, path)
        artifact = cls(folder, manifest)
        if not artifact.model_path.exists():
            raise BundleError(
                f"The artifact {folder} has lost its model file {manifest.model_file}; "
                f"export it again with --force."
            )
        sha256 = content_sha256(artifact.model_path)
        if sha256 != manifest.facts.sha256:
            raise BundleError(
                f"The model file {artifact.model_path} is not the one that was exported (sha256 "
                f"{sha256[:12]}, not {manifest.facts.sha256[:12]}); export it again with --force."
            )
        _warn_of_other_tools(artifact)
        return artifact


def is_bundle(folder: Path) -> bool:
    """Return whether a folder holds a manifest; one that the system does not show has none."""
    try:
        return (folder / MANIFEST_FILE).is_file()
    except OSError:  # a name that is too long, or a folder that may not be entered
        return False


def _warn_of_other_tools(artifact: Artifact) -> None:
    others = []
    for tool, made_by in artifact.manifest.facts.tool_versions.items():
        try:
            here = metadata.version(tool)
        except metadata.PackageNotFoundError:  # it may run elsewhere
            continue
        if _major(here) != _major(made_by):
            others.append(f"{tool} {made_by} (here: {here})")
    if others:
        warnings.warn(
            f"{artifact.folder} was made by {', '.join(others)}; what made it may have computed "
            f"something else than what runs it now: verify it again with `mobilebench verify`.",
            MobilebenchWarning,
            stacklevel=3,
        )


def _major(version: str) -> tuple[str, ...]:
    """The part of a version that says what fits together: before 1.0 that is 0.x."""
    parts = version.split(".")
    return tuple(parts[:2]) if parts[0] == "0" else (parts[0],)


def content_sha256(path: Path) -> str:
    """sha256 of a file; of a folder, over relative names and contents in the order of names.

    Of a file with weights beside it, over both.
    """
    digest = hashlib.sha256()
    if path.is_file():
        for part in file_and_weights(path):
            _update(digest, part)
        return digest.hexdigest()
    for part in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{part.relative_to(path).as_posix()}\0{part.stat().st_size}\0".encode())
        _update(digest, part)
    return digest.hexdigest()


def weights_beside(path: Path) -> Path:
    """The file that holds what ONNX calls external data: weights that one file cannot hold."""
    return path.with_name(f"{path.name}.data")


def file_and_weights(path: Path) -> list[Path]:
    """The file, and the one with its weights where that exists."""
    weights = weights_beside(path)
    return [path, weights] if weights.is_file() else [path]


def _update(digest: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as handle:
        while chunk := handle.read(1 << 20):
            digest.update(chunk)


def content_size(path: Path) -> int:
    """Bytes of a file with the weights beside it, or of all files of a folder."""
    if path.is_file():
        return sum(part.stat().st_size for part in file_and_weights(path))
    return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
