"""Evaluate an artifact on the images of a data set, part by part.

images -> parts -> tasks of an executor, one child process each -> journal -> Accuracy
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobilebench import plugins
from mobilebench.errors import BundleError, CellFailed, ImageError, UserError
from mobilebench.inputs import images, seeded
from mobilebench.inputs.folder import ImageFolder, LabelledImage
from mobilebench.inputs.seeded import Array
from mobilebench.machine import cluster, host, installation
from mobilebench.notation.quantities import counted, size
from mobilebench.values import value, wire
from mobilebench.values.accuracy import TOP, Accuracy, ClassCount, DataSet
from mobilebench.values.artifact import Artifact, content_sha256
from mobilebench.values.measurement import Stage
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.threads import require_threads
from mobilebench.verifying import prediction, verification
from mobilebench.verifying.journal import Answer, ImageVerdict, Journal, Part
from mobilebench.verifying.ranking import rank

PART_IMAGES = 256
"""Images of a task: enough that starting a runtime, about a second, hardly counts."""
_MOST_PART_ELEMENTS = 1 << 30
"""Numbers of a task's inputs above which they do not fit: 4 GB, and as much again for copies."""
_PART_ELEMENTS = 1 << 25
"""Numbers of a task's inputs, 128 MB: 222 images of 224 x 224."""

Counted = Callable[[int], None]
"""Called with the number of images that were done since the last call."""


@value
class Options:
    """How scores are computed."""

    runtime: str | None = None
    """The usual one of the format by default."""
    threads: int = 1
    part_images: int | None = None
    skip_unreadable: bool = False
    """Count images that cannot be read, and go on."""

    def __post_init__(self) -> None:
        require_threads(self.threads)


@value
class Portion:
    """Images of a data set that one task computes; paths as every worker sees them."""

    model_file: str
    sha256: str
    """Of the model file."""
    model: ModelSpec
    recipe: ExportRecipe
    folder: str
    """Of the images."""
    images: tuple[tuple[int, LabelledImage], ...]
    """Each with its position in the data set."""
    options: Options


