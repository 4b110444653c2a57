"""Export to Core ML through coremltools, as an ML Program or a neural network.

The files run on iPhone, iPad and Mac.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobilebench.inputs import labels, seeded
from mobilebench.inputs.labels import LABELS_FILE
from mobilebench.inputs.seeded import Batch
from mobilebench.interfaces import Cure, Evaluator, Exporter, Structure
from mobilebench.values.graph import Graph, ModelIO
from mobilebench.values.recipe import ExportRecipe, Feature, Format, Precision
from mobilebench.values.tensor import DType, TensorSpec
from mobilebench_exporters import _coreml_graph
from mobilebench_exporters._offers import Offer, Offering, TogetherOffer, example
from mobilebench_exporters._pt2e import quantized
from mobilebench_exporters._quantizing import quantizing
from mobilebench_exporters._sizes import ONE_FILE_BYTES, require_one_file

if TYPE_CHECKING:
    import torch


NEURAL_NETWORK = "neuralnetwork"
_PALETTE_BITS = {Precision.PALETTE6: 6, Precision.PALETTE4: 4}


class CoremlExporter(Offering):
    """Writes `model.mlpackage`, with float32 inputs and outputs of the model's own layout.

    With image input it takes RGB images. With class labels its output is their scores by label,
    as the network gives them: no softmax is added. The target `neuralnetwork` writes
    `model.mlmodel`, a network of layers as before ML Programs, for comparison with published
    tables; coremltools takes the oldest version that has all layers, iOS 13 or 14. There fp16
    means that weights are stored in half precision; the device chooses the precision in which it
    computes.
    """

    one_file_bytes = ONE_FILE_BYTES
    usual_entry = _coreml_graph.MAIN
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
        targets=("iOS16", "iOS15", "iOS17", "iOS18", "iOS26", NEURAL_NETWORK),
        targets_of={
            # Activations in 8 bits came with iOS 17, compressed weights with iOS 16.
            Precision.INT8: ("iOS17", "iOS18", "iOS26"),
            Precision.PALETTE6: ("iOS16", "iOS17", "iOS18", "iOS26"),
            Precision.PALETTE4: ("iOS16", "iOS17", "iOS18", "iOS26"),
            Precision.INT8_WEIGHTS: ("iOS16", "iOS17", "iOS18", "iOS26"),
        },
        features=frozenset({Feature.IMAGE_INPUT, Feature.CLASS_LABELS}),
        of_target={NEURAL_NETWORK: (Precision.FP32, Precision.FP16)},
        # Packages with several functions came with iOS 18.
        together=TogetherOffer((Precision.FP32, Precision.FP16), ("iOS18", "iOS26")),
    )
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

    def evaluator(self, recipe: ExportRecipe) -> Evaluator | None:
        return EVALUATOR

    def export(
        self,
        module: torch.nn.Module,
        inputs: Sequence[TensorSpec],
        recipe: ExportRecipe,
        folder: Path,
        calibration: Sequence[Batch] = (),
    ) -> Path:
        import torch

        from mobilebench_exporters._coremltools import ct
        from mobilebench_exporters._from_pixels import FromPixels

        if recipe.target == NEURAL_NETWORK:
            require_one_file(
                module,
                self.one_file_bytes,
                "a Core ML neural network, which is one file,",
                "export an ML Program, whose weights are separate: --target iOS16",
            )
        if recipe.precision is Precision.INT8:
            module = quantized(module, example(inputs), calibration, float_divisions=True)
        if recipe.image_input is not None:
            module = FromPixels(module, recipe.image_input)
        # coremltools takes the ATEN dialect only; a fresh export is in the TRAINING one.
        exported = torch.export.export(module, example(inputs)).run_decompositions({})
        classifier = (
            None
            if recipe.class_labels is None
            else ct.ClassifierConfig(list(labels.read(folder / LABELS_FILE)))
        )
        types = [_input_type(tensor, image=recipe.image_input is not None) for tensor in inputs]
        if recipe.target == NEURAL_NETWORK:
            path = folder / "model.mlmodel"
            network = ct.convert(
                exported, inputs=types, convert_to=NEURAL_NETWORK, classifier_config=classifier
            )
            _with_weights_in(network, recipe.precision).save(str(path))
            return path
        path = folder / "model.mlpackage"
        converted = ct.convert(
            exported,
            inputs=types,
            convert_to="mlprogram",
            classifier_config=classifier,
            compute_precision=(
                ct.precision.FLOAT32 if recipe.precision is Precision.FP32 else ct.precision.FLOAT16
            ),
            minimum_deployment_target=getattr(ct.target, str(recipe.target)),
            skip_model_load=True,
        )
        with quantizing():
            converted = _compressed(converted, recipe.precision)
        converted.save(str(path))
        return path

    def export_together(
        self,
        modules: Sequence[torch.nn.Module],
        inputs: Sequence[TensorSpec],
        recipe: ExportRecipe,
        folder: Path,
    ) -> Path:
        """Write one package with a function for each width; that of the widest is `main`."""
        from mobilebench_exporters._coremltools import ct

        functions = ct.utils.MultiFunctionDescriptor()
        functions.default_function_name = _coreml_graph.MAIN
        path = folder / "model.mlpackage"
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            for name, module in zip(self.entries(recipe.widths), modules, strict=True):
                place = Path(scratch) / name
                place.mkdir()
                if recipe.class_labels is not None:
                    shutil.copy(folder / LABELS_FILE, place)
                package = self.export(module, inputs, recipe, place)
                functions.add_function(str(package), _coreml_graph.MAIN, name)
            ct.utils.save_multifunction(functions, str(path))
        return path

    def weights(self, model_path: Path) -> Mapping[str, Mapping[str, int]]:
        return _coreml_graph.weights(model_path)

    def inspect(self, model_path: Path) -> Structure:
        from mobilebench_exporters._coremltools import ct

        spec = ct.utils.load_spec(str(model_path))
        model = _read(model_path)
        images = [
            f"{feature.name}: {feature.type.imageType.width}x{feature.type.imageType.height}"
            for feature in _coreml_graph.described(spec).input
            if feature.type.WhichOneof("Type") == "imageType"
        ]
        details = {"specification_version": str(spec.specificationVersion)}
        if images:
            details["images"] = ", ".join(images)
        if model.class_labels:
            digest = labels.sha256(model.class_labels)
            details["class_labels"] = f"{len(model.class_labels)}, sha256 {digest}"
        return Structure(op_histogram=model.op_histogram(), details=details)

    def graph(self, model_path: Path) -> Graph:
        return _coreml_graph.read(model_path)

    def io(self, model_path: Path) -> ModelIO:
        return _coreml_graph.read_io(model_path)


def _read(path: Path) -> Any:
    """Read a saved file into the evaluator of its kind."""
    if path.suffix == ".mlmodel":
        from mobilebench_exporters._neuralnetwork import NeuralNetwork

        return NeuralNetwork.load(path)
    from mobilebench_exporters._mlprogram import MLProgram

    return MLProgram.load(path)


def _with_weights_in(network: Any, precision: Precision) -> Any:
    if precision is not Precision.FP16:
        return network
    from coremltools.models.neural_network import quantization_utils

    return quantization_utils.quantize_weights(network, nbits=16)


def _compressed(model: Any, precision: Precision) -> Any:
    """Return the model with weights in fewer bits, where the precision asks for that."""
    from coremltools.optimize import coreml as optimize

    if precision is Precision.INT8_WEIGHTS:
        linear = optimize.OpLinearQuantizerConfig(mode="linear_symmetric", dtype="int8")
        return optimize.linear_quantize_weights(model, optimize.OptimizationConfig(linear))
    if precision in _PALETTE_BITS:
        bits = _PALETTE_BITS[precision]
        table = optimize.OpPalettizerConfig(mode="kmeans", nbits=bits)
        # Where there are fewer values than entries, as in a permutation, scikit-learn's k-means may
        # give labels that do not belong to its centres.
        few = dict.fromkeys(_constants_of_few_values(model, 1 << bits))
        config = optimize.OptimizationConfig(table, op_name_configs=few)
        return optimize.palettize_weights(model, config)
    return model


def _constants_of_few_values(model: Any, values: int) -> list[str]:
    """Return the names of the constants with at most `values` different values.

    coremltools' own list of weights fails where an operation takes a list, as einsum does.
    """
    return [
        op.name
        for function in model._mil_program.functions.values()
        for op in function.operations
        if op.op_type == "const"
        and isinstance(op.outputs[0].val, np.ndarray)
        and op.outputs[0].val.size > values >= np.unique(op.outputs[0].val).size
    ]


def _input_type(tensor: TensorSpec, *, image: bool) -> Any:
    from mobilebench_exporters._coremltools import ct

    if image:
        return ct.ImageType(name=tensor.name, shape=tensor.shape, color_layout=ct.colorlayout.RGB)
    dtype = np.float32 if tensor.dtype in (DType.FLOAT32, DType.FLOAT16) else np.int32
    return ct.TensorType(name=tensor.name, shape=tensor.shape, dtype=dtype)


def evaluate(model_path: Path, inputs: Path, outputs: Path, entry: str | None = None) -> str:
    """Compute the outputs of a saved file with torch (see `Exporter.evaluator`)."""
    import torch

    model = _read(model_path)
    chosen = {} if entry is None else {"function": entry}
    batches = [model.evaluate(batch, **chosen) for batch in seeded.load_batches(inputs)]
    seeded.save_batches(outputs, batches)
    kind = "neural network" if model_path.suffix == ".mlmodel" else "ML Program"
    return f"mobilebench {kind} evaluator on torch {torch.__version__}"


EVALUATOR = Evaluator(f"{__name__}:{evaluate.__name__}", str)
PLUGIN: Exporter = CoremlExporter()
