"""Call: one operation with the values of its operands; the table of what operations mean.

The meaning of every operation is taken from coremltools' definitions, iOS 15 to 18
(`coremltools/converters/mil/mil/ops/defs`); none of its code is run here. Operands have the dtype
in which they are stored, so a half-precision program is computed with half tensors. What an
operation leaves open is refused with an `EvaluationError`, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mobilebench.errors import MobilebenchError

Value = Tensor | str
Pairs = list[tuple[int, int]]
"""What is added before and after each dimension; a negative number takes away."""


class EvaluationError(MobilebenchError):
    """An ML Program, or a part of one, that the evaluator cannot compute."""


class Call:
    """One operation together with the values of its operands.

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
        """The specification version that defined this form of the operation."""
        return int(self._op.opset_version)

    def has(self, name: str) -> bool:
        return name in self._op.inputs

    def tensor(self, name: str = "x") -> Tensor:
        return self._tensor(name, self._op.inputs[name])

    def real(self, name: str = "x") -> Tensor:
        """The tensor in the dtype of the result; from iOS 17 on a parameter may have another."""
        return self.tensor(name).to(self.dtype)

    def maybe_real(self, name: str) -> Tensor | None:
        return self.real(name) if self.has(name) else None

    def factor(self, name: str = "x") -> Tensor:
        """`real`, of which sums of products are taken: half precision as float32.

        The result is rounded to half once, as torch's own kernels for half do, which on a CPU are
        many times slower.
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
        """Absent means all false."""
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

    def refusal(self, found: str) -> EvaluationError:
        return EvaluationError(
            f"The evaluator does not compute this form of {self._op.op_type!r} "
            f"(operation {self._op.name!r}): {found}."
        )


def _in_single(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype is torch.float16 else tensor


Operation = Callable[[Call], Tensor | Sequence[Tensor]]
OPERATIONS: dict[str, Operation] = {}
"""By type of operation; `const` is read, not computed, and is not here."""


def operation(*types: str) -> Callable[[Operation], Operation]:
    """Enter a function in the table as the meaning of these types of operation."""

    def enter(function: Operation) -> Operation:
        OPERATIONS.update(dict.fromkeys(types, function))
        return function

    return enter
