"""Files of jobs that a simulated phone does: no network is in them."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def job_files(
    model: bytes = b"not a net", rounds: int = 2, inferences: int = 5
) -> dict[str, bytes]:
    """Return the files of a job by their paths."""
    sha256 = hashlib.sha256(model).hexdigest()
    tensor = {"name": "image", "shape": [1, 3, 8, 8]}
    job: dict[str, Any] = {
        "schema_version": 2,
        "model_file": "model.onnx",
        "model_sha256": sha256,
        "format": "onnx",
        "delegate": None,
        "runtime": "onnxruntime",
        "inputs": [tensor],
        "protocol": {
            "id": "test-quick",
            "purpose": "tests",
            "rounds": rounds,
            "inferences": inferences,
            "min_duration_ns": 0,
            "max_duration_ns": 60_000_000_000,
            "warm_up": {
                "min_iterations": 1,
                "min_duration_ns": 0,
                "max_duration_ns": 1_000_000_000,
            },
        },
    }
    subject = {
        "schema_version": 1,
        "model": {"name": "example", "inputs": [tensor]},
        "recipe": {"format": "onnx", "target": "opset20"},
        "artifact": {
            "key": "e5" * 32,
            "sha256": sha256,
            "size_bytes": len(model),
            "tool_versions": {"onnx": "1.0"},
            "preflight": None,
            "parity": [],
            "op_histogram": {"Conv": 3},
            "structure": {"opset": "20"},
            "export_seconds": 0.5,
        },
    }
    return {
        "job.json": json.dumps(job).encode(),
        "subject.json": json.dumps(subject).encode(),
        "model.onnx": model,
    }
