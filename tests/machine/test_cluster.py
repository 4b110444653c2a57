"""Tasks on a real scheduler with real workers, some of which are killed or differ."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mobilebench.errors import CellFailed, ClusterError, UnknownName
from mobilebench.machine import cluster, installation, isolated
from mobilebench.values.measurement import Stage
from tests.dask_cluster import DaskCluster, dask_cluster, until

ROOT = Path(__file__).parents[2]


def square(number: int) -> int:
    return number * number


def refuse() -> None:
    raise UnknownName.among("colour", "bleu", ["blue", "red"])


def fail() -> None:
    raise CellFailed("export", "ValueError", "no such operator", "the log's end")


def meet(folder: str, number: int) -> int:
    """Record which process is here, and stay until the file `go` exists."""
    (Path(folder) / f"{number}.{os.getpid()}").touch()
    until((Path(folder) / "go").exists, "the word to go")
    return number


def hang_in_cell(folder: str) -> None:
    hang = isolated.Function[[dict[str, str]], dict[str, str]]("tests.doubles:hang", dict)
    isolated.call(
        hang({"pid_file": f"{folder}/pid"}),
        stage=Stage.RUN,
        timeout_s=600,
        cancel=cluster.cancelled(),
    )


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Start a scheduler and a worker that no test kills."""
    with dask_cluster(tmp_path_factory.mktemp("shared")) as started:
        started.worker("steady")
        yield started


@pytest.fixture
def own(tmp_path: Path) -> Iterator[DaskCluster]:
    """Start a separate scheduler for one test."""
    with dask_cluster(tmp_path) as started:
        yield started


def _busy(folder: Path) -> list[tuple[int, int]]:
    """Return (task, process) of every start of `meet`."""
    names = [path.name for path in folder.glob("*.*")]
    return [(int(task), int(pid)) for task, _, pid in (name.partition(".") for name in names)]


def test_tasks_give_what_they_give_here(shared: DaskCluster) -> None:
    with cluster.executor(shared.address) as there, cluster.local(2) as here:
        for executor in (there, here):
            assert list(executor.map(square, range(5))) == [0, 1, 4, 9, 16]
            assert executor.submit(bytes.upper, b"bytes").result() == b"BYTES"


def test_an_error_of_a_task_comes_back_whole(shared: DaskCluster) -> None:
    with cluster.executor(shared.address) as there:
        with pytest.raises(UnknownName, match="There is no colour called 'bleu'; did you mean blu"):
            there.submit(refuse).result()
        with pytest.raises(CellFailed, match="no such operator") as failed:
            there.submit(fail).result()
    assert (failed.value.stage, failed.value.log_tail) == ("export", "the log's end")


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(UnknownName.among("colour", "bleu", ["blue"])))
    assert type(error) is UnknownName and "did you mean blue" in str(error)


def test_the_tasks_of_a_killed_worker_are_run_by_another(own: DaskCluster, tmp_path: Path) -> None:
    place = tmp_path / "met"
    place.mkdir()
    workers = {worker.pid: worker for worker in (own.worker("first"), own.worker("second"))}
    with cluster.executor(own.address) as there:
        futures = [there.submit(meet, str(place), number) for number in range(6)]
        until(lambda: {pid for _, pid in _busy(place)} == set(workers), "both workers at work")
        lost, killed = _busy(place)[0]
        workers.pop(killed).kill()
        (place / "go").touch()
        assert [future.result(timeout=60) for future in futures] == list(range(6))
    [survivor] = workers
    assert {(lost, killed), (lost, survivor)} <= set(_busy(place))


def test_a_task_that_kills_its_workers_is_a_failed_cell(own: DaskCluster) -> None:
    for name in ("first", "second", "third"):
        own.worker(name)
    with cluster.executor(own.address) as there:
        with pytest.raises(CellFailed, match="worker was killed 2 times"):
            there.submit(die).result(timeout=60)
        assert there.submit(square, 3).result(timeout=60) == 9


