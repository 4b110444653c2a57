"""Stage, verify and publish the bundle of an artifact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path

import numpy as np

from mobilebench import files, plugins
from mobilebench.errors import CellFailed, ModelFileError
from mobilebench.exporting import preparation
from mobilebench.exporting.blame import Locate, named
from mobilebench.exporting.order import Order
from mobilebench.exporting.preparation import Prepared
from mobilebench.files import writing
from mobilebench.inputs import labels, seeded
from mobilebench.inspecting.placement.placing import placements
from mobilebench.interfaces import Structure
from mobilebench.machine import host
from mobilebench.machine.isolated import IsolatedProcess
from mobilebench.observer import Work
from mobilebench.values import value, wire
from mobilebench.values.artifact import (
    AGREEMENT_FILE,
    MANIFEST_FILE,
    Agreement,
    Artifact,
    ArtifactFacts,
    Manifest,
    Parity,
    WidthInFile,
    content_sha256,
    content_size,
)
from mobilebench.values.forecast import Forecast
from mobilebench.values.measurement import Stage
from mobilebench.values.recipe import Format
from mobilebench.verifying import verification


@value
class Converted:
    """A model file that an exporter wrote, and its structure as read back."""

    model_file: str
    structure: Structure
    peak_memory_bytes: int | None = None
    """Peak of the process that converted it; None where the process did other work too."""
    entries: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of a file of several widths: what chooses each, with the bytes of the weights that it reads
    by their names."""


@contextmanager
def staging(order: Order, out_dir: Path) -> Iterator[Path]:
    """Create a staging folder that holds the files a conversion reads.

    It lies beside the bundle's place, and is gone when the context is left unless it was published.
    Raises `OutputError` where it cannot be written.
    """
    with files.staging_folder(out_dir) as folder:
        if order.terms.class_labels:
            with writing(folder):
                labels.write(folder, order.terms.class_labels)
        yield folder


def verified(
    order: Order,
    converted: Converted,
    seconds: float,
    folder: Path,
    work: Work,
    locate: Locate,
    process: IsolatedProcess | None = None,
) -> ArtifactFacts:
    """Verify a converted file in its staging folder and return its facts.

    `locate` finds the source line of an operation that a runtime cannot run. `process` has loaded
    the toolkit, `seconds` is what the conversion took. Raises `CellFailed` where nothing here can
    run the file or, unless that is allowed, it does not compute the same network; `OutputError`
    where the folder cannot be written.
    """
    model_path, recipe = folder / converted.model_file, order.recipe
    preflight = order.prepared.preflight
    reference = preparation.reference(order.preparation, order.prepared, recipe)
    with writing(folder):
        reference.save(folder)
    work.stage("parity")
    try:
        parity = verification.verify(
            model_path,
            recipe,
            reference,
            preflight.half_precision_error,
            work.cancel,
            process,
            next(iter(converted.entries), None),
        )
    except CellFailed as error:
        raise named(error, model_path, recipe, locate) from error
    agreement, classes = None, order.prepared.classes
    if parity and recipe.precision.quantized and classes is not None:
        work.stage("agreement")
        with writing(folder):
            seeded.save_batches(folder / AGREEMENT_FILE, [[np.array(classes)]])
        agreement = verification.agree(
            model_path,
            recipe,
            order.model,
            preflight,
            classes,
            order.terms.source,
            work.cancel,
            process,
        )
    if not order.terms.allow_parity_failure:
        _require_parity(parity, agreement)
    return ArtifactFacts(
        key=order.key,
        sha256=content_sha256(model_path),
        size_bytes=content_size(model_path),
        tool_versions=order.tools,
        preflight=preflight,
        parity=parity,
        unverified=None if parity else verification.unverifiable(recipe),
        agreement=agreement,
        op_histogram=converted.structure.op_histogram,
        structure=converted.structure.details,
        export_seconds=round(seconds, 3),
        export_peak_memory_bytes=converted.peak_memory_bytes,
        forecast=_forecast(model_path, recipe.format),
    )


def verified_widths(
    order: Order,
    converted: Converted,
    facts: ArtifactFacts,
    folder: Path,
    work: Work,
    process: IsolatedProcess | None = None,
) -> tuple[WidthInFile, ...]:
    """Verify each narrower width of a converted file; return all that the file holds.

    `facts` are those of the widest. Empty for a file of one network. Raises as `verified` does.
    """
    if not order.recipe.widths:
        return ()
    widths = []
    networks = (order.prepared, *order.prepared.narrower)
    rows = zip(order.recipe.widths, converted.entries.items(), networks, strict=True)
    for position, (name, (entry, weights), prepared) in enumerate(rows):
        parity = facts.parity
        if position:
            work.stage(f"parity of {name}")
            parity = _parity_of(
                order, prepared, position, name, entry, folder, converted, work, process
            )
        others = {
            weight for other, read in converted.entries.items() if other != entry for weight in read
        }
        widths.append(
            WidthInFile(
                name=name,
                entry=entry,
                model=prepared.model,
                preflight=prepared.preflight,
                parity=parity,
                own_bytes=sum(size for each, size in weights.items() if each not in others),
                shared_bytes=sum(size for each, size in weights.items() if each in others),
            )
        )
    return tuple(widths)


def publish(
    order: Order,
    converted: Converted,
    facts: ArtifactFacts,
    folder: Path,
    out_dir: Path,
    widths: tuple[WidthInFile, ...] = (),
) -> Artifact:
    """Write the manifest and rename the staging folder to the bundle's place.

    Raises `OutputError` where that cannot be done; then no folder appears.
    """
    manifest = Manifest(
        created=host.now(),
        mobilebench_version=host.version(),
        model=order.model,
        recipe=order.recipe,
        model_file=converted.model_file,
        facts=facts,
        widths=widths,
    )
    wire.write(folder / MANIFEST_FILE, manifest)
    place = order.place(out_dir)
    files.publish_folder(folder, place)
    return Artifact(place, manifest)


def _parity_of(
    order: Order,
    prepared: Prepared,
    position: int,
    name: str,
    entry: str,
    folder: Path,
    converted: Converted,
    work: Work,
    process: IsolatedProcess | None,
) -> tuple[Parity, ...]:
    """Verify one narrower width, and save the outputs that it has to match."""
    place = preparation.of_width(order.preparation, position)
    reference = preparation.reference(place, prepared, order.recipe)
    with writing(folder):
        reference.save(folder, name)
    try:
        parity = verification.verify(
            folder / converted.model_file,
            order.recipe,
            reference,
            prepared.preflight.half_precision_error,
            work.cancel,
            process,
            entry,
        )
        if not order.terms.allow_parity_failure:
            _require_parity(parity, None)
    except CellFailed as error:
        message = f"the width {name}: {error.message}"
        raise CellFailed(error.stage, error.error, message, error.log_tail) from error
    return parity


def _forecast(model_path: Path, file_format: Format) -> tuple[Forecast, ...] | None:
    try:
        graph = plugins.exporter(file_format).graph(model_path)
    except ModelFileError:  # a kind of file for which there are no rules, such as neural networks
        return None
    return tuple(placement.forecast for placement in placements(graph, file_format))


def _require_parity(parity: tuple[Parity, ...], agreement: Agreement | None) -> None:
    for result in parity:
        if not result.passed:
            raise CellFailed(Stage.PARITY, "ParityFailed", result.description)
    if agreement is not None and not agreement.passed:
        raise CellFailed(Stage.PARITY, "AgreementLow", agreement.description)
