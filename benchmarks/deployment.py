"""Measure what the deployment form costs and saves, as ratios within one run.

For every network three files of each format are made and run side by side:

    plain     the architecture as described: shifts as slices and concatenations, one token of a
              scan after another
    deployed  the deployment form, what `mobilebench export` writes
    limit     the deployed network with every neighbour aggregation and every scan replaced by
              |x|: what the rest of the network costs; the projections of a scan stay

Every round is a fresh process that loads all three and runs them interleaved. A figure is the
median over the rounds of each round's own ratio, so that a slow phase of the machine affects all
three. A round waits until two cores share a cache (see `cores.py`), since copies cost several times
as much while they do not. Peak memory is what loading and running one file adds to a process that
has its runtime loaded.

    python benchmarks/deployment.py --table docs/deployment-speed.md      everything, an hour
    python benchmarks/deployment.py --models greedyvig_s --formats onnx
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from contextlib import nullcontext
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest import mock

import cores
import numpy as np
import tables
from rich.console import Console
from rich.table import Table

from mobilebench import files, plugins
from mobilebench.machine import host
from mobilebench.values.recipe import Form, Precision

MODELS = (
    "mobilevig_ti",
    "mobilevigv2_ti",
    "greedyvig_s",
    "logvig_ti",
    "adaptvig_s",
    "rapidnet_ti",
    "vcmamba_s",
)
FORMS = ("plain", "deployed", "limit")
FORMATS = ("onnx", "tflite", "executorch")
RUNTIMES = {"onnx": "OnnxRuntime", "tflite": "LiteRT", "executorch": "ExecuTorch"}
THREADS = (1, 2)
TURNS = 6
RUNS_A_TURN = 5
TITLE = "# What the deployment form costs and saves"
MADE = """\
Written by `benchmarks/deployment.py` on {machine}, batch 1, 224 x 224 pixels,
with {tools}. These are figures of a CPU of this kind, not of a phone."""
EXPLAINED = """\
Three files of every network run side by side: *plain*, the architecture as described; *deployed*,
what `mobilebench export` writes; *limit*, the deployed network with every neighbour aggregation
and every scan replaced by |x|, which is what the rest of the network costs; what a scan is given is
still computed. Milliseconds are
medians of {rounds} rounds, each a fresh process that runs the three in turns; ratios are medians of
each round's own ratio, with the smallest and the largest. Operations are those of the file. Memory
is what loading and running one file adds to a process that has its runtime loaded. {cache}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--files", type=Path, help="keep the files here and use those found")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument(
        "--figures",
        type=Path,
        nargs="+",
        default=[],
        help="take rounds that were measured before from what --json wrote",
    )
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    earlier = {
        (figure["model"], figure["format"]): figure["rounds"]
        for path in options.figures
        for figure in json.loads(path.read_text())
    }
    figures = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.files or Path(scratch)
        for model in options.models:
            for format_name in options.formats:
                measured = earlier.get((model, format_name))
                figures.append(_compare(model, format_name, folder, options.rounds, measured))
                _show(figures[-1], header=len(figures) == 1)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    if options.table:
        files.write_text(options.table, _page(figures))


