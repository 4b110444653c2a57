"""How long `mobilebench inspect` takes on given bundles or model files, as a Markdown table.

Beside each stands the time of `python -c 'import mobilebench'`, measured in turns with it in the
same run, so that the ratio says something on any machine. Each time is the median of the runs.

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
    asked = parser.parse_args()
    print("| artifact | MB | inspect s | import mobilebench s | ratio |")
    print("|---|---|---|---|---|")
    for path in asked.artifacts:
        inspecting, importing = [], []
        for _ in range(asked.runs):
            inspecting.append(_seconds(sys.executable, "-m", "mobilebench", "inspect", str(path)))
            importing.append(_seconds(sys.executable, "-c", "import mobilebench"))
        whole, least = statistics.median(inspecting), statistics.median(importing)
        megabytes = content_size(path) / 1e6
        print(
            f"| {path.name} | {megabytes:.0f} | {whole:.2f} | {least:.3f} | {whole / least:.0f} |"
        )


if __name__ == "__main__":
    main()
