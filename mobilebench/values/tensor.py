"""Name, shape and element type of one input or output of a network."""

from __future__ import annotations

import math
import re
from enum import StrEnum

from mobilebench.errors import UserError
from mobilebench.values import value

MOST_ELEMENTS = 2**31 - 1
"""Numbers in a tensor that 32 bits can count, as the runtimes of phones do."""


class DType(StrEnum):
    """Element types that cross mobilebench's seams; values are numpy's names."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    INT8 = "int8"
    UINT8 = "uint8"
    INT32 = "int32"
    INT64 = "int64"
    BOOL = "bool"

    @property
    def is_float(self) -> bool:
        """Whether its elements are floats, not whole numbers or masks."""
        return self in (DType.FLOAT32, DType.FLOAT16)


@value
class TensorSpec:
    """One tensor of a static graph; images are (N, C, H, W)."""

    name: str
    shape: tuple[int, ...]
    dtype: DType = DType.FLOAT32

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.shape):
            raise UserError(
                f"Tensor {self.name!r} was given the shape {self.shape}; every size must be a "
                f"positive number, because phone formats are exported with static shapes."
            )

        if self.elements > MOST_ELEMENTS:
            raise UserError(
                f"Tensor {self.name!r} was given the shape {self.shape}, which are {self.elements} "
                f"numbers; phone formats hold at most {MOST_ELEMENTS} in a tensor."
            )

    @property
    def elements(self) -> int:
        """Number of elements of the tensor."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        return f"{self.name} {'x'.join(map(str, self.shape)) or 'scalar'} {self.dtype}"


@value
class Sizes:
    """Sizes that a user states for an input of a file."""

    shape: tuple[int, ...]
    name: str | None = None
    """None for the only input, or the next in order."""


_SIZES = re.compile(r"(?:(?P<name>.+)=)?(?P<shape>\d+(?:x\d+)*)")


def parse_sizes(text: str) -> Sizes:
    """Read `1x3x320x320` or `image=1x3x320x320`, with the name as the file spells it.

    Raises `UserError` for a text of any other form.
    """
    match = _SIZES.fullmatch(text.strip())
    shape = tuple(int(size) for size in match["shape"].split("x")) if match else (0,)
    if match is None or 0 in shape:
        raise UserError(
            f"The input {text!r} states no sizes; write positive numbers with x between them, such "
            f"as 1x3x320x320, or with the input's name: image=1x3x320x320. The types of a model "
            f"file's inputs are its own."
        )
    return Sizes(shape=shape, name=match["name"])


_SPELLING = re.compile(r"(?:(?P<name>\w+)=)?(?P<shape>\d+(?:x\d+)*)(?::(?P<dtype>\w+))?")


def parse_tensor(text: str, name: str = "input") -> TensorSpec:
    """Read `1x3x224x224`, `image=1x3x224x224` or `tokens=1x77:int64` as a `TensorSpec`.

    Raises `UserError` for a text of any other form.
    """
    match = _SPELLING.fullmatch(text.strip())
    if match is None:
        raise UserError(
            f"The input {text!r} is not a shape; write the sizes with x between them, for "
            f"example 1x3x224x224, or with a name and a type: tokens=1x77:int64."
        )
    dtype = match["dtype"] or DType.FLOAT32.value
    if dtype not in {d.value for d in DType}:
        raise UserError(
            f"The input {text!r} asks for the type {dtype!r}; known are "
            f"{', '.join(d.value for d in DType)}."
        )
    shape = tuple(int(size) for size in match["shape"].split("x"))
    return TensorSpec(name=match["name"] or name, shape=shape, dtype=DType(dtype))
