"""Choose the widths of a trained network that are worth their latency.

Every width of a table of latencies is judged with the shared weights; those that no faster width
equals in accuracy are the front. Joslim (Chin et al. 2021, arXiv:2007.11752) chooses the widths
while it trains the weights for them; here the weights are trained first, and do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from mobilebench.inputs.folder import ImageFolder
from mobilebench.slimmable.extraction import extract
from mobilebench.slimmable.norms import IMAGES
from mobilebench.slimmable.training.batches import TrainingData, judged
from mobilebench.slimmable.training.judging import Hits, hits, recalibrate_from
from mobilebench.slimmable.training.latencies import LatencyTable
from mobilebench.slimmable.training.trained import Trained
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.width import Width
from mobilebench.values.widths import WidthCost, Widths


@dataclass(frozen=True)
class Candidate:
    """A width of the table, judged."""

    width: Width
    latency_ms: float
    hits: Hits
    recalibrated: bool
    """Whether the file has no norms for it, so that its statistics were taken for the search."""

    @property
    def top1(self) -> float:
        """In per cent."""
        return 100 * self.hits.top1 / self.hits.images


def judge(
    trained: Trained,
    spec: ModelSpec,
    data: TrainingData,
    table: LatencyTable,
    *,
    judged_on: ImageFolder,
    recalibrated_on: int = IMAGES,
    batch: int = 64,
    cpu: bool = True,
    workers: int = 0,
    counted: Callable[[int], None] = lambda images: None,
) -> list[Candidate]:
    """Judge every width of a table, the slowest first; each image is read once for all.

    A width without norms in the file gets those of the full network, with statistics from
    `recalibrated_on` images of the training; the file does not change. Raises `UserError` for a
    width that the network cannot take, `ImageError` for a file that cannot be read.
    """
    device = "cuda" if torch.cuda.is_available() and not cpu else "cpu"
    networks = {}
    for row in table.rows:
        if trained.has(row.width):
            network = trained.extract(row.width, "the file").eval().to(device)
        else:
            network = extract(trained.network, row.width, name=trained.model).eval().to(device)
            recalibrate_from(network, data.train, spec, count=recalibrated_on, device=device)
        networks[row.width.label] = network
    images = judged(judged_on, spec, batch=batch, workers=workers)
    by_label = hits(networks, images, device, counted)
    candidates = [
        Candidate(row.width, row.latency_ms, by_label[row.width.label], not trained.has(row.width))
        for row in table.rows
    ]
    return sorted(candidates, key=lambda each: (-each.latency_ms, each.hits.top1))


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that no other equals or beats in both latency and hits.

    The slowest, most accurate one is first. Of two alike in both, the first is taken.
    """
    best: list[Candidate] = []
    for each in sorted(candidates, key=lambda each: (each.latency_ms, -each.hits.top1)):
        if not best or each.hits.top1 > best[-1].hits.top1:
            best.append(each)
    return best[::-1]


def in_falling_order(chosen: Sequence[Candidate]) -> list[Candidate]:
    """Return those of a front whose shares fall with their latencies.

    A controller needs this order. A narrower width can be slower, where its channels are in the
    costly stages. The most widths that are in order are taken; of several such selections, the one
    with the slower ones.
    """
    # The longest chain from each candidate, which is slower than all after it.
    chains: list[list[Candidate]] = []
    for place in range(len(chosen) - 1, -1, -1):
        each = chosen[place]
        after = [c for c in chains if c[0].width.mean < each.width.mean]
        chains.append([each, *max(after[::-1], key=len, default=[])])
    return max(chains[::-1], key=len, default=[])


def as_widths(chosen: Sequence[Candidate], latency_source: str, accuracy_source: str) -> Widths:
    """Return the table that `mobilebench simulate --widths` reads."""
    return Widths(
        latency_source=latency_source,
        accuracy_source=accuracy_source,
        widths=tuple(
            WidthCost(
                width=each.width.mean,
                cool_ms=each.latency_ms,
                top1=each.top1,
                stage_widths=() if len(set(each.width.shares)) == 1 else each.width.shares,
            )
            for each in chosen
        ),
    )