def test_an_error_here_ends_the_cells_there(shared: DaskCluster, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(KeyboardInterrupt), cluster.executor(shared.address) as there:
        there.submit(hang_in_cell, str(tmp_path))
        until(lambda: pid_file.exists() and pid_file.read_text() != "", "the cell")
        raise KeyboardInterrupt
    pid = int(pid_file.read_text())
    until(lambda: not psutil.pid_exists(pid), "the end of the cell")
    with cluster.executor(shared.address) as there:  # and the worker goes on
        assert there.submit(square, 3).result(timeout=60) == 9


def test_an_error_here_ends_the_cells_of_this_machine(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(KeyboardInterrupt), cluster.local(1) as here:
        here.submit(hang_in_cell, str(tmp_path))
        until(lambda: pid_file.exists() and pid_file.read_text() != "", "the cell")
        raise KeyboardInterrupt
    assert not psutil.pid_exists(int(pid_file.read_text()))


def test_a_scheduler_that_goes_away_is_one_sentence(own: DaskCluster, tmp_path: Path) -> None:
    own.worker("first")
    with (
        pytest.raises(ClusterError, match="stopped while tasks were running"),
        cluster.executor(own.address) as there,
    ):
        future = there.submit(meet, str(tmp_path), 0)
        until(lambda: bool(list(tmp_path.glob("0.*"))), "the task")
        own.scheduler.kill()
        future.result(timeout=60)


def test_a_worker_of_another_installation_is_refused(own: DaskCluster, tmp_path: Path) -> None:
    own.worker("other", env=_another_source(tmp_path))
    with (
        pytest.raises(
            ClusterError, match="source of mobilebench [0-9a-f]{12} here and [0-9a-f]{12}"
        ),
        cluster.executor(own.address),
    ):
        pass


def test_a_worker_that_comes_later_and_differs_is_refused(own: DaskCluster, tmp_path: Path) -> None:
    own.worker("good")
    with cluster.executor(own.address) as there:
        first = there.submit(meet, str(tmp_path), 0)
        until(lambda: bool(list(tmp_path.glob("0.*"))), "the task on the good worker")
        own.worker("other", env=_another_source(tmp_path))
        with pytest.raises(ClusterError, match="has another installation: source of mobilebench"):
            there.submit(square, 3).result(timeout=60)
        (tmp_path / "go").touch()
        assert first.result(timeout=60) == 0


def _another_source(folder: Path) -> dict[str, str]:
    """Return a path where Python finds this mobilebench with one comment changed."""
    place = folder / "other"
    for name in ("mobilebench", "exporters", "device_runners"):
        shutil.copytree(ROOT / name, place / name)
    with (place / "mobilebench" / "stats.py").open("a") as file:
        file.write("# changed\n")
    roots = (place, place / "exporters", place / "device_runners", ROOT)
    return {"PYTHONPATH": os.pathsep.join(map(str, roots))}


def test_a_difference_names_what_is_missing_there() -> None:
    ours = {"Python": "3.11", "onnxruntime": "1.31.1"}
    assert installation.difference(ours, {**ours, "torch": "2.13.0"}) is None
    assert installation.difference(ours, {"Python": "3.11"}) == (
        "onnxruntime 1.31.1 here and none there"
    )


def test_versions_are_those_of_the_extras_that_were_asked_for() -> None:
    some, every = installation.versions(["onnx"]), installation.versions()
    assert {"Python", "mobilebench", "numpy", "onnxruntime"} <= set(some)
    assert "coremltools" not in some and "coremltools" in every
    assert some.items() <= every.items()


def test_a_scheduler_without_workers_is_one_sentence(
    own: DaskCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    with pytest.raises(ClusterError, match="has no worker"), cluster.executor(own.address):
        pass


def test_a_worker_s_address_is_one_sentence(shared: DaskCluster) -> None:
    with cluster.executor(shared.address) as there:
        worker = there.submit(_own_address).result()
    with pytest.raises(ClusterError, match="is a dask Worker"), cluster.executor(worker):
        pass


def _own_address() -> str:
    from distributed import get_worker

    return str(get_worker().address)


@pytest.mark.parametrize("address", ["", "nonsense://x", "127.0.0.1"])
def test_what_is_no_address_is_one_sentence(address: str) -> None:
    with pytest.raises(ClusterError, match="No dask scheduler answers"), cluster.executor(address):
        pass


@pytest.mark.parametrize("listening", [False, True], ids=["nothing there", "no dask there"])
def test_an_address_that_does_not_answer_is_one_sentence_in_time(
    listening: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        if listening:
            place.listen()
        started = time.monotonic()
        with (
            pytest.raises(ClusterError, match="No dask scheduler answers"),
            cluster.executor(f"tcp://127.0.0.1:{place.getsockname()[1]}"),
        ):
            pass
    assert time.monotonic() - started < 5


def test_without_distributed_it_says_how_to_get_it() -> None:
    script = (
        "import sys; sys.modules['distributed'] = None\n"
        "from mobilebench.machine import cluster\n"
        "with cluster.executor('tcp://127.0.0.1:8786'): pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert "pip install 'mobilebench[cluster]'" in done.stderr.splitlines()[-1]
