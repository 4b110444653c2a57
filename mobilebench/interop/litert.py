"""Read what LiteRT's (TensorFlow Lite's) benchmark tools print, all runs in a log.

`benchmark_model` ends with a line of timings in microseconds, in older versions without a median:

    INFO: count=50 first=38345 curr=39012 min=37900 max=41234 avg=38512 std=500 p5=... median=...
    INFO: Inference timings in us: Init: 1234, First inference: ..., Inference (avg): 38512.2
    Average inference timings in us: Warmup: 76605.9, Init: 9933, no stats: 66767.6

`benchmark_litert_model` ends with a block in milliseconds:

    Model initialization: 5.76 ms
    Inference (avg):      0.95 ms (1054 runs)

A line of counts belongs to the measured runs where it has the average of the result, or in a block
the number of runs; others belong to the warm-up or to the profiler. What both tools call MB is
1024 * 1024 bytes (`mem_footprint_kb / 1024.0` in their sources).
"""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath

from mobilebench.errors import SchemaError
from mobilebench.interop.reader import NUMBER, UNNAMED, Reader, number, scaled
from mobilebench.interop.runs import Log, read_runs
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.reported import Latency, Reported

_TOOL, _NEW_TOOL = "LiteRT benchmark_model", "LiteRT benchmark_litert_model"
_TIMINGS = r"nference timings in us: ?.*"
_BLOCK = r"Inference \(avg\):\s*[0-9.]+ ms"
_COUNTS = r"(?<!Timings \(microseconds\): )\bcount=\d+ .*\bcurr=.*"
_COMMAND = r"benchmark_(?:litert_)?model[\w.]*[\"']?\s+(?:--|\\?$|\^$|`$)|with args: *--"
_US, _MS, _MIB = 1e3, 1e6, 1 << 20
_SUFFIXES = {".tflite", ".lite", ".litert"}
_SAME = (1e-4, 1e-2)
"""Relative differences up to which two averages are the same: as printed, and as copied by hand."""
_OTHER = 2.0
"""Factor above which the average of the result contradicts all counts: its digits were cut off."""


def _read_run(text: str) -> Reported:
    timings = re.findall(_TIMINGS, text)
    block = re.search(_BLOCK, text) is not None and not timings
    mean = _stated_mean(text, timings)
    runs = number(r"Inference \(avg\):.* \((\d+) runs\)", text)
    counts = _of_runs(text, runs) if block else _of_mean(text, mean)

    def statistic(name: str) -> float | None:
        return scaled(number(rf"\b{name}={NUMBER}", counts), _US)

    counted = scaled(_average(counts), _US)
    if counted and (block or (mean and abs(counted - mean) <= _SAME[0] * mean)):
        mean = counted  # with more digits
    count = number(r"\bcount=(\d+)", counts) or runs
    delegate, remarks = _delegate(text)
    timing_line = timings[-1] if timings else ""
    return Reported(
        report_id=UNNAMED,
        source=_NEW_TOOL if block else _TOOL,
        file=UNNAMED,
        model=_model(text),
        format="tflite",
        runtime="litert",
        delegate=delegate,
        compute_unit=None if remarks and delegate is None else _compute_unit(text),
        threads=_threads(text),
        latency=Latency(
            count=None if count is None else int(count),
            mean_ns=mean,
            p50_ns=statistic("median"),
            p95_ns=statistic("p95"),
            min_ns=statistic("min") or _in_block("Inference (min)", text),
            max_ns=statistic("max") or _in_block("Inference (max)", text),
            std_ns=statistic("std"),
        ),
        load_ns=_in_block("Model initialization", text)
        if block
        else scaled(number(rf"\bInit: {NUMBER}", timing_line), _US),
        first_inference_ns=_in_block("Warmup (first)", text)
        if block
        else scaled(number(rf"First inference: {NUMBER}", timing_line), _US),
        peak_memory_bytes=_memory(text),
        remarks=remarks,
    )


def _in_block(label: str, text: str) -> float | None:
    return scaled(number(rf"{re.escape(label)}:\s*{NUMBER} ms", text), _MS)


def _stated_mean(text: str, timings: list[str]) -> float | None:
    if not timings:
        return _in_block("Inference (avg)", text)
    for label in (r"Inference \(avg\):", r"\bInference:", r"no stats:", r"timings in us:"):
        mean = number(rf"{label} {NUMBER}(?![\w.])", timings[-1])
        if mean is not None:
            return mean * _US
    return None


def _average(counts: str) -> float | None:
    """Return the average of a line of counts; a line of equal values states only the last."""
    average = number(rf"\bavg={NUMBER}", counts)
    return number(rf"\bcurr={NUMBER}", counts) if average is None else average


def _of_runs(text: str, runs: float | None) -> str:
    """Return the last line of counts for a number of runs; '' without one."""
    lines = [line for line in re.findall(_COUNTS, text) if number(r"\bcount=(\d+)", line) == runs]
    return lines[-1] if lines else ""


