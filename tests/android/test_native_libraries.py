"""The app's runners compute with Android's own libraries what the Python runtimes compute."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.measuring import job_folder
from mobilebench.store.records import RecordStore
from mobilebench_android.natives import cases, testing
from mobilebench_android.places import output
from mobilebench_android.testing import read

Once = Callable[[str, Callable[[Path], object]], Path]
RESULTS = "results.jsonl"


@pytest.fixture(scope="session")
def quick(once: Once) -> Path:
    """A folder of cases: a small network in each precision, and one of the zoo."""
    folder = output() / "cases"
    once("cases", lambda out: out.write_text("\n".join(map(str, cases.write(folder)))))
    return folder


def _done(once: Once, folder: Path, name: str, *, dexed: bool) -> Path:
    """Run the tests of the native libraries; return the folder of their results and jobs."""

    def run(place: Path) -> None:
        place.mkdir()
        testing.run_tests(folder, place / "jobs", place / RESULTS, dexed=dexed)

    return once(name, run)


@pytest.mark.parametrize("form", ["class files", "dex"])
def test_outputs_and_refusals_are_as_claimed(form: str, quick: Path, once: Once) -> None:
    done = _done(once, quick, f"natives from {form}", dexed=form == "dex")
    outcomes = read(done / RESULTS)
    assert [each for each in outcomes if each.status != "passed"] == []
    compared = [each for each in outcomes if each.class_name.endswith(".ParityTest")]
    assert len(compared) == 2 * len((quick / cases.INDEX).read_text().splitlines())


def test_records_of_the_jobs_are_ranked_by_python(quick: Path, once: Once, tmp_path: Path) -> None:
    done = _done(once, quick, "natives from class files", dexed=False)
    rows = _ranked(done / "jobs", tmp_path)
    assert {row["runtime"].split()[0] for row in rows} == {"onnxruntime", "litert", "executorch"}


@pytest.mark.slow
def test_one_network_of_every_family_computes_the_same(once: Once, tmp_path: Path) -> None:
    folder = output() / "cases-all"
    cases.write(folder, everything=True)
    done = _done(once, folder, "natives of every family", dexed=False)
    assert [each for each in read(done / RESULTS) if each.status != "passed"] == []
    rows = _ranked(done / "jobs", tmp_path)
    assert sum(row["protocol"] == "paced-30fps-1" for row in rows) == 3


def _ranked(jobs: Path, folder: Path) -> list[dict[str, str]]:
    """Verify the records of done jobs, store them, and return the rows of the leaderboard."""
    given = [job_folder.read(each) for each in sorted(jobs.iterdir())]
    store = folder / "records.db"
    assert RecordStore(store).add_all([each.document() for each in given]) == len(given)
    table = folder / "leaderboard.csv"
    command = [sys.executable, "-m", "mobilebench", "leaderboard", "--store", str(store)]
    subprocess.run([*command, "--as", "csv", "--out", str(table)], check=True, timeout=120)
    with table.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len(given)
    return rows
