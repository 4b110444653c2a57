"""Measure what the engine adds to an inference, and compare it with a native loop.

    python benchmarks/overhead.py --out DIR --table docs/overhead.md

The first measurement is the engine around an inference that does nothing, beside a bare loop that
reads the clock twice. The second is the median of `mobilebench bench` on ExecuTorch, interleaved
with that of a C++ program around the same library and file (`native_loop.cpp`). It needs a C++20
compiler.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import tables

from mobilebench import benchmark, export, files
from mobilebench.machine.sensors import host_state
from mobilebench.measuring import engine
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Measurement
from mobilebench.values.protocol import Protocol, WarmUp

HERE = Path(__file__).parent
TITLE = "# What measuring adds"
EXPLAINED = """\
Written by `benchmarks/overhead.py` on {machine}. The engine's loop around an inference that does
nothing takes {added:.2f} microseconds more for each than a bare loop that reads the clock twice
(median of {rounds} rounds of {inferences} each). Below, medians of one inference on one thread: a
C++ program around ExecuTorch's library, and `mobilebench bench`, which calls the same library from
Python, in {turns} turns; ratios are those of the turns."""
TITLES = ("network", "C++ loop ms", "mobilebench ms", "mobilebench / C++")
ROUNDS, INFERENCES = 15, 20_000
LIBRARIES = (
    "executorch",
    "executorch_backend_xnnpack",
    "executorch_kernels_optimized",
    "executorch_threadpool",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=["mobilevig_ti", "rapidnet_ti"])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True, help="folder of artifacts and program")
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    added = statistics.median(_added_us() for _ in range(ROUNDS))
    print(f"added by the engine: {added:.2f} us", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    program = _compiled(options.out)
    lines = []
    for model in options.models:
        artifact = export(model, "executorch", out_dir=options.out)
        turns = [(_native(program, artifact), _ours(artifact)) for _ in range(options.turns)]
        ratios = sorted(ours / native for native, ours in turns)
        native, ours = (statistics.median(side) for side in zip(*turns, strict=True))
        middle = statistics.median(ratios)
        lines.append(
            [
                model,
                f"{native / 1e6:.2f}",
                f"{ours / 1e6:.2f}",
                f"{middle:.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})",
            ]
        )
        print(" | ".join(lines[-1]), flush=True)
    explained = EXPLAINED.format(
        machine=tables.machine(),
        added=added,
        rounds=ROUNDS,
        inferences=INFERENCES,
        turns=options.turns,
    )
    table = tables.markdown(TITLES, lines)
    if options.table:
        files.write_text(options.table, tables.page(TITLE, explained, table))


def _nothing() -> None:
    pass


def _added_us() -> float:
    """Return the microseconds per inference that the engine adds to a bare loop."""
    clock = time.perf_counter_ns
    rule = Protocol(
        id="nothing",
        purpose="an inference that does nothing",
        rounds=1,
        warm_up=WarmUp(min_iterations=1000, min_duration_ns=0, max_duration_ns=10**12),
        inferences=INFERENCES,
        min_duration_ns=0,
        max_duration_ns=10**12,
    )
    instruments = engine.Instruments(clock, lambda ns: time.sleep(ns / 1e9), host_state)
    samples = engine.run(rule, lambda: _nothing, instruments).samples.select()
    spent = (samples.t_ns[-1] - samples.t_ns[0]) / (INFERENCES - 1)
    started = clock()
    for _ in range(INFERENCES):
        before = clock()
        _nothing()
        clock() - before
    return (spent - (clock() - started) / INFERENCES) / 1e3


def _compiled(folder: Path) -> Path:
    spec = find_spec("executorch")
    assert spec is not None and spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    headers = package / "include"
    program = folder / "native_loop"
    subprocess.run(
        [
            "g++", "-std=c++20", "-O2", "-w", "-DC10_USING_CUSTOM_GENERATED_MACROS",
            f"-I{headers}", f"-I{headers}/executorch/runtime/core/portable_type/c10",
            str(HERE / "native_loop.cpp"), "-o", str(program),
            f"-L{package}/lib", f"-Wl,-rpath,{package}/lib", "-Wl,--no-as-needed",
            *(f"-l{name}" for name in LIBRARIES),
        ],
        check=True,
    )  # fmt: skip
    return program


def _native(program: Path, artifact: Artifact) -> float:
    """Return the median nanoseconds of an inference in the C++ loop."""
    [image] = artifact.manifest.inputs
    result = subprocess.run(
        [program, artifact.model_path, "1", "60", "100", *map(str, image.shape)],
        capture_output=True,
        text=True,
        check=True,
    )
    return statistics.median(int(line) for line in result.stdout.split())


def _ours(artifact: Artifact) -> float:
    record = benchmark(artifact, protocol="ci-ab-1")
    assert isinstance(record.outcome, Measurement), record.outcome
    return statistics.median(record.outcome.samples.latencies_ns())


if __name__ == "__main__":
    main()
