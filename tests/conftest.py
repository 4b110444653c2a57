"""Shared fixtures: artifacts of a tiny network, exported once per run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from mobilebench.values.artifact import Artifact
from tests.postgres import Postgres

if TYPE_CHECKING:
    from mobilebench.exporting.matrix import Exported
    from mobilebench.values.recipe import ExportRecipe
    from mobilebench.values.request import Request

if "PYTEST_XDIST_WORKER" in os.environ:
    # Two processes with two threads each would wait for each other's on two cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

MODELS = Path(__file__).parent / "models.py"
TINY = f"{MODELS}:tiny"


@pytest.fixture(scope="session", autouse=True)
def _own_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Sign the records of tests with a separate key, not the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOBILEBENCH_KEY", str(tmp_path_factory.mktemp("key") / "device.key"))
        yield


@pytest.fixture(scope="session")
def tiny_artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    """Return the tiny network in every format and precision, by `FORMAT-PRECISION`."""
    from mobilebench import plugins
    from mobilebench.values.recipe import Precision
    from mobilebench.values.request import Request
    from mobilebench.values.tensor import parse_tensor

    recipes = [
        exporter.recipe(precision)
        for exporter in map(plugins.exporter, plugins.exporter_names())
        for precision in sorted(exporter.precisions())
    ]
    artifacts = {}
    request = Request(reference=TINY, inputs=(parse_tensor("1x3x32x32"),))
    with shared_folder(tmp_path_factory, "tiny-artifacts") as out:
        for exported in export_quickly(request, recipes, out):
            assert isinstance(exported.outcome, Artifact), exported.outcome
            artifacts[f"{exported.recipe.format}-{exported.recipe.precision}"] = exported.outcome
    assert {Precision(name.partition("-")[2]) for name in artifacts} == set(Precision.exported())
    return artifacts


@contextmanager
def shared_folder(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """Open a folder that all processes of one test run share, for one process at a time.

    The first to export into it makes the files, and the others find them there.
    """
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    folder.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        yield folder


def export_quickly(request: Request, recipes: Sequence[ExportRecipe], out: Path) -> list[Exported]:
    """Export as `mobilebench export --jobs 2` does, in two child processes for all recipes.

    The program takes a new process for every file, and each loads torch and a toolkit again;
    `tests/cli` and `tests/exporting` export that way.
    """
    from mobilebench.exporting import workers
    from mobilebench.machine.isolated import IsolatedProcess
    from mobilebench.pipeline import export_matrix

    idle: SimpleQueue[IsolatedProcess] = SimpleQueue()
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:

        @contextmanager
        def reused(**limits: Any) -> Iterator[IsolatedProcess]:
            try:
                process = idle.get_nowait()
            except Empty:
                process = stack.enter_context(IsolatedProcess(**limits))
            yield process
            idle.put(process)  # not reached after an error, which may have ended it

        patch.setattr(workers, "IsolatedProcess", reused)
        return export_matrix([request], recipes, out, workers=workers.LocalWorkers(jobs=2))


@dataclass(frozen=True)
class Ran:
    code: int
    stdout: str
    stderr: str


@pytest.fixture
def mobilebench(tmp_path: Path) -> Callable[..., Ran]:
    """Return the program as a user runs it, in an empty folder with a separate store."""

    def run(
        *args: str | Path, env: dict[str, str] | None = None, prefix: Sequence[str] = ()
    ) -> Ran:
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "mobilebench", *map(str, args)],
            cwd=tmp_path,
            env={
                **os.environ,
                "MOBILEBENCH_STORE": str(tmp_path / "records.sqlite"),
                "COLUMNS": "200",
                **(env or {}),
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return a PostgreSQL server that the tests share; skip where it cannot be had."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a place for a new store: what holds for one database holds for the other."""
    if request.param == "sqlite":
        return str(tmp_path / "records.sqlite")
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()
