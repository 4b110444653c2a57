"""What is asked of an export: the terms of a whole matrix, and the order of one bundle."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from mobilebench.exporting.preparation import Prepared
from mobilebench.inputs.source import InputSource
from mobilebench.machine import installation
from mobilebench.values import wire
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.request import Request

NOISE_SOURCE = InputSource()


@dataclass(frozen=True)
class Terms:
    """How a matrix is exported."""

    source: InputSource = NOISE_SOURCE
    """The inputs that calibrated recipes were made for and quantized files are judged on."""
    image_input: bool = False
    """Files take images and normalise them as the network's authors do."""
    class_labels: tuple[str, ...] = ()
    """Names of the outputs, which files answer by."""
    force: bool = False
    """Make again what is in the folder already."""
    allow_parity_failure: bool = False
    """Keep files that are not equal enough to PyTorch."""


@dataclass(frozen=True)
class Order:
    """One bundle to be made: everything about it that is known before it exists."""

    request: Request
    recipe: ExportRecipe
    prepared: Prepared
    preparation: Path
    """The folder that holds PyTorch's outputs."""
    tools: dict[str, str]
    terms: Terms

    @property
    def model(self) -> ModelSpec:
        """The network, as its preparation describes it."""
        return self.prepared.model

    @property
    def name(self) -> str:
        """The bundle in words, for people."""
        return f"{self.model.title} {self.recipe.label}"

    @property
    def key(self) -> str:
        """sha256 over all that decides the file: network, recipe, tools and exporters' code."""
        content = {
            "model": self.model.name,
            "inputs": [str(tensor) for tensor in self.model.inputs],
            "weights": None if self.model.weights is None else wire.to_plain(self.model.weights),
            "fingerprint": self.prepared.fingerprint,
            "recipe": wire.to_plain(self.recipe),
            "tools": self.tools,
            "exporters": installation.source_sha256(installation.EXPORTERS, "mobilebench.deploy"),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def place(self, out_dir: Path) -> Path:
        """Return the bundle's folder; its name is for people but for the key at its end."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{self.model.title}-{self.recipe.label}")
        return out_dir / f"{readable}-{self.key[:12]}"
