"""Choose the target that a deployment form is made for."""

from __future__ import annotations

from enum import StrEnum

from mobilebench.values.recipe import ExportRecipe, Format, Precision


class Target(StrEnum):
    """Runtime or delegate that will run a file.

    The forms differ where one target refuses what another handles well.
    """

    XNNPACK = "xnnpack"
    """ExecuTorch on a CPU: channels last, one delegate if nothing is left out."""
    LITERT = "litert"
    """LiteRT on a CPU: the same kernels, of which its delegate takes more."""
    ONNX_RUNTIME = "onnxruntime"
    """ONNX Runtime on a CPU: channels first, convolutions in its own blocked layout."""
    COREML = "coreml"
    """Core ML: half precision on the Neural Engine, and normalisations as one operation each."""
    VULKAN = "vulkan"
    """ExecuTorch's Vulkan delegate, which has a minimum but no maximum."""


_DELEGATES = {
    "xnnpack": Target.XNNPACK,
    "coreml": Target.COREML,
    "vulkan": Target.VULKAN,
    # Neural processing units, like the one behind Core ML.
    "qualcomm": Target.COREML,
    "ethos-u": Target.COREML,
}


def target_of(recipe: ExportRecipe) -> Target:
    """Return the target that a recipe's files run on."""
    if recipe.delegate is not None:
        return _DELEGATES[recipe.delegate]
    if recipe.format is Format.ONNX and recipe.precision is Precision.FP16:
        return Target.COREML  # for the same kind of unit
    if recipe.format is Format.TFLITE and recipe.precision.quantized:
        return Target.XNNPACK  # in 8 bits, sums over an axis were not tried
    return {
        Format.COREML: Target.COREML,
        Format.ONNX: Target.ONNX_RUNTIME,
        Format.TFLITE: Target.LITERT,
        Format.EXECUTORCH: Target.XNNPACK,
    }[recipe.format]
