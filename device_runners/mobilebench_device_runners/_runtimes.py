"""Put the runtimes of this machine behind one interface.

Only isolated processes import this module, with one runtime each. An inference reads arrays from
the memory of its process and returns arrays there. Copies into and out of a runtime's own buffers
are part of the inference, because an application needs them too.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from mobilebench.errors import UserError
from mobilebench.inputs import labels
from mobilebench.inputs.labels import LABELS_FILE
from mobilebench.measuring.performing import RuntimeModel
from mobilebench.values.measurement import UnitEvidence

Array = np.ndarray[Any, Any]
_ENTRIES = "mobilebench_entries"
"""The entry of an ONNX file's metadata that lists how its widths are chosen."""
_CHOICES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_}
"""Types of an input that chooses."""


class _InFloats:
    """A file with the inputs and outputs of the network, in floats."""

    def encode(self, inputs: Sequence[Array]) -> list[Array]:
        return list(inputs)

    def decode(self, outputs: Sequence[Array]) -> list[Array]:
        return list(outputs)


class OnnxRuntime:
    """ONNX Runtime with only its CPU execution provider."""

    evidence = UnitEvidence.CONFIRMED  # no other provider is registered

    def __init__(self) -> None:
        import onnxruntime

        self._library: Any = onnxruntime

    def version(self) -> str:
        return str(self._library.__version__)

    def load(self, model_path: Path, threads: int, entry: str | None = None) -> RuntimeModel:
        options = self._library.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        session = self._library.InferenceSession(
            str(model_path), options, providers=["CPUExecutionProvider"]
        )
        return _OnnxModel(session, None if entry is None else _choice(session, entry, model_path))


def _choice(session: Any, entry: str, model_path: Path) -> dict[str, Array]:
    """Return the value of the input that chooses an entry, such as `narrow=1`, by its name.

    Raises `UserError` where the file has no such entry.
    """
    listed = session.get_modelmeta().custom_metadata_map.get(_ENTRIES, "")
    name, _, value = entry.partition("=")
    inputs = (*session.get_inputs(), *session.get_overridable_initializers())
    types = {tensor.name: tensor.type for tensor in inputs}
    if (listed and entry not in listed.split(",")) or types.get(name) not in _CHOICES:
        raise _no_entry(entry, model_path, listed.split(",") if listed else ())
    return {name: np.array(int(value), _CHOICES[types[name]])}


def _no_entry(entry: str, model_path: Path, entries: Sequence[str]) -> UserError:
    has = f"it has {', '.join(entries)}" if entries else "it holds one network"
    return UserError(f"{model_path.name} was asked for its entry {entry!r}; {has}.")


class _OnnxModel(_InFloats):
    """A session, whose input that chooses an entry is filled in."""

    def __init__(self, session: Any, choice: Mapping[str, Array] | None = None) -> None:
        self._session = session
        self._choice = dict(choice or {})
        names = [tensor.name for tensor in session.get_inputs()]
        self._names = [name for name in names if name not in self._choice]

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        feeds = dict(zip(self._names, inputs, strict=True)) | self._choice
        outputs: list[Array] = self._session.run(None, feeds)
        return outputs

    def decode(self, outputs: Sequence[Any]) -> list[Array]:
        """Return the outputs; raises `ValueError` for one that is not an array of numbers."""
        for tensor, output in zip(self._session.get_outputs(), outputs, strict=True):
            if not isinstance(output, np.ndarray) or output.dtype.kind not in "biuf":
                raise ValueError(
                    f"the output {tensor.name} is {tensor.type}, and only tensors of numbers can "
                    f"be compared"
                )
        return list(outputs)


class LiteRT:
    """LiteRT (TensorFlow Lite) with XNNPACK, its default delegate."""

    evidence = UnitEvidence.CONFIRMED  # the interpreter gets no GPU or NPU delegate

    def __init__(self) -> None:
        from ai_edge_litert import interpreter

        self._library: Any = interpreter

    def version(self) -> str:
        return metadata.version("ai-edge-litert")

    def load(self, model_path: Path, threads: int, entry: str | None = None) -> RuntimeModel:
        interpreter = self._library.Interpreter(model_path=str(model_path), num_threads=threads)
        if entry is not None:
            signatures = list(interpreter.get_signature_list())
            if entry not in signatures:
                raise _no_entry(entry, model_path, signatures)
            return _LiteRTSignature(interpreter.get_signature_runner(entry))
        interpreter.allocate_tensors()
        return _LiteRTModel(interpreter)