def _compare(
    model: str,
    format_name: str,
    folder: Path,
    rounds: int,
    measured: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    paths: dict[str, str] = {}
    facts: dict[str, Any] = {}
    for form in FORMS:
        place = folder / f"{model}-{format_name}-{form}"
        if not (place / "facts.json").exists():
            place.mkdir(parents=True, exist_ok=True)
            failure = worker("export", model, format_name, form, str(place))
            if "failed" in failure:
                facts[form] = failure
                continue
        facts[form] = json.loads((place / "facts.json").read_text())
        paths[form] = str(place / facts[form]["file"])
    for form in list(paths):
        memory = worker("memory", format_name, paths[form])
        facts[form] |= memory
        if "failed" in memory:
            del paths[form]
    if measured is None:
        measured = [
            {str(threads): side_by_side(format_name, paths, threads) for threads in THREADS}
            for _ in range(rounds if paths else 0)
        ]
    return {"model": model, "format": format_name, "facts": facts, "rounds": measured}


def side_by_side(format_name: str, paths: dict[str, str], threads: int) -> dict[str, Any]:
    """Return milliseconds of each file by its label, from one round in a fresh process."""
    handover = cores.wait_for_shared_cache()
    measured = worker("measure", format_name, json.dumps(paths), str(threads))
    return {**measured, "handover": handover}


def worker(*arguments: str) -> dict[str, Any]:
    """Run one of the functions below in a fresh process; a failure is returned, not hidden."""
    result = subprocess.run(
        [sys.executable, __file__, "--worker", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    if result.returncode != 0:
        last = (result.stderr.strip().splitlines() or [""])[-1]
        return {"failed": f"ended with {result.returncode}: {last[:200]}"}
    answer: dict[str, Any] = json.loads(result.stdout.strip().splitlines()[-1])
    return answer


def _export(model: str, format_name: str, form: str, place: str) -> dict[str, Any]:
    from mobilebench.conversion.loading import load
    from mobilebench.conversion.steps import deployed
    from mobilebench.values.request import Request

    loaded = load(Request(reference=model))
    exporter = plugins.exporter(format_name)
    recipe_form = Form.PLAIN if form == "plain" else Form.DEPLOYED
    recipe = replace(exporter.recipe(Precision.FP32), form=recipe_form)
    chunks = mock.patch("mobilebench.deploy.scan.STEPPED", frozenset())
    with chunks if form == "chunks" else nullcontext():  # `scans.py` compares them
        module = deployed(loaded, recipe)
    if form == "limit":
        _without_neighbours(module)
    started = time.monotonic()
    path = exporter.export(module, loaded.spec.inputs, recipe, Path(place))
    structure = exporter.inspect(path)
    facts = {
        "file": path.name,
        "nodes": sum(structure.op_histogram.values()),
        "left_out": structure.details.get("not_delegated"),
        "delegates": structure.details.get("delegates"),
        "export_s": time.monotonic() - started,
    }
    (Path(place) / "facts.json").write_text(json.dumps(facts))
    return facts


def _without_neighbours(module: Any) -> None:
    from torch import Tensor, nn

    from mobilebench.deploy.blocks import Joined
    from mobilebench.deploy.scan import TokenMixer

    class Absolute(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.abs()

    class AbsoluteScan(nn.Module):
        """|x|, and what uses dt, b and c, or their projections would vanish from the limit."""

        def __init__(self, states: int) -> None:
            super().__init__()
            self.total = nn.Linear(states, 1, bias=False)
            nn.init.ones_(self.total.weight)

        def forward(self, u: Tensor, dt: Tensor, b: Tensor, c: Tensor) -> Tensor:
            return u.abs() + dt * self.total(b * c)

    for part in list(module.modules()):
        if isinstance(part, Joined):
            part.aggregate = Absolute()
        elif isinstance(part, TokenMixer):
            part.scan = AbsoluteScan(part.c.out_features)


def _load(format_name: str, path: str, threads: int) -> Any:
    from mobilebench_device_runners import _runtimes

    if format_name == "onnx":
        # Threads of an InferenceSession spin after its last run. With three of them in one process
        # they would take the cores from whichever runs, which is then half again as slow by chance.
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.force_spinning_stop", "1")
        model = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return _runtimes._OnnxModel(model)
    return getattr(_runtimes, RUNTIMES[format_name])().load(Path(path), threads)


def _image() -> list[Any]:
    return [np.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype("float32")]


def _measure(format_name: str, files: str, threads: str) -> dict[str, Any]:
    paths = json.loads(files)
    models = {form: _load(format_name, path, int(threads)) for form, path in paths.items()}
    image = _image()
    for model in models.values():
        for _ in range(5):
            model.run(image)
    times: dict[str, list[float]] = {form: [] for form in models}
    for _ in range(TURNS):
        for form, model in models.items():
            model.run(image)  # brings its weights back into the cache
            for _ in range(RUNS_A_TURN):
                started = time.perf_counter()
                model.run(image)
                times[form].append(1e3 * (time.perf_counter() - started))
    return {form: statistics.median(milliseconds) for form, milliseconds in times.items()}


def _memory(format_name: str, path: str) -> dict[str, Any]:
    from mobilebench_device_runners import _runtimes

    getattr(_runtimes, RUNTIMES[format_name])()  # imports the libraries
    peak_so_far = Path("/proc/self/clear_refs")
    if peak_so_far.exists():
        peak_so_far.write_text("5")  # reset the peak: importing may have taken more than is left
    before = host.resident_memory_bytes()
    model = _load(format_name, path, max(THREADS))
    for _ in range(3):
        model.run(_image())
    return {"memory_mb": (host.peak_memory_bytes() - before) / 1e6}


TIMED = (
    "network",
    "format",
    *(f"{form} ms" for form in FORMS),
    "deployed / limit",
    "deployed / plain",
)
MADE_OF = ("network", "format", "operations", "memory MB", "left out of the delegate")


def _timed(figure: dict[str, Any], threads: int) -> list[str]:
    rounds = [round_[str(threads)] for round_ in figure["rounds"]]
    return [
        figure["model"],
        figure["format"],
        *(median_of([r[form] for r in rounds if form in r]) for form in FORMS),
        *(ratio_of(rounds, "deployed", other) for other in ("limit", "plain")),
    ]


def _made_of(figure: dict[str, Any]) -> list[str]:
    facts = figure["facts"]
    return [
        figure["model"],
        figure["format"],
        " / ".join(str(facts[form].get("nodes", "failed")) for form in FORMS),
        " / ".join(
            f"{facts[form]['memory_mb']:.0f}" if "memory_mb" in facts[form] else "failed"
            for form in FORMS
        ),
        facts["deployed"].get("left_out") or "",
    ]


def _show(figure: dict[str, Any], *, header: bool) -> None:
    table = Table(box=None, pad_edge=False, show_header=header)
    for title in ("threads", *TIMED, "operations"):
        table.add_column(title, min_width=len(title))
    for threads in THREADS:
        table.add_row(str(threads), *_timed(figure, threads), _made_of(figure)[2])
    Console(width=170).print(table)


def _page(figures: list[dict[str, Any]]) -> str:
    versions: dict[str, str] = {}
    for format_name in dict.fromkeys(figure["format"] for figure in figures):
        versions |= plugins.exporter(format_name).tool_versions()
    device = host.host_device()
    rounds_apart = [
        round_
        for figure in figures
        for both in figure["rounds"]
        for round_ in both.values()
        if round_.get("handover") is not None and round_["handover"] < cores.ENOUGH
    ]
    versions["onnxruntime"] = metadata.version("onnxruntime")
    conditions = MADE.format(
        machine=f"{device.os} on {device.soc or device.model}",
        tools=", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
    )
    explained = EXPLAINED.format(
        rounds=max(len(figure["rounds"]) for figure in figures),
        cache=f"Before {len(rounds_apart)} rounds the two cores shared no cache."
        if rounds_apart
        else "Before every round the two cores shared a cache.",
    )
    paragraphs = [TITLE, *(textwrap.fill(text, 100) for text in (conditions, explained))]
    parts = [
        part
        for threads in THREADS
        for part in (
            f"## {threads} thread{'s' * (threads > 1)}",
            tables.markdown(TIMED, [_timed(figure, threads) for figure in figures]),
        )
    ]
    made_of = tables.markdown(MADE_OF, [_made_of(figure) for figure in figures])
    return "\n\n".join((*paragraphs, *parts, "## What the files are made of", made_of))


def median_of(values: list[float]) -> str:
    return f"{statistics.median(values):.2f}" if values else "failed"


def ratio_of(rounds: list[dict[str, float]], form: str, other: str) -> str:
    ratios = [r[form] / r[other] for r in rounds if form in r and other in r]
    if not ratios:
        return "none"
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        name, *arguments = sys.argv[2:]
        print(
            json.dumps(
                {"export": _export, "measure": _measure, "memory": _memory}[name](*arguments)
            )
        )
    else:
        main()
