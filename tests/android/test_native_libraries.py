"""The app's runners compute with Android's own libraries what the Python runtimes compute."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from mobilebench_android.natives import cases, testing
from mobilebench_android.places import Unavailable, output
from mobilebench_android.testing import Outcome


class Done:
    """The tests of the native libraries, and the folders of the jobs that they did."""

    def __init__(self, folder: Path, everything: bool) -> None:
        self.cases = cases.write(output() / "cases", everything)
        self.jobs = folder / "jobs"
        results = folder / "results.jsonl"
        self.outcomes = testing.run_tests(output() / "cases", self.jobs, results)

    def failures(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status != "passed"]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return _done(tmp_path_factory, everything=False)


def _done(folders: pytest.TempPathFactory, everything: bool) -> Done:
    try:
        return Done(folders.mktemp("natives"), everything)
    except Unavailable as lack:
        pytest.skip(str(lack))


def test_outputs_and_refusals_are_as_claimed(done: Done) -> None:
    assert not done.failures()
    compared = [outcome for outcome in done.outcomes if "ParityTest" in outcome.class_name]
    assert len(compared) == 2 * len(done.cases)


def test_records_of_the_jobs_are_ranked_by_python(done: Done, tmp_path: Path) -> None:
    rows = _ranked(done.jobs, tmp_path / "records.db")
    assert {row["runtime"].split()[0] for row in rows} == {"onnxruntime", "litert", "executorch"}


@pytest.mark.slow
def test_one_network_of_every_family_computes_the_same(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    done = _done(tmp_path_factory, everything=True)
    assert not done.failures()
    rows = _ranked(done.jobs, tmp_path / "records.db")
    assert sum(row["protocol"] == "paced-30fps-1" for row in rows) == 3


def _ranked(jobs: Path, store: Path) -> list[dict[str, str]]:
    """Read the records of done jobs into a store, and return the rows of its leaderboard."""
    folders = sorted(jobs.iterdir())
    for folder in folders:
        _mobilebench("job", "read", folder, "--store", store)
    table = store.with_suffix(".csv")
    _mobilebench("leaderboard", "--store", store, "--csv", table)
    with table.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len(folders)
    return rows


def _mobilebench(*args: str | Path) -> str:
    command = [sys.executable, "-m", "mobilebench", *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
