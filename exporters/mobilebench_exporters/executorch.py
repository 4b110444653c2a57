"""Export to ExecuTorch, lowered ahead of time to a delegate.

The files run on phones and boards, from C++ or Python.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilebench.errors import CellFailed
from mobilebench.inputs.seeded import Batch, samples
from mobilebench.interfaces import Cure, Evaluator, Exporter, Structure
from mobilebench.values.graph import Graph, ModelIO
from mobilebench.values.recipe import ExportRecipe, Format, Precision
from mobilebench.values.tensor import TensorSpec
from mobilebench.verifying import parity
from mobilebench_exporters import _executorch_graph, _pte
from mobilebench_exporters._delegates import (
    DELEGATES,
    NO_RUNTIME,
    Delegate,
    to_xnnpack_together,
)
from mobilebench_exporters._offers import Offer, Offering, TogetherOffer, example

if TYPE_CHECKING:
    import torch

LOWERING_FILE = "lowering.json"
"""Lies beside a file that no host can run; records how the lowered program was verified."""
_CHECKED_INPUTS = 4
_SEED = 5000


class ExecutorchExporter(Offering):
    """Write `model.pte`, with float32 inputs and outputs.

    If a host cannot run the delegate, PyTorch runs the lowered program before it is written. Each
    delegate then runs as the operations that it was lowered from, and the bundle records the
    result. This detects a wrong lowering. It does not test the delegate's own compiler.
    """

    usual_entry = "forward"
    offer = Offer(
        format=Format.EXECUTORCH,
        distributions=("executorch", "torchao"),
        precisions=DELEGATES["xnnpack"].offer.precisions,
        delegates=tuple(DELEGATES),
        of_delegate={name: delegate.offer for name, delegate in DELEGATES.items()},
        together=TogetherOffer((Precision.FP32,), delegates=("xnnpack",)),
    )
    cures = (
        Cure(
            "is not in Core ATen opset",
            "ExecuTorch has no kernel for this operation: write it with other operations",
        ),
        Cure(
            "Attempted to resize a static tensor",
            "XNNPACK took over the graph in several parts, and an 8-bit tensor that passes between "
            "two of them changes its layout: see the delegates in `mobilebench inspect`, and keep "
            "slices, concatenations and maxima together in floats, or export another precision",
        ),
    )

    def evaluator(self, recipe: ExportRecipe) -> Evaluator | None:
        delegate = DELEGATES.get(recipe.delegate or "")
        return delegate.evaluator if delegate else None

    def unverifiable(self, recipe: ExportRecipe) -> str | None:
        if recipe.delegate is None:  # a given program, all of whose kernels are portable
            return None
        delegate = DELEGATES.get(recipe.delegate)
        nowhere = delegate is None or delegate.unverifiable
        return NO_RUNTIME.format(recipe.delegate) if nowhere else None

    def tool_versions(self, delegate: str | None = None) -> Mapping[str, str]:
        versions = self.offer.tool_versions(delegate)
        if delegate is not None:
            versions |= DELEGATES[delegate].vendor_tools()
        return versions

    def export(
        self,
        module: torch.nn.Module,
        inputs: Sequence[TensorSpec],
        recipe: ExportRecipe,
        folder: Path,
        calibration: Sequence[Batch] = (),
    ) -> Path:
        path = folder / "model.pte"
        delegate = _delegate(recipe)
        lowered = delegate.lower(module, example(inputs), recipe, calibration)
        if delegate.unverifiable:
            record = {"before_delegation": _before_delegation(lowered, module, inputs, recipe)}
            (folder / LOWERING_FILE).write_text(json.dumps(record, indent=2) + "\n")
        with path.open("wb") as handle:
            lowered.to_executorch().write_to_file(handle)
        return path

    def export_together(
        self,
        modules: Sequence[torch.nn.Module],
        inputs: Sequence[TensorSpec],
        recipe: ExportRecipe,
        folder: Path,
    ) -> Path:
        """Write one program with a method for each width; that of the widest is `forward`."""
        methods = dict(zip(self.entries(recipe.widths), modules, strict=True))
        lowered = to_xnnpack_together(methods, example(inputs))
        path = folder / "model.pte"
        with path.open("wb") as handle:
            lowered.to_executorch().write_to_file(handle)
        return path

    def weights(self, model_path: Path) -> Mapping[str, Mapping[str, int]]:
        return _executorch_graph.weights(model_path)

    def inspect(self, model_path: Path) -> Structure:
        """Count the instructions of the program; a delegate counts as one, under its name."""
        calls = _pte.calls(_pte.load(model_path))
        details = {
            "delegates": _pte.listed(calls.delegates),
            "not_delegated": _pte.listed(calls.left_out),
        }
        lowering_file = model_path.with_name(LOWERING_FILE)
        if lowering_file.exists():
            details |= json.loads(lowering_file.read_text())
        histogram = dict((calls.delegates + calls.left_out).most_common())
        return Structure(op_histogram=histogram, details=details)

    def graph(self, model_path: Path) -> Graph:
        return _executorch_graph.read(model_path)

    def io(self, model_path: Path) -> ModelIO:
        return _executorch_graph.read_io(model_path)


def _delegate(recipe: ExportRecipe) -> Delegate:
    return DELEGATES[str(recipe.delegate)]


def _before_delegation(
    lowered: Any, module: torch.nn.Module, inputs: Sequence[TensorSpec], recipe: ExportRecipe
) -> str:
    """Compare a lowered program, run by PyTorch, with the network, and describe the result.

    Raises `CellFailed` if the program computes something else.
    """
    import torch

    program = lowered.exported_program().module(check_guards=False)
    batches = samples(inputs, _CHECKED_INPUTS, _SEED)
    with torch.no_grad():
        expected, outputs = (
            [_arrays(run(*map(torch.from_numpy, batch))) for batch in batches]
            for run in (module, program)
        )
    bound = parity.limits(Precision.INT8 if recipe.precision.quantized else Precision.FP32)
    result = parity.compare(expected, outputs, bound=bound, evaluated_by="PyTorch")
    if not result.passed:
        raise CellFailed(
            "export",
            "WrongLowering",
            f"before delegation the lowered program differs from the network: {result.description}",
        )
    return (
        f"relative error {result.error_text} on {result.inputs} seeded inputs; the "
        f"lowered program run by PyTorch, not by the delegate"
    )


def _arrays(result: Any) -> list[Any]:
    outputs = result if isinstance(result, tuple | list) else [result]
    return [output.numpy() for output in outputs]


PLUGIN: Exporter = ExecutorchExporter()
