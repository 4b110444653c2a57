"""Shared fixtures: artifacts of a tiny network, exported once per run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from mobilebench.values.artifact import Artifact

if TYPE_CHECKING:
    from mobilebench.exporting.matrix import Exported
    from mobilebench.values.recipe import ExportRecipe

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

    recipes = [
        exporter.recipe(precision)
        for exporter in map(plugins.exporter, plugins.exporter_names())
        for precision in sorted(exporter.precisions())
    ]
    artifacts = {}
    for exported in _once(tmp_path_factory, recipes):
        assert isinstance(exported.outcome, Artifact), exported.outcome
        artifacts[f"{exported.recipe.format}-{exported.recipe.precision}"] = exported.outcome
    assert {Precision(name.partition("-")[2]) for name in artifacts} == set(Precision)
    return artifacts


def _once(
    tmp_path_factory: pytest.TempPathFactory, recipes: Sequence[ExportRecipe]
) -> list[Exported]:
    """Export into a folder that all processes of one test run share.

    The first process exports, and the others reuse its artifacts.
    """
    from mobilebench.exporting.workers import LocalWorkers
    from mobilebench.pipeline import export_matrix
    from mobilebench.values.request import Request
    from mobilebench.values.tensor import parse_tensor

    own = tmp_path_factory.getbasetemp()
    out = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "tiny-artifacts"
    request = Request(reference=TINY, inputs=(parse_tensor("1x3x32x32"),))
    out.mkdir(exist_ok=True)
    with FileLock(out.with_suffix(".lock")):
        return export_matrix([request], recipes, out, workers=LocalWorkers(jobs=2))


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
