"""Run the gate on this machine: a network against itself, and against slower ones.

    python benchmarks/gate_host.py --out DIR --comparisons 200 --table docs/gate-host.md

Each comparison is a separate session of interleaved pairs of processes, as `mobilebench bench --ab`
runs it. It takes about half a minute, so 200 take two hours. Finished sessions are kept in DIR and
not repeated. Runtimes alternate. With `--at-once 2` two sessions run side by side, each of them
noise for the other; the table counts those in separate lines.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

import tables
import torch
from torch import Tensor, nn

from mobilebench import export, files
from mobilebench.measuring.pairs import compare_pairs
from mobilebench.measuring.setting import Setting, plan_pairs
from mobilebench.regress import Rule, Verdict
from mobilebench.values.artifact import Artifact
from mobilebench.values.protocol import protocol

RUNTIMES = {"onnx": "onnxruntime", "tflite": "litert", "executorch": "executorch"}
METRIC = "latency p50"
BLOCKS = 20
TITLE = "# The gate on this machine"
EXPLAINED = """\
Written by `benchmarks/gate_host.py` on {machine}, one thread, the rule's defaults. The network is
{blocks} equal blocks; *one more* and *two more* have 21 and 22 of them, so their work is 5 and 10 %
more by count. *At once* says how many sessions ran side by side, each the noise of the others. The
effect is the median over the sessions, as the gate measured it. This machine is a virtual one that
others share; it says nothing of a phone."""
TITLES = (
    "network",
    "runtime",
    "pairs",
    "at once",
    "sessions",
    "regressed",
    "improved",
    "unchanged",
    "inconclusive",
    "effect",
)


class Blocks(nn.Module):
    """(1, 32, 16, 16) -> (1, 32): a row of equal blocks."""

    def __init__(self, count: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.Sequential(*(_block() for _ in range(count)))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.blocks(x).mean((2, 3))
        return y


def _block() -> nn.Module:
    """Return a block with He's initialization, so that the last one still sees the input."""
    conv = nn.Conv2d(32, 32, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(32), nn.ReLU())


CASES = {"itself": BLOCKS, "one more": BLOCKS + 1, "two more": BLOCKS + 2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--comparisons", type=int, default=200, help="of the network with itself")
    parser.add_argument("--slower", type=int, default=6, help="sessions of every other case")
    parser.add_argument("--case", dest="cases", choices=CASES, action="append", help="only this")
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--at-once", type=int, default=1, help="sessions side by side")
    parser.add_argument("--table", type=Path, help="write the table here, as Markdown")
    options = parser.parse_args()
    artifacts = {
        (case, name): _artifact(case, count, name, options.out)
        for case, count in CASES.items()
        for name in RUNTIMES
    }
    journal = options.out / "sessions.json"
    sessions: list[dict[str, Any]] = json.loads(journal.read_text()) if journal.exists() else []
    finished = Counter(
        (session["case"], session["runtime"])
        for session in sessions
        if session["pairs"] == options.pairs
    )
    turns = [
        turn
        for turn in _remaining(finished, _plan(options.comparisons, options.slower))
        if turn[0] in (options.cases or CASES)
    ]
    run = partial(_session, artifacts, pairs=options.pairs, at_once=options.at_once)
    with ThreadPoolExecutor(options.at_once) as pool:
        for session in pool.map(run, turns):  # the first failure ends the run
            sessions.append(session)
            files.write_text(journal, json.dumps(sessions))
            print(session, flush=True)
    table = tables.markdown(TITLES, _lines(sessions))
    explained = EXPLAINED.format(machine=tables.machine(), blocks=BLOCKS)
    print(table)
    if options.table:
        files.write_text(options.table, tables.page(TITLE, explained, table))


def _artifact(case: str, count: int, name: str, out: Path) -> Artifact:
    return export(Blocks(count).eval(), name, inputs=["1x32x16x16"], out_dir=out / case)


def _plan(comparisons: int, slower: int) -> Iterator[tuple[str, str]]:
    """Yield sessions in an order that mixes cases and runtimes."""
    rounds = -(-comparisons // len(RUNTIMES))
    for turn in range(max(rounds, slower)):
        for case in CASES:
            if turn < (rounds if case == "itself" else slower):
                yield from ((case, name) for name in RUNTIMES)


def _remaining(
    finished: Counter[tuple[str, str]], plan: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield the sessions of the plan that are not finished."""
    for turn in plan:
        if not finished[turn]:
            yield turn
        else:
            finished[turn] -= 1


def _session(
    artifacts: dict[tuple[str, str], Artifact], turn: tuple[str, str], *, pairs: int, at_once: int
) -> dict[str, Any]:
    case, name = turn
    setting = Setting(device_id="host", protocol=protocol("ci-ab-1"), runtimes=(RUNTIMES[name],))
    report = compare_pairs(
        plan_pairs([artifacts["itself", name]], [artifacts[case, name]], setting).cells,
        Rule(),
        pairs=pairs,
        metrics=[METRIC],
    )
    [comparison] = report.comparisons
    return {
        "case": case,
        "runtime": name,
        "at_once": at_once,
        "pairs": pairs,
        "verdict": comparison.verdict,
        "effect": comparison.effect,
        "p": comparison.p_value,
    }


def _lines(sessions: list[dict[str, Any]]) -> Iterator[list[str]]:
    cases, runtimes = list(CASES), list(RUNTIMES)

    def kind(session: dict[str, Any]) -> tuple[int, ...]:
        place = cases.index(session["case"])
        return place, session["pairs"], session["at_once"], runtimes.index(session["runtime"])

    for _, group in groupby(sorted(sessions, key=kind), key=kind):
        members = list(group)
        effect = median(session["effect"] for session in members)
        yield [
            members[0]["case"],
            RUNTIMES[members[0]["runtime"]],
            str(members[0]["pairs"]),
            str(members[0]["at_once"]),
            str(len(members)),
            *(
                str(sum(session["verdict"] == verdict for session in members))
                for verdict in Verdict
            ),
            f"{effect:+.1%}",
        ]


if __name__ == "__main__":
    main()
