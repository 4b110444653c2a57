"""Read what ONNX Runtime's `onnxruntime_perf_test` prints at the end.

Session creation time cost: 0.0512 s
First inference time cost: 12 ms
Average inference time cost: 12.34 ms       (newer: `Average inference time cost total`)
P50 Latency: 0.0123 s
"""

from __future__ import annotations

import re
from pathlib import Path

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import NUMBER, UNNAMED, Reader, number, scaled
from mobilebench.values.reported import Latency, Reported

_START, _END = "Session creation time cost:", "Average inference time cost"
_S, _MS = 1e9, 1e6


def _read(text: str, path: Path) -> list[Reported]:
    if _END not in text:
        raise SchemaError(
            f"{path} has no average inference time, which onnxruntime_perf_test prints last; the "
            f"run was stopped, or its output was cut off."
        )

    def latency(name: str) -> float | None:
        return scaled(number(rf"^\s*{name} Latency: {NUMBER} s", text), _S)

    provider = re.search(r"using (\w+)ExecutionProvider", text)
    requests = number(r"Total inference requests: (\d+)", text)
    threads = number(r"intra_op_num_threads to (\d+)", text)
    memory = number(r"Peak working set size: ?(\d+)", text)
    return [
        Reported(
            report_id=UNNAMED,
            source=UNNAMED,
            file=UNNAMED,
            format="onnx",
            runtime="onnxruntime",
            delegate=provider[1] if provider else None,
            threads=int(threads) if threads else None,
            latency=Latency(
                count=None if requests is None else int(requests),
                mean_ns=scaled(number(rf"{_END}(?: total)?: {NUMBER} ms", text), _MS),
                p50_ns=latency("P50"),
                p90_ns=latency("P90"),
                p95_ns=latency("P95"),
                p99_ns=latency("P99"),
                min_ns=latency("Min"),
                max_ns=latency("Max"),
            ),
            inferences_per_second=number(rf"Number of inferences per second: {NUMBER}", text),
            load_ns=scaled(number(rf"{_START} {NUMBER} s", text), _S),
            first_inference_ns=scaled(
                number(rf"First inference time cost: {NUMBER} ms", text), _MS
            ),
            peak_memory_bytes=None if memory is None else int(memory),
        )
    ]


READER = Reader("ONNX Runtime perf test", lambda text: _START in text, _read)
