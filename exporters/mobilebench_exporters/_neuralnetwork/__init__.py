"""Evaluate saved Core ML neural networks with torch; importing it registers all layers."""

from mobilebench_exporters import _coremltools  # noqa: F401 - before anything imports coremltools
from mobilebench_exporters._neuralnetwork import (  # noqa: F401 - each registers its layers
    elementwise,
    products,
    shapes,
    windows,
)
from mobilebench_exporters._neuralnetwork.layer import KINDS, Layer, kind
from mobilebench_exporters._neuralnetwork.network import NeuralNetwork, UnknownLayer

__all__ = ["KINDS", "Layer", "NeuralNetwork", "UnknownLayer", "kind"]
