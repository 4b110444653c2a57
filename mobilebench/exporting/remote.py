"""Make preparations and bundles on a cluster, and receive them as bytes.

A worker needs mobilebench with the same toolkits, and sees checkpoints, networks' own code and
folders of images at the same paths as this machine. Nothing else is shared: what it makes is sent
back, checked by its sha256 and moved to its place here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from mobilebench import files
from mobilebench.errors import Cancelled, CellFailed
from mobilebench.exporting.order import Order, Terms
from mobilebench.exporting.workers import Limits, LocalWorkers
from mobilebench.machine import cluster
from mobilebench.observer import Work
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Stage
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.request import Request

_POLL_S = 0.2


@dataclass(frozen=True)
class RemoteWorkers:
    """Workers behind an executor such as `cluster.executor` yields."""

    pool: Executor
    parallel: int
    limits: Limits

    def prepare(
        self,
        request: Request,
        recipes: Sequence[ExportRecipe],
        terms: Terms,
        folder: Path,
        cancel: Event,
    ) -> None:
        future = self.pool.submit(_prepare, self.limits, request, tuple(recipes), terms)
        files.unpack(_result(future, cancel), folder)

    def build(self, order: Order, out_dir: Path, work: Work) -> Artifact:
        work.stage("on the cluster")
        future = self.pool.submit(_build, self.limits, order, files.pack(order.preparation))
        content = _result(future, work.cancel)
        place = order.place(out_dir)
        with files.staging_folder(out_dir) as staged:
            files.unpack(content, staged)
            if Artifact.load(staged).manifest.facts.key != order.key:
                raise CellFailed(
                    Stage.CLUSTER,
                    "OtherCode",
                    "the worker that made it has other exporters than this machine; install the "
                    "same version of mobilebench there",
                )
            files.publish_folder(staged, place)
        return Artifact.load(place)


def _prepare(
    limits: Limits, request: Request, recipes: tuple[ExportRecipe, ...], terms: Terms
) -> bytes:
    """Make a preparation on a worker and return its folder as bytes."""
    with tempfile.TemporaryDirectory(prefix="mobilebench-remote-") as name:
        workers = LocalWorkers(1, limits)
        workers.prepare(request, recipes, terms, Path(name), cluster.cancelled())
        return files.pack(Path(name))


def _build(limits: Limits, order: Order, preparation: bytes) -> bytes:
    """Build a bundle on a worker and return its folder as bytes."""
    with tempfile.TemporaryDirectory(prefix="mobilebench-remote-") as name:
        prepared, out = Path(name) / "prepared", Path(name) / "out"
        prepared.mkdir()
        files.unpack(preparation, prepared)
        here = replace(order, preparation=prepared)
        artifact = LocalWorkers(1, limits).build(here, out, Work(cancel=cluster.cancelled()))
        return files.pack(artifact.folder)


def _result(future: Future[bytes], cancel: Event) -> bytes:
    """Return the result of a task on the cluster; give it up when `cancel` is set."""
    while True:
        try:
            return future.result(timeout=_POLL_S)
        except NotYet:
            if cancel.is_set():
                future.cancel()
                raise Cancelled from None
