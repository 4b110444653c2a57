"""The gate on this machine: a network against itself, and against one with a little more work.

    python benchmarks/gate_host.py --out DIR --comparisons 200 --table docs/gate-host.md

Each comparison is a session of its own, of interleaved pairs of processes, as `mobilebench bench
--ab` runs it: about half a minute each, so 200 take more than an hour and a half. What was done is
kept in DIR and not done again. Runtimes take turns.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import tables
import torch
from torch import Tensor, nn

from mobilebench import ab, export, files
from mobilebench.artifact import Artifact
from mobilebench.protocol import protocol
from mobilebench.regress import Rule, Verdict

RUNTIMES = {"onnx": "onnxruntime", "tflite": "litert", "executorch": "executorch"}
METRIC = "latency p50"
BLOCKS = 20
TITLE = "# The gate on this machine"
EXPLAINED = """\
Written by `benchmarks/gate_host.py` on {machine}, one thread, the rule's defaults, {pairs} pairs a
session. The network is {blocks} equal blocks; *one more* and *two more* have 21 and 22 of them, so
their work is 5 and 10 % more by count. Measured by the gate itself: the effect is the median over
the sessions. This machine is a virtual one that others share; it says nothing of a phone."""
TITLES = (
    "network",
    "runtime",
    "sessions",
    "regressed",
    "improved",
    "unchanged",
    "inconclusive",
    "effect",
)


class Blocks(nn.Module):
    """(1, 32, 28, 28) -> (1, 32): a row of equal blocks."""

    def __init__(self, count: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.Sequential(*(_block() for _ in range(count)))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.blocks(x).mean((2, 3))
        return y


def _block() -> nn.Module:
    """He's initialization, so that what enters is still to be seen behind the last block."""
    conv = nn.Conv2d(32, 32, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(32), nn.ReLU())


CASES = {"itself": BLOCKS, "one more": BLOCKS + 1, "two more": BLOCKS + 2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--comparisons", type=int, default=200, help="of the network with itself")
    parser.add_argument("--slower", type=int, default=6, help="sessions of every other case")
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    artifacts = {
        (case, name): _artifact(case, count, name, options.out)
        for case, count in CASES.items()
        for name in RUNTIMES
    }
    journal = options.out / "sessions.json"
    done: list[dict[str, Any]] = json.loads(journal.read_text()) if journal.exists() else []
    for case, name in _plan(options.comparisons, options.slower):
        if _count(done, case, name) >= _wanted(case, options):
            continue
        done.append(_session(artifacts, case, name, options.pairs))
        files.write_text(journal, json.dumps(done))
        print(done[-1], flush=True)
    lines = [_line(done, case, name) for case in CASES for name in RUNTIMES]
    table = tables.markdown(TITLES, lines)
    explained = EXPLAINED.format(machine=tables.machine(), pairs=options.pairs, blocks=BLOCKS)
    print(table)
    if options.table:
        files.write_text(options.table, tables.page(TITLE, explained, table))


def _artifact(case: str, count: int, name: str, out: Path) -> Artifact:
    return export(Blocks(count).eval(), name, inputs=["1x32x28x28"], out_dir=out / case)


def _plan(comparisons: int, slower: int) -> list[tuple[str, str]]:
    """Sessions in an order that mixes cases and runtimes."""
    rounds = -(-comparisons // len(RUNTIMES))
    plan = []
    for turn in range(rounds):
        plan += [("itself", name) for name in RUNTIMES]
        if turn < slower:
            plan += [(case, name) for case in ("one more", "two more") for name in RUNTIMES]
    return plan


def _wanted(case: str, options: argparse.Namespace) -> int:
    return -(-options.comparisons // len(RUNTIMES)) if case == "itself" else options.slower


def _count(done: list[dict[str, Any]], case: str, name: str) -> int:
    return sum(session["case"] == case and session["runtime"] == name for session in done)


def _session(
    artifacts: dict[tuple[str, str], Artifact], case: str, name: str, pairs: int
) -> dict[str, Any]:
    setting = ab.Setting("host", [RUNTIMES[name]], [1], protocol("ci-ab-1"))
    report = ab.run(
        [artifacts["itself", name]],
        [artifacts[case, name]],
        setting,
        Rule(),
        pairs=pairs,
        metrics=[METRIC],
    )
    [found] = report.comparisons
    return {
        "case": case,
        "runtime": name,
        "verdict": found.verdict,
        "effect": found.effect,
        "p": found.p_value,
    }


def _line(done: list[dict[str, Any]], case: str, name: str) -> list[str]:
    its = [session for session in done if (session["case"], session["runtime"]) == (case, name)]
    effects = sorted(session["effect"] for session in its)
    counts = [str(sum(session["verdict"] == verdict for session in its)) for verdict in Verdict]
    middle = f"{effects[len(effects) // 2]:+.1%}" if effects else ""
    return [case, RUNTIMES[name], str(len(its)), *counts, middle]


if __name__ == "__main__":
    main()
