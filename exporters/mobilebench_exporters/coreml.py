"""Core ML as an ML Program, through coremltools; runs on iPhone, iPad and Mac."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobilebench import inputs as seeded
from mobilebench.cures import Cure
from mobilebench.graph import Graph
from mobilebench.inputs import Batch
from mobilebench.interfaces import Exporter, Structure
from mobilebench.recipe import ExportRecipe, Format, Precision
from mobilebench.tensor import DType, TensorSpec
from mobilebench_exporters import _coreml_graph
from mobilebench_exporters._offers import Offer, Offering, example
from mobilebench_exporters._pt2e import quantized

if TYPE_CHECKING:
    import torch


_PALETTE_BITS = {Precision.PALETTE6: 6, Precision.PALETTE4: 4}


class CoremlExporter(Offering):
    """Writes `model.mlpackage`, with float32 inputs and outputs of the model's own layout."""

    offer = Offer(
        format=Format.COREML,
        distributions=("coremltools",),
        precisions=(
            Precision.FP32,
            Precision.FP16,
            Precision.INT8,
            Precision.INT8_WEIGHTS,
            Precision.PALETTE6,
            Precision.PALETTE4,
        ),
        # From iOS 16 on half-precision programs need no casts at their borders.
        targets=("iOS16", "iOS15", "iOS17", "iOS18"),
        targets_of={
            # Activations in 8 bits came with iOS 17, tables of weights with iOS 16.
            Precision.INT8: ("iOS17", "iOS18"),
            Precision.PALETTE6: ("iOS16", "iOS17", "iOS18"),
            Precision.PALETTE4: ("iOS16", "iOS17", "iOS18"),
            Precision.INT8_WEIGHTS: ("iOS16", "iOS17", "iOS18"),
        },
    )
    evaluator = "mobilebench_exporters.coreml:evaluate"
    cures = (
        Cure(
            "Unsupported fx node alias",
            "a slice over the whole of a dimension, such as x[:, :n] with n its size, does "
            "nothing, and coremltools cannot convert it: leave it out",
        ),
        Cure(
            "Unsupported fx node",
            "coremltools has no conversion for this operation: write it with others",
        ),
        Cure(
            "only supports tensors with rank <= 5",
            "Core ML's tensors have at most five dimensions: fold some of them, most easily a "
            "batch of one",
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
        import coremltools as ct
        import torch

        path = folder / "model.mlpackage"
        if recipe.precision is Precision.INT8:
            module = quantized(module, example(inputs), calibration)
        # coremltools takes the ATEN dialect only; a fresh export is in the TRAINING one.
        exported = torch.export.export(module, example(inputs)).run_decompositions({})
        converted = ct.convert(
            exported,
            inputs=[_tensor_type(tensor) for tensor in inputs],
            convert_to="mlprogram",
            compute_precision=(
                ct.precision.FLOAT32 if recipe.precision is Precision.FP32 else ct.precision.FLOAT16
            ),
            minimum_deployment_target=getattr(ct.target, str(recipe.target)),
            skip_model_load=True,
        )
        _compressed(converted, recipe.precision).save(str(path))
        return path

    def inspect(self, model_path: Path) -> Structure:
        import coremltools as ct

        from mobilebench_exporters._mlprogram import MLProgram

        program = MLProgram.load(model_path)
        spec = ct.utils.load_spec(str(model_path))
        return Structure(
            op_histogram=program.op_histogram(),
            details={"specification_version": str(spec.specificationVersion)},
        )

    def graph(self, model_path: Path) -> Graph:
        return _coreml_graph.read(model_path)


def _compressed(model: Any, precision: Precision) -> Any:
    """The model with its weights stored in fewer bits, where the precision asks for that."""
    from coremltools.optimize import coreml as optimize

    if precision is Precision.INT8_WEIGHTS:
        linear = optimize.OpLinearQuantizerConfig(mode="linear_symmetric", dtype="int8")
        return optimize.linear_quantize_weights(model, optimize.OptimizationConfig(linear))
    if precision in _PALETTE_BITS:
        table = optimize.OpPalettizerConfig(mode="kmeans", nbits=_PALETTE_BITS[precision])
        return optimize.palettize_weights(model, optimize.OptimizationConfig(table))
    return model


def _tensor_type(tensor: TensorSpec) -> Any:
    import coremltools as ct

    dtype = np.float32 if tensor.dtype in (DType.FLOAT32, DType.FLOAT16) else np.int32
    return ct.TensorType(name=tensor.name, shape=tensor.shape, dtype=dtype)


def evaluate(request: dict[str, Any]) -> dict[str, Any]:
    """Cell: the outputs of a saved ML Program, computed with torch (see `Exporter.evaluator`)."""
    import torch

    from mobilebench_exporters._mlprogram import MLProgram

    program = MLProgram.load(Path(request["model"]))
    batches = seeded.load_batches(Path(request["inputs"]))
    seeded.save_batches(Path(request["outputs"]), [program.evaluate(batch) for batch in batches])
    return {"evaluated_by": f"mobilebench ML Program evaluator on torch {torch.__version__}"}


PLUGIN: Exporter = CoremlExporter()
