"""The runtimes of this machine behind one interface. Imported in cells only, one per process.

One inference takes arrays in this process's memory and leaves arrays there: copies into and out
of a runtime's own buffers are part of it, because an application pays them too.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mobilebench.inputs import labels
from mobilebench.inputs.labels import LABELS_FILE
from mobilebench.values.measurement import UnitEvidence

Array = np.ndarray[Any, Any]


class Session(Protocol):
    """A loaded artifact."""

    def encode(self, inputs: Sequence[Array]) -> list[Array]:
        """The network's inputs as the file takes them: the same, or in 8 bits."""

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Outputs in the model's order, for encoded inputs."""

    def decode(self, outputs: Sequence[Array]) -> list[Array]:
        """Outputs as the network gives them; the opposite of `encode`."""


class _InFloats:
    """A file whose inputs and outputs are those of the network."""

    def encode(self, inputs: Sequence[Array]) -> list[Array]:
        return list(inputs)

    def decode(self, outputs: Sequence[Array]) -> list[Array]:
        return list(outputs)


class Runtime(Protocol):
    """One inference library; constructing it imports the library."""

    evidence: UnitEvidence
    """How sure it is that a session computes on the CPU."""

    def version(self) -> str: ...

    def load(self, model_path: Path, threads: int) -> Session: ...


class OnnxRuntime:
    """ONNX Runtime with its CPU execution provider alone."""

    evidence = UnitEvidence.CONFIRMED  # no other provider is registered

    def __init__(self) -> None:
        import onnxruntime

        self._library: Any = onnxruntime

    def version(self) -> str:
        return str(self._library.__version__)

    def load(self, model_path: Path, threads: int) -> Session:
        options = self._library.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        session = self._library.InferenceSession(
            str(model_path), options, providers=["CPUExecutionProvider"]
        )
        return _OnnxSession(session)


class _OnnxSession(_InFloats):
    def __init__(self, session: Any) -> None:
        self._session = session
        self._names = [tensor.name for tensor in session.get_inputs()]

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        outputs: list[Array] = self._session.run(None, dict(zip(self._names, inputs, strict=True)))
        return outputs


class LiteRT:
    """LiteRT (TensorFlow Lite) with XNNPACK, which it applies by itself."""

    evidence = UnitEvidence.CONFIRMED  # no GPU or NPU delegate is given to the interpreter

    def __init__(self) -> None:
        from ai_edge_litert import interpreter

        self._library: Any = interpreter

    def version(self) -> str:
        return metadata.version("ai-edge-litert")

    def load(self, model_path: Path, threads: int) -> Session:
        interpreter = self._library.Interpreter(model_path=str(model_path), num_threads=threads)
        interpreter.allocate_tensors()
        return _LiteRTSession(interpreter)


class _LiteRTSession:
    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._inputs = _in_order(interpreter.get_input_details())
        self._outputs = _in_order(interpreter.get_output_details())

    def encode(self, inputs: Sequence[Array]) -> list[Array]:
        return [
            _quantized(array, detail) for array, detail in zip(inputs, self._inputs, strict=True)
        ]

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        for detail, array in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(detail["index"], array)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(detail["index"]) for detail in self._outputs]

    def decode(self, outputs: Sequence[Array]) -> list[Array]:
        return [
            _dequantized(array, detail)
            for array, detail in zip(outputs, self._outputs, strict=True)
        ]


def _in_order(details: Sequence[Any]) -> list[Any]:
    """Tensors by the number in their names (`..._args_0`), which counts the model's own order;
    the file may list them in another."""

    def numbers(detail: Any) -> list[int]:
        return [int(digits) for digits in re.findall(r"\d+", detail["name"])]

    return sorted(details, key=numbers)


def _quantized(array: Array, detail: Any) -> Array:
    scale, zero = detail["quantization"]
    if not scale or array.dtype == detail["dtype"]:
        return array
    limits = np.iinfo(detail["dtype"])
    stored = np.rint(array / scale) + zero
    encoded: Array = np.clip(stored, limits.min, limits.max).astype(detail["dtype"])
    return encoded


def _dequantized(array: Array, detail: Any) -> Array:
    scale, zero = detail["quantization"]
    if not scale or not np.issubdtype(array.dtype, np.integer):
        return array
    decoded: Array = ((array.astype(np.float32) - zero) * scale).astype(np.float32)
    return decoded


class ExecuTorch:
    """ExecuTorch's Python runtime; the program was lowered to its delegate ahead of time."""

    evidence = UnitEvidence.CONFIRMED  # the wheel carries CPU backends only

    def __init__(self) -> None:
        # This runtime takes and returns torch tensors: the one place where a runner needs torch.
        # `executorch.runtime` puts a thin layer over the bindings, and imports the whole compiler
        # for it (three times the seconds, of every measuring process).
        import torch
        from executorch.extension.pybindings import _C

        self._torch: Any = torch
        self._bindings: Any = _C

    def version(self) -> str:
        return metadata.version("executorch")

    def load(self, model_path: Path, threads: int) -> Session:
        self._bindings._unsafe_reset_threadpool(threads)
        program = self._bindings._load_program(
            str(model_path),
            program_verification=self._bindings.Verification.InternalConsistency,
        )
        return _ExecuTorchSession(program.load_method("forward"), program, self._torch)


class _ExecuTorchSession(_InFloats):
    def __init__(self, method: Any, program: Any, torch: Any) -> None:
        self._method = method
        self._program = program  # the method reads the program's memory
        self._from_numpy = torch.from_numpy

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        outputs = self._method([self._from_numpy(array) for array in inputs])
        return [output.numpy() for output in outputs]


class CoreML:
    """Core ML on macOS, held to the CPU by `computeUnits`."""

    evidence = UnitEvidence.CONFIRMED  # CPU_ONLY leaves no other unit

    def __init__(self) -> None:
        import coremltools

        self._library: Any = coremltools

    def version(self) -> str:
        return f"macOS {platform.mac_ver()[0]}"

    def load(self, model_path: Path, threads: int) -> Session:
        model = self._library.models.MLModel(
            str(model_path), compute_units=self._library.ComputeUnit.CPU_ONLY
        )
        written = model_path.with_name(LABELS_FILE)
        return _CoreMLSession(model, labels.read(written) if written.exists() else ())


class _CoreMLSession:
    def __init__(self, model: Any, class_labels: Sequence[str]) -> None:
        description = model.get_spec().description
        self._model = model
        self._labels = class_labels
        self._inputs = list(description.input)
        # A classifier's answer, the label, is left out: its scores say the same.
        self._outputs = [
            feature
            for feature in description.output
            if feature.type.WhichOneof("Type") != "stringType"
        ]

    def encode(self, inputs: Sequence[Array]) -> list[Any]:
        """Pixels as images where the model takes those."""
        return [
            _image(array) if feature.type.WhichOneof("Type") == "imageType" else array
            for feature, array in zip(self._inputs, inputs, strict=True)
        ]

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        names = [feature.name for feature in self._inputs]
        outputs = self._model.predict(dict(zip(names, inputs, strict=True)))
        return [outputs[feature.name] for feature in self._outputs]

    def decode(self, outputs: Sequence[Any]) -> list[Array]:
        """A classifier's scores, which come by label, in the order of its labels."""
        return [
            np.array([[output[label] for label in self._labels]], np.float32)
            if isinstance(output, dict)
            else np.asarray(output)
            for output in outputs
        ]


def _image(pixels: Array) -> Any:
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(pixels[0].transpose(1, 2, 0)))