class TFLiteRuntime(LiteRT):
    """TensorFlow Lite's own package, for boards for which LiteRT has none."""

    def __init__(self) -> None:
        from tflite_runtime import interpreter

        self._library: Any = interpreter

    def version(self) -> str:
        return f"{metadata.version('tflite-runtime')} (tflite-runtime)"


class _LiteRTModel:
    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        names = _signature_names(interpreter)
        self._inputs = _in_order(interpreter.get_input_details(), names)
        self._outputs = _in_order(interpreter.get_output_details(), names)

    def encode(self, inputs: Sequence[Array]) -> list[Array]:
        """Convert inputs as the file takes them, and fix the sizes that it leaves open."""
        pairs = list(zip(inputs, self._inputs, strict=True))
        if any(tuple(detail["shape"]) != array.shape for array, detail in pairs):
            for array, detail in pairs:
                self._interpreter.resize_tensor_input(detail["index"], array.shape, strict=True)
            self._interpreter.allocate_tensors()
        return [_quantize(array, detail) for array, detail in pairs]

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        for detail, array in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(detail["index"], array)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(detail["index"]) for detail in self._outputs]

    def decode(self, outputs: Sequence[Array]) -> list[Array]:
        return [
            _dequantize(array, detail) for array, detail in zip(outputs, self._outputs, strict=True)
        ]


class _LiteRTSignature:
    """One signature of a file that has several."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._inputs = _by_number(runner.get_input_details())
        self._outputs = _by_number(runner.get_output_details())

    def encode(self, inputs: Sequence[Array]) -> list[Array]:
        pairs = zip(inputs, self._inputs.values(), strict=True)
        return [_quantize(array, detail) for array, detail in pairs]

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        results = self._runner(**dict(zip(self._inputs, inputs, strict=True)))
        return [results[name] for name in self._outputs]

    def decode(self, outputs: Sequence[Array]) -> list[Array]:
        pairs = zip(outputs, self._outputs.values(), strict=True)
        return [_dequantize(array, detail) for array, detail in pairs]


def _by_number(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tensors of a signature in the order of their numbers, as `output_1`."""
    numbers = {name: re.fullmatch(r"(?:args|output)_(\d+)", name) for name in details}
    if not all(numbers.values()):
        return dict(details)
    return dict(sorted(details.items(), key=lambda item: int(item[0].rpartition("_")[2])))


def _signature_names(interpreter: Any) -> dict[int, str]:
    """Return the names of tensors in a file's only signature; empty for any other number."""
    signatures = list(interpreter.get_signature_list())
    if len(signatures) != 1:
        return {}
    runner = interpreter.get_signature_runner(signatures[0])
    sides = (runner.get_input_details(), runner.get_output_details())
    return {detail["index"]: name for side in sides for name, detail in side.items()}


def _in_order(details: Sequence[Any], names: Mapping[int, str]) -> list[Any]:
    """Return tensors in the model's order.

    LiteRT Torch numbers them in the signature (`args_0`, `output_1`) and may list them in another
    order. Every other file lists them in its own.
    """
    numbers = [re.fullmatch(r"(?:args|output)_(\d+)", names.get(d["index"], "")) for d in details]
    if not all(numbers):
        return list(details)
    return [
        d for _, d in sorted((int(n[1]), d) for n, d in zip(numbers, details, strict=True) if n)
    ]


def _quantize(array: Array, detail: Any) -> Array:
    """Convert an input to the type that the file takes, whole numbers included."""
    scale, zero = detail["quantization"]
    if array.dtype == detail["dtype"]:
        return array
    if not scale:
        return _narrowed(array, detail)
    limits = np.iinfo(detail["dtype"])
    levels = np.rint(array / scale) + zero
    encoded: Array = np.clip(levels, limits.min, limits.max).astype(detail["dtype"])
    return encoded


