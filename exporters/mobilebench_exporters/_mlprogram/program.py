"""Evaluate a saved Core ML ML Program on any machine, to verify it without Core ML.

Core ML predicts on Apple's systems only. Here coremltools' own reader reads the saved package, and
torch computes every operation, in the other files of this package. The reader is shared with the
converter. The computation is independent of it, so it reveals a program that was converted wrongly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from coremltools.converters.mil.frontend.milproto import load as milproto
from coremltools.converters.mil.mil.types import nptype_from_builtin
from coremltools.converters.mil.mil.types.symbolic import is_symbolic
from torch import Tensor

from mobilebench_exporters._coremltools import ct
from mobilebench_exporters._mlprogram.call import OPERATIONS, Call, EvaluationError, Value

Array = np.ndarray[Any, Any]

_CLASSIFY = "classify"
"""Maps scores to the best label and a dictionary; it computes nothing."""
_READ_ONLY = ("const", _CLASSIFY)
_CONSTANT = "constexpr_"
"""Prefix of operations that compute constants from constants, as for compressed weights."""
_WEIGHTS = Path("Data") / "com.apple.CoreML" / "weights"


class UnknownOperation(EvaluationError):
    """Raised if a program uses an operation that the evaluator does not know."""


class MLProgram:
    """A saved ML Program: its signature, its operations, and their evaluation.

    A package holds one function, `main`, or several by name. Inputs and outputs are in the order in
    which the function declares them. Images are passed as their RGB values, (1, 3, H, W). A
    classifier returns a label and the scores by label; here its output is the scores, in the order
    of the labels.
    """

    def __init__(self, program: Any, package: Path) -> None:
        self._program = program
        self._package = package
        self._constants: dict[str, dict[Any, Value]] = {}

    @classmethod
    def load(cls, package: Path) -> MLProgram:
        """Read a saved `.mlpackage`.

        Raises `EvaluationError` if the package does not exist, if it is another kind of Core ML
        model than an ML Program, or if its images are not RGB.
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
                    f"{package} takes {feature.name!r} as images in another channel order; the "
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
        """Return the shapes of the inputs; a dimension of any size is None."""
        return [_shape(variable) for variable in self._function("main").inputs.values()]

    @property
    def output_names(self) -> list[str]:
        return [variable.name for variable in self._function("main").outputs]

    @property
    def class_labels(self) -> list[str]:
        """Return the labels of a classifier; an empty list for any other program."""
        classifiers = [op for op in self._function("main").operations if op.op_type == _CLASSIFY]
        return [str(label) for op in classifiers for label in op.inputs["classes"].val]

    def op_histogram(self, function: str = "main") -> dict[str, int]:
        """Count the operations of each type, the most frequent first, without `const`."""
        operations = self._function(function).operations
        return dict(Counter(op.op_type for op in operations if op.op_type != "const").most_common())

    def evaluate(self, inputs: Sequence[Array], *, function: str = "main") -> list[Array]:
        """Compute a function's outputs for these inputs, cast to the declared dtypes.

        Every result has the dtype that the program declares for it. For float16, torch computes
        with half tensors, and sums of products in float32, rounded to half once. Floating outputs
        are returned as float32.

        Raises `UnknownOperation` before anything is computed. Raises `EvaluationError` if an input
        does not match its declaration, if a form of an operation is not supported, and if a result
        has another shape or kind of dtype than the program declares.
        """
        values = self._bind(inputs, function)
        for _ in self._steps(values, function):
            pass
        outputs = [cast(Tensor, values[v]) for v in self._outputs(function)]
        # Copies, because an output may itself be an input or a constant.
        return [(t.float() if t.is_floating_point() else t).numpy().copy() for t in outputs]

    def first_non_finite(self, inputs: Sequence[Array], *, function: str = "main") -> str | None:
        """Return type and name of the first operation that yields an infinity or NaN, or None.

        Constants are skipped: an attention mask may hold minus infinity on purpose.
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
        """Return the outputs of a function, with a classifier's scores in place of its label."""
        outputs = []
        for variable in self._function(function).outputs:
            op = variable.op
            if op is None or op.op_type != _CLASSIFY:
                outputs.append(variable)
            elif variable is op.outputs[0]:
                outputs.append(op.inputs["probabilities"])
        return outputs

    def _bind(self, inputs: Sequence[Array], function: str) -> dict[Any, Value]:
        """Return the values of a function's inputs, if all its operations are known."""
        self._refuse_unknown(function)
        parameters = self._function(function).inputs
        if len(inputs) != len(parameters):
            raise EvaluationError(
                f"{len(inputs)} inputs were given, but {self._package} takes {list(parameters)}."
            )
        values: dict[Any, Value] = {}
        for (name, variable), array in zip(parameters.items(), inputs, strict=True):
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
                    f"{self._package} uses as {op.name!r}; nothing was computed. Register a "
                    "function for it in mobilebench_exporters._mlprogram."
                )

    def _constant_values(self, function: str) -> dict[Any, Value]:
        """Return the constants of a function, which are computed once."""
        if function not in self._constants:
            constants: dict[Any, Value] = {}
            for op in self._function(function).operations:
                if op.op_type == "const" and not isinstance(op.outputs[0].val, list):
                    constants[op.outputs[0]] = _constant(op.outputs[0].val)
                elif op.op_type.startswith(_CONSTANT):
                    constants.update(zip(op.outputs, _compute(op, constants), strict=True))
            self._constants[function] = constants
        return self._constants[function]

    def _steps(self, values: dict[Any, Value], function: str) -> Iterator[tuple[Any, list[Tensor]]]:
        """Compute operation by operation into `values`, and drop values after their last use."""
        graph = self._function(function)
        values.update(self._constant_values(function))
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
    """Compute the results of one operation, and compare them with their declarations."""
    try:
        results = OPERATIONS[op.op_type](Call(op, values, _dtype(op.outputs[0])))
    except Exception as error:
        error.add_note(f"while evaluating the operation {op.op_type} {op.name}")
        raise
    tensors = [results] if isinstance(results, Tensor) else list(results)
    return [_as_declared(op, t, v) for t, v in zip(tensors, op.outputs, strict=True)]


def _as_declared(op: Any, result: Tensor, variable: Any) -> Tensor:
    """Return a result in its declared dtype.

    Raises `EvaluationError` if its shape is another, or if it is a float declared as an integer or
    the reverse: only `cast` may convert those.
    """
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
    expected = _shape(variable)
    return len(shape) == len(expected) and all(
        size in (None, actual) for size, actual in zip(expected, shape, strict=True)
    )


def _dtype(variable: Any) -> torch.dtype:
    return _tensor(np.empty(0, nptype_from_builtin(variable.dtype))).dtype


def _constant(value: Any) -> Value:
    return value if isinstance(value, str) else _tensor(np.asarray(value))


def _tensor(array: Array) -> Tensor:
    """Return an array as a tensor, which shares its memory if possible."""
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))
