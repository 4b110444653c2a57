"""The state of a training that is under way, so that it can go on after it was killed.

Random numbers are drawn by the seed and the step, so the state of no generator is kept: a step
draws the same whether or not the program was started again before it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from mobilebench import files
from mobilebench.errors import UserError
from mobilebench.inputs.folder import ImageFolder
from mobilebench.values import wire
from mobilebench.values.training import TrainingRecipe, TrainingReport

STATE_FILE = "progress.pt"
REPORT_FILE = "report.json"
NETWORK_FILE = "shared.pt"


@dataclass(frozen=True)
class State:
    """Where a training stands."""

    step: int
    """Steps that are done."""
    network: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    scaler: Mapping[str, Any] | None
    """Of the gradients of fp16."""


def listing_sha256(data: ImageFolder) -> str:
    """Return sha256 over the label and the path of every image.

    A file that was replaced, because it could not be read, is no other data set.
    """
    digest = hashlib.sha256()
    for image in data.images:
        digest.update(f"{image.label}\0{image.path}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Run:
    """The folder of one training."""

    folder: Path
    recipe: TrainingRecipe
    images_sha256: str
    processes: int = 1

    def report(self) -> TrainingReport | None:
        """Return the report of the same training, where it has ended.

        Raises `UserError` where the folder is of another.
        """
        path = self.folder / REPORT_FILE
        if not path.exists():
            return None
        report = wire.read(TrainingReport, path)
        self._require_same(wire.to_plain(report.recipe), report.images_sha256, self.processes)
        return report

    def read(self) -> State | None:
        """Return the state of the same training; None where it has not begun.

        Raises `UserError` where the folder is of another training, or the file is damaged.
        """
        path = self.folder / STATE_FILE
        if not path.exists():
            return None
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            recipe, images, processes = (
                content[name] for name in ("recipe", "images_sha256", "processes")
            )
            state = State(**content["state"])
        except Exception as error:
            # A damaged file raises a dozen kinds of error.
            raise UserError(
                f"The training in {self.folder} cannot go on, because {path} cannot be read; "
                f"delete it to begin again, or give another --out."
            ) from error
        self._require_same(recipe, images, processes)
        return state

    def write(self, state: State) -> None:
        """Keep a state; it replaces the one before at once. Raises `OutputError`."""
        content = io.BytesIO()
        torch.save(
            {
                "recipe": wire.to_plain(self.recipe),
                "images_sha256": self.images_sha256,
                "processes": self.processes,
                "state": {field.name: getattr(state, field.name) for field in fields(state)},
            },
            content,
        )
        files.write_bytes(self.folder / STATE_FILE, content.getvalue())

    def end(self, report: TrainingReport) -> None:
        """Write the report, and remove the state that is not needed any more."""
        wire.write(self.folder / REPORT_FILE, report)
        (self.folder / STATE_FILE).unlink(missing_ok=True)

    def _require_same(self, recipe: Any, images: str, processes: int) -> None:
        own = wire.to_plain(self.recipe)
        differing = [name for name in own if own[name] != recipe.get(name)]
        if images != self.images_sha256:
            differing.append("images")
        if processes != self.processes:
            differing.append("devices")
        if differing:
            raise UserError(
                f"{self.folder} holds a training with other {' and '.join(differing)}; give what "
                f"it had to go on, or another --out."
            )
