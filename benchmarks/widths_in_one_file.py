"""Measure what several widths in one file cost and save, beside a file of each.

For every network and format there are one file of all widths, and a file of each. Bytes are those
of the files. Every round is a fresh process for each figure: one loads the file of all widths, one
the files of each, one the full network alone, and each runs every width once; then the memory that
this took is read. Another process runs each width of the one file beside its separate file,
interleaved, and switches between widths. Core ML runs on Apple's systems alone: there only bytes
are shown.

    python benchmarks/widths_in_one_file.py --table docs/widths-in-one-file.md
    python benchmarks/widths_in_one_file.py --models mobilevig_ti --formats onnx --rounds 1
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
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from mobilebench import export, files, plugins
from mobilebench.machine import host
from mobilebench.notation import quantities
from mobilebench.values.artifact import Artifact

MODELS = ("rapidnet_ti", "mobilenetv2_100")
FORMATS = ("onnx", "tflite", "executorch", "coreml")
WIDTHS = (1.0, 0.75, 0.5)
TURNS = 8
RUNS_A_TURN = 4
TITLE = "# Several widths in one file"
MADE = """\
Written by `python benchmarks/widths_in_one_file.py --table docs/widths-in-one-file.md` on
{machine}, 1 thread, batch 1, 224 x 224 pixels, with {tools}. These are figures of a CPU of this
kind, not of a phone. Other programs ran on the machine at the same time: compare within a row."""
BYTES = """\
Bytes of one file of the widths {widths}, of the three separate files together, and of the full
network alone. *Shared* is what the narrowest width reads of weights that another width reads too,
as measured in the file."""
COST = """\
Milliseconds until all widths can run, each of which then ran once, and the memory that only this
process has after that, over what it had with its runtime imported. Medians of {rounds} rounds, each
a fresh process."""
SPEED = """\
Milliseconds of one inference of a width of the one file; the ratio to its separate file, the two
interleaved, with the smallest and the largest of {rounds} rounds; and the first inference after a
switch from another width, over a later one."""
Entries = Sequence[str | None]
Run = Callable[[Any], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=Path, help="keep the files here and use those found")
    parser.add_argument("--table", type=Path, help="write the tables here, as Markdown")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.files or Path(scratch)
        figures = [
            _compare(model, name, folder, options.rounds)
            for model in options.models
            for name in options.formats
        ]
    page = _page(figures, options.rounds)
    sys.stdout.write(page)
    if options.table:
        files.write_text(options.table, page)


def _compare(model: str, format_name: str, folder: Path, rounds: int) -> dict[str, Any]:
    together = export(model, format_name, widths=WIDTHS, out_dir=folder)
    # Programs for the same systems, so that their files differ in the widths alone.
    target = together.manifest.recipe.target
    apart = [export(model, format_name, width=w, target=target, out_dir=folder) for w in WIDTHS]
    figure: dict[str, Any] = {"model": model, "format": format_name}
    figure["bytes"] = [each.manifest.facts.size_bytes for each in (together, *apart)]
    figure["shared"] = together.manifest.widths[-1].shared_bytes
    if not plugins.runner("host").runtimes(together.manifest.recipe.format):
        return figure
    entries = [width.entry for width in together.manifest.widths]
    one = _place(together), entries
    each = [_place(artifact) for artifact in apart]
    for name, arguments in (
        ("one", ("ready", format_name, json.dumps([one]))),
        ("apart", ("ready", format_name, json.dumps([(path, [None]) for path in each]))),
        ("full", ("ready", format_name, json.dumps([(each[0], [None])]))),
        ("speed", ("speed", format_name, json.dumps(one), json.dumps(each))),
    ):
        figure[name] = [_worker(*arguments) for _ in range(rounds)]
    return figure


def _place(artifact: Artifact) -> str:
    return str(artifact.model_path.resolve())


def _worker(*arguments: str) -> Any:
    """Run one of the functions below in a fresh process."""
    command = [sys.executable, __file__, "--worker", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
    return json.loads(done.stdout.strip().splitlines()[-1])


def _ready(format_name: str, places: str) -> dict[str, float]:
    """Return milliseconds until every entry of every file can run, and the memory it takes."""
    image = _image()
    opener = OPENERS[format_name]
    library = _library(format_name)
    process = psutil.Process()
    before = process.memory_full_info().uss
    started = time.perf_counter()
    opened = [run for path, names in json.loads(places) for run in opener(library, path, names)]
    seconds = time.perf_counter() - started
    for run in opened:
        run(image)
    return {"ms": 1e3 * seconds, "mb": (process.memory_full_info().uss - before) / 1e6}


def _speed(format_name: str, one: str, each: str) -> dict[str, list[float]]:
    """Return for every width its milliseconds, the ratio to a file alone, and that of a switch."""
    image, library, opener = _image(), _library(format_name), OPENERS[format_name]
    path, entries = json.loads(one)
    together = opener(library, path, entries)
    apart = [run for place in json.loads(each) for run in opener(library, place, [None])]
    for run in (*together, *apart):
        for _ in range(3):
            run(image)
    ours: list[list[float]] = [[] for _ in together]
    theirs: list[list[float]] = [[] for _ in together]
    for _ in range(TURNS):
        for index, pair in enumerate(zip(together, apart, strict=True)):
            for run, times in zip(pair, (ours[index], theirs[index]), strict=True):
                run(image)  # brings its weights back into the cache
                times += [_milliseconds(run, image) for _ in range(RUNS_A_TURN)]
    switched: list[list[float]] = [[] for _ in together]
    for _ in range(TURNS):
        for index, run in enumerate(together):
            together[index - 1](image)
            first = _milliseconds(run, image)
            later = [_milliseconds(run, image) for _ in range(RUNS_A_TURN)]
            switched[index].append(first / statistics.median(later))
    medians = [list(map(statistics.median, times)) for times in (ours, theirs, switched)]
    return {
        "ms": medians[0],
        "ratio": [a / b for a, b in zip(*medians[:2], strict=True)],
        "switch": medians[2],
    }


def _milliseconds(run: Run, image: Any) -> float:
    started = time.perf_counter()
    run(image)
    return 1e3 * (time.perf_counter() - started)


def _image() -> Any:
    return np.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype("float32")


def _library(format_name: str) -> Any:
    """Import the runtime of a format, as its adapter does."""
    from mobilebench_device_runners import _runtimes

    adapters = {"onnx": "OnnxRuntime", "tflite": "LiteRT", "executorch": "ExecuTorch"}
    return getattr(_runtimes, adapters[format_name])()


def _open_onnx(adapter: Any, path: str, entries: Entries) -> list[Run]:
    """Open one session, in which a value of an input chooses."""
    library = adapter._library
    options = library.SessionOptions()
    options.intra_op_num_threads = 1
    session = library.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def runner(entry: str | None) -> Run:
        selector, _, value = (entry or "").partition("=")
        choice = {selector: np.array(int(value))} if value else {}
        return lambda image: session.run(None, {name: image} | choice)

    return [runner(entry) for entry in entries]


def _open_tflite(adapter: Any, path: str, entries: Entries) -> list[Run]:
    """Open one interpreter, and the signature of each entry."""
    interpreter = adapter._library.Interpreter(model_path=path, num_threads=1)
    usual = next(iter(interpreter.get_signature_list()))
    runners = [interpreter.get_signature_runner(entry or usual) for entry in entries]
    return [lambda image, run=run: run(args_0=image) for run in runners]


def _open_executorch(adapter: Any, path: str, entries: Entries) -> list[Run]:
    """Open one program, and load the method of each entry."""
    adapter._bindings._unsafe_reset_threadpool(1)
    program = adapter._bindings._load_program(path)
    methods = [program.load_method(entry or "forward") for entry in entries]
    convert = adapter._torch.from_numpy
    return [lambda image, run=run, of=program: run([convert(image)]) for run in methods]


OPENERS = {"onnx": _open_onnx, "tflite": _open_tflite, "executorch": _open_executorch}


def _page(figures: list[dict[str, Any]], rounds: int) -> str:
    versions: dict[str, str] = {"onnxruntime": metadata.version("onnxruntime")}
    for name in dict.fromkeys(figure["format"] for figure in figures):
        versions |= plugins.exporter(name).tool_versions()
    device = host.host_device()
    conditions = MADE.format(
        machine=f"{device.os} on {device.soc or device.model}",
        tools=", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
    )
    ran = [figure for figure in figures if "one" in figure]
    widths = ", ".join(f"{width:g}" for width in WIDTHS)
    parts = [
        TITLE,
        _filled(conditions),
        "## Bytes",
        _filled(BYTES.format(widths=widths)),
        _table(
            ("network", "format", "one file", "separate", "full alone", "over full", "shared"),
            map(_bytes, figures),
        ),
        "## Load and memory",
        _filled(COST.format(rounds=rounds)),
        _table(
            (
                "network", "format", "one file ms", "separate ms", "full alone ms",
                "one file MB", "separate MB", "full alone MB",
            ),
            map(_cost, ran),
        ),
        "## Speed and switches",
        _filled(SPEED.format(rounds=rounds)),
        _table(
            ("network", "format", "width", "ms", "to a file alone", "first after a switch"),
            (row for figure in ran for row in _speeds(figure)),
        ),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _filled(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def _table(titles: Sequence[str], rows: Any) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _bytes(figure: dict[str, Any]) -> list[str]:
    one, full, *others = figure["bytes"]
    return [
        figure["model"],
        figure["format"],
        *map(quantities.size, (one, full + sum(others), full)),
        f"{one / full:.3f}",
        quantities.size(figure["shared"]),
    ]


def _cost(figure: dict[str, Any]) -> list[str]:
    cells = [
        f"{statistics.median(each[unit] for each in figure[name]):.1f}"
        for unit in ("ms", "mb")
        for name in ("one", "apart", "full")
    ]
    return [figure["model"], figure["format"], *cells]


def _speeds(figure: dict[str, Any]) -> list[list[str]]:
    rounds = figure["speed"]
    return [
        [
            figure["model"],
            figure["format"],
            f"{width:g}",
            f"{statistics.median(each['ms'][index] for each in rounds):.2f}",
            _spread([each["ratio"][index] for each in rounds]),
            _spread([each["switch"][index] for each in rounds]),
        ]
        for index, width in enumerate(WIDTHS)
    ]


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        answer = {"ready": _ready, "speed": _speed}[sys.argv[2]](*sys.argv[3:])
        sys.stdout.write(json.dumps(answer) + "\n")
    else:
        main()
