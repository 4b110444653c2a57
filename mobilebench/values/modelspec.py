"""Describe a model: how to feed it, whom to credit, where to find it. Free of torch."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar

from mobilebench.errors import UserError, require_known
from mobilebench.values import require_range, value
from mobilebench.values.tensor import TensorSpec
from mobilebench.values.width import Width

RANDOM = "random"
"""Weights that mobilebench drew from a seed."""
CALLER = "caller"
"""Weights inside a module that a caller passed in; only the caller knows their origin."""
IN_FILE = "file"
"""Weights inside a model file that was not exported here."""
_ORIGINS = {
    RANDOM: "random weights",
    CALLER: "weights set by the network's own code",
    IN_FILE: "weights inside the file",
}
_LABELS = {RANDOM: "random", CALLER: "own code", IN_FILE: "in the file"}
_SHOWN_SHA256 = 8
MOST_PIXELS = 1 << 26
"""Pixels of an image that is resized before the crop: 200 MB. Networks here take a thousandth."""
_USUAL = (224, 224)
_CHANNELS = (1, 3)


def channels_last(shape: Sequence[int]) -> bool:
    """Return whether a shape is an image of 1 or 3 channels that are its last dimension."""
    return len(shape) == 4 and shape[3] in _CHANNELS and shape[1] not in _CHANNELS


@value
class Source:
    """Where an architecture comes from."""

    paper: str
    repository: str
    commit: str
    licence: str
    weights: str | None = None
    """Where the authors publish trained weights."""


@value
class Published:
    """One published row about a model; a field that the source does not state is None.

    Latencies from two sources or devices must not be compared with each other.
    """

    source: str
    top1: float | None = None
    latency_ms: float | None = None
    device: str | None = None
    params_m: float | None = None
    gmacs: float | None = None

    def __post_init__(self) -> None:
        require_range(self, "latency_ms", "params_m", "gmacs")
        require_range(self, "top1", most=100)


@value
class Macs:
    """Multiply-accumulates of one image, by kind of operation."""

    conv: int
    linear: int = 0
    matmul: int = 0
    scan: int = 0

    def __post_init__(self) -> None:
        require_range(self, "conv", "linear", "matmul", "scan")

    @property
    def total(self) -> int:
        return self.conv + self.linear + self.matmul + self.scan


class Interpolation(StrEnum):
    """Filters by which an image is resized, as Pillow has them: with antialiasing."""

    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    NEAREST = "nearest"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"

    @classmethod
    def named(cls, name: str) -> Interpolation:
        """Return the filter of that name. Raises `UnknownName`."""
        require_known("interpolation", name, cls)
        return cls(name)


USUAL_INTERPOLATION = Interpolation.BILINEAR
"""Where nobody states one: that of torchvision's `Resize`."""


@value
class Preprocessing:
    """How the authors prepare an image: resize to `size / crop_pct`, crop, normalise."""

    mean: tuple[float, float, float]
    """By channel, for values in 0..1."""
    std: tuple[float, float, float]
    crop_pct: float = 1.0
    interpolation: Interpolation | None = Interpolation.BICUBIC
    """None where nobody stated it. Documents without this field are of a time when it was
    bicubic."""

    def __post_init__(self) -> None:
        if any(not 0 < deviation < math.inf for deviation in self.std):
            raise UserError(f"The deviations {self.std} are not all positive numbers.")
        if any(not math.isfinite(mean) for mean in self.mean):
            raise UserError(f"The means {self.mean} are not all numbers.")

    @classmethod
    def stated(
        cls,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
    ) -> Preprocessing:
        """Return what the caller states of a network; the interpolation stays open."""
        return cls(mean=mean, std=std, interpolation=None)

    @property
    def filter(self) -> Interpolation:
        """The interpolation that is used."""
        return self.interpolation or USUAL_INTERPOLATION

    def described(self, size: tuple[int, int]) -> str:
        """Return the whole preparation in words, for a network of `size`, (H, W)."""
        mean, std = (",".join(f"{each:.4g}" for each in three) for three in (self.mean, self.std))
        return (
            f"shorter side {self.resize(size)} {self.filter}, crop {size[0]}x{size[1]}, "
            f"mean {mean}, std {std}"
        )

    def resize(self, size: tuple[int, int]) -> int:
        """Return the pixels of an image's shorter side before the crop to `size`, (H, W)."""
        return math.floor(min(size) / self.crop_pct)

    def resized(self, pixels: int, size: tuple[int, int]) -> Preprocessing:
        """Return the preparation that resizes the shorter side to `pixels` before the crop.

        Raises `UserError` for fewer pixels than the crop has.
        """
        if pixels**2 > MOST_PIXELS:
            raise UserError(
                f"--resize was given as {pixels}; an image is resized to at most "
                f"{math.isqrt(MOST_PIXELS)} pixels on its shorter side."
            )
        if pixels < min(size):
            raise UserError(
                f"--resize was given as {pixels}; the shorter side before a crop to "
                f"{size[0]}x{size[1]} has at least {min(size)} pixels."
            )
        share = min(size) / pixels
        while math.floor(min(size) / share) < pixels:  # rounding of the two divisions
            share = math.nextafter(share, 0)
        return replace(self, crop_pct=share)


