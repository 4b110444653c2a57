"""Measure what a batch on phones adds to pure measuring, and how much a second phone saves.

    python benchmarks/batches_over_adb.py artifacts/* --protocol sustained-1

The phones are those of the tests: a real adbd, a scripted system, and in the app's place its own
core and runners on a Java machine. So all of the way is there but the radio or the cable. A phone's
own start of an app and the speed of its storage are not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "android_app" / "tools")]

import tables  # noqa: E402

from tests.phones.adbd.parts import adb_parts  # noqa: E402
from tests.phones.adbd.phone import Bench, Phone  # noqa: E402
from tests.phones.packages import write_package  # noqa: E402

TITLES = ("phones at the same time", "pure measuring s", "whole batch s", "added", "of one phone")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("artifacts", nargs="+", type=Path)
    parser.add_argument("--protocol", default="sustained-1")
    options = parser.parse_args()
    artifacts = [path.resolve() for path in options.artifacts]
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name) / "bench", adb_parts())
        try:
            phones = [bench.phone("first"), bench.phone("second")]
            package = write_package(Path(name) / "app.apk", abi="arm64-v8a")
            os.environ |= {
                "PATH": bench.path,
                "MOBILEBENCH_APK": str(package),
                "MOBILEBENCH_STORE": str(Path(name) / "records.sqlite"),
            }
            together = _timed(phones, artifacts, options.protocol)
            in_turn = [_timed([phone], artifacts, options.protocol) for phone in phones]
        finally:
            bench.close()
    alone = (sum(pure_s for pure_s, _ in in_turn), sum(took_s for _, took_s in in_turn))
    lines = [_line("2", *together, whole_s=alone[1]), _line("1", *alone, whole_s=alone[1])]
    print(f"{len(artifacts)} artifacts on two phones by {options.protocol}, {tables.machine()}")
    print(tables.markdown(TITLES, lines))


def _line(phones: str, pure_s: float, took_s: float, *, whole_s: float) -> list[str]:
    return [
        phones,
        f"{pure_s:.1f}",
        f"{took_s:.1f}",
        f"{took_s / pure_s - 1:.1%}",
        f"{took_s / whole_s:.3f}",
    ]


def _timed(phones: list[Phone], artifacts: list[Path], protocol: str) -> tuple[float, float]:
    """Run one batch; return pure measuring of the phone that measures longest, and the whole."""
    ids = ",".join(phone.id for phone in phones)
    command = [sys.executable, "-m", "mobilebench", "bench", *map(str, artifacts)]
    began = time.monotonic()
    done = subprocess.run(
        [*command, "--device", ids, "--protocol", protocol, "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    took_s = time.monotonic() - began
    pure: dict[str, float] = {}
    for record in json.loads(done.stdout):
        outcome, device = record["outcome"], record["device"]["id"]
        seconds = (outcome["after"]["t_ns"] - outcome["before"]["t_ns"]) / 1e9
        print(f"{device} {record['recipe']['format']}: {seconds:.1f} s", flush=True)
        pure[device] = pure.get(device, 0.0) + seconds
    return max(pure.values()), took_s


if __name__ == "__main__":
    main()
