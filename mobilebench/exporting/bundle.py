"""Bundles: where an artifact's folder is, whether it is there already, and how it is made."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import numpy as np

from mobilebench import files, plugins
from mobilebench.errors import BundleError, CellFailed, ModelFileError, SchemaError
from mobilebench.exporting.preparation import Reference
from mobilebench.files import writing
from mobilebench.inputs import labels, seeded
from mobilebench.inputs.source import Samples
from mobilebench.inspecting.placement.placing import placements
from mobilebench.interfaces import Structure
from mobilebench.machine import host, installation
from mobilebench.machine.isolated import Cell
from mobilebench.observer import Step
from mobilebench.values import value, wire
from mobilebench.values.artifact import (
    AGREEMENT_FILE,
    INPUTS_FILE,
    MANIFEST_FILE,
    REFERENCE_FILE,
    Agreement,
    Artifact,
    ArtifactFacts,
    Manifest,
    Parity,
    Preflight,
    content_sha256,
    content_size,
)
from mobilebench.values.forecast import Forecast
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ExportRecipe, Format
from mobilebench.verifying import verification


@dataclass(frozen=True)
class Made:
    """A model file that an exporter has written, read back once."""

    model_path: Path
    structure: Structure
    peak_memory_bytes: int | None = None
    """Of the process that made it; None where that was not its only work."""


Make = Callable[[ExportRecipe, Path, Event], Made]
"""Writes the model file of a recipe into a folder; gives up when the event is set."""


@value
class Order:
    """Everything about one artifact that is known before it exists."""

    model: ModelSpec
    recipe: ExportRecipe
    fingerprint: str
    tools: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.model.title} {self.recipe.label}"

    @property
    def key(self) -> str:
        """sha256 over all that decides the file: network, recipe, tools and exporters' code."""
        content = {
            "model": self.model.name,
            "inputs": [str(tensor) for tensor in self.model.inputs],
            "weights": None if self.model.weights is None else wire.to_plain(self.model.weights),
            "fingerprint": self.fingerprint,
            "recipe": wire.to_plain(self.recipe),
            "tools": self.tools,
            "exporters": installation.source_sha256(installation.EXPORTERS, "mobilebench.deploy"),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def place(self, out_dir: Path) -> Path:
        """The bundle's folder; its name is for people but for the key at its end."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{self.model.title}-{self.recipe.label}")
        return out_dir / f"{readable}-{self.key[:12]}"


@dataclass(frozen=True)
class Evidence:
    """What a bundle says beside its model file: the checks passed and the outputs to match."""

    preflight: Preflight
    reference: Reference
    classes: tuple[int, ...] | None = None
    """For the inputs of the agreement; None where nothing quantized was asked for, and for outputs
    that are no class scores."""
    class_labels: tuple[str, ...] = ()
    """Those that the recipe names by their sha256."""


@dataclass(frozen=True)
class Kept:
    """What is at a bundle's place: the bundle, or what is wrong with it, or nothing."""

    artifact: Artifact | None = None
    damage: str | None = None


def kept(place: Path) -> Kept:
    """Look for a bundle; every byte of its model file is checked."""
    if not place.exists():
        return Kept()
    try:
        return Kept(artifact=Artifact.load(place))
    except (BundleError, SchemaError) as error:
        return Kept(damage=str(error))


def build(
    order: Order,
    evidence: Evidence,
    out_dir: Path,
    make: Make,
    step: Step,
    cancel: Event,
    *,
    samples: Samples,
    allow_parity_failure: bool = False,
    process: Cell | None = None,
) -> Artifact:
    """Make one bundle: staged beside its place, proven there, then renamed to it.

    `process` is the one that `make` works in, where that is not this one.
    Raises `CellFailed` where the exporter fails or, unless that is allowed, the artifact is not
    the same network, and `OutputError` where the folder cannot be written; then no folder appears.
    """
    place = order.place(out_dir)
    with files.staging_folder(out_dir) as staged:
        step.stage("export")
        if evidence.class_labels:
            with writing(staged):
                labels.write(staged, evidence.class_labels)
        started = time.monotonic()
        made = make(order.recipe, staged, cancel)
        seconds = time.monotonic() - started
        with writing(staged):
            _write_reference(staged, evidence.reference, order.recipe)
        facts = ArtifactFacts(
            key=order.key,
            sha256=content_sha256(made.model_path),
            size_bytes=content_size(made.model_path),
            tool_versions=order.tools,
            preflight=evidence.preflight,
            parity=(),
            op_histogram=made.structure.op_histogram,
            structure=made.structure.details,
            export_seconds=round(seconds, 3),
            export_peak_memory_bytes=made.peak_memory_bytes,
            forecast=_forecast(made.model_path, order.recipe.format),
        )
        manifest = Manifest(
            created=host.now(),
            mobilebench_version=host.version(),
            model=order.model,
            recipe=order.recipe,
            model_file=made.model_path.name,
            facts=facts,
        )
        step.stage("parity")
        staged_artifact = Artifact(staged, manifest)
        proven = verification.verify(staged_artifact, cancel=cancel, process=process)
        unverified = None if proven else verification.unverifiable(order.recipe)
        agreement = None
        if proven and order.recipe.precision.quantized and evidence.classes is not None:
            step.stage("agreement")
            with writing(staged):
                seeded.save_batches(staged / AGREEMENT_FILE, [[np.array(evidence.classes)]])
            agreement = verification.agree(staged_artifact, samples, cancel=cancel, process=process)
        if not allow_parity_failure:
            _require_parity(proven, agreement)
        facts = replace(facts, parity=proven, unverified=unverified, agreement=agreement)
        manifest = replace(manifest, facts=facts)
        wire.write(staged / MANIFEST_FILE, manifest)
        files.publish_folder(staged, place)
    return Artifact(place, manifest)


def _write_reference(folder: Path, reference: Reference, recipe: ExportRecipe) -> None:
    """What the file has to match. Ranges that were taken from images say nothing of noise, so a
    file with such ranges is compared on images, and they are kept for whoever proves it again."""
    if recipe.calibration is not None and recipe.calibration.on_images:
        seeded.save_batches(folder / INPUTS_FILE, reference.images)
        seeded.save_batches(folder / REFERENCE_FILE, reference.of_images)
    else:
        seeded.save_batches(folder / REFERENCE_FILE, reference.seeded)


def _forecast(model_path: Path, file_format: Format) -> tuple[Forecast, ...] | None:
    try:
        graph = plugins.exporter(file_format).graph(model_path)
    except ModelFileError:  # a kind of file for which there are no rules, such as neural networks
        return None
    return tuple(placed.forecast for placed in placements(graph, file_format))


def _require_parity(proven: tuple[Parity, ...], agreement: Agreement | None) -> None:
    for result in proven:
        if not result.passed:
            raise CellFailed("parity", "ParityFailed", result.description)
    if agreement is not None and not agreement.passed:
        raise CellFailed("parity", "AgreementLow", agreement.description)
