"""Read what ONNX Runtime's `onnxruntime_perf_test` prints, all runs in a log.

    Session creation time cost: 0.0512 s
    First inference time cost: 12 ms
    Average inference time cost: 12.34 ms       (newer: `Average inference time cost total`)
    P50 Latency: 0.0123 s

Versions of 2020 print no space after the colon, those of 2019 no session creation either:

    Total time cost:58.8053
    Total iterations:1000
    Average time cost:58.8053 ms
    P50 Latency is 0.0587108sec
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PureWindowsPath

from mobilebench.interop.reader import NUMBER, UNNAMED, Reader, number, scaled
from mobilebench.interop.runs import Log, read_runs
from mobilebench.values.reported import Latency, Reported

_START = r"Session creation time cost:"
_END = r"Average (?:inference )?time cost(?: total)?:"
_COMMAND = r"perf_test(?:\.exe)?[\"']?\s+(?:-|[^\s`]+\.(?:onnx|ort)\b)"
_S, _MS = 1e9, 1e6
_ABOVE = 1.01
"""A mean that far above the maximum is of another quantity; less is rounding."""


def _read_run(text: str) -> Reported:
    def latency(name: str) -> float | None:
        return scaled(number(rf"\b{name} Latency(?: is|:) ?{NUMBER} ?s", text), _S)

    command = next(iter(re.findall(rf".*{_COMMAND}.*", text)), "")
    provider = re.search(r"using (\w+)ExecutionProvider", text) or re.search(
        r"\s-e ['\"]?(\w+)", command
    )
    requests = number(r"Total (?:inference requests|iterations): ?(\d+)", text)
    threads = number(r"intra_op_num_threads to (\d+)", text) or number(r"\s-x (\d+)", command)
    memory = number(r"Peak working set size: ?(\d+)", text)
    mean = scaled(number(rf"{_END} ?{NUMBER} ms", text), _MS)
    remarks = []
    at_once = number(r"\s-c (\d+)", command)
    if at_once and at_once > 1:
        remarks.append(f"{at_once:g} inferences ran at the same time")
    statistics = Latency(
        p50_ns=latency("P50"),
        p90_ns=latency("P90"),
        p95_ns=latency("P95"),
        p99_ns=latency("P99"),
        min_ns=latency("Min"),
        max_ns=latency("Max"),
    )
    if mean and statistics.max_ns and mean > _ABOVE * statistics.max_ns:
        # https://github.com/microsoft/onnxruntime/pull/26313
        remarks.append("its percentiles are of the submission to the device, and are not read")
        statistics = Latency()
    return Reported(
        report_id=UNNAMED,
        source=UNNAMED,
        file=UNNAMED,
        model=_model(command),
        format="onnx",
        runtime="onnxruntime",
        delegate=provider[1] if provider else None,
        threads=int(threads) if threads else None,
        latency=replace(
            statistics, count=None if requests is None else int(requests), mean_ns=mean
        ),
        inferences_per_second=number(rf"Number of inferences per second: ?{NUMBER}", text),
        load_ns=scaled(number(rf"{_START} ?{NUMBER} s", text), _S),
        first_inference_ns=scaled(number(rf"First inference time cost: ?{NUMBER} ms", text), _MS),
        peak_memory_bytes=int(memory) if memory else None,
        remarks=tuple(remarks),
    )


def _model(command: str) -> str | None:
    """Return the model that a command names; the folder, where the file is only called model."""
    files = re.findall(r"[^\s\"'|]+\.(?:onnx|ort)\b", command)
    if not files:
        return None
    path = PureWindowsPath(files[-1])
    return path.parent.name if path.stem == "model" and path.parent.name else path.stem


_LOG = Log(
    program="onnxruntime_perf_test",
    last="average inference time",
    starts=_COMMAND,
    opens=rf"{_START}|Setting intra_op_num_threads|Disabling intra-op|using \w+ExecutionProvider"
    r"|First inference time cost:|Total (?:inference )?time cost:",
    once=(_END,),
    # Some versions print it after the session is created, and again at the end.
    steady=(rf"{_START} ?\S+",),
    ends=_END,
    gives_up=r"failed to initialize",
    fails=r"\[E:onnxruntime|\b[Ff]ail(?:ed)? to |\berror: |[Ee]xception|\bFAIL\b"
    r"|there is no test (?:input )?data",
    read=_read_run,
)

READER = Reader(
    tool="ONNX Runtime perf test",
    reads="what onnxruntime_perf_test prints",
    recognises=lambda text: re.search(rf"{_START}|{_END}|onnxruntime_perf_test", text) is not None,
    read=lambda text, path: read_runs(_LOG, text, path),
    log=True,
)
