"""Read what is known about a bundle, or about a bare model file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilebench import plugins
from mobilebench.errors import BundleError, MissingToolkit, ModelFileError
from mobilebench.inspecting.placement.placing import placements
from mobilebench.machine import installation
from mobilebench.notation.quantities import size
from mobilebench.values import wire
from mobilebench.values.artifact import (
    Artifact,
    Manifest,
    content_sha256,
    content_size,
    is_bundle,
)
from mobilebench.values.forecast import Forecast, Placement
from mobilebench.values.graph import Graph
from mobilebench.values.recipe import Format

SUFFIXES: Mapping[str, Format] = {
    ".onnx": Format.ONNX,
    ".tflite": Format.TFLITE,
    ".pte": Format.EXECUTORCH,
    ".mlpackage": Format.COREML,
    ".mlmodel": Format.COREML,
}
"""Endings of the names of bare model files."""


@dataclass(frozen=True)
class Inspection:
    """A model file with what is known about it; only a bundle has a manifest."""

    model_path: Path
    format: Format
    size_bytes: int
    sha256: str
    manifest: Manifest | None
    graph: Graph | None
    unread: str | None
    """Why there is no graph: no toolkit of the format is here, or the file is one of layers."""
    placements: tuple[Placement, ...]

    def __repr__(self) -> str:
        operations = "operations unread" if self.graph is None else f"{self.graph!r}"
        return f"<Inspection {self.model_path.name}, {size(self.size_bytes)}: {operations}>"

    @property
    def forecasts(self) -> tuple[Forecast, ...]:
        """Computed now from the file, or the manifest's where the file cannot be read."""
        if self.graph is not None:
            return tuple(placed.forecast for placed in self.placements)
        return (self.manifest.facts.forecast or ()) if self.manifest else ()

    @property
    def op_histogram(self) -> dict[str, int]:
        """Number of operations by kind: from the graph, or else from the manifest."""
        if self.graph is not None:
            return self.graph.histogram
        return self.manifest.facts.op_histogram if self.manifest else {}

    def to_plain(self) -> dict[str, Any]:
        """Return the JSON form: the manifest's own keys, and what was read from the file."""
        graph = self.graph
        return {
            **(wire.to_plain(self.manifest) if self.manifest else {}),
            "file": {
                "path": str(self.model_path),
                "format": self.format.value,
                "size_bytes": self.size_bytes,
                "sha256": self.sha256,
                "unread": self.unread,
                "macs": graph.macs if graph else None,
                "weight_bytes": graph.weight_bytes if graph else None,
                "op_histogram": self.op_histogram,
                "folded": graph.folded if graph else None,
                "inputs": [wire.to_plain(tensor) for tensor in graph.inputs] if graph else None,
                "outputs": [wire.to_plain(tensor) for tensor in graph.outputs] if graph else None,
            },
            "forecasts": [wire.to_plain(forecast) for forecast in self.forecasts],
            "placements": [wire.to_plain(placed) for placed in self.placements],
            "operations": [wire.to_plain(o) for o in graph.operations] if graph else None,
        }


def inspect(path: Path) -> Inspection:
    """Read a bundle folder or a bare model file.

    Raises `BundleError` for a path that is neither, `ModelFileError` for a damaged file. A missing
    toolkit, and a kind of file without operations, are recorded in `unread`.
    """
    return _of_file(path) if is_model_file(path) else inspect_artifact(Artifact.load(path))


def is_model_file(path: Path) -> bool:
    """Return whether a path is named like a bare model file, and is not a bundle."""
    return path.suffix.lower() in SUFFIXES and not is_bundle(path)


def format_of(path: Path) -> Format:
    """Return the format that the name of a bare model file states.

    Raises `BundleError` where there is nothing of that name, `ModelFileError` for a folder of a
    format whose files are none, and for what cannot be read as a file.
    """
    file_format = SUFFIXES[path.suffix.lower()]
    if not exists(path):
        raise BundleError(f"There is no model file {path}.")
    if path.is_dir():
        if file_format is not Format.COREML:
            raise ModelFileError(
                f"{path} is a folder, and a model that ends in {path.suffix} is a file; name the "
                f"file in it, or a bundle folder that `mobilebench export` printed."
            )
    elif not path.is_file():
        raise ModelFileError(f"{path} is a device or a pipe; name a model file.")
    elif not os.access(path, os.R_OK):
        raise ModelFileError(f"The model file {path} may not be read; change its permissions.")
    return file_format


def exists(path: Path) -> bool:
    """Return whether something has this path, as far as the system shows."""
    try:
        return path.exists()
    except OSError:  # a name that is too long, or a folder that may not be entered
        return False


def _of_file(path: Path) -> Inspection:
    file_format = format_of(path)
    graph, unread = read_graph(path, file_format)
    return Inspection(
        model_path=path,
        format=file_format,
        size_bytes=content_size(path),
        sha256=content_sha256(path),
        manifest=None,
        graph=graph,
        unread=unread,
        placements=placements(graph, file_format) if graph else (),
    )


def inspect_artifact(artifact: Artifact) -> Inspection:
    """Read an artifact that is open already; raises as `inspect` does."""
    manifest = artifact.manifest
    graph, unread = read_graph(artifact.model_path, manifest.recipe.format)
    return Inspection(
        model_path=artifact.model_path,
        format=manifest.recipe.format,
        size_bytes=manifest.facts.size_bytes,
        sha256=manifest.facts.sha256,
        manifest=manifest,
        graph=graph,
        unread=unread,
        placements=placements(graph, manifest.recipe.format) if graph else (),
    )


def read_graph(model_path: Path, file_format: Format) -> tuple[Graph | None, str | None]:
    """Read the graph of a file, or why there is none; raises as `inspect` does."""
    exporter = plugins.exporter(file_format)
    try:
        return exporter.graph(model_path), None
    except MissingToolkit as error:
        return None, str(error)
    except ModelFileError as error:
        exporter.io(model_path)  # raises for a damaged file, not for a kind without operations
        return None, str(error)
    except ModuleNotFoundError as error:
        advice = installation.missing_toolkit(
            error, f"Reading a file of the format {file_format!r}", prefer=file_format
        )
        if advice is None:
            raise
        return None, str(advice)
