"""Export to TFLite through LiteRT Torch.

The files run on LiteRT (TensorFlow Lite) on Android, iOS and boards.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilebench.inputs.seeded import Batch
from mobilebench.interfaces import Cure, Exporter, Structure
from mobilebench.values.graph import Graph, ModelIO
from mobilebench.values.recipe import ExportRecipe, Format, Precision
from mobilebench.values.tensor import TensorSpec
from mobilebench_exporters import _tflite_graph, _tflite_precision
from mobilebench_exporters._offers import Offer, Offering, TogetherOffer, example
from mobilebench_exporters._quantizing import quantizing
from mobilebench_exporters._sizes import ONE_FILE_BYTES, require_one_file

if TYPE_CHECKING:
    import torch


_FAILED_NODE = re.compile(r"Node number (?P<number>\d+) \((?P<kind>\w+)\) failed")

_MISSING_KERNEL = re.compile(r"Didn't find op for builtin opcode '(?P<kind>\w+)'")


class TfliteExporter(Offering):
    """Write `model.tflite`: NHWC inside, inputs and outputs in the model's NCHW layout."""

    one_file_bytes = ONE_FILE_BYTES
    offer = Offer(
        format=Format.TFLITE,
        distributions=("litert-torch", "litert-converter", "ai-edge-litert", "ai-edge-quantizer"),
        precisions=(
            Precision.FP32,
            Precision.FP16_WEIGHTS,
            Precision.INT8,
            Precision.INT8_IO,
            Precision.INT8_DYNAMIC,
            Precision.INT8_WEIGHTS,
        ),
        together=TogetherOffer((Precision.FP32,)),
    )

    cures = (
        Cure(
            "Lowering not found",
            "LiteRT has no operator for this: write it with other operations",
        ),
        Cure(
            "Didn't find op for builtin opcode",
            "LiteRT's runtime has no kernel for this, in no precision: write it with other "
            "operations",
        ),
        Cure(
            r"torch\.complex",
            "TFLite has no complex numbers: compute with the real and imaginary parts",
        ),
        Cure(
            r"xf64",
            "TFLite computes in single precision: do not use double in forward",
        ),
        Cure(
            "ConcretizationTypeError",
            "the size of a tensor depends on the values of another, and phones run fixed graphs: "
            "keep all elements and mask them",
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
        import litert_torch

        require_one_file(
            module,
            self.one_file_bytes,
            "a TFLite file, which starts from float32 in every precision,",
            "export it to ONNX, ExecuTorch or Core ML, or make it smaller",
        )
        path = folder / "model.tflite"
        litert_torch.convert(module, example(inputs)).export(str(path))
        if recipe.precision is not Precision.FP32:
            with quantizing():
                _tflite_precision.convert(path, recipe.precision, calibration)
        return path

    def export_together(
        self,
        modules: Sequence[torch.nn.Module],
        inputs: Sequence[TensorSpec],
        recipe: ExportRecipe,
        folder: Path,
    ) -> Path:
        """Write one file with a signature for each width; the first subgraph is the widest."""
        import litert_torch

        require_one_file(
            modules[0],
            self.one_file_bytes // len(modules),
            "a TFLite file of several widths",
            "export a file of each width",
        )
        converter: Any = litert_torch
        for name, module in zip(self.entries(recipe.widths), modules, strict=True):
            converter = converter.signature(name, module, example(inputs))
        path = folder / "model.tflite"
        converter.convert().export(str(path))
        return path

    def weights(self, model_path: Path) -> Mapping[str, Mapping[str, int]]:
        return _tflite_graph.weights(model_path)

    def inspect(self, model_path: Path) -> Structure:
        from ai_edge_litert import schema_py_generated as schema

        model = _tflite_graph.root(model_path)
        kinds = _tflite_graph.names(schema.BuiltinOperator)
        codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
        histogram: Counter[str] = Counter()
        for index in range(model.SubgraphsLength()):
            graph = model.Subgraphs(index)
            for position in range(graph.OperatorsLength()):
                code = codes[graph.Operators(position).OpcodeIndex()]
                histogram[_tflite_graph.operator_name(code, kinds)] += 1
        return Structure(
            op_histogram=dict(histogram.most_common()),
            details={"schema_version": str(model.Version())},
        )

    def graph(self, model_path: Path) -> Graph:
        return _tflite_graph.read(model_path)

    def io(self, model_path: Path) -> ModelIO:
        return _tflite_graph.read_io(model_path)

    def operation_in(self, message: str) -> str | None:
        if (node := _FAILED_NODE.search(message)) is not None:
            # Operations of a graph are named so (see `_tflite_graph`).
            return f"{node['kind']} {node['number']}"
        missing = _MISSING_KERNEL.search(message)
        return None if missing is None else missing["kind"]


PLUGIN: Exporter = TfliteExporter()
