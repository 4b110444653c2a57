"""Measure what a second process saves, and what a second run costs, of a matrix.

The smallest network of every family in every format, float32: exported into an empty folder by one
process at a time, then into another by two, then once more into the folder that is full. Each run
is `mobilebench export` in a separate process that starts from nothing. It takes an hour on two
cores.

    python benchmarks/matrix.py --table docs/matrix-speed.md
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import deployment
import tables

from mobilebench import files, plugins

TITLE = "# How long a matrix takes"
EXPLAINED = """\
Written by `benchmarks/matrix.py` on {machine}: {models} networks in {formats} formats, float32,
every file compared with PyTorch on 16 inputs. One run each for one and for two processes at a time,
one after the other, from empty folders; the run over a full folder is the median of {again}. Peak
memory is the most that the process of one conversion held."""
TITLES = ("run", "seconds", "of one process", "cells", "failed", "largest peak memory GB")
AGAIN = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=deployment.MODELS)
    parser.add_argument("--formats", nargs="+", default=plugins.exporter_names())
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        alone, cells = _export(options, Path(folder) / "1", jobs=1)
        lines.append(_line("one process", alone, alone, cells))
        both, cells = _export(options, Path(folder) / "2", jobs=2)
        lines.append(_line("two processes", both, alone, cells))
        again = [_export(options, Path(folder) / "2", jobs=2) for _ in range(AGAIN)]
    if not all(cell["cached"] for _, cells in again for cell in cells if not cell["failure"]):
        raise SystemExit("a run over a full folder made something again")
    lines.append(_line("over a full folder", statistics.median(t for t, _ in again), alone, cells))
    explained = EXPLAINED.format(
        machine=tables.machine(),
        models=len(options.models),
        formats=len(options.formats),
        again=AGAIN,
    )
    table = tables.markdown(TITLES, lines)
    if options.table:
        files.write_text(options.table, tables.page(TITLE, explained, table))


def _export(options: argparse.Namespace, out: Path, jobs: int) -> tuple[float, list[Any]]:
    """Return the seconds of a run and the outcome of every cell."""
    command = [sys.executable, "-m", "mobilebench", "export", *options.models, "--json"]
    command += [part for name in options.formats for part in ("--format", name)]
    started = time.perf_counter()
    result = subprocess.run(
        [*command, "--out", str(out), "--jobs", str(jobs), "--store", f"sqlite:///{out}.sqlite"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if result.returncode not in (0, 1):
        raise SystemExit(f"mobilebench export ended with {result.returncode}")
    return seconds, json.loads(result.stdout)


def _line(name: str, seconds: float, alone: float, cells: list[Any]) -> list[str]:
    facts_list = [cell["manifest"]["facts"] for cell in cells if cell["manifest"]]
    peak = max(facts["export_peak_memory_bytes"] for facts in facts_list)
    line = [
        name,
        f"{seconds:.1f}",
        f"{seconds / alone:.2f}",
        str(len(cells)),
        str(len(cells) - len(facts_list)),
        f"{peak / 1e9:.1f}",
    ]
    print(" | ".join(line), flush=True)
    return line


if __name__ == "__main__":
    main()