@value
class Weights:
    """The weights that a model carries; never guessed."""

    origin: str
    """sha256 of the checkpoint file that was loaded, or `random`, `caller` or `file`."""
    state_sha256: str
    """sha256 over every entry of the state dict, in name order: the numbers themselves. Of weights
    inside a file, the file's."""
    key: str | None = None
    """The entry of the checkpoint that was loaded, such as `model` or `ema.module`. None where the
    file itself is the state dict, and in older documents."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"random|caller|file|[0-9a-f]{64}", self.origin):
            raise ValueError(
                f"weights are a checkpoint's sha256, 'random', 'caller' or 'file', not "
                f"{self.origin!r}"
            )
        if self.key is not None and not self.from_checkpoint:
            raise ValueError(f"weights of origin {self.origin!r} have no entry {self.key!r}")

    @property
    def from_checkpoint(self) -> bool:
        """True where the numbers came from a checkpoint file."""
        return self.origin not in (RANDOM, CALLER, IN_FILE)

    @property
    def description(self) -> str:
        """The origin, with the entry of the checkpoint."""
        if not self.from_checkpoint:
            return _ORIGINS[self.origin]
        return self.origin if self.key is None else f"{self.origin}, entry {self.key!r}"

    @property
    def label(self) -> str:
        """What tells these weights from others of the network, in a few characters."""
        if not self.from_checkpoint:
            return _LABELS[self.origin]
        short = self.origin[:_SHOWN_SHA256]
        return short if self.key is None else f"{short} {self.key}"


@value
class ModelSpec:
    """One network at one input size."""

    LEFT_OUT_WHERE_ABSENT: ClassVar = ("stage_widths",)

    name: str
    inputs: tuple[TensorSpec, ...]
    family: str | None = None
    variant: str | None = None
    width: float = 1.0
    """Share of the channels that are kept; the mean over the stages where theirs differ."""
    num_classes: int | None = None
    params: int | None = None
    macs: Macs | None = None
    preprocessing: Preprocessing | None = None
    source: Source | None = None
    published: tuple[Published, ...] = ()
    weights: Weights | None = None
    """None until a network with these weights exists."""
    stage_widths: tuple[float, ...] = ()
    """Share of the channels that each stage keeps, of a network that was cut; empty for a full
    one. Documents of full networks do not have the field."""

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UserError(
                f"Model {self.name!r} has no input; give at least one, for example 1x3x224x224."
            )
        require_range(self, "params", "num_classes")
        if self.stage_widths:
            Width(shares=self.stage_widths)  # raises for what is no width

    def __repr__(self) -> str:
        return f"<ModelSpec {self.name}: {', '.join(map(str, self.inputs))}>"

    @property
    def title(self) -> str:
        """The name for people: `mobilevig_ti@256 w0.5`.

        The image size is left out where it is the usual 224 by 224, the width of a full network.
        """
        cut = f" {Width(shares=self.stage_widths).label}" if self.stage_widths else ""
        if self.resolution in (None, _USUAL):
            return f"{self.name}{cut}"
        height, width = self.resolution
        size = f"{height}" if height == width else f"{height}x{width}"
        return f"{self.name}@{size}{cut}"

    @property
    def resolution(self) -> tuple[int, int] | None:
        """(H, W) of the first input where that is an image, else None.

        It is (N, C, H, W), or (N, H, W, C) where only the last size is that of channels.
        """
        shape = self.inputs[0].shape
        if len(shape) != 4:
            return None
        return (shape[1], shape[2]) if channels_last(shape) else (shape[2], shape[3])

    @property
    def published_top1(self) -> Published | None:
        """The published row to show beside a result: the first that states an accuracy."""
        return next((row for row in self.published if row.top1 is not None), None)

    @property
    def published_latency(self) -> Published | None:
        """The first published row that states a latency."""
        return next((row for row in self.published if row.latency_ms is not None), None)


def prepared(
    normalised: Preprocessing | None,
    resize: int | None,
    interpolation: Interpolation | None,
    inputs: tuple[TensorSpec, ...],
) -> Preprocessing | None:
    """Return the preparation that a caller states of a network; None where that is nothing.

    Raises `UserError` for a size or an interpolation without means and deviations, and for a size
    that fits no image.
    """
    option = "--interpolation" if resize is None else "--resize"
    if resize is None and interpolation is None:
        return normalised
    if normalised is None:
        raise UserError(
            f"{option} was given without --mean and --std, with which it says how images are "
            f"prepared for your own network; give all of them. Networks of the zoo and of timm "
            f"state theirs, so leave it out there."
        )
    if resize is not None and inputs:  # what lacks its inputs is refused for that, with advice
        size = ModelSpec(name="network", inputs=inputs).resolution
        if size is None:
            raise UserError("--resize was given, and the network takes no images; leave it out.")
        normalised = normalised.resized(resize, size)
    return replace(normalised, interpolation=interpolation)
