"""Define a call of an operation, and the table that maps operations to functions.

Every function follows the definition of its operation in coremltools, iOS 15 to 18
(`coremltools/converters/mil/mil/ops/defs`); none of that code is run here. Operands have the dtype
in which they are stored, so a half-precision program is computed with half tensors. Forms that a
definition leaves open are refused with an `EvaluationError`, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mobilebench.errors import MobilebenchError

Value = Tensor | str
Pairs = list[tuple[int, int]]
"""Padding before and after each dimension; a negative number crops."""


class EvaluationError(MobilebenchError):
    """Raised if the evaluator cannot compute an ML Program, or a part of one."""


class Call:
    """One operation with the values of its operands.

    `dtype` is the torch dtype that the program declares for the (first) result.
    """

    def __init__(self, op: Any, values: Mapping[Any, Value], dtype: torch.dtype) -> None:
        self._op = op
        self._values = values
        self.dtype = dtype

    @property
    def outputs(self) -> int:
        return len(self._op.outputs)

    @property
    def opset(self) -> int:
        """Return the specification version that defines this form of the operation."""
        return int(self._op.opset_version)

    def has(self, name: str) -> bool:
        return name in self._op.inputs

    def tensor(self, name: str = "x") -> Tensor:
        return self._tensor(name, self._op.inputs[name])

    def real(self, name: str = "x") -> Tensor:
        """Return an operand in the dtype of the result; from iOS 17 its own may differ."""
        return self.tensor(name).to(self.dtype)

    def maybe_real(self, name: str) -> Tensor | None:
        return self.real(name) if self.has(name) else None

    def factor(self, name: str = "x") -> Tensor:
        """Return `real` for sums of products: half precision becomes float32.

        The result is rounded to half precision once, as in torch's own half kernels, which are many
        times slower on a CPU.
        """
        return _in_single(self.real(name))

    def maybe_factor(self, name: str) -> Tensor | None:
        return self.factor(name) if self.has(name) else None

    def tensors(self, name: str) -> list[Tensor]:
        return [self._tensor(name, variable) for variable in self._op.inputs[name]]

    def factors(self, name: str) -> list[Tensor]:
        return [_in_single(tensor) for tensor in self.tensors(name)]

    def _tensor(self, name: str, variable: Any) -> Tensor:
        value = self._values[variable]
        if not isinstance(value, Tensor):
            raise self.refusal(f"its {name} is text: {value!r}")
        return value

    def ints(self, name: str) -> list[int]:
        return [int(number) for number in self.tensor(name).reshape(-1).tolist()]

    def flags(self, name: str, count: int) -> list[bool]:
        """Return `count` flags; all are false if the parameter is absent."""
        return [bool(n) for n in self.ints(name)] if self.has(name) else [False] * count

    def integer(self, name: str) -> int:
        return int(self.tensor(name).item())

    def number(self, name: str) -> float:
        return float(self.tensor(name).item())

    def flag(self, name: str, default: bool = False) -> bool:
        return bool(self.tensor(name).item()) if self.has(name) else default

    def text(self, name: str) -> str:
        value = self._values[self._op.inputs[name]]
        if not isinstance(value, str):
            raise self.refusal(f"its {name} is not text")
        return value

    def refusal(self, reason: str) -> EvaluationError:
        return EvaluationError(
            f"The evaluator does not compute this form of {self._op.op_type!r} "
            f"(operation {self._op.name!r}): {reason}."
        )


def _in_single(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype is torch.float16 else tensor


Operation = Callable[[Call], Tensor | Sequence[Tensor]]
OPERATIONS: dict[str, Operation] = {}
"""Functions by type of operation, except `const`, which is read and not computed."""


def operation(*types: str) -> Callable[[Operation], Operation]:
    """Register a function for these types of operation."""

    def enter(function: Operation) -> Operation:
        OPERATIONS.update(dict.fromkeys(types, function))
        return function

    return enter
