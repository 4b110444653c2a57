"""Matrix: networks by recipes; each network is prepared once, each file is made once.

    request -> preparation -> for every recipe: the bundle that is kept, or a build

Preparations and builds are tasks of one pool. What is there already is found by its key and checked
by its sha256, without torch; so a matrix that was stopped, in whatever way, goes on where it was.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TypeVar

from mobilebench import files, plugins
from mobilebench.errors import CellFailed, OutputError, UnknownName, UserError
from mobilebench.exporting import bundle, preparation
from mobilebench.exporting.bundle import Kept, Order
from mobilebench.exporting.preparation import Needs, Prepared
from mobilebench.exporting.workers import Task, Workers
from mobilebench.failures import failure_of
from mobilebench.inputs import images, labels
from mobilebench.inputs.source import Samples
from mobilebench.machine import isolated
from mobilebench.observer import Observer
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Failure
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ExportRecipe, Feature
from mobilebench.values.request import Request

NOISE_SAMPLES = Samples()

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Exported:
    """What came of one recipe for one network."""

    name: str
    recipe: ExportRecipe
    outcome: Artifact | Failure
    model: ModelSpec | None
    """None where the network could not even be loaded."""
    cached: bool = False
    damage: str | None = None
    """What was wrong with a bundle that was there, and was made again."""

    @property
    def failed(self) -> bool:
        return isinstance(self.outcome, Failure)


@dataclass(frozen=True)
class Terms:
    """How a matrix is exported."""

    samples: Samples = NOISE_SAMPLES
    """The inputs that calibrated recipes were made for and quantized files are judged on."""
    image_input: bool = False
    """Files take images and normalise them as the network's authors do."""
    class_labels: tuple[str, ...] = ()
    """Names of the outputs, which files answer by."""
    force: bool = False
    """Make again what is there already."""
    allow_parity_failure: bool = False
    """Keep files that are not equal enough to PyTorch."""


@dataclass(frozen=True)
class _Network:
    """A network with its preparation, or with the reason why it has none."""

    request: Request
    folder: Path
    prepared: Prepared | CellFailed | UserError


