"""The terms on which a matrix is exported, and the order of one bundle."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
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
    """Inputs that int8 is calibrated with, and that all files are judged on."""
    image_input: bool = False
    """Files take images and normalise them as the network's authors do."""
    class_labels: tuple[str, ...] = ()
    """Names of the classes, by which files label their scores."""
    force: bool = False
    """Export again what is already in the folder."""
    allow_parity_failure: bool = False
    """Keep files that fail parity with PyTorch."""


@dataclass(frozen=True)
class Order:
    """Everything about one bundle that is known before it is built."""

    request: Request
    recipe: ExportRecipe
    prepared: Prepared
    preparation: Path
    """The folder that holds PyTorch's outputs."""
    tools: dict[str, str]
    terms: Terms

    @property
    def model(self) -> ModelSpec:
        """Return the spec of the network, from its preparation."""
        return self.prepared.model

    @property
    def name(self) -> str:
        """Return a readable name of the bundle."""
        return f"{self.model.title} {self.recipe.label}"

    @cached_property
    def key(self) -> str:
        """Return the sha256 over everything that decides the file and the verdict on it.

        That is the network with the graph that its code gives, the recipe, the tools, the
        exporters' code, the images that files are judged on, and how images are prepared.
        """
        narrower = self.prepared.narrower
        content = {
            "model": self.model.name,
            **({"widths": self.model.stage_widths} if self.model.stage_widths else {}),
            "inputs": [str(tensor) for tensor in self.model.inputs],
            "weights": None if self.model.weights is None else wire.to_plain(self.model.weights),
            "fingerprint": self.prepared.fingerprint,
            "program": self.prepared.preflight.program_sha256,
            **({"narrower": [each.fingerprint for each in narrower]} if narrower else {}),
            "recipe": wire.to_plain(self.recipe),
            "tools": self.tools,
            "judged_on": self.terms.source.agreement_source(),
            "preprocessing": wire.to_plain(self.model.preprocessing),
            "exporters": installation.source_sha256(installation.EXPORTERS, "mobilebench.deploy"),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def place(self, out_dir: Path) -> Path:
        """Return the bundle's folder: a readable name, with the start of the key at its end."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{self.model.title}-{self.recipe.label}")
        return out_dir / f"{readable}-{self.key[:12]}"
