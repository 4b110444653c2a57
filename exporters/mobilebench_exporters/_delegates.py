"""Define ExecuTorch's delegates: what each offers, its lowering, and how it is verified."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mobilebench.inputs.seeded import Batch
from mobilebench.interfaces import Evaluator
from mobilebench.values.recipe import ExportRecipe, Precision
from mobilebench_exporters import _vendor_delegates
from mobilebench_exporters._offers import DelegateOffer
from mobilebench_exporters._pt2e import quantized
from mobilebench_exporters._pte import COREML_EVALUATOR

if TYPE_CHECKING:
    import torch

Lowering = Callable[[Any, Any, ExportRecipe, Sequence[Batch]], Any]
"""Lower (network, example inputs, recipe, calibration) to an `EdgeProgramManager`."""

NO_RUNTIME = "there is no runtime for its delegate {} on a host"


@dataclass(frozen=True)
class Delegate:
    """A delegate that programs are lowered to ahead of time."""

    offer: DelegateOffer
    lower: Lowering
    evaluator: Evaluator | None = None
    unverifiable: bool = False
    vendor_tools: Callable[[], dict[str, str]] = dict
    """Returns versions of tools that ExecuTorch does not include; raises `MissingToolkit`."""


def _to_xnnpack(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    recipe: ExportRecipe,
    calibration: Sequence[Batch],
) -> Any:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner

    if recipe.precision is Precision.INT8:
        module = quantized(module, example, calibration, float_divisions=False)
    return _lower(module, example, XnnpackPartitioner())


def _to_coreml(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    recipe: ExportRecipe,
    calibration: Sequence[Batch],
) -> Any:
    import coremltools as ct
    from executorch.backends.apple.coreml.compiler import CoreMLBackend
    from executorch.backends.apple.coreml.partition import CoreMLPartitioner

    half = recipe.precision is Precision.FP16
    specs = CoreMLBackend.generate_compile_specs(
        minimum_deployment_target=getattr(ct.target, str(recipe.target)),
        compute_precision=ct.precision.FLOAT16 if half else ct.precision.FLOAT32,
    )
    return _lower(module, example, CoreMLPartitioner(compile_specs=specs))


def _to_vulkan(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    recipe: ExportRecipe,
    calibration: Sequence[Batch],
) -> Any:
    from executorch.backends.vulkan.partitioner.vulkan_partitioner import VulkanPartitioner

    half = recipe.precision is Precision.FP16
    return _lower(module, example, VulkanPartitioner({"force_fp16": True} if half else {}))


def to_xnnpack_together(
    modules: Mapping[str, torch.nn.Module], example: tuple[torch.Tensor, ...]
) -> Any:
    """Lower networks to XNNPACK as the methods of one program, by name."""
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    exported = {name: torch.export.export(module, example) for name, module in modules.items()}
    partitioners = {name: [XnnpackPartitioner()] for name in modules}
    return to_edge_transform_and_lower(exported, partitioner=partitioners)


def _lower(module: torch.nn.Module, example: tuple[torch.Tensor, ...], partitioner: Any) -> Any:
    import torch
    from executorch.exir import to_edge_transform_and_lower

    exported = torch.export.export(module, example)
    return to_edge_transform_and_lower(exported, partitioner=[partitioner])


_FLOATS = (Precision.FP32, Precision.FP16)

DELEGATES: Mapping[str, Delegate] = {
    "xnnpack": Delegate(DelegateOffer((Precision.FP32, Precision.INT8)), _to_xnnpack),
    "coreml": Delegate(
        DelegateOffer(
            _FLOATS,
            targets=("iOS16", "iOS15", "iOS17", "iOS18", "iOS26"),
            distributions=("coremltools",),
        ),
        _to_coreml,
        evaluator=COREML_EVALUATOR,
    ),
    # In half precision the inputs and outputs stay in float32.
    "vulkan": Delegate(DelegateOffer(_FLOATS), _to_vulkan, unverifiable=True),
    "qualcomm": Delegate(
        # The float unit computes in half precision only.
        DelegateOffer((Precision.FP16,), targets=_vendor_delegates.QUALCOMM_CHIPS),
        _vendor_delegates.to_qualcomm,
        unverifiable=True,
        vendor_tools=_vendor_delegates.qualcomm_tools,
    ),
    "ethos-u": Delegate(
        DelegateOffer((Precision.INT8,), targets=_vendor_delegates.ETHOS_U_UNITS),
        _vendor_delegates.to_ethos_u,
        unverifiable=True,
        vendor_tools=_vendor_delegates.ethos_u_tools,
    ),
}
