"""Quantize to 8 bits with PyTorch's own quantization, for ExecuTorch and Core ML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mobilebench.errors import MissingToolkit
from mobilebench.inputs.seeded import Batch
from mobilebench_exporters._divisions import Step, in_floats, plain_kind
from mobilebench_exporters._float_parts import stays_float
from mobilebench_exporters._quantizing import quantizing

if TYPE_CHECKING:
    import torch


# With slices in 8 bits between maxima in floats, XNNPACK's partitioner makes several delegates. A
# tensor that passes between two of them arrives in another layout (MobileViG-Ti: three delegates,
# and the program fails when it runs). With all of these parts in floats there is one delegate.
_ALSO_FLOAT = re.compile(r"mobilebench\.(?:deploy\.aggregation|zoo\.layers\.graph)\.|GraphConv")


def quantized(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    calibration: Sequence[Batch],
    *,
    float_divisions: bool,
) -> torch.nn.Module:
    """Quantize a network to 8 bits, except the parts that stay in floats.

    With `float_divisions`, norms and divisions written by hand are among them. XNNPACK computes
    divisions in floats in any case, and its delegates fail at the borders that this would add.
    Weights have one scale for each output channel, activations the ranges measured in calibration.
    Raises `MissingToolkit` if ExecuTorch, whose quantizer is used, is not installed.
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
        """Keep the float parts in floats.

        XNNPACK's own filter does not: 8 bits spread through slices and concatenations into the
        parts that it leaves out.
        """

        def annotate(self, model: Any) -> Any:
            annotated = super().annotate(model)
            divisions = in_floats(_steps(annotated.graph)) if float_divisions else set()
            for node in annotated.graph.nodes:
                scope = _scope(node)
                if stays_float(scope) or _ALSO_FLOAT.search(scope) or node.name in divisions:
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
    """Rewrite a network with a quantizer, with ranges measured on the calibration inputs."""
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    # Without check_guards=False torch adds a submodule of guards that later passes refuse.
    captured = torch.export.export(module, example).module(check_guards=False)
    with quantizing(), torch.no_grad():
        prepared = prepare_pt2e(captured, quantizer)
        for batch in calibration:
            prepared(*map(torch.from_numpy, batch))
        converted: torch.nn.Module = convert_pt2e(prepared)
    return converted


def _steps(graph: Any) -> list[Step]:
    """Return the operations of a captured graph as steps."""
    return [
        Step(
            name=node.name,
            kind=plain_kind(str(node.target)),
            reads=tuple(read.name for read in node.all_input_nodes if read.op != "get_attr"),
            writes=(node.name,),
            constant_operand=any(
                isinstance(operand, int | float) or getattr(operand, "op", "") == "get_attr"
                for operand in node.args[:2]
            ),
        )
        for node in graph.nodes
        if node.op == "call_function"
    ]


def _scope(node: Any) -> str:
    """Return the full names of the module classes that a node came from."""
    return " ".join(
        kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
        for _, kind in node.meta.get("nn_module_stack", {}).values()
    )
