"""Define a layer of a neural network, and the table that maps kinds of layer to functions.

The functions follow Core ML's format specification (`NeuralNetwork.proto`). Forms that it leaves
open are refused with an `EvaluationError`, never guessed. Everything is computed in float32: the
format specifies the precision in which weights are stored, but not the one in which a device
computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mobilebench_exporters._mlprogram.call import EvaluationError


class Layer:
    """One layer of a network; `parameters` is its message in the file."""

    def __init__(self, message: Any) -> None:
        self.name = str(message.name)
        self.kind = str(message.WhichOneof("layer"))
        self.inputs: list[str] = list(message.input)
        self.outputs: list[str] = list(message.output)
        self.parameters: Any = getattr(message, self.kind)
        self._weights: dict[str, Tensor] = {}

    def weights(self, field: str, shape: Sequence[int]) -> Tensor:
        """Return the weights of a field in float32; they are read once.

        Raises `EvaluationError` if they have fewer than 16 bits.
        """
        if field not in self._weights:
            self._weights[field] = self._read(field)
        return self._weights[field].reshape(list(shape))

    def _read(self, field: str) -> Tensor:
        weights = getattr(self.parameters, field)
        if weights.HasField("quantization") or weights.rawValue or weights.int8RawValue:
            raise self.refusal(f"its {field} have fewer than 16 bits")
        if weights.float16Value:
            numbers = np.frombuffer(weights.float16Value, np.float16).astype(np.float32)
        else:
            numbers = np.fromiter(weights.floatValue, np.float32, len(weights.floatValue))
        return torch.from_numpy(numbers)

    def refusal(self, reason: str) -> EvaluationError:
        return EvaluationError(
            f"The evaluator does not compute this form of the layer {self.kind!r} "
            f"({self.name!r}): {reason}."
        )


Meaning = Callable[[Layer, list[Tensor]], Tensor | Sequence[Tensor]]
KINDS: dict[str, Meaning] = {}
"""Functions by kind of layer, which is the name of its field in the file."""


def kind(*names: str) -> Callable[[Meaning], Meaning]:
    """Register a function for these kinds of layer."""

    def enter(function: Meaning) -> Meaning:
        KINDS.update(dict.fromkeys(names, function))
        return function

    return enter
