"""Evaluate a saved Core ML neural network on any machine, to verify it without Core ML.

This is the format before ML Programs: a list of layers. They are read here directly from the
protocol buffer of the file. Every layer is computed with torch, by the other files of this package.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from coremltools.proto import NeuralNetwork_pb2
from torch import Tensor

from mobilebench_exporters._coremltools import ct
from mobilebench_exporters._mlprogram.call import EvaluationError
from mobilebench_exporters._neuralnetwork.layer import KINDS, Layer

Array = np.ndarray[Any, Any]

_KINDS_OF_MODEL = ("neuralNetwork", "neuralNetworkClassifier")


class UnknownLayer(EvaluationError):
    """Raised if a network has a kind of layer that the evaluator does not know."""


class NeuralNetwork:
    """A saved neural network: its signature, its layers, and their evaluation.

    Inputs and outputs are in the order in which the file declares them. The output of a classifier
    is its scores, in the order of its labels.
    """

    def __init__(self, spec: Any, path: Path) -> None:
        self._path = path
        self._description = spec.description
        self._classifier = spec.WhichOneof("Type") == "neuralNetworkClassifier"
        self._network: Any = getattr(spec, spec.WhichOneof("Type"))
        self._layers = [Layer(message) for message in self._network.layers]

    @classmethod
    def load(cls, path: Path) -> NeuralNetwork:
        """Read a saved `.mlmodel` or package.

        Raises `EvaluationError` if the file does not exist, or if it is another kind of Core ML
        model than a neural network.
        """
        if not path.exists():
            raise EvaluationError(f"{path} was to be evaluated, but it does not exist.")
        spec = ct.utils.load_spec(str(path))
        kind = spec.WhichOneof("Type")
        if kind not in _KINDS_OF_MODEL:
            raise EvaluationError(
                f"{path} was to be evaluated as a neural network, but it is a {kind!r} model."
            )
        return cls(spec, path)

    @property
    def class_labels(self) -> list[str]:
        """Return the labels of a classifier; an empty list for any other network."""
        return list(self._network.stringClassLabels.vector) if self._classifier else []

    def op_histogram(self) -> dict[str, int]:
        """Count the layers of each kind, the most frequent first, without constants."""
        kinds = (layer.kind for layer in self._layers if layer.kind != "loadConstantND")
        return dict(Counter(kinds).most_common())

    def evaluate(self, inputs: Sequence[Array]) -> list[Array]:
        """Compute the outputs for these inputs, in float32.

        Raises `UnknownLayer` before anything is computed. Raises `EvaluationError` if an input does
        not match its declaration, and if a form of a layer is not supported.
        """
        self._refuse_unknown()
        values = self._bind(inputs)
        for layer in self._layers:
            try:
                results = KINDS[layer.kind](layer, [values[name] for name in layer.inputs])
            except Exception as error:
                error.add_note(f"while evaluating the layer {layer.kind} {layer.name}")
                raise
            tensors = [results] if isinstance(results, Tensor) else list(results)
            values.update(zip(layer.outputs, tensors, strict=True))
        return [values[name].numpy().copy() for name in self._output_names()]

    def _output_names(self) -> list[str]:
        if self._classifier:
            scores = self._network.labelProbabilityLayerName or self._layers[-1].outputs[0]
            return [scores]
        return [feature.name for feature in self._description.output]

    def _refuse_unknown(self) -> None:
        for layer in self._layers:
            if layer.kind not in KINDS:
                raise UnknownLayer(
                    f"The evaluator does not know the layer {layer.kind!r}, which {self._path} "
                    f"uses as {layer.name!r}; nothing was computed. Register a function for it in "
                    f"mobilebench_exporters._neuralnetwork."
                )

    def _bind(self, inputs: Sequence[Array]) -> dict[str, Tensor]:
        features = list(self._description.input)
        if len(inputs) != len(features):
            raise EvaluationError(
                f"{len(inputs)} inputs were given, but {self._path} takes {len(features)}."
            )
        for feature, array in zip(features, inputs, strict=True):
            self._require_fitting(feature, array)
        return {
            feature.name: self._preprocess(
                feature.name, torch.from_numpy(np.ascontiguousarray(array, np.float32))
            )
            for feature, array in zip(features, inputs, strict=True)
        }

    def _preprocess(self, name: str, x: Tensor) -> Tensor:
        """Scale and shift an image as the format does: with one scale for all channels."""
        for step in self._network.preprocessing:
            if step.featureName not in ("", name):
                continue
            if not step.HasField("scaler"):
                raise EvaluationError(
                    f"{self._path} takes a mean image from its input {name!r}, which the "
                    f"evaluator does not compute."
                )
            scaler = step.scaler
            biases = torch.tensor([scaler.redBias, scaler.greenBias, scaler.blueBias])
            x = scaler.channelScale * x + biases.reshape(3, 1, 1)
        return x

    def _require_fitting(self, feature: Any, array: Array) -> None:
        """Raise `EvaluationError` unless an input has the shape that the file declares."""
        network = self._network
        if feature.type.WhichOneof("Type") == "imageType":
            image = feature.type.imageType
            shape = (1, 3, image.height, image.width)
            keeps_rank = network.imageInputShapeMapping == NeuralNetwork_pb2.RANK4_IMAGE_MAPPING
            if image.colorSpace != image.RGB:
                raise EvaluationError(
                    f"{self._path} takes images in another channel order than RGB; the evaluator "
                    f"takes RGB only."
                )
        else:
            shape = tuple(feature.type.multiArrayType.shape)
            keeps_rank = network.arrayInputShapeMapping == NeuralNetwork_pb2.EXACT_ARRAY_MAPPING
        if not keeps_rank:
            raise EvaluationError(
                f"{self._path} expands its inputs to five dimensions, as versions before iOS 13 "
                f"do; the evaluator supports later versions only."
            )
        if array.shape != shape:
            raise EvaluationError(
                f"Input {feature.name!r} was given with shape {array.shape}; {self._path} "
                f"declares {shape}."
            )
