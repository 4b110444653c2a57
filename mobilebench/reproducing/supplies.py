"""Find the files that records were made from among those that a user has, by their sha256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.inputs import labels
from mobilebench.inputs.source import InputSource
from mobilebench.inspecting.inspection import is_model_file
from mobilebench.values.artifact import MANIFEST_FILE, Artifact, content_sha256

_LARGEST_LABELS = 1 << 20


@dataclass(frozen=True)
class Supply:
    """A file or a folder of the user, and what records call it."""

    path: Path
    names: tuple[str, ...]
    """Every sha256 that a record may state for it."""


@dataclass(frozen=True)
class Supplies:
    """Checkpoints, model files, class labels and folders of images that a user has."""

    items: tuple[Supply, ...] = ()

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Supplies:
        """Read what each path is. Raises `UserError` for one that is nothing of the kind."""
        return cls(tuple(Supply(path, tuple(dict.fromkeys(_names(path)))) for path in paths))

    def find(self, sha256: str) -> Path | None:
        """Return the path that a record states the sha256 of."""
        return next((item.path for item in self.items if sha256 in item.names), None)


def _names(path: Path) -> Iterator[str]:
    if not path.exists():
        raise UserError(
            f"There is no {path}; --with takes a checkpoint, a model file, a file of class labels, "
            f"or a folder of images."
        )
    if (path / MANIFEST_FILE).is_file():
        yield Artifact.load(path).manifest.facts.sha256
    elif is_model_file(path):
        yield content_sha256(path)
    elif path.is_dir():
        source = InputSource(path)
        yield source.calibration().source
        yield source.agreement_source()
    else:
        with path.open("rb") as handle:
            yield hashlib.file_digest(handle, "sha256").hexdigest()
        yield from _labels(path)


def _labels(path: Path) -> Iterator[str]:
    """Yield the sha256 of a file's labels, where it is a file of labels."""
    if path.stat().st_size > _LARGEST_LABELS:
        return
    try:
        yield labels.sha256(labels.read(path))
    except UserError:  # a checkpoint, then
        return
