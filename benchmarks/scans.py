"""Compare VCMamba's scan token by token with the one in chunks, as ratios within one run.

Three files of VCMamba-S run in turns: *deployed* scans token by token, *chunks* in chunks, and
*limit* has no scan, as in `deployment.py`. Each round is a fresh process that runs all three; a
figure is the median over the rounds of each round's own ratio.

    python benchmarks/scans.py                 three formats, some ten minutes
    python benchmarks/scans.py --formats onnx --rounds 2
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import deployment
from rich.console import Console
from rich.table import Table

MODEL = "vcmamba_s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--formats", nargs="+", default=deployment.FORMATS, choices=deployment.FORMATS
    )
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    table = Table("format", "threads", "to chunks", "to the limit", "export, to chunks")
    with tempfile.TemporaryDirectory() as name:
        for format_name in options.formats:
            paths, seconds = files(format_name, Path(name))
            for threads in deployment.THREADS:
                rounds = [
                    deployment.side_by_side(format_name, paths, threads)
                    for _ in range(options.rounds)
                ]
                table.add_row(
                    format_name,
                    str(threads),
                    *(
                        deployment.ratio_of(rounds, "deployed", other)
                        for other in ("chunks", "limit")
                    ),
                    f"{seconds['deployed'] / seconds['chunks']:.2f}",
                )
    Console().print(table)


def files(format_name: str, folder: Path) -> tuple[dict[str, str], dict[str, float]]:
    """Export the three files; return where they are, and the seconds that each export took."""
    paths, seconds = {}, {}
    for form in ("deployed", "chunks", "limit"):
        place = folder / f"{format_name}-{form}"
        place.mkdir()
        facts = deployment.worker("export", MODEL, format_name, form, str(place))
        paths[form], seconds[form] = str(place / facts["file"]), facts["export_s"]
    return paths, seconds


if __name__ == "__main__":
    main()
