"""8 bits by PyTorch's own quantization of exported programs, for ExecuTorch and Core ML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mobilebench.errors import MissingToolkit
from mobilebench.inputs.seeded import Batch
from mobilebench_exporters._float_parts import stays_float

if TYPE_CHECKING:
    import torch


# Slices in 8 bits between maxima in floats: XNNPACK's partitioner then makes several delegates, and
# a tensor that crosses between two of them arrives in another layout (MobileViG-Ti: three, and it
# fails when it is run). With all of it in floats there is one.
_ALSO_FLOAT = re.compile(r"mobilebench\.(?:deploy\.aggregation|zoo\.layers\.graph)\.|GraphConv")


def quantized(
    module: torch.nn.Module, example: tuple[torch.Tensor, ...], calibration: Sequence[Batch]
) -> torch.nn.Module:
    """The network with weights in 8 bits by output channel and activations in 8 bits by ranges
    seen in calibration, except in the parts that stay in floats.

    Raises `MissingToolkit` where ExecuTorch, whose quantizer is used, is not installed.
    """
    try:
        from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
            XNNPACKQuantizer,
            get_symmetric_quantization_config,
        )
    except ModuleNotFoundError as error:
        raise MissingToolkit(
            "int8 needs ExecuTorch's quantizer, which is not installed; run: "
            "pip install 'mobilebench[executorch]'"
        ) from error
    from torchao.quantization.pt2e.quantizer.quantizer import Q_ANNOTATION_KEY

    class FloatPartsKept(XNNPACKQuantizer):  # type: ignore[misc]
        """XNNPACK's quantizer, which lets 8 bits spread through slices and concatenations into
        parts that its own filter leaves out."""

        def annotate(self, model: Any) -> Any:
            annotated = super().annotate(model)
            for node in annotated.graph.nodes:
                scope = _scope(node)
                if stays_float(scope) or _ALSO_FLOAT.search(scope):
                    node.meta.pop(Q_ANNOTATION_KEY, None)
            return annotated

    quantizer = FloatPartsKept()
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
    return calibrated(module, example, calibration, quantizer)


def calibrated(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    calibration: Sequence[Batch],
    quantizer: Any,
) -> torch.nn.Module:
    """The network as a quantizer rewrites it, with the ranges that calibration inputs show."""
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    # torch adds a submodule of guards that later passes refuse.
    captured = torch.export.export(module, example).module(check_guards=False)
    prepared = prepare_pt2e(captured, quantizer)
    with torch.no_grad():
        for batch in calibration:
            prepared(*map(torch.from_numpy, batch))
    converted: torch.nn.Module = convert_pt2e(prepared)
    return converted


def _scope(node: Any) -> str:
    """Full names of the classes of the modules that a node came from."""
    return " ".join(
        kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
        for _, kind in node.meta.get("nn_module_stack", {}).values()
    )