def _of_mean(text: str, mean: float | None) -> str:
    """Return the last line of counts that has an average in nanoseconds; '' without one.

    Raises `ValueError` where all lines contradict it.
    """
    lines: list[str] = re.findall(_COUNTS, text)
    averages = {line: average * _US for line in lines if (average := _average(line)) is not None}
    if not mean:
        return ""
    for difference in _SAME:
        same = [line for line, each in averages.items() if abs(each - mean) <= difference * mean]
        if same:
            return same[-1]
    if averages and min(averages.values()) > _OTHER * mean:
        raise ValueError(
            f"an average of {mean / _US:g} us, which no line of counts has; the last line may "
            f"have been cut off"
        )
    return ""


def _threads(text: str) -> int | None:
    for pattern in (
        r"[Nn]um threads ?: \[(-?\d+)\]",
        r"#threads used for CPU inference: \[(-?\d+)\]",
        r"--num_threads=(-?\d+)",
    ):
        threads = number(pattern, text)
        if threads is not None:
            return int(threads) if threads > 0 else None
    return None


def _model(text: str) -> str | None:
    """Return the name of the model file without folder and suffix."""
    for pattern in (
        r"\bGraph: \[(.+?)\]",
        r"Loaded model ([^\r\n]+)",
        r"Loading model from: ?([^\r\n]+)",
        r"--graph=[\"']?([^\s\"']+)",
    ):
        matches = re.findall(pattern, text)
        if matches and not matches[-1].startswith("fd:"):
            name = PureWindowsPath(matches[-1].strip()).name
            suffix = PureWindowsPath(name).suffix
            return name.removesuffix(suffix) if suffix.lower() in _SUFFIXES else name
    return None


def _delegate(text: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the delegate that ran the graph, and what the log states about its share."""
    unused = re.search(r"Though (.+?) delegate is (?:explicitly )?applied", text)
    if unused:
        return None, (f"the {unused[1]} delegate was applied and executes nothing of the graph",)
    applied = re.search(
        r"(?:Explicitly applied|Applied) (.+?) delegate(?:.*(partially) executed)?", text
    )
    if applied:
        part = f"the {applied[1]} delegate executes a part of the graph"
        return applied[1], (part,) * bool(applied[2])
    created = re.search(r"Created TensorFlow Lite (\w+) delegate for CPU", text)
    other = re.search(r"Created TensorFlow Lite delegate for (\w+)", text)
    if other:
        return other[1], ()
    # Beside another unit, XNNPACK runs only what is left.
    return created[1] if created and _compute_unit(text) is None else None, ()


def _compute_unit(text: str) -> str | None:
    """Return the unit beside the CPU that was asked for and could be loaded."""
    for unit in (ComputeUnit.NPU, ComputeUnit.GPU):
        if re.search(rf"\b{unit} accelerator could not be loaded", text, re.I):
            continue
        if re.search(rf"\bUse {unit} ?: \[(?:1|true)\]|--use_{unit}=(?:true|1)\b", text, re.I):
            return unit.value
    return None


def _memory(text: str) -> int | None:
    """Return the peak of the process; without it, the growth since the tool started."""
    for pattern in (
        rf"Overall peak memory footprint \(Mi?B\).*: {NUMBER}",
        rf"Peak memory:\s*{NUMBER} Mi?B",
        rf"[Mm]emory footprint.*\(Mi?B\).*overall={NUMBER}",
        rf"Overall footprint:\s*{NUMBER} Mi?B",
    ):
        memory = number(pattern, text)
        if memory:
            return round(memory * _MIB)
    return None


_LOG = Log(
    program="benchmark_model",
    last="line of inference timings",
    starts=_COMMAND,
    opens=r"Log parameter values|Min num runs: \[|[Nn]um threads ?: \[|\bGraph: \[|Loaded model "
    r"|Loading model from|Initialized session in|Running benchmark for|Use \w+ ?: \[|" + _COUNTS,
    once=(r"STARTING!", r"=+ BENCHMARK RESULTS =+", _TIMINGS, _BLOCK),
    steady=(r"\bGraph: \[.+?\]",),
    ends=rf"{_TIMINGS}|{_BLOCK}",
    gives_up=r"Benchmarking failed",
    fails=r"\bFailed to |^\W*(?:ERROR|FATAL)\b"
    r"|No inference runs were performed",
    read=_read_run,
)


def _read(text: str, path: Path) -> list[Reported]:
    if ", with stats:" in text:
        raise SchemaError(
            f"{path} is of TensorFlow's benchmark_model, which runs frozen graphs (.pb) and not "
            f"model files of LiteRT; its results cannot be imported."
        )
    return read_runs(_LOG, text, path)


READER = Reader(
    tool=_TOOL,
    reads="what benchmark_model and benchmark_litert_model of LiteRT or TensorFlow Lite print",
    recognises=lambda text: (
        re.search(
            r"nference timings in us:|=+ BENCHMARK RESULTS =+|\bBenchmarking failed|\bGraph: \["
            r"|benchmark_litert_model",
            text,
        )
        is not None
    ),
    read=_read,
    log=True,
)