def _narrowed(array: Array, detail: Any) -> Array:
    """Convert whole numbers to the narrower type of the file, as int64 to int32.

    Raises `ValueError` for a number that it cannot hold, and leaves other types alone.
    """
    if not np.issubdtype(array.dtype, np.integer) or not np.issubdtype(detail["dtype"], np.integer):
        return array
    limits = np.iinfo(detail["dtype"])
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise ValueError(
            f"the input {detail['name']} holds numbers that the file's {limits.dtype} cannot hold"
        )
    narrowed: Array = array.astype(detail["dtype"])
    return narrowed


def _dequantize(array: Array, detail: Any) -> Array:
    scale, zero = detail["quantization"]
    if not scale or not np.issubdtype(array.dtype, np.integer):
        return array
    decoded: Array = ((array.astype(np.float32) - zero) * scale).astype(np.float32)
    return decoded


class ExecuTorch:
    """ExecuTorch's Python runtime; the program was lowered to its delegate ahead of time."""

    evidence = UnitEvidence.CONFIRMED  # the wheel contains CPU backends only

    def __init__(self) -> None:
        # This runtime takes and returns torch tensors; no other part of a runner needs torch.
        # `executorch.runtime` is a thin layer over the bindings that imports the whole compiler,
        # which would triple the import time of every measuring process.
        import torch
        from executorch.extension.pybindings import _C

        self._torch: Any = torch
        self._bindings: Any = _C

    def version(self) -> str:
        return metadata.version("executorch")

    def load(self, model_path: Path, threads: int, entry: str | None = None) -> RuntimeModel:
        self._bindings._unsafe_reset_threadpool(threads)
        program = self._bindings._load_program(
            str(model_path),
            program_verification=self._bindings.Verification.InternalConsistency,
        )
        if entry is not None:
            methods = [program.get_method_name(place) for place in range(program.num_methods())]
            if entry not in methods:
                raise _no_entry(entry, model_path, methods)
        return _ExecuTorchModel(program.load_method(entry or "forward"), program, self._torch)


class _ExecuTorchModel(_InFloats):
    def __init__(self, method: Any, program: Any, torch: Any) -> None:
        self._method = method
        self._program = program  # keeps the memory that the method reads alive
        self._from_numpy = torch.from_numpy

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        outputs = self._method([self._from_numpy(array) for array in inputs])
        return [output.numpy() for output in outputs]


class CoreML:
    """Core ML on macOS, restricted to the CPU by `computeUnits`."""

    evidence = UnitEvidence.CONFIRMED  # CPU_ONLY leaves no other unit

    def __init__(self) -> None:
        import coremltools

        self._library: Any = coremltools

    def version(self) -> str:
        return f"macOS {platform.mac_ver()[0]}"

    def load(self, model_path: Path, threads: int, entry: str | None = None) -> RuntimeModel:
        model = self._library.models.MLModel(
            str(model_path),
            compute_units=self._library.ComputeUnit.CPU_ONLY,
            **({} if entry is None else {"function_name": entry}),
        )
        labels_file = model_path.with_name(LABELS_FILE)
        class_labels = labels.read(labels_file) if labels_file.exists() else ()
        return _CoreMLModel(model, class_labels)


class _CoreMLModel:
    def __init__(self, model: Any, class_labels: Sequence[str]) -> None:
        description = model.get_spec().description
        self._model = model
        self._labels = class_labels
        self._inputs = list(description.input)
        # The label of a classifier is omitted: its scores determine it.
        self._outputs = [
            feature
            for feature in description.output
            if feature.type.WhichOneof("Type") != "stringType"
        ]

    def encode(self, inputs: Sequence[Array]) -> list[Any]:
        """Convert pixels to images for inputs that are images."""
        return [
            _image(array) if feature.type.WhichOneof("Type") == "imageType" else array
            for feature, array in zip(self._inputs, inputs, strict=True)
        ]

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        names = [feature.name for feature in self._inputs]
        outputs = self._model.predict(dict(zip(names, inputs, strict=True)))
        return [outputs[feature.name] for feature in self._outputs]

    def decode(self, outputs: Sequence[Any]) -> list[Array]:
        """Convert a classifier's scores, which come by label, to the order of its labels."""
        return [
            np.array([[output[label] for label in self._labels]], np.float32)
            if isinstance(output, dict)
            else np.asarray(output)
            for output in outputs
        ]


def _image(pixels: Array) -> Any:
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(pixels[0].transpose(1, 2, 0)))
