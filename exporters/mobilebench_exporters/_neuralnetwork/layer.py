"""Layer: one layer of a neural network with its weights; the table of what kinds of layer mean.

The meanings are those of Core ML's format specification (`NeuralNetwork.proto`). What it leaves
open is refused with an `EvaluationError`, never guessed. Everything is computed in float32: the
format does not say in which numbers a device computes, only in which weights are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mobilebench_exporters._mlprogram.call import EvaluationError


class Layer:
    """One layer; `parameters` is its message in the file."""

    def __init__(self, message: Any) -> None:
        self.name = str(message.name)
        self.kind = str(message.WhichOneof("layer"))
        self.inputs: list[str] = list(message.input)
        self.outputs: list[str] = list(message.output)
        self.parameters: Any = getattr(message, self.kind)
        self._weights: dict[str, Tensor] = {}

    def weights(self, field: str, shape: Sequence[int]) -> Tensor:
        """Stored numbers in float32, read once."""
        if field not in self._weights:
            self._weights[field] = self._read(field)
        return self._weights[field].reshape(list(shape))

    def _read(self, field: str) -> Tensor:
        stored = getattr(self.parameters, field)
        if stored.HasField("quantization") or stored.rawValue or stored.int8RawValue:
            raise self.refusal(f"its {field} have fewer than 16 bits")
        if stored.float16Value:
            numbers = np.frombuffer(stored.float16Value, np.float16).astype(np.float32)
        else:
            numbers = np.fromiter(stored.floatValue, np.float32, len(stored.floatValue))
        return torch.from_numpy(numbers)

    def refusal(self, found: str) -> EvaluationError:
        return EvaluationError(
            f"The evaluator does not compute this form of the layer {self.kind!r} "
            f"({self.name!r}): {found}."
        )


Meaning = Callable[[Layer, list[Tensor]], Tensor | Sequence[Tensor]]
KINDS: dict[str, Meaning] = {}
"""By kind of layer, as the file's field for it is called."""


def kind(*names: str) -> Callable[[Meaning], Meaning]:
    """Enter a function in the table as the meaning of these kinds of layer."""

    def enter(function: Meaning) -> Meaning:
        KINDS.update(dict.fromkeys(names, function))
        return function

    return enter
