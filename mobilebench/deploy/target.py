"""The kind of compute unit that a deployment form is written for."""

from __future__ import annotations

from enum import StrEnum

from mobilebench.recipe import ExportRecipe, Format


class Target(StrEnum):
    """Where a file will run; forms differ between these where one refuses what another likes."""

    CPU = "cpu"
    """Runtimes that compute with XNNPACK or ONNX Runtime's kernels: small tensors in cache."""
    NPU = "npu"
    """Core ML: half precision, and normalisations that it has as one operation each."""
    VULKAN = "vulkan"
    """ExecuTorch's Vulkan delegate, which has no minimum and no maximum."""


def target_of(recipe: ExportRecipe) -> Target:
    """The target that a recipe's files run on."""
    if recipe.format is Format.COREML:
        return Target.NPU
    return Target.VULKAN if recipe.delegate == "vulkan" else Target.CPU
