"""Evaluates a saved Core ML ML Program on any machine, to verify it without Core ML.

Core ML predicts on Apple's systems only. Here the saved package is read back with coremltools'
own reader and every operation is computed with torch, by the other files of this package.
Reading is shared with the converter; computing is independent of it, so a program that was
converted wrongly shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import coremltools as ct
import numpy as np
import torch
from coremltools.converters.mil.frontend.milproto import load as milproto
from coremltools.converters.mil.mil.types import nptype_from_builtin
from coremltools.converters.mil.mil.types.symbolic import is_symbolic
from torch import Tensor

from mobilebench_exporters._mlprogram.call import OPERATIONS, Call, EvaluationError, Value

Array = np.ndarray[Any, Any]

_CLASSIFY = "classify"
"""Turns scores into the best label and a dictionary; it computes nothing."""
_READ_ONLY = ("const", _CLASSIFY)
_CONSTANT = "constexpr_"
"""Begins the names of operations that make a constant of constants, as of compressed weights."""
_WEIGHTS = Path("Data") / "com.apple.CoreML" / "weights"


class UnknownOperation(EvaluationError):
    """A program uses an operation that the evaluator does not know."""


class MLProgram:
    """A saved ML Program: its signature, its operations, and what it computes.

    A package holds one function, `main`, or several by name. Inputs and outputs of a function
    are always taken and given in the order in which the function declares them. Images are given
    as their RGB values, (1, 3, H, W). Of a classifier, which answers with a label and the scores
    by label, the output is the scores, in the order of the labels.
    """

    def __init__(self, program: Any, package: Path) -> None:
        self._program = program
        self._package = package
        self._constants: dict[str, dict[Any, Value]] = {}

    @classmethod
    def load(cls, package: Path) -> MLProgram:
        """Read a saved `.mlpackage`.

        Raises `EvaluationError` where there is none, and where it is a Core ML model of another
        kind than an ML Program.
        """
        if not package.exists():
            raise EvaluationError(f"{package} was to be evaluated, but it does not exist.")
        spec = ct.utils.load_spec(str(package))
        kind = spec.WhichOneof("Type")
        if kind != "mlProgram":
            raise EvaluationError(
                f"{package} was to be evaluated as an ML Program, but it is a {kind!r} model; "
                "convert it with convert_to='mlprogram'."
            )
        for feature in spec.description.input:
            image = feature.type.imageType
            if feature.type.WhichOneof("Type") == "imageType" and image.colorSpace != image.RGB:
                raise EvaluationError(
                    f"{package} takes {feature.name!r} as images in another order than RGB; the "
                    "evaluator takes RGB only."
                )
        weights = str(package / _WEIGHTS)
        return cls(milproto.load(spec, spec.specificationVersion, weights), package)

    @property
    def functions(self) -> list[str]:
        return list(self._program.functions)

    @property
    def input_names(self) -> list[str]:
        return list(self._function("main").inputs)

    @property
    def input_shapes(self) -> list[tuple[int | None, ...]]:
        """Shapes of the inputs; a dimension is None where any size is allowed."""
        return [_shape(variable) for variable in self._function("main").inputs.values()]

    @property
    def output_names(self) -> list[str]:
        return [variable.name for variable in self._function("main").outputs]

    @property
    def class_labels(self) -> list[str]:
        """Empty where it is no classifier."""
        found = [op for op in self._function("main").operations if op.op_type == _CLASSIFY]
        return [str(label) for op in found for label in op.inputs["classes"].val]

    def op_histogram(self, function: str = "main") -> dict[str, int]:
        """How many operations there are of each type, the most frequent first, without `const`."""
        operations = self._function(function).operations
        return dict(Counter(op.op_type for op in operations if op.op_type != "const").most_common())

    def evaluate(self, inputs: Sequence[Array], *, function: str = "main") -> list[Array]:
        """Outputs of a function for these inputs, which are cast to the declared dtypes.

        Every result has the dtype that the program declares for it: where that is float16, torch
        computes with half tensors, and sums of products in float32, rounded to half once. Floating
        outputs are given as float32.

        Raises `UnknownOperation` before anything is computed, and `EvaluationError` for inputs
        that do not fit, for a form of an operation that is not supported, and for a result that
        is not what the program declares.
        """
        values = self._bind(inputs, function)
        for _ in self._steps(values, function):
            pass
        outputs = [cast(Tensor, values[v]) for v in self._outputs(function)]
        # Copied, because an output may be an input or a constant itself.
        return [(t.float() if t.is_floating_point() else t).numpy().copy() for t in outputs]

    def first_non_finite(self, inputs: Sequence[Array], *, function: str = "main") -> str | None:
        """Type and name of the first operation that gives an infinity or NaN; None without one.

        Constants are passed over: an attention mask may hold minus infinity on purpose.
        """
        for op, results in self._steps(self._bind(inputs, function), function):
            if any(r.is_floating_point() and not r.isfinite().all() for r in results):
                return f"{op.op_type} {op.name}"
        return None

    def _function(self, name: str) -> Any:
        if name not in self._program.functions:
            raise EvaluationError(
                f"{self._package} has no function {name!r}; it has {', '.join(self.functions)}."
            )
        return self._program.functions[name]

    def _outputs(self, function: str) -> list[Any]:
        """What a function computes: its outputs, but for a classifier's answer its scores."""
        found = []
        for variable in self._function(function).outputs:
            op = variable.op
            if op is None or op.op_type != _CLASSIFY:
                found.append(variable)
            elif variable is op.outputs[0]:
                found.append(op.inputs["probabilities"])
        return found

    def _bind(self, inputs: Sequence[Array], function: str) -> dict[Any, Value]:
        """The values of a function's inputs, after checking that it can be evaluated at all."""
        self._refuse_unknown(function)
        declared = self._function(function).inputs
        if len(inputs) != len(declared):
            raise EvaluationError(
                f"{len(inputs)} inputs were given, {self._package} takes {list(declared)}."
            )
        values: dict[Any, Value] = {}
        for (name, variable), array in zip(declared.items(), inputs, strict=True):
            if not _fits(array.shape, variable):
                raise EvaluationError(
                    f"Input {name!r} was given with shape {tuple(array.shape)}; "
                    f"{self._package} declares {_shape(variable)}."
                )
            values[variable] = _tensor(array.astype(nptype_from_builtin(variable.dtype)))
        return values

    def _refuse_unknown(self, function: str) -> None:
        for op in self._function(function).operations:
            if op.op_type not in (*_READ_ONLY, *OPERATIONS):
                raise UnknownOperation(
                    f"The evaluator does not know the operation {op.op_type!r}, which "
                    f"{self._package} uses as {op.name!r}; nothing was computed. Enter its "
                    "meaning in the table of mobilebench_exporters._mlprogram."
                )

    def _fixed(self, function: str) -> dict[Any, Value]:
        """The constants of a function, which are computed once."""
        if function not in self._constants:
            found: dict[Any, Value] = {}
            for op in self._function(function).operations:
                if op.op_type == "const" and not isinstance(op.outputs[0].val, list):
                    found[op.outputs[0]] = _constant(op.outputs[0].val)
                elif op.op_type.startswith(_CONSTANT):
                    found.update(zip(op.outputs, _compute(op, found), strict=True))
            self._constants[function] = found
        return self._constants[function]

    def _steps(self, values: dict[Any, Value], function: str) -> Iterator[tuple[Any, list[Tensor]]]:
        """Compute operation by operation into `values`, and drop what is not needed any more."""
        graph = self._function(function)
        values.update(self._fixed(function))
        uses = Counter(v for op in graph.operations for v in op.get_flattened_inputs())
        uses.update(self._outputs(function))
        for op in graph.operations:
            if op.op_type in _READ_ONLY or op.op_type.startswith(_CONSTANT):
                continue
            results = _compute(op, values)
            values.update(zip(op.outputs, results, strict=True))
            yield op, results
            for variable in op.get_flattened_inputs():
                uses[variable] -= 1
                if not uses[variable]:
                    del values[variable]


