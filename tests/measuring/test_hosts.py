"""Batches over devices of other computers: a real scheduler, and workers that are killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import psutil
import pytest
from distributed import Client

from mobilebench.errors import Cancelled, UserError
from mobilebench.inspecting.given import open_artifacts
from mobilebench.machine import cluster
from mobilebench.measuring import batch
from mobilebench.measuring.batch import Batch, Measured, NotMeasured, Outcome, Patience, plan_batch
from mobilebench.measuring.devices import choose
from mobilebench.measuring.hosts import Hosts
from mobilebench.measuring.setting import Setting, plan
from mobilebench.observer import SilentProgress
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Measurement
from mobilebench.values.protocol import Protocol
from tests.dask_cluster import DaskCluster, dask_cluster, until
from tests.foreign import convolution
from tests.protocols import QUICK

SECOND = 10**9
LONG = replace(QUICK, id="test-long", min_duration_ns=2 * SECOND, max_duration_ns=60 * SECOND)
HASTY = Patience(wait_s=1.0, look_s=0.2)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[DaskCluster]:
    """Start a separate scheduler for one test."""
    with dask_cluster(tmp_path) as started:
        yield started


def _batch(hosts: Hosts, text: str, artifacts: list[Artifact], protocol: Protocol) -> Batch:
    setting = Setting(device_id="sim", protocol=protocol)
    return plan_batch(choose(text, hosts.offers).devices, setting, partial(plan, artifacts))


def _names(outcomes: list[Outcome]) -> set[tuple[str, str]]:
    return {(each.cell.device.id, each.cell.artifact.name) for each in outcomes}


@pytest.fixture
def artifacts(tmp_path: Path) -> list[Artifact]:
    """Return two model files from elsewhere, for which nothing has to be exported."""
    sizes = ((1, 3, 32, 32), (1, 3, 16, 16))
    paths = [convolution(tmp_path / f"net{at}.onnx", sizes=each) for at, each in enumerate(sizes)]
    return open_artifacts(paths, [])


def test_each_cell_is_measured_where_its_device_is(
    own: DaskCluster, artifacts: list[Artifact], tmp_path: Path
) -> None:
    first = own.worker("first", resources=["sim:steady", "sim:quick", "host"])
    second = own.worker("second", resources=["sim:throttling"])
    assert first.pid != second.pid
    with cluster.executor(own.address, ()) as pool:
        hosts = Hosts(pool)
        ids = sorted(offer.device.id for offer in hosts.offers())
        assert ids == ["sim:quick", "sim:steady", "sim:throttling"], "each computer is a host"
        planned = _batch(hosts, "scheme=sim", artifacts, QUICK)
        outcomes = list(batch.run(planned, hosts, patience=HASTY))
    assert len(outcomes) == 6 == len(_names(outcomes))
    for each in outcomes:
        assert isinstance(each, Measured), str(each)
        assert isinstance(each.record.outcome, Measurement)
        assert each.record.device.id == each.cell.device.id
    # Files travel by content, once to each worker.
    for name in ("first", "second"):
        assert len(_copies(tmp_path / name)) == 2


def _copies(folder: Path) -> list[Path]:
    return [
        path
        for root in folder.rglob("mobilebench-artifacts")
        for path in root.iterdir()
        if not path.name.startswith(".")
    ]


@pytest.mark.parametrize("from_the_beginning", [pytest.param(True, marks=pytest.mark.slow), False])
def test_cells_of_a_killed_worker_are_done_by_another_that_has_the_device(
    own: DaskCluster, artifacts: list[Artifact], from_the_beginning: bool
) -> None:
    shared, alone, other = "sim:steady:real", "sim:quick:real", "sim:silent:real"
    first = own.worker("first", resources=[shared, alone])
    with cluster.executor(own.address, ()) as pool:
        hosts = Hosts(pool, lost_s=3.0)
        own.worker("second", resources=[other])
        own.worker("third", resources=[shared] if from_the_beginning else [])
        planned = _batch(hosts, f"{shared},{alone},{other}", artifacts, LONG)
        outcomes: list[Outcome] = []
        coming = batch.run(planned, hosts, patience=HASTY)
        taking = threading.Thread(target=lambda: outcomes.extend(coming), daemon=True)
        taking.start()
        until(lambda: bool(psutil.Process(first.pid).children()), "a cell on the first worker")
        first.kill()
        if not from_the_beginning:
            _declare(own.address, "third", shared)
        taking.join(timeout=120)
        assert not taking.is_alive()
    assert len(_names(outcomes)) == len(outcomes) == 6
    for each in outcomes:
        id_ = each.cell.device.id
        if id_ == alone:
            assert isinstance(each, NotMeasured)
            assert f"No worker of the cluster has {alone} now" in str(each.why)
        else:
            assert isinstance(each, Measured), str(each)
            assert isinstance(each.record.outcome, Measurement)


def _declare(scheduler: str, name: str, device_id: str) -> None:
    """Let a worker declare a device from now on, as if its cable had been moved there."""
    with Client(scheduler, set_as_default=False) as client:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        [address] = [each for each, facts in workers.items() if facts["name"] == name]
        client.run(_set_resource, device_id, workers=[address])


async def _set_resource(device_id: str, dask_worker: Any = None) -> None:
    await dask_worker.set_resources(**{device_id: 1})


def test_a_batch_that_stops_ends_what_runs_on_the_workers(
    own: DaskCluster, artifacts: list[Artifact]
) -> None:
    worker = own.worker("first", resources=["sim:steady:real"])
    long = replace(LONG, min_duration_ns=50 * SECOND)
    with cluster.executor(own.address, ()) as pool:
        hosts = Hosts(pool)
        [cell, _] = _batch(hosts, "sim:steady:real", artifacts, long).cells
        cancel = Event()
        stopped: list[type[BaseException]] = []

        def measure() -> None:
            try:
                hosts.run(cell, cancel, SilentProgress())
            except BaseException as error:  # noqa: BLE001 - compared below
                stopped.append(type(error))

        measuring = threading.Thread(target=measure)
        measuring.start()
        until(lambda: bool(psutil.Process(worker.pid).children()), "a cell on the worker")
        cancel.set()
        measuring.join(timeout=60)
        assert stopped == [Cancelled]
        until(lambda: not psutil.Process(worker.pid).children(), "the end of the cell")


def test_a_device_that_no_worker_declares_is_one_sentence(own: DaskCluster) -> None:
    own.worker("first", resources=["sim:steady"])
    with cluster.executor(own.address, ()) as pool:
        hosts = Hosts(pool)
        with pytest.raises(UserError, match="no device called 'sim:quick'; known: sim:steady"):
            choose("sim:quick", hosts.offers)
        with pytest.raises(UserError, match="no device called 'host'"):
            choose("host", hosts.offers)
        assert hosts.obstacles("sim:quick") == (
            "No worker of the cluster has sim:quick now: start one that declares it.",
        )
        assert hosts.obstacles("sim:steady") == ()
