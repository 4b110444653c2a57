"""Find the bundle of an order, if a folder already holds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mobilebench.errors import BundleError
from mobilebench.exporting import preparation
from mobilebench.exporting.order import Order
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Batch
from mobilebench.values.artifact import REFERENCE_FILE, Artifact

_ROUNDING = 1e-4
"""Share of the largest value by which PyTorch's outputs may differ between two machines, which sum
in another order. It is the share past which an output counts as a jump (`conversion.eager`)."""


def find(order: Order, out_dir: Path) -> Artifact | None:
    """Return the bundle of an order, with every byte of its model file verified.

    None where there is none, and where its file failed parity and that is not allowed. Raises
    `BundleError` or `SchemaError` where it is damaged or holds another network's outputs.
    """
    place = order.place(out_dir)
    if not place.exists():
        return None
    artifact = Artifact.load(place)
    _require_same_outputs(order, artifact)
    facts = artifact.manifest.facts
    verdicts = [parity.passed for parity in facts.parity]
    verdicts += [parity.passed for width in artifact.manifest.widths for parity in width.parity]
    verdicts += [] if facts.agreement is None else [facts.agreement.passed]
    return artifact if all(verdicts) or order.terms.allow_parity_failure else None


def _require_same_outputs(order: Order, artifact: Artifact) -> None:
    """Compare PyTorch's outputs of the bundle with those of the network as it is now.

    The graph in the key cannot show everything: an operation of the user's own is a name in it.
    """
    place = artifact.folder / REFERENCE_FILE
    if not place.is_file():
        raise BundleError(f"{artifact.folder} has lost its {REFERENCE_FILE}, the outputs to match.")
    now = preparation.outputs(order.preparation)
    before = seeded.load_batches(place)
    if artifact.manifest.facts.of_export().seeds != order.prepared.preflight.seeds:
        return  # another machine passed over other inputs
    if len(now) != len(before) or not all(map(_close, now, before)):
        raise BundleError(
            f"{artifact.folder} was exported from a network that computed something else."
        )


def _close(now: Batch, before: Batch) -> bool:
    return len(now) == len(before) and all(
        ours.shape == theirs.shape and _furthest(ours, theirs) <= _ROUNDING
        for ours, theirs in zip(now, before, strict=True)
    )


def _furthest(ours: seeded.Array, theirs: seeded.Array) -> float:
    """Return the largest difference as a share of the largest value."""
    largest = float(np.abs(ours.astype(np.float64)).max(initial=0.0))
    change = float(np.abs(np.subtract(ours, theirs, dtype=np.float64)).max(initial=0.0))
    return change / largest if largest > 0 else change