def _compute(op: Any, values: dict[Any, Value]) -> list[Tensor]:
    """The results of one operation, checked against what the program declares."""
    try:
        results = OPERATIONS[op.op_type](Call(op, values, _dtype(op.outputs[0])))
    except Exception as error:
        error.add_note(f"while evaluating the operation {op.op_type} {op.name}")
        raise
    tensors = [results] if isinstance(results, Tensor) else list(results)
    return [_as_declared(op, t, v) for t, v in zip(tensors, op.outputs, strict=True)]


def _as_declared(op: Any, result: Tensor, variable: Any) -> Tensor:
    """The result in its declared dtype; only `cast` may turn a float into an integer or back."""
    dtype = _dtype(variable)
    if not _fits(result.shape, variable) or result.is_floating_point() != dtype.is_floating_point:
        raise EvaluationError(
            f"{op.op_type} {op.name} was evaluated to {tuple(result.shape)} {result.dtype}, but "
            f"the program declares {_shape(variable)} {dtype}: this form of it is not supported."
        )
    return result.to(dtype)


def _shape(variable: Any) -> tuple[int | None, ...]:
    return tuple(None if is_symbolic(size) else int(size) for size in variable.shape)


def _fits(shape: Sequence[int], variable: Any) -> bool:
    declared = _shape(variable)
    return len(shape) == len(declared) and all(
        size in (None, given) for size, given in zip(declared, shape, strict=True)
    )


def _dtype(variable: Any) -> torch.dtype:
    return _tensor(np.empty(0, nptype_from_builtin(variable.dtype))).dtype


def _constant(value: Any) -> Value:
    return value if isinstance(value, str) else _tensor(np.asarray(value))


def _tensor(array: Array) -> Tensor:
    """Shares the memory of the array where that can be."""
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))
