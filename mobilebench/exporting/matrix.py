"""Export networks by recipes: prepare each network once, build each file once.

    request -> preparation -> for every recipe: the existing bundle, or a build

Preparations and builds are tasks of one pool. Existing bundles are found by their key and verified
by their sha256, without torch; so a matrix that was stopped, in whatever way, resumes where it was.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TypeVar

from mobilebench import files, plugins
from mobilebench.errors import (
    BundleError,
    CellFailed,
    ModelRefused,
    OutputError,
    SchemaError,
    UnknownName,
    UserError,
)
from mobilebench.exporting import finding, preparation
from mobilebench.exporting.order import Order, Terms
from mobilebench.exporting.preparation import Prepared
from mobilebench.exporting.workers import Workers
from mobilebench.failures import failure_of
from mobilebench.inputs import images, labels
from mobilebench.machine import isolated
from mobilebench.observer import Observer, Work
from mobilebench.values.artifact import Artifact, Parity
from mobilebench.values.measurement import Failure
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.request import Request

T = TypeVar("T")
R = TypeVar("R")
Ready = tuple[Prepared, Path]
"""A prepared network, and the folder that holds its preparation."""


@dataclass(frozen=True)
class Exported:
    """The outcome of one recipe for one network."""

    name: str
    recipe: ExportRecipe
    outcome: Artifact | Failure
    model: ModelSpec | None
    """None where the network could not even be loaded."""
    cached: bool = False
    damage: str | None = None
    """What was wrong with an existing bundle that was exported again."""

    @property
    def failed(self) -> bool:
        return isinstance(self.outcome, Failure)


@dataclass(frozen=True)
class Matrix:
    """One export of networks by recipes into a folder."""

    requests: Sequence[Request]
    recipes: Sequence[ExportRecipe]
    out_dir: Path
    terms: Terms
    workers: Workers
    observer: Observer

    def __post_init__(self) -> None:
        names = self.terms.class_labels
        digest = labels.sha256(names) if names else None
        if any(recipe.class_labels != digest for recipe in self.recipes):
            raise ValueError("the recipes name other class labels than the terms hold")

    def run(self) -> list[Exported]:
        """Export every network by every recipe, in their order; a failed cell is a `Failure`.

        Raises `UserError` for a name or a toolkit that does not exist, for a place that cannot be
        written, and for a network that cannot be exported where it is the only one;
        `KeyboardInterrupt` when stopped. Running cells end then, and finished ones are kept.
        """
        for recipe in self.recipes:
            plugins.exporter(recipe.format).tool_versions(recipe.delegate)  # before any work
        parallel = self.workers.parallel
        cancel = Event()
        with (
            tempfile.TemporaryDirectory(prefix="mobilebench-prepared-") as scratch,
            isolated.sharing(parallel),
            ThreadPoolExecutor(max_workers=parallel) as pool,
        ):

            def prepare(row: int) -> Ready | CellFailed | UserError:
                return self._prepare(self.requests[row], Path(scratch) / str(row), cancel)

            def export(cell: tuple[int, ExportRecipe]) -> Exported:
                row, recipe = cell
                return self._export(self.requests[row], networks[row], recipe, cancel)

            rows = range(len(self.requests))
            networks = _each(pool, prepare, rows, cancel)
            return _each(pool, export, [(row, r) for row in rows for r in self.recipes], cancel)

    def _prepare(
        self, request: Request, scratch: Path, cancel: Event
    ) -> Ready | CellFailed | UserError:
        """Prepare a network; where there are several, return its error instead of raising it."""
        terms = self.terms
        place = preparation.place(
            request, self.recipes, terms.source, terms.image_input, self.out_dir
        )
        folder = place or scratch
        progress = self.observer.preparing(request.name)
        try:
            prepared = self._prepared(request, folder, cancel)
            if terms.class_labels:
                outputs = prepared.preflight.outputs
                labels.require_fitting(terms.class_labels, outputs, prepared.model.name)
        except (UnknownName, OutputError):
            raise
        except (CellFailed, UserError) as error:
            if len(self.requests) == 1:
                raise
            return error
        finally:
            progress.finished("prepared")
        return prepared, folder

    def _prepared(self, request: Request, place: Path, cancel: Event) -> Prepared:
        """Return the preparation of a network; make it unless this or another process has."""
        if (before := preparation.read(place)) is not None:
            return before
        with files.only_one(place, lambda: None, cancel):
            if (elsewhere := preparation.read(place)) is not None:
                return elsewhere
            with files.staging_folder(place.parent) as staged:
                self.workers.prepare(request, self.recipes, self.terms, staged, cancel)
                files.publish_folder(staged, place)
        prepared = preparation.read(place)
        assert prepared is not None, "it was just written"
        return prepared

    def _export(
        self,
        request: Request,
        network: Ready | CellFailed | UserError,
        recipe: ExportRecipe,
        cancel: Event,
    ) -> Exported:
        if not isinstance(network, tuple):
            self.observer.skipped(f"{request.name} {recipe.label}", "not prepared")
            return Exported(request.name, recipe, failure_of(network, recipe), None)
        order = self._order(request, *network, recipe)
        damage = None
        try:
            existing = None if self.terms.force else finding.find(order, self.out_dir)
        except (BundleError, SchemaError) as error:
            existing, damage = None, str(error)
        if existing is not None:
            self.observer.skipped(order.name, "cached")
            return Exported(order.model.title, order.recipe, existing, order.model, cached=True)
        return replace(self._build(order, cancel), damage=damage)

    def _order(
        self, request: Request, prepared: Prepared, folder: Path, recipe: ExportRecipe
    ) -> Order:
        """Return the order of a bundle, with the network's normalisation in its recipe."""
        image_input = images.image_input(prepared.model) if self.terms.image_input else None
        return Order(
            request=request,
            recipe=replace(recipe, image_input=image_input),
            prepared=prepared,
            preparation=folder,
            tools=dict(plugins.exporter(recipe.format).tool_versions(recipe.delegate)),
            terms=self.terms,
        )

    def _build(self, order: Order, cancel: Event) -> Exported:
        model, recipe = order.model, order.recipe
        work = Work(self.observer.started(order.name), cancel)

        def waiting() -> None:
            work.stage("another process makes it")

        place, outcome = order.place(self.out_dir), "stopped"
        try:
            with files.only_one(place, waiting, cancel):
                elsewhere = self._made_elsewhere(order)
                artifact = elsewhere or self.workers.build(order, self.out_dir, work)
            outcome = "made by another process" if elsewhere else _figures(artifact)
        except ModelRefused as error:
            if len(self.requests) == 1:
                raise
            outcome = "refused"
            return Exported(model.title, recipe, failure_of(error, recipe), model)
        except CellFailed as error:
            outcome = f"failed at {error.stage}"
            return Exported(model.title, recipe, failure_of(error, recipe), model)
        finally:
            work.progress.finished(outcome)
        return Exported(model.title, recipe, artifact, model, cached=elsewhere is not None)

    def _made_elsewhere(self, order: Order) -> Artifact | None:
        """Return the bundle that another process made while this one waited."""
        if self.terms.force:
            return None
        try:
            return finding.find(order, self.out_dir)
        except (BundleError, SchemaError):  # the damaged bundle that is to be made again
            return None


def _figures(artifact: Artifact) -> str:
    """Return the time that an export took and its worst error, for the line about its cell."""
    facts = artifact.manifest.facts
    seconds = f"exported in {facts.export_seconds:.0f} s"
    if not facts.parity:
        return f"{seconds}, not verified"
    worst = max(facts.parity, key=_error)
    return f"{seconds}, relative error {worst.error_text}"


def _error(result: Parity) -> float:
    return math.inf if result.max_relative_error is None else result.max_relative_error


def _each(
    pool: ThreadPoolExecutor, function: Callable[[T], R], items: Iterable[T], cancel: Event
) -> list[R]:
    """Return the function's result for every item; the first error ends those at work."""
    futures = [pool.submit(function, item) for item in items]
    try:
        ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in ended:
            future.result()
        return [future.result() for future in futures]
    except BaseException:  # Ctrl-C, or what the user can fix
        cancel.set()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
