"""Export on a cluster: a real scheduler and two real workers on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mobilebench import plugins
from mobilebench.exporting.matrix import Exported
from mobilebench.exporting.remote import RemoteWorkers
from mobilebench.exporting.workers import Limits
from mobilebench.machine import cluster
from mobilebench.observer import Observer, Progress, Silent
from mobilebench.pipeline import export_matrix
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Failure
from mobilebench.values.recipe import Precision
from mobilebench.values.request import Request
from mobilebench.values.tensor import parse_tensor
from tests.conftest import MODELS, TINY
from tests.dask_cluster import DaskCluster, dask_cluster, until

pytest.importorskip("distributed", reason="distributed is not installed: mobilebench[cluster]")

REQUESTS = [
    Request(reference=TINY, inputs=(parse_tensor("1x3x32x32"),)),
    Request(reference=f"{MODELS}:unsupported", inputs=(parse_tensor("1x3x32x32"),)),
]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[DaskCluster]:
    folder = tmp_path / "dask"
    folder.mkdir()
    with dask_cluster(folder) as own:
        yield own


def _export(scheduler: DaskCluster, out: Path, observer: Observer) -> list[Exported]:
    recipes = [plugins.exporter(name).recipe(Precision.FP32) for name in ("onnx", "coreml")]
    with cluster.executor(scheduler.address, extras={"onnx", "coreml"}) as tasks:
        workers = RemoteWorkers(tasks, tasks.slots, Limits())
        return export_matrix(REQUESTS, recipes, out, workers=workers, observer=observer)


class KillsAWorker(Silent):
    """Kills one of two workers when both are at work on a bundle."""

    def __init__(self, victim: object) -> None:
        self._victim = victim
        self._building = 0

    def started(self, cell: str) -> Progress:
        return self

    def finished(self, outcome: str) -> None:
        pass

    def stage(self, name: str) -> None:
        self._building += name == "on the cluster"
        if self._building == 2:
            self._victim.kill()  # type: ignore[attr-defined]


def test_a_cluster_makes_what_this_machine_makes_and_a_killed_worker_loses_nothing(
    scheduler: DaskCluster, tmp_path: Path, tiny_artifacts: dict[str, Artifact]
) -> None:
    victim = scheduler.worker("first")
    scheduler.worker("second")
    done = _export(scheduler, tmp_path / "there", KillsAWorker(victim))
    until(lambda: victim.poll() is not None, "the end of the victim")
    for theirs, name in zip(done[:2], ("onnx-fp32", "coreml-fp32"), strict=True):
        ours = tiny_artifacts[name]
        assert isinstance(theirs.outcome, Artifact), theirs.outcome
        assert theirs.outcome.folder.name == ours.folder.name
        assert theirs.outcome.manifest.facts.parity == ours.manifest.facts.parity
        assert theirs.outcome.manifest.facts.op_histogram == ours.manifest.facts.op_histogram
        assert _files(theirs.outcome) == _files(ours)
    for failed in done[2:]:
        assert isinstance(failed.outcome, Failure)
        assert "eigvalsh" in failed.outcome.message + failed.outcome.log_tail
        assert failed.outcome.advice
    again = _export_again(tmp_path / "there")
    assert all(exported.cached for exported in again)


def _files(artifact: Artifact) -> set[str]:
    return {path.name for path in artifact.folder.iterdir()}


def _export_again(out: Path) -> list[Exported]:
    recipes = [plugins.exporter(name).recipe(Precision.FP32) for name in ("onnx", "coreml")]
    return export_matrix(REQUESTS[:1], recipes, out)
