"""The settings of an export: format, precision, target, delegate and form."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import ClassVar

from mobilebench.errors import UserError, require_known
from mobilebench.values import value
from mobilebench.values.tensor import DType, TensorSpec


class Format(StrEnum):
    """File formats that phones run."""

    ONNX = "onnx"
    TFLITE = "tflite"
    EXECUTORCH = "executorch"
    COREML = "coreml"


class Precision(StrEnum):
    """The numbers that an artifact stores and computes with."""

    FP32 = "fp32"
    FP16 = "fp16"
    """Stores and computes in half precision."""
    FP16_WEIGHTS = "fp16-weights"
    """Stores weights in half precision, computes in single."""
    INT8 = "int8"
    """Weights and activations of convolutions and linear layers in 8 bits. Ranges come from
    calibration; inputs and outputs stay floats."""
    INT8_IO = "int8-io"
    """The same, with inputs and outputs in 8 bits as well."""
    INT8_DYNAMIC = "int8-dynamic"
    """Weights in 8 bits; activations are quantized in every run, by their range in that run."""
    INT8_WEIGHTS = "int8-weights"
    """Weights stored in 8 bits, computes in floats."""
    PALETTE6 = "palette6"
    """Weights stored as 6-bit indices into tables of 64 values, computes in floats."""
    PALETTE4 = "palette4"
    """Weights stored as 4-bit indices into tables of 16 values, computes in floats."""
    GIVEN = "given"
    """Those of a model file that was not exported here; nothing is exported in it."""

    @classmethod
    def named(cls, name: str) -> Precision:
        """Return the precision of that name, for an export. Raises `UnknownName`."""
        require_known("precision", name, cls.exported())
        return cls(name)

    @classmethod
    def exported(cls) -> tuple[Precision, ...]:
        """Return the precisions that a network can be exported in."""
        return tuple(precision for precision in cls if precision is not cls.GIVEN)

    def nearest(self, offered: Collection[Precision]) -> Precision | None:
        """Return the offered precision that comes closest to this one; None where none does.

        fp32 comes close to nothing but itself.
        """
        return next((other for other in _NEAREST.get(self, ()) if other in offered), None)

    @property
    def calibrated(self) -> bool:
        """Whether ranges of activations must be known before the export."""
        return self in (Precision.INT8, Precision.INT8_IO)

    @property
    def quantized(self) -> bool:
        """Whether weights are stored in fewer than 16 bits; of a given file that is not known."""
        floats = (Precision.FP32, Precision.FP16, Precision.FP16_WEIGHTS)
        return self not in (*floats, Precision.GIVEN)


_EIGHT_BITS = (Precision.INT8, Precision.INT8_IO, Precision.INT8_DYNAMIC, Precision.INT8_WEIGHTS)
_SIXTEEN_BITS = (Precision.FP16_WEIGHTS, Precision.FP16)
_NEAREST = {
    Precision.FP16: (Precision.FP16_WEIGHTS,),
    Precision.FP16_WEIGHTS: (Precision.FP16, Precision.INT8_WEIGHTS, Precision.INT8),
    Precision.INT8: (*_EIGHT_BITS, *_SIXTEEN_BITS),
    Precision.INT8_IO: (*_EIGHT_BITS, *_SIXTEEN_BITS),
    Precision.INT8_DYNAMIC: (Precision.INT8_WEIGHTS, *_EIGHT_BITS, *_SIXTEEN_BITS),
    Precision.INT8_WEIGHTS: (Precision.INT8_DYNAMIC, *_EIGHT_BITS, *_SIXTEEN_BITS),
    Precision.PALETTE6: (Precision.PALETTE4, Precision.INT8_WEIGHTS, *_EIGHT_BITS, *_SIXTEEN_BITS),
    Precision.PALETTE4: (Precision.PALETTE6, Precision.INT8_WEIGHTS, *_EIGHT_BITS, *_SIXTEEN_BITS),
}
"""Precisions that come close, the closest first."""
NOISE = "noise"
"""Inputs drawn from a seed, whose ranges may differ from those of real images."""


@value
class Calibration:
    """The inputs from which the ranges of activations were taken."""

    source: str = NOISE
    """`noise`, or sha256 over the images in their order."""
    inputs: int = 32

    def __post_init__(self) -> None:
        if self.inputs < 1:
            raise UserError("A calibration needs at least one input.")
        if self.source != NOISE and not re.fullmatch("[0-9a-f]{64}", self.source):
            raise ValueError(f"a calibration is 'noise' or a sha256, not {self.source!r}")

    @property
    def on_images(self) -> bool:
        return self.source != NOISE

    @property
    def description(self) -> str:
        """The inputs in words."""
        if not self.on_images:
            return f"{self.inputs} inputs of noise, which are not images"
        return f"{self.inputs} images, sha256 {self.source}"


class Form(StrEnum):
    """Which form of a network is exported, where it has two."""

    DEPLOYED = "deployed"
    """Rewritten for inference, exact to rounding (see `mobilebench.deploy`): a network of the zoo
    by rules, branches for training by the blocks' own methods."""
    PLAIN = "plain"
    """As in the paper and the official code."""


