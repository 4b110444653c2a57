"""ExportRecipe: what an export is asked to make."""

from __future__ import annotations

from enum import StrEnum

from mobilebench.values import value


class Format(StrEnum):
    """File formats that phones run."""

    ONNX = "onnx"
    TFLITE = "tflite"
    EXECUTORCH = "executorch"
    COREML = "coreml"


class Precision(StrEnum):
    """The element type in which an artifact computes."""

    FP32 = "fp32"
    FP16 = "fp16"


class Form(StrEnum):
    """Which form of a network of the zoo is exported; other networks have only one."""

    DEPLOYED = "deployed"
    """Rewritten for inference, exact to rounding (see `mobilebench.deploy`)."""
    PLAIN = "plain"
    """As the paper and the official code have it."""


@value
class ExportRecipe:
    """Format, precision, deployment target, delegate and form of one artifact; hashable.

    The input size is not here: exporters make static graphs, so it belongs to `ModelSpec`.
    """

    format: Format
    precision: Precision = Precision.FP32
    target: str | None = None
    """Deployment target in the toolkit's word (`iOS16`, `opset20`), None where it has none."""
    delegate: str | None = None
    """Delegate that the graph is lowered to ahead of time (`xnnpack`), None where none is."""

    form: Form = Form.DEPLOYED

    @property
    def label(self) -> str:
        """A short name for people, such as `coreml-fp16-iOS16`; never parsed."""
        plain = self.form if self.form is Form.PLAIN else None
        parts = (self.format, self.precision, self.target, self.delegate, plain)
        return "-".join(part for part in parts if part)