@dataclass(frozen=True)
class Matrix:
    """One run over networks and recipes into a folder."""

    requests: Sequence[Request]
    recipes: Sequence[ExportRecipe]
    out_dir: Path
    terms: Terms
    workers: Workers
    observer: Observer

    def run(self) -> list[Exported]:
        """Every network by every recipe, in their order; a failed cell is a `Failure`.

        Raises `UserError` for a name or a toolkit that does not exist, for a place that cannot be
        written, and for a network that cannot be exported where it is the only one;
        `KeyboardInterrupt` when stopped. All cells at work end then, and what was finished is kept.
        """
        self._require_offered()
        parallel = self.workers.parallel
        cancel = Event()
        with (
            tempfile.TemporaryDirectory(prefix="mobilebench-prepared-") as scratch,
            isolated.sharing(parallel),
            ThreadPoolExecutor(max_workers=parallel) as pool,
        ):

            def prepare(row: int) -> _Network:
                return self._prepare(self.requests[row], Path(scratch) / str(row), cancel)

            def export(cell: tuple[_Network, ExportRecipe]) -> Exported:
                return self._export(*cell, cancel)

            networks = _each(pool, prepare, range(len(self.requests)), cancel)
            cells = [(network, recipe) for network in networks for recipe in self.recipes]
            return _each(pool, export, cells, cancel)

    def _require_offered(self) -> None:
        """Raise `UserError` before any work for what is missing or not on offer."""
        for recipe in self.recipes:
            plugins.exporter(recipe.format).tool_versions(recipe.delegate)
            if self.terms.image_input:
                plugins.require_feature(recipe.format, Feature.IMAGE_INPUT)
            if self.terms.class_labels:
                plugins.require_feature(recipe.format, Feature.CLASS_LABELS)

    def _prepare(self, request: Request, scratch: Path, cancel: Event) -> _Network:
        needs = Needs.of(self.recipes, self.terms.samples, self.terms.image_input)
        place = preparation.place(request, needs, self.out_dir)
        step = self.observer.preparing(request.name)
        try:
            found = self._prepared(request, needs, place or scratch, cancel)
            if self.terms.class_labels:
                outputs = found.preflight.outputs
                labels.require_fitting(self.terms.class_labels, outputs, found.model.name)
        except (UnknownName, OutputError):
            raise
        except (CellFailed, UserError) as error:
            if len(self.requests) == 1:
                raise
            return _Network(request, scratch, error)
        finally:
            step.finished("prepared")
        return _Network(request, place or scratch, found)

    def _prepared(self, request: Request, needs: Needs, place: Path, cancel: Event) -> Prepared:
        """Prepare a network, unless that was done before or another process does it now."""
        if (before := preparation.read(place)) is not None:
            return before
        with files.only_one(place, lambda: None, cancel):
            if (elsewhere := preparation.read(place)) is not None:
                return elsewhere
            with files.staging_folder(place.parent) as staged:
                self.workers.prepare(request, needs, self.terms.samples, staged, cancel)
                files.publish_folder(staged, place)
        found = preparation.read(place)
        assert found is not None, "it was just written"
        return found

    def _export(self, network: _Network, recipe: ExportRecipe, cancel: Event) -> Exported:
        prepared = network.prepared
        if not isinstance(prepared, Prepared):
            failure = failure_of(prepared, recipe)
            self.observer.skipped(f"{network.request.name} {recipe.label}", "not prepared")
            return Exported(network.request.name, recipe, failure, None)
        tools = dict(plugins.exporter(recipe.format).tool_versions(recipe.delegate))
        recipe = self._full(recipe, prepared.model)
        order = Order(
            model=prepared.model,
            recipe=recipe,
            fingerprint=prepared.fingerprint,
            tools=tools,
        )
        kept = Kept() if self.terms.force else bundle.kept(order.place(self.out_dir))
        if kept.artifact is not None:
            self.observer.skipped(order.name, "cached")
            return Exported(order.model.title, recipe, kept.artifact, order.model, cached=True)
        task = Task(
            network.request,
            order,
            network.folder,
            prepared,
            self.terms.samples,
            self.terms.class_labels,
            self.terms.allow_parity_failure,
        )
        return replace(self._build(task, cancel), damage=kept.damage)

    def _full(self, recipe: ExportRecipe, model: ModelSpec) -> ExportRecipe:
        """The recipe with what belongs to a network rather than to a format."""
        names = self.terms.class_labels
        return replace(
            recipe,
            image_input=images.image_input(model) if self.terms.image_input else None,
            class_labels=labels.sha256(names) if names else None,
        )

    def _build(self, task: Task, cancel: Event) -> Exported:
        name, recipe, model = task.order.name, task.order.recipe, task.order.model
        step = self.observer.started(name)

        def waiting() -> None:
            step.stage("another process makes it")

        place, outcome = task.order.place(self.out_dir), "stopped"
        try:
            with files.only_one(place, waiting, cancel):
                elsewhere = None if self.terms.force else bundle.kept(place).artifact
                artifact = elsewhere or self.workers.build(task, self.out_dir, step, cancel)
            seconds = artifact.manifest.facts.export_seconds
            outcome = "made by another process" if elsewhere else f"exported in {seconds:.0f} s"
        except CellFailed as error:
            outcome = f"failed at {error.stage}"
            return Exported(model.title, recipe, failure_of(error, recipe), model)
        finally:
            step.finished(outcome)
        return Exported(model.title, recipe, artifact, model, cached=elsewhere is not None)


def _each(
    pool: ThreadPoolExecutor, function: Callable[[T], R], items: Iterable[T], cancel: Event
) -> list[R]:
    """The function of every item, in their order; the first error ends those at work."""
    futures = [pool.submit(function, item) for item in items]
    try:
        ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in ended:
            future.result()
        return [future.result() for future in futures]
    except BaseException:  # Ctrl-C, or what the user can mend
        cancel.set()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
