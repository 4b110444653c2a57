"""ExecuTorch, lowered ahead of time to XNNPACK; runs on phones and boards from C++ or Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilebench.cures import Cure
from mobilebench.graph import Graph
from mobilebench.inputs import Batch
from mobilebench.interfaces import Exporter, Structure
from mobilebench.recipe import ExportRecipe, Format, Precision
from mobilebench.tensor import TensorSpec
from mobilebench_exporters import _executorch_graph
from mobilebench_exporters._offers import Offer, Offering, example
from mobilebench_exporters._pt2e import quantized

if TYPE_CHECKING:
    import torch


class ExecutorchExporter(Offering):
    """Writes `model.pte`."""

    offer = Offer(
        format=Format.EXECUTORCH,
        distributions=("executorch", "torchao"),
        precisions=(Precision.FP32, Precision.INT8),
        delegates=("xnnpack",),
    )
    cures = (
        Cure(
            "is not in Core ATen opset",
            "ExecuTorch has no kernel for this operation: write it with others",
        ),
        Cure(
            "Attempted to resize a static tensor",
            "XNNPACK took the graph in several parts, and a tensor in 8 bits crosses between two "
            "of them in another layout: see the delegates in `mobilebench inspect`, and keep "
            "slices, concatenations and maxima together in floats, or export another precision",
        ),
    )

    def export(
        self,
        module: torch.nn.Module,
        inputs: Sequence[TensorSpec],
        recipe: ExportRecipe,
        folder: Path,
        calibration: Sequence[Batch] = (),
    ) -> Path:
        import torch
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        path = folder / "model.pte"
        if recipe.precision is Precision.INT8:
            module = quantized(module, example(inputs), calibration)
        exported = torch.export.export(module, example(inputs))
        lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
        with path.open("wb") as handle:
            lowered.to_executorch().write_to_file(handle)
        return path

    def inspect(self, model_path: Path) -> Structure:
        """Counts the instructions of the program; a delegate counts as one, by its name."""
        from executorch.exir._serialize._program import deserialize_pte_binary
        from executorch.exir.schema import DelegateCall, KernelCall

        program = deserialize_pte_binary(model_path.read_bytes()).program
        left_out: Counter[str] = Counter()
        delegates: Counter[str] = Counter()
        for plan in program.execution_plan:
            for chain in plan.chains:
                for instruction in chain.instructions:
                    call: Any = instruction.instr_args
                    if isinstance(call, DelegateCall):
                        delegates[plan.delegates[call.delegate_index].id] += 1
                    elif isinstance(call, KernelCall):
                        left_out[plan.operators[call.op_index].name] += 1
        return Structure(
            op_histogram=dict((delegates + left_out).most_common()),
            details={
                "delegates": _listed(delegates),
                "not_delegated": _listed(left_out),
            },
        )

    def graph(self, model_path: Path) -> Graph:
        return _executorch_graph.read(model_path)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} x{count}" for name, count in counts.most_common()) or "none"


PLUGIN: Exporter = ExecutorchExporter()
