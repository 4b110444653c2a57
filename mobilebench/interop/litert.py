"""Read what `benchmark_model` of LiteRT (TensorFlow Lite) prints at the end.

    INFO: count=50 first=38345 curr=39012 min=37900 max=41234 avg=38512 std=500 p5=... median=...
    INFO: Inference timings in us: Init: 1234, First inference: ..., Inference (avg): 38512.2

The first line of counts belongs to the warm-up, the last to the measured runs. All times are in
microseconds.
"""

from __future__ import annotations

import re
from pathlib import Path

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import NUMBER, UNNAMED, Reader, number, scaled
from mobilebench.values.reported import Latency, Reported

_TIMINGS = "Inference timings in us:"
_US, _MB = 1e3, 1e6


def _read(text: str, path: Path) -> list[Reported]:
    if _TIMINGS not in text:
        raise SchemaError(
            f"{path} has no line of inference timings, which benchmark_model prints last; the run "
            f"was stopped, or its output was cut off."
        )
    counts = [line for line in text.splitlines() if re.search(r"\bcount=\d+ .*\bcurr=", line)]
    measured_line = counts[-1] if len(counts) > 1 else ""

    def statistic(name: str) -> float | None:
        return scaled(number(rf"\b{name}={NUMBER}", measured_line), _US)

    graph = re.search(r"\bGraph: \[(.+?)\]", text)
    threads = number(r"[Nn]um threads: \[(-?\d+)\]", text)
    delegate = re.search(r"(?:Explicitly applied|Applied) (.+?) delegate", text)
    count = number(r"\bcount=(\d+)", measured_line)
    memory = number(rf"[Mm]emory footprint.*\(MB\).*overall={NUMBER}", text)
    mean = number(rf"Inference \(avg\): {NUMBER}", text)
    return [
        Reported(
            report_id=UNNAMED,
            source=UNNAMED,
            file=UNNAMED,
            model=Path(graph[1]).stem if graph else None,
            format="tflite",
            runtime="litert",
            delegate=delegate[1] if delegate else None,
            threads=int(threads) if threads is not None and threads > 0 else None,
            latency=Latency(
                count=None if count is None else int(count),
                mean_ns=scaled(mean, _US),
                p50_ns=statistic("median"),
                p95_ns=statistic("p95"),
                min_ns=statistic("min"),
                max_ns=statistic("max"),
                std_ns=statistic("std"),
            ),
            load_ns=scaled(number(rf"Init: {NUMBER}", text), _US),
            first_inference_ns=scaled(number(rf"First inference: {NUMBER}", text), _US),
            peak_memory_bytes=None if memory is None else round(memory * _MB),
        )
    ]


READER = Reader("LiteRT benchmark_model", lambda text: _TIMINGS in text, _read)
