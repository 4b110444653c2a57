"""Convert a float32 TFLite file to other precisions with the AI Edge Quantizer."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilebench.inputs.seeded import Batch
from mobilebench.values.recipe import Precision
from mobilebench_exporters import _tflite_graph
from mobilebench_exporters._divisions import in_floats, steps_of
from mobilebench_exporters._float_parts import PATTERN

_CASTABLE = ("CONV_2D", "CONV_2D_TRANSPOSE", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def convert(path: Path, precision: Precision, calibration: Sequence[Batch]) -> None:
    """Replace a float32 file with one of another precision."""
    from ai_edge_quantizer.quantizer import Quantizer

    quantizer = Quantizer(str(path))
    _recipe(path, quantizer, precision)
    ranges = _ranges(path, quantizer, calibration) if precision.calibrated else None
    quantizer.quantize(ranges, enable_progress_report=False).export_model(path, overwrite=True)


def _recipe(path: Path, quantizer: Any, precision: Precision) -> None:
    from ai_edge_quantizer import qtyping
    from ai_edge_quantizer.algorithm_manager import AlgorithmName

    everything, operations = ".*", qtyping.TFLOperationName
    if precision is Precision.FP16_WEIGHTS:
        half = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
        for name in _CASTABLE:
            quantizer.update_quantization_recipe(
                everything,
                operations(name),
                qtyping.OpQuantizationConfig(
                    weight_tensor_config=half, compute_precision=qtyping.ComputePrecision.FLOAT
                ),
                AlgorithmName.FLOAT_CASTING,
            )
        return
    if precision is Precision.INT8_WEIGHTS:
        quantizer.add_weight_only_config(everything, operations.ALL_SUPPORTED, 8)
    elif precision is Precision.INT8_DYNAMIC:
        quantizer.add_dynamic_config(everything, operations.ALL_SUPPORTED, 8)
    else:
        quantizer.add_static_config(everything, operations.ALL_SUPPORTED, 8, 8)
        if precision is Precision.INT8:
            for border in (operations.INPUT, operations.OUTPUT):
                quantizer.update_quantization_recipe(
                    everything, border, algorithm_key=AlgorithmName.NO_QUANTIZE
                )
    # The last entry that matches an operation wins.
    quantizer.update_quantization_recipe(
        PATTERN.pattern, operations.ALL_SUPPORTED, algorithm_key=AlgorithmName.NO_QUANTIZE
    )
    scopes = _scopes_of_divisions(path) if precision.calibrated else []
    if scopes:
        quantizer.update_quantization_recipe(
            f"^(?:{'|'.join(map(re.escape, scopes))})$",
            operations.ALL_SUPPORTED,
            algorithm_key=AlgorithmName.NO_QUANTIZE,
        )


def _scopes_of_divisions(path: Path) -> list[str]:
    """List the norms and divisions of a file, by the names that the quantizer gives operations."""
    graph = _tflite_graph.read(path)
    names = in_floats(steps_of(graph))
    return [
        # The graph puts a number before the name of each tensor.
        "".join(f"{tensor.name.partition(' ')[2]};" for tensor in operation.outputs)
        for operation in graph.operations
        if operation.name in names
    ]


def _ranges(path: Path, quantizer: Any, calibration: Sequence[Batch]) -> Any:
    """Return the smallest and the largest value of every tensor.

    The quantizer's own `calibrate` keeps a moving average of both, which clips the values beyond
    it: scores came out at half their size.
    """
    from ai_edge_quantizer.calibrator import Calibrator
    from ai_edge_quantizer.recipe_manager import RecipeManager
    from ai_edge_quantizer.utils.qsv_utils import min_max_update

    rules = RecipeManager()
    rules.load_quantization_recipe(quantizer.get_quantization_recipe())
    calibrator = Calibrator(
        str(path), num_threads=os.cpu_count() or 1, qsv_update_func=min_max_update
    )
    calibrator.calibrate(_by_input_name(path, calibration), rules)
    return calibrator.get_model_qsvs()


def _by_input_name(path: Path, calibration: Sequence[Batch]) -> dict[str, list[dict[str, Any]]]:
    """Map batches to the names of the signature's inputs (`args_0`, `args_1`, ...)."""
    from ai_edge_litert.interpreter import Interpreter

    [(signature, tensors)] = Interpreter(str(path)).get_signature_list().items()
    names = sorted(tensors["inputs"], key=lambda name: int(name.rpartition("_")[2]))
    return {signature: [dict(zip(names, batch, strict=True)) for batch in calibration]}
