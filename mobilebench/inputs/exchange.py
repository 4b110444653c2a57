"""Exchange batches of arrays with another process by files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Batch


@dataclass(frozen=True)
class Exchange:
    """The two .npz files of one exchange."""

    inputs: Path
    outputs: Path
    """Written by the other process."""

    def read(self) -> list[Batch]:
        """Read the outputs for every batch."""
        return list(seeded.load_batches(self.outputs))


@contextmanager
def exchange(batches: Sequence[Batch]) -> Iterator[Exchange]:
    """Write the inputs into a folder that is gone when the context is left."""
    with tempfile.TemporaryDirectory(prefix="mobilebench-predict-") as name:
        files = Exchange(Path(name) / "inputs.npz", Path(name) / "outputs.npz")
        seeded.save_batches(files.inputs, batches)
        yield files
