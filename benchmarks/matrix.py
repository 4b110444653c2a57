"""What a second process saves when a matrix is exported, and what a second run of it costs.

The smallest network of every family in every format, float32: exported into an empty folder by one
process at a time, then into another by two, then once more into the folder that is full. Each run
is `mobilebench export` in a process of its own, from nothing prepared. Takes an hour on two cores.

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
        alone, done = _export(options, Path(folder) / "1", jobs=1)
        lines.append(_line("one process", alone, alone, done))
        both, done = _export(options, Path(folder) / "2", jobs=2)
        lines.append(_line("two processes", both, alone, done))
        again = [_export(options, Path(folder) / "2", jobs=2) for _ in range(AGAIN)]
    if not all(cell["cached"] for _, done in again for cell in done if not cell["failure"]):
        raise SystemExit("a run over a full folder made something again")
    lines.append(_line("over a full folder", statistics.median(t for t, _ in again), alone, done))
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
    """Seconds and the outcome of every cell."""
    command = [sys.executable, "-m", "mobilebench", "export", *options.models, "--json"]
    command += [part for name in options.formats for part in ("--format", name)]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--out", str(out), "--jobs", str(jobs), "--store", f"sqlite:///{out}.sqlite"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        raise SystemExit(f"mobilebench export ended with {done.returncode}")
    return seconds, json.loads(done.stdout)


def _line(name: str, seconds: float, alone: float, done: list[Any]) -> list[str]:
    made = [cell["manifest"]["facts"] for cell in done if cell["manifest"]]
    peak = max(facts["export_peak_memory_bytes"] for facts in made)
    line = [
        name,
        f"{seconds:.1f}",
        f"{seconds / alone:.2f}",
        str(len(done)),
        str(len(done) - len(made)),
        f"{peak / 1e9:.1f}",
    ]
    print(" | ".join(line), flush=True)
    return line


if __name__ == "__main__":
    main()
