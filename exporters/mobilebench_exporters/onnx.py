"""Export to ONNX through torch.export and PyTorch's exporter; runs on ONNX Runtime."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilebench.errors import CellFailed
from mobilebench.inputs.seeded import Batch
from mobilebench.interfaces import Cure, Exporter, Structure
from mobilebench.values.graph import Graph, ModelIO
from mobilebench.values.recipe import ExportRecipe, Format, Precision
from mobilebench.values.tensor import TensorSpec
from mobilebench_exporters import _onnx_graph, _onnx_metadata, _onnx_precision, _onnx_together
from mobilebench_exporters._offers import Offer, Offering, TogetherOffer, example
from mobilebench_exporters._quantizing import quantizing
from mobilebench_exporters._sizes import ONE_FILE_BYTES, require_one_file, stored_bytes

if TYPE_CHECKING:
    import torch


_FAILED_NODE = re.compile(
    r"\b(?:node with name '|node\. Name:'|node \()(?P<name>[^')]+)", re.IGNORECASE
)
"""As ONNX Runtime writes it while it loads a file and while it runs one."""


class OnnxExporter(Offering):
    """Write `model.onnx`, with the weights inside the file if it can hold them.

    Larger weights lie beside it, as `model.onnx.data`.
    """

    one_file_bytes = ONE_FILE_BYTES

    offer = Offer(
        format=Format.ONNX,
        distributions=("onnx", "onnxscript", "onnxruntime"),
        precisions=(Precision.FP32, Precision.FP16, Precision.INT8, Precision.INT8_WEIGHTS),
        # Opset 20 has GELU as one operator and is the default of torch 2.13. Below 18 the exporter
        # logs an error and still writes 18.
        targets=("opset20", "opset18", "opset19", "opset21"),
        together=TogetherOffer(
            (Precision.FP32, Precision.FP16), ("opset20", "opset18", "opset19", "opset21")
        ),
    )
    cures = (
        Cure(
            "No ONNX function found|No decompositions registered",
            "ONNX has no operator for this: write it with other operations",
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

        path = folder / "model.onnx"
        opset = int(str(recipe.target).removeprefix("opset"))
        if recipe.precision is Precision.FP16:
            module = _onnx_precision.in_half(module)
        external = stored_bytes(module) > self.one_file_bytes
        program = torch.onnx.export(
            module,
            example(inputs),
            dynamo=True,
            opset_version=opset,
            input_names=[tensor.name for tensor in inputs],
            verbose=False,
        )
        assert program is not None  # only the exporter before dynamo returns None
        exporter_opset = program.model.opset_imports[""]
        if exporter_opset != opset:
            raise CellFailed(
                "export",
                "WrongOpset",
                f"opset {opset} was requested, but the exporter wrote {exporter_opset}; request "
                f"it with --target opset{exporter_opset}",
            )
        _onnx_metadata.strip(program.model, classes=recipe.precision is Precision.INT8)
        program.save(path, external_data=external)
        with quantizing():
            if recipe.precision is Precision.INT8:
                names = [tensor.name for tensor in inputs]
                _onnx_precision.to_int8(path, names, calibration, external=external)
            elif recipe.precision is Precision.INT8_WEIGHTS:
                _onnx_precision.to_int8_weights(path, self.one_file_bytes)
        return path

    def export_together(
        self,
        modules: Sequence[torch.nn.Module],
        inputs: Sequence[TensorSpec],
        recipe: ExportRecipe,
        folder: Path,
    ) -> Path:
        """Write the widths as branches that cut their weights from those of the widest."""
        import onnx

        require_one_file(
            modules[0],
            self.one_file_bytes,
            "an ONNX file of several widths",
            "export a file of each width",
        )
        models = []
        for module in modules:
            with tempfile.TemporaryDirectory(dir=folder) as place:
                models.append(onnx.load(self.export(module, inputs, recipe, Path(place))))
        path = folder / "model.onnx"
        onnx.save(_onnx_together.join(models, recipe.widths), path)
        return path

    def entries(self, widths: Sequence[str]) -> tuple[str, ...]:
        return tuple(map(_onnx_together.entry, range(len(widths))))

    def weights(self, model_path: Path) -> Mapping[str, Mapping[str, int]]:
        return _onnx_together.weights(_onnx_graph.load(model_path))

    def inspect(self, model_path: Path) -> Structure:
        import onnx

        # By its path, since the checker takes no larger model from memory.
        onnx.checker.check_model(str(model_path))
        model = onnx.load(model_path, load_external_data=False)
        graphs = [model.graph, *_onnx_together.branches(model)]
        histogram = Counter(node.op_type for graph in graphs for node in graph.node)
        return Structure(
            op_histogram=dict(histogram.most_common()),
            details={"opset": str(_opset(model)), "ir_version": str(model.ir_version)},
        )

    def graph(self, model_path: Path) -> Graph:
        return _onnx_graph.read(model_path)

    def io(self, model_path: Path) -> ModelIO:
        return _onnx_graph.read_io(model_path)

    def operation_in(self, message: str) -> str | None:
        match = _FAILED_NODE.search(message)
        return None if match is None else match["name"]


def _opset(model: Any) -> int:
    return next(
        int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx")
    )


PLUGIN: Exporter = OnnxExporter()
