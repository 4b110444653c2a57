"""Shared fixtures: artifacts of a tiny network, made once per run by the real exporters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mobilebench.artifact import Artifact

MODELS = Path(__file__).parent / "models.py"
TINY = f"{MODELS}:tiny"


@pytest.fixture(scope="session")
def tiny_artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    """The tiny network in every format and precision; by `FORMAT-PRECISION`."""
    from mobilebench import plugins
    from mobilebench.pipeline import export_matrix
    from mobilebench.recipe import Precision
    from mobilebench.request import Request
    from mobilebench.tensor import parse_tensor
    from mobilebench.workers import LocalWorkers

    recipes = [
        exporter.recipe(precision)
        for exporter in map(plugins.exporter, plugins.exporter_names())
        for precision in sorted(exporter.precisions())
    ]
    request = Request(reference=TINY, inputs=(parse_tensor("1x3x32x32"),))
    out = tmp_path_factory.mktemp("artifacts")
    made = {}
    for exported in export_matrix([request], recipes, out, workers=LocalWorkers(jobs=2)):
        assert isinstance(exported.outcome, Artifact), exported.outcome
        made[f"{exported.recipe.format}-{exported.recipe.precision}"] = exported.outcome
    assert {Precision(name.partition("-")[2]) for name in made} == set(Precision)
    return made


@dataclass(frozen=True)
class Ran:
    code: int
    stdout: str
    stderr: str


@pytest.fixture
def mobilebench(tmp_path: Path) -> Callable[..., Ran]:
    """The program as a user runs it, in an empty folder with a store of its own."""

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