class Feature(StrEnum):
    """What some formats can hold besides a network."""

    IMAGE_INPUT = "image input"
    CLASS_LABELS = "class labels"


@value
class ImageInput:
    """RGB images of whole numbers from 0 to 255 as a file's input.

    The file itself normalises every channel to (value / 255 - mean) / std of that channel.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not all(math.isfinite(number) for number in (*self.mean, *self.std)):
            raise UserError(f"Images cannot be normalised by {self.mean} and {self.std}.")
        if not all(number > 0 for number in self.std):
            raise UserError(f"Images cannot be divided by {self.std}; give positive numbers.")

    @property
    def description(self) -> str:
        """The input in words."""
        mean, std = (", ".join(map(str, row)) for row in (self.mean, self.std))
        return f"RGB images, normalised inside the file by mean {mean} and deviation {std}"


def inputs_of_file(
    network: Sequence[TensorSpec], image_input: ImageInput | None
) -> tuple[TensorSpec, ...]:
    """Return the inputs of a file for a network with these inputs."""
    if image_input is None:
        return tuple(network)
    return tuple(replace(tensor, dtype=DType.UINT8) for tensor in network)


@value
class ExportRecipe:
    """Format, precision, deployment target, delegate and form of one artifact; hashable.

    The input size is not here: exporters make static graphs, so it belongs to `ModelSpec`.
    """

    LEFT_OUT_WHERE_ABSENT: ClassVar = ("widths",)

    format: Format
    precision: Precision = Precision.FP32
    target: str | None = None
    """Deployment target as the toolkit names it (`iOS16`, `opset20`); None where it has none."""
    delegate: str | None = None
    """Delegate that the graph is lowered to ahead of time (`xnnpack`); None without one."""
    form: Form = Form.DEPLOYED
    calibration: Calibration | None = None
    """Set for a calibrated precision, and for no other."""
    image_input: ImageInput | None = None
    """None where the file has the network's own inputs."""
    class_labels: str | None = None
    """sha256 over the labels that the file names its outputs by; the bundle holds them."""
    widths: tuple[str, ...] = ()
    """Labels of the widths of one network that the file holds together, the widest first; empty
    where it holds one network. Documents of such files do not have the field."""

    def __post_init__(self) -> None:
        if self.precision.calibrated != (self.calibration is not None):
            needs = "needs" if self.precision.calibrated else "takes no"
            raise ValueError(f"the precision {self.precision} {needs} calibration")
        if len(self.widths) == 1 or len(set(self.widths)) != len(self.widths):
            raise ValueError(f"a file of several widths has at least two, not {self.widths}")

    @property
    def label(self) -> str:
        """A short name for people, such as `coreml-fp16-iOS16`; never parsed."""
        noise = NOISE if self.calibration and self.calibration.source == NOISE else None
        given = self.precision is Precision.GIVEN
        plain = self.form if self.form is Form.PLAIN and not given else None
        image = "image" if self.image_input else None
        labels = "labels" if self.class_labels else None
        parts = (
            self.format,
            self.precision,
            noise,
            self.target,
            self.delegate,
            image,
            labels,
            plain,
            "+".join(self.widths),
        )
        return "-".join(part for part in parts if part)