@dataclass(frozen=True)
class Evaluation:
    """An artifact and the images that it is evaluated on, checked to fit each other."""

    artifact: Artifact
    data: ImageFolder
    options: Options
    outputs: int
    versions: dict[str, str]

    @classmethod
    def plan(cls, artifact: Artifact, data: ImageFolder, options: Options) -> Evaluation:
        """Plan the evaluation of an artifact on a data set that fits it.

        Raises `UserError` where the network takes no images, gives no class scores, or gives
        another number of scores than there are classes.
        """
        manifest = artifact.manifest
        images.require_images(manifest.model)
        if (reason := verification.unverifiable(manifest.recipe)) is not None:
            raise UserError(f"{artifact.name} cannot be evaluated here: {reason}.")
        _require_runtime(artifact, options)
        _require_room(artifact, data, options)
        shape = _first_output(artifact, options)
        scores = math.prod(shape)
        if scores < 2 or scores != max(shape):
            raise UserError(
                f"{artifact.name} gives {'x'.join(map(str, shape)) or 'a single number'}; images "
                f"are judged where a network's first output is one score for each class, 1xCLASSES."
            )
        data.require_outputs(scores, manifest.model.name)
        versions = installation.versions([manifest.recipe.format])
        return cls(artifact, data, options, scores, versions)

    def key(self) -> str:
        """Return the sha256 over everything that decides the answers.

        That is the artifact, the images, their preparation and the tools.
        """
        manifest = self.artifact.manifest
        content = {
            "artifact": manifest.facts.sha256,
            "inputs": [str(tensor) for tensor in manifest.model.inputs],
            "preprocessing": wire.to_plain(manifest.model.preprocessing),
            "classes": self.data.classes,
            "images": self.data.listing_sha256(),
            "runtime": self.options.runtime,
            "threads": self.options.threads,
            "versions": self.versions,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def run(
        self,
        executor: Executor,
        *,
        journal: Journal | None = None,
        counted: Counted = lambda images: None,
        transport: str = "local process",
    ) -> Accuracy:
        """Evaluate every image; answers that the journal already holds are taken from there.

        Raises `UserError`, `ImageError` among them unless unreadable images are skipped, and
        `CellFailed` where the runtime fails; answers until then are in the journal.
        """
        key = self.key()
        parts = self._usable([] if journal is None else journal.read(key))
        done = {answer.image for part in parts for answer in part.answers}
        counted(len(done))
        missing = [index for index in range(len(self.data.images)) if index not in done]
        futures = [executor.submit(score, self._portion(some)) for some in self._parts(missing)]
        try:
            for future in as_completed(futures):
                part = future.result()
                if journal is not None:
                    journal.add(key, part)
                parts.append(part)
                counted(len(part.answers))
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return self._counted(parts, transport)

    def _usable(self, parts: Sequence[Part]) -> list[Part]:
        """Return the parts whose images were all readable, or all where others are skipped."""
        if self.options.skip_unreadable:
            return list(parts)
        return [
            part
            for part in parts
            if all(answer.verdict is not ImageVerdict.UNREADABLE for answer in part.answers)
        ]

    def _parts(self, missing: Sequence[int]) -> Iterator[Sequence[int]]:
        [image] = self.artifact.manifest.model.inputs
        usual = min(PART_IMAGES, max(1, _PART_ELEMENTS // image.elements))
        size = self.options.part_images or usual
        for first in range(0, len(missing), size):
            yield missing[first : first + size]

    def _portion(self, images: Sequence[int]) -> Portion:
        return Portion(
            model_file=str(self.artifact.model_path.resolve()),
            sha256=self.artifact.manifest.facts.sha256,
            model=self.artifact.manifest.model,
            recipe=self.artifact.manifest.recipe,
            folder=str(self.data.folder.resolve()),
            images=tuple((index, self.data.images[index]) for index in images),
            options=self.options,
        )

    def _counted(self, parts: Sequence[Part], transport: str) -> Accuracy:
        # An image may have been answered twice, by two programs with one journal; once counts.
        answers = {answer.image: answer for part in parts for answer in part.answers}
        manifest = self.artifact.manifest
        assert manifest.model.preprocessing is not None and manifest.model.resolution is not None
        return Accuracy(
            accuracy_id=uuid.uuid4().hex,
            created=host.now(),
            model=manifest.model,
            recipe=manifest.recipe,
            artifact=manifest.facts,
            data=self._data_set(answers),
            preprocessing=manifest.model.preprocessing,
            resolution=manifest.model.resolution,
            evaluated_by=_only(parts, self.artifact.name),
            threads=self.options.threads,
            versions=self.versions,
            provenance=host.provenance(transport),
            outputs=self.outputs,
            not_finite=sum(
                answer.verdict is ImageVerdict.NOT_FINITE for answer in answers.values()
            ),
            classes=self._classes(answers),
        )

    def _data_set(self, answers: dict[int, Answer]) -> DataSet:
        content, names = hashlib.sha256(), hashlib.sha256("\n".join(self.data.classes).encode())
        content.update(names.digest())
        unreadable = []
        for index, image in enumerate(self.data.images):
            content.update(f"{image.label}\0{image.path}\0{answers[index].sha256}\n".encode())
            if answers[index].verdict is ImageVerdict.UNREADABLE:
                unreadable.append(image.path)
        return DataSet(
            folder=self.data.folder.resolve().name,
            sha256=content.hexdigest(),
            images=len(self.data.images),
            available=self.data.available,
            class_names_sha256=names.hexdigest(),
            unreadable=tuple(unreadable),
        )

    def _classes(self, answers: dict[int, Answer]) -> tuple[ClassCount, ...]:
        ranks: dict[int, list[int | None]] = {}
        for index, image in enumerate(self.data.images):
            if answers[index].verdict is not ImageVerdict.UNREADABLE:
                ranks.setdefault(image.label, []).append(answers[index].rank)
        return tuple(
            ClassCount(
                index=label,
                name=self.data.classes[label],
                images=len(class_ranks),
                top1=_within(class_ranks, 1),
                top5=_within(class_ranks, TOP) if self.outputs > TOP else None,
            )
            for label, class_ranks in sorted(ranks.items())
        )


def _require_runtime(artifact: Artifact, options: Options) -> None:
    recipe = artifact.manifest.recipe
    offered = plugins.runner("host").runtimes(recipe.format, recipe.delegate)
    if options.runtime is not None and options.runtime not in offered:
        raise UserError(
            f"{artifact.name} cannot be evaluated with {options.runtime}; runtimes for such files "
            f"here: {', '.join(offered) or 'none'}."
        )


def _require_room(artifact: Artifact, data: ImageFolder, options: Options) -> None:
    """Raise `UserError` where the images of one task would not fit into memory."""
    [image] = artifact.manifest.model.inputs
    count = min(options.part_images or 1, len(data.images))
    if count * image.elements > _MOST_PART_ELEMENTS:
        raise UserError(
            f"{counted(count, 'image')} of {image} at a time, which take "
            f"{size(4 * count * image.elements)} and more, do not fit; give at most "
            f"{_MOST_PART_ELEMENTS // image.elements}, or leave the number out."
        )


def _within(ranks: Sequence[int | None], top: int) -> int:
    return sum(rank is not None and rank < top for rank in ranks)


def _only(parts: Sequence[Part], name: str) -> str:
    """Return the one runtime that computed all parts.

    Raises `UserError` where no part was computed, or several runtimes were used.
    """
    runtimes = sorted({part.evaluated_by for part in parts if part.evaluated_by is not None})
    if not runtimes:
        raise UserError(f"No image could be read, so nothing is known of {name}.")
    if len(runtimes) > 1:
        raise UserError(
            f"{name} was computed by {' and '.join(runtimes)}; results of two runtimes are not "
            f"counted together, so give every worker the same system."
        )
    return runtimes[0]


def score(portion: Portion) -> Part:
    """Compute the scores of a portion's images, and rank the right classes.

    A task of an executor; a child process computes the scores. Raises as `Evaluation.run` does.
    """
    model_file = Path(portion.model_file)
    sha256 = content_sha256(model_file) if model_file.exists() else "no file"
    if sha256 != portion.sha256:
        raise BundleError(
            f"{model_file} is another file (sha256 {sha256[:12]}, not {portion.sha256[:12]}) where "
            f"a part of the images was to be computed; every worker has to see the same files."
        )
    folder, options = Path(portion.folder), portion.options
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        prepared = list(
            pool.map(
                lambda image: _prepared(folder / image.path, portion),
                [image for _, image in portion.images],
            )
        )
    batches = [[array] for _, array in prepared if array is not None]
    evaluated_by, outputs = (
        _outputs(model_file, portion.recipe, batches, options) if batches else (None, [])
    )
    scores = iter(outputs)
    answers = [
        _answer(index, sha256, image.label, None if array is None else next(scores)[0])
        for (index, image), (sha256, array) in zip(portion.images, prepared, strict=True)
    ]
    return Part(evaluated_by=evaluated_by, answers=tuple(answers))


def _prepared(path: Path, portion: Portion) -> tuple[str, Array | None]:
    """Return the sha256 of an image's file, and the image as the model file takes it."""
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        # The image is not damaged but missing: the data set has changed since it was listed.
        raise UserError(
            f"The image {path} is not there any more ({error}); every worker has to see the data "
            f"set at the same place."
        ) from error
    # A file that takes images normalises them itself.
    prepare = images.prepare if portion.recipe.image_input is None else images.pixels
    try:
        return sha256, prepare(path, portion.model)
    except ImageError as error:
        if portion.options.skip_unreadable:
            return sha256, None
        raise ImageError(f"{error} --skip-unreadable counts such images and goes on.") from error


def _first_output(artifact: Artifact, options: Options) -> tuple[int, ...]:
    """Return the shape of the first output; of a file without preflight, by running it once."""
    manifest = artifact.manifest
    if manifest.facts.preflight is not None:
        return manifest.facts.preflight.outputs[0].shape
    batch = seeded.sample(manifest.inputs, seed=0)
    _, [outputs] = _outputs(artifact.model_path, manifest.recipe, [batch], options)
    return tuple(outputs[0].shape)


def _outputs(
    model_path: Path, recipe: ExportRecipe, batches: list[list[Array]], options: Options
) -> prediction.Predicted:
    cancel = cluster.cancelled()
    try:
        predicted = prediction.by_runtime(
            model_path,
            recipe,
            batches,
            cancel,
            runtime=options.runtime,
            threads=options.threads,
        ) or prediction.by_evaluator(model_path, recipe, batches, cancel)
    except CellFailed as error:
        raise CellFailed(Stage.EVAL, error.error, error.message, error.log_tail) from error
    if predicted is None:
        message = f"nothing here can run {recipe.format} files"
        raise CellFailed(Stage.EVAL, "NoRuntime", message)
    return predicted


def _answer(index: int, sha256: str, label: int, scores: Array | None) -> Answer:
    if scores is None:
        return Answer(image=index, sha256=sha256, verdict=ImageVerdict.UNREADABLE)
    if not np.isfinite(scores).all():
        return Answer(image=index, sha256=sha256, verdict=ImageVerdict.NOT_FINITE)
    place = rank(scores.reshape(-1), label)
    return Answer(image=index, sha256=sha256, verdict=ImageVerdict.RANKED, rank=place)
