"""Measure what mobilebench adds to a toolkit's own conversion, as ratios within one run.

For every format these are run interleaved:

    bare call    the toolkit's own conversion of the network, in a process that has imported it
    exporter     mobilebench's exporter, in the same process
    bare script  a script of a dozen lines: import, build the network, convert it, save it
    export       `mobilebench export`: preflight, conversion, parity on 16 inputs, manifest

    python benchmarks/conversion.py --table docs/conversion-speed.md
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tables

from mobilebench import files, plugins
from mobilebench.values.recipe import Precision

FORMATS = ("onnx", "tflite", "executorch", "coreml")
BARE = {
    "onnx": """
        torch.onnx.export(module, (image,), path, dynamo=True, external_data=False,
                          opset_version=20, input_names=["image"], verbose=False)
    """,
    "tflite": """
        import litert_torch
        litert_torch.convert(module, (image,)).export(path)
    """,
    "executorch": """
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower
        exported = torch.export.export(module, (image,))
        lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
        with open(path, "wb") as handle:
            lowered.to_executorch().write_to_file(handle)
    """,
    "coreml": """
        import coremltools as ct
        exported = torch.export.export(module, (image,)).run_decompositions({})
        ct.convert(exported, inputs=[ct.TensorType(name="image", shape=image.shape)],
                   convert_to="mlprogram", compute_precision=ct.precision.FLOAT32,
                   minimum_deployment_target=ct.target.iOS16, skip_model_load=True).save(path)
    """,
}
BUILD = """
    import torch
    from mobilebench import create_model
    from mobilebench.deploy import deploy
    from mobilebench.zoo.layers.initialise import for_verification
    network = create_model({model!r})
    for_verification(network, 0)
    image = torch.randn(1, 3, 224, 224)
    module = deploy(network.eval(), image)
"""
FILES = {
    "onnx": "model.onnx",
    "tflite": "model.tflite",
    "executorch": "model.pte",
    "coreml": "model.mlpackage",
}
TITLE = "# What mobilebench adds to a conversion"
EXPLAINED = """\
Written by `benchmarks/conversion.py` on {machine}: {model}, float32, medians of {rounds} rounds
that take turns. *Bare call* is the toolkit's own conversion of the network in its deployment form,
in a process that has imported the toolkit; *exporter* is mobilebench's exporter in the same
process. *Bare script* is a process that imports torch and the toolkit, builds the network, converts
it and saves it; *export* is `mobilebench export`, which also runs preflight, compares the file with
PyTorch on 16 inputs and writes a manifest. Ratios are medians of each round's own. Peak memory is
that of the process that converts."""
TITLES = (
    "format",
    "bare call s",
    "exporter s",
    "exporter / bare call",
    "bare script s",
    "export s",
    "export / bare script",
    "peak memory GB",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="mobilevig_ti")
    parser.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    lines = []
    for format_name in options.formats:
        lines.append(_line(options.model, format_name, options.rounds))
        print(" | ".join(lines[-1]), flush=True)
    explained = EXPLAINED.format(
        machine=tables.machine(),
        model=options.model,
        rounds=options.rounds,
    )
    table = tables.markdown(TITLES, lines)
    page = tables.page(TITLE, explained, table)
    if options.table:
        files.write_text(options.table, page)


def _line(model: str, format_name: str, rounds: int) -> list[str]:
    inside = json.loads(_run("--inside", model, format_name, str(rounds)).splitlines()[-1])
    outside: dict[str, list[float]] = {"bare": [], "export": []}
    peak = 0
    for _ in range(rounds):
        outside["bare"].append(_seconds(lambda: _run("--bare", model, format_name)))
        with tempfile.TemporaryDirectory() as out:
            command = ["export", model, "--format", format_name, "--out", out, "--json"]
            answer: list[str] = []

            def export(command: list[str] = command, answer: list[str] = answer) -> None:
                answer.append(_python("-m", "mobilebench", *command))

            outside["export"].append(_seconds(export))
            [exported] = json.loads(answer[0])
            peak = max(peak, exported["manifest"]["facts"]["export_peak_memory_bytes"])
    return [
        format_name,
        f"{statistics.median(inside['bare']):.1f}",
        f"{statistics.median(inside['exporter']):.1f}",
        _ratio(inside["exporter"], inside["bare"]),
        f"{statistics.median(outside['bare']):.1f}",
        f"{statistics.median(outside['export']):.1f}",
        _ratio(outside["export"], outside["bare"]),
        f"{peak / 1e9:.1f}",
    ]


def _ratio(ours: list[float], theirs: list[float]) -> str:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _inside(model: str, format_name: str, rounds: int) -> None:
    """Run both conversions interleaved in one process; the first of each is a warm-up."""
    scope: dict[str, Any] = {}
    exec(textwrap.dedent(BUILD.format(model=model)), scope)
    exporter = plugins.exporter(format_name)
    recipe = exporter.recipe(Precision.FP32)
    from mobilebench.values.tensor import TensorSpec

    spec = [TensorSpec(name="image", shape=(1, 3, 224, 224))]
    bare_code = compile(textwrap.dedent(BARE[format_name]), "bare", "exec")
    times: dict[str, list[float]] = {"bare": [], "exporter": []}
    for turn in range(rounds + 1):
        for name in ("bare", "exporter") if turn % 2 else ("exporter", "bare"):
            with tempfile.TemporaryDirectory() as folder:
                scope["path"] = str(Path(folder) / FILES[format_name])

                def convert(name: str = name, folder: str = folder) -> None:
                    if name == "bare":
                        exec(bare_code, scope)
                    else:
                        exporter.export(scope["module"], spec, recipe, Path(folder))

                # Otherwise every second conversion would pay for the garbage of both.
                gc.collect()
                seconds = _seconds(convert)
            if turn:
                times[name].append(seconds)
    print(json.dumps(times))


def _bare(model: str, format_name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scope: dict[str, Any] = {"path": str(Path(folder) / FILES[format_name])}
        exec(textwrap.dedent(BUILD.format(model=model)), scope)
        exec(textwrap.dedent(BARE[format_name]), scope)


def _seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def _run(*arguments: str) -> str:
    return _python(__file__, *arguments)


def _python(*arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, timeout=3600
    )
    return result.stdout


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["--inside"]:
        _inside(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    elif sys.argv[1:2] == ["--bare"]:
        _bare(sys.argv[2], sys.argv[3])
    else:
        main()
