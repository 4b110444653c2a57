"""Measure how long `mobilebench inspect` takes, as a Markdown table.

Bundles and model files are arguments. Beside each stands the time of `python -c 'import
mobilebench'`, measured interleaved with it in the same run, so that the ratio is comparable between
machines. Each time is the median of the runs.

    python benchmarks/inspection.py artifacts/*
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from mobilebench.values.artifact import content_size


def _seconds(*command: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("artifacts", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print("| artifact | MB | inspect s | import mobilebench s | ratio |")
    print("|---|---|---|---|---|")
    for path in options.artifacts:
        inspecting, importing = [], []
        for _ in range(options.runs):
            inspecting.append(_seconds(sys.executable, "-m", "mobilebench", "inspect", str(path)))
            importing.append(_seconds(sys.executable, "-c", "import mobilebench"))
        whole, least = statistics.median(inspecting), statistics.median(importing)
        megabytes = content_size(path) / 1e6
        print(
            f"| {path.name} | {megabytes:.0f} | {whole:.2f} | {least:.3f} | {whole / least:.0f} |"
        )


if __name__ == "__main__":
    main()
