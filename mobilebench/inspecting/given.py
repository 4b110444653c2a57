"""Open a model file that was not exported here as an artifact, and keep it as a bundle."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from mobilebench import files, plugins
from mobilebench.errors import ModelFileError, UserError
from mobilebench.inspecting.inspection import SUFFIXES, format_of, is_model_file, read_graph
from mobilebench.inspecting.placement.placing import placements
from mobilebench.machine import host, installation
from mobilebench.values import wire
from mobilebench.values.artifact import (
    MANIFEST_FILE,
    Artifact,
    ArtifactFacts,
    Manifest,
    content_sha256,
    content_size,
    file_and_weights,
    is_bundle,
    weights_beside,
)
from mobilebench.values.graph import ModelIO, Tensor
from mobilebench.values.modelspec import IN_FILE, ModelSpec, Preprocessing, Weights
from mobilebench.values.recipe import ExportRecipe, Form, Precision
from mobilebench.values.tensor import DType, Sizes, TensorSpec

T = TypeVar("T")

# (value / 255 - 0) / (1 / 255) is the value itself.
_AS_PIXELS = Preprocessing.stated((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255))
NO_REFERENCE = "no reference: the file was given, not exported here"


def open_artifacts(paths: Sequence[Path], sizes: Sequence[Sizes] = ()) -> list[Artifact]:
    """Open bundle folders, and model files as they were given.

    `sizes` states what files leave open; without it a free first size, the batch, is 1. Raises
    `BundleError` for a path that is neither, `ModelFileError` for a damaged file, `UserError` for
    sizes that fit no file and for an input that cannot be fed.
    """
    artifacts = []
    for result in open_each(paths, sizes):
        if isinstance(result, UserError):
            raise result
        artifacts.append(result)
    return artifacts


def open_each(paths: Sequence[Path], sizes: Sequence[Sizes] = ()) -> list[Artifact | UserError]:
    """Open every path that can be opened; the error takes the place of any other.

    Raises `UserError` only for sizes that fit no file.
    """
    bare = [path for path in paths if is_model_file(path)]
    if sizes and not bare:
        raise UserError(
            "--input states sizes that a model file leaves open; bundles have fixed sizes, so "
            "leave it out."
        )
    ends = {path: _or_error(_read_io, path) for path in bare}
    readable = [io for io in ends.values() if not isinstance(io, UserError)]
    if readable:
        _require_names(sizes, [tensor.name for io in readable for tensor in io.inputs])
    named = [stated for stated in sizes if stated.name is not None]
    any_open = not all(map(_is_fixed, readable))

    def one(path: Path) -> Artifact:
        io = ends.get(path)
        if io is None:
            return Artifact.load(path)
        if isinstance(io, UserError):
            raise io
        # Sizes without a name are for the files that leave sizes open, where there are any.
        return _given(path, io, named if any_open and _is_fixed(io) else sizes)

    return [_or_error(one, path) for path in paths]


def _or_error(function: Callable[[Path], T], path: Path) -> T | UserError:
    """Return what a function makes of a path, or the error about what the user can fix."""
    try:
        return function(path)
    except UserError as error:
        return error


def adopt(artifact: Artifact, out_dir: Path) -> Artifact:
    """Keep a model file that was opened as a bundle in `out_dir`, and return that.

    A bundle that is there already is used. Raises `UserError` for an artifact that is a bundle,
    `OutputError` where it cannot be written.
    """
    if is_bundle(artifact.folder):
        raise UserError(f"{artifact.folder} is a bundle already; --adopt is for bare model files.")
    manifest = artifact.manifest
    name = f"{manifest.model.title}-{manifest.recipe.label}-{manifest.facts.sha256[:12]}"
    place = out_dir / re.sub(r"[^A-Za-z0-9._-]+", "_", name)
    if place.exists():
        return Artifact.load(place)
    with files.staging_folder(out_dir) as folder:
        with files.writing(folder):
            if artifact.model_path.is_dir():
                shutil.copytree(artifact.model_path, folder / manifest.model_file)
            else:
                for part in file_and_weights(artifact.model_path):
                    shutil.copyfile(part, folder / part.name)
        wire.write(folder / MANIFEST_FILE, manifest)
        files.publish_folder(folder, place)
    return Artifact.load(place)


def _read_io(path: Path) -> ModelIO:
    file_format = format_of(path)
    try:
        io = plugins.exporter(file_format).io(path)
    except ModuleNotFoundError as error:
        raise (
            installation.missing_toolkit(
                error, f"Reading a file of the format {file_format!r}", prefer=file_format
            )
            or error
        ) from error
    _require_weights(path, io)
    return io


def _require_weights(path: Path, io: ModelIO) -> None:
    """Raise `ModelFileError` unless all weights are inside the file, or in the one beside it.

    The sha256 that identifies the file is over these two.
    """
    beside = weights_beside(path)
    others = [name for name in io.weight_files if name != beside.name]
    if others:
        raise ModelFileError(
            f"{path} keeps weights in {', '.join(others[:3])}; save it with all of them in "
            f"{beside.name}: onnx.save(onnx.load({path.name!r}), {path.name!r}, "
            f"save_as_external_data=True, location={beside.name!r})."
        )
    if io.weight_files and not beside.is_file():
        raise ModelFileError(
            f"{path} keeps its weights in {beside.name}, which is not beside it; put it there."
        )


def _given(path: Path, io: ModelIO, sizes: Sequence[Sizes]) -> Artifact:
    file_format, sha256 = SUFFIXES[path.suffix.lower()], content_sha256(path)
    graph, _ = read_graph(path, file_format)
    facts = ArtifactFacts(
        key=sha256,
        sha256=sha256,
        size_bytes=content_size(path),
        tool_versions={},
        preflight=None,
        parity=(),
        unverified=NO_REFERENCE,
        op_histogram=graph.histogram if graph else {},
        structure={},
        export_seconds=None,
        forecast=tuple(p.forecast for p in placements(graph, file_format)) if graph else None,
    )
    inputs = tuple(_inputs(path, io, sizes))
    manifest = Manifest(
        created=host.now(),
        mobilebench_version=host.version(),
        model=ModelSpec(
            name=path.stem,
            inputs=inputs,
            preprocessing=_AS_PIXELS if inputs[0].dtype is DType.UINT8 else None,
            weights=Weights(origin=IN_FILE, state_sha256=sha256),
        ),
        recipe=ExportRecipe(
            format=file_format,
            precision=Precision.GIVEN,
            delegate=io.delegate,
            form=Form.PLAIN,
        ),
        model_file=path.name,
        facts=facts,
    )
    return Artifact(path.parent, manifest)


def _inputs(path: Path, io: ModelIO, sizes: Sequence[Sizes]) -> Iterator[TensorSpec]:
    """Yield the inputs with all sizes fixed."""
    if not io.inputs:
        raise UserError(f"The model file {path} takes no input, so there is nothing to run it on.")
    unnamed = iter([stated for stated in sizes if stated.name is None])
    for tensor in io.inputs:
        stated = next((s for s in sizes if s.name == tensor.name), None)
        if stated is None and _is_open(tensor):
            stated = next(unnamed, None)
        yield TensorSpec(
            name=tensor.name, shape=_shape(path, tensor, stated), dtype=_dtype(path, tensor)
        )
    if next(unnamed, None) is not None:
        raise UserError(
            f"--input states sizes for more inputs of {path} than leave sizes open; it takes "
            f"{_listed(io.inputs)}."
        )


def _is_fixed(io: ModelIO) -> bool:
    return not any(_is_open(tensor) for tensor in io.inputs)


def _is_open(tensor: Tensor) -> bool:
    return tensor.shape is None or None in tensor.shape


def _shape(path: Path, tensor: Tensor, stated: Sizes | None) -> tuple[int, ...]:
    """Return the sizes of an input: the file's own, those stated, or 1 for an open batch."""
    own = tensor.shape
    if stated is not None:
        fits = own is None or (
            len(own) == len(stated.shape)
            and all(size in (None, wanted) for size, wanted in zip(own, stated.shape, strict=True))
        )
        if not fits:
            raise UserError(
                f"The input {tensor.name} of {path} is {tensor.text}, where ? is open, and "
                f"--input states {'x'.join(map(str, stated.shape))}; state sizes that fit."
            )
        return stated.shape
    if own is not None and all(size is not None for size in own[1:]):
        return tuple(1 if size is None else size for size in own)
    name, example = tensor.name, "x".join(str(size or "?") for size in own or (None,))
    raise UserError(
        f"The input {name} of {path} is {tensor.text}: its sizes are open; state them with "
        f"--input {name}={example} and a number for each ?."
    )


def _dtype(path: Path, tensor: Tensor) -> DType:
    if tensor.dtype not in {dtype.value for dtype in DType}:
        raise UserError(
            f"The input {tensor.name} of {path} has the type {tensor.dtype}; files can be run "
            f"whose inputs have the types {', '.join(dtype.value for dtype in DType)}."
        )
    return DType(tensor.dtype)


def _require_names(sizes: Sequence[Sizes], names: Sequence[str]) -> None:
    for stated in sizes:
        if stated.name is not None and stated.name not in names:
            raise UserError(
                f"--input states sizes of {stated.name!r}, and no file has such an input; theirs "
                f"are {', '.join(dict.fromkeys(names))}."
            )


def _listed(tensors: Sequence[Tensor]) -> str:
    return ", ".join(f"{tensor.name} {tensor.text}" for tensor in tensors)
