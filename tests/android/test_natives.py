"""The native libraries of the app, run here: the x86_64 twins of those that go to phones."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from mobilebench.errors import UserError
from mobilebench.zoo import create_model, list_models
from mobilebench_android import testing
from mobilebench_android.natives import cases, families, on_glibc
from mobilebench_android.natives import testing as on_natives
from mobilebench_android.parts import host
from mobilebench_android.places import Unavailable, output
from mobilebench_android.testing import Claim, Outcome

CLAIMS = testing.claims(on_natives.MODULE)
FORMS = ("class files", "dex")
XNNPACK = "XNNPACK in ONNX Runtime gives the same outputs"
"""It is a test of every file, and runs those of ONNX Runtime."""
FAMILIES = sorted({name.partition("_")[0] for name in list_models()} - {"mobilenetv2"})
"""Those of the papers; MobileNetV2 is the baseline."""
Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def case_folder() -> Path:
    """Exports with what the Python runtimes compute; those of an earlier run are used again."""
    if host() != "linux-x86_64":
        raise Unavailable(f"Android's x86_64 libraries run on Linux x86-64 only; this is {host()}")
    if shutil.which("gcc") is None and shutil.which("cc") is None:
        raise Unavailable("the shim for Android's libraries needs a C compiler; install gcc")
    folder = output() / "cases"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        cases.write(folder)
    return folder


@dataclass(frozen=True)
class Done:
    """The tests of the native libraries that ran, and the folders of the jobs that they did."""

    outcomes: list[Outcome]
    jobs: Path


@pytest.fixture(scope="session")
def done(case_folder: Path, once: Once) -> Callable[[str], Done]:
    """What was done with the modules as class files, or as dex turned back."""

    def of(form: str) -> Done:
        name = f"natives-{form.replace(' ', '-')}"

        def write(results: Path) -> None:
            on_natives.run_tests(case_folder, _jobs(results), results, dexed=form == "dex")

        results = once(f"{name}.jsonl", write)
        return Done(testing.read(results), _jobs(results))

    return of


def _jobs(results: Path) -> Path:
    return results.with_name(f"{results.stem}-jobs")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "claim", CLAIMS, ids=lambda claim: f"{claim.class_name.rpartition('.')[2]}: {claim.name}"
)
def test_on_the_native_libraries(claim: Claim, form: str, done: Callable[[str], Done]) -> None:
    mine = [
        each
        for each in done(form).outcomes
        if each.class_name == claim.class_name and each.name.partition("[")[0] == claim.name
    ]
    assert mine
    assert [each.detail for each in mine if each.status != "passed"] == []


def test_every_case_was_compared(case_folder: Path, done: Callable[[str], Done]) -> None:
    # Cases of earlier contents may lie beside those in use.
    written = (case_folder / cases.INDEX).read_text().splitlines()
    compared = [each for each in done("dex").outcomes if "ParityTest" in each.class_name]
    named = sum(each.startswith("families.") for each in written)
    assert len(written) >= 13 and named == len(cases.FORMATS)
    assert len(compared) == 2 * (len(written) + named * (len(families.NAMES) - 1))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_computes_the_same_on_every_runtime(
    family: str, form: str, done: Callable[[str], Done]
) -> None:
    network = "mobilevig_ti@64" if family == "mobilevig" else f"families.families@64 {family}"
    passed = {each.name for each in done(form).outcomes if each.status == "passed"}
    for recipe in ("onnx-fp32-opset20", "tflite-fp32", "executorch-fp32-xnnpack"):
        assert f"outputs are those of the Python runtime[{network} {recipe}]" in passed
    assert f"{XNNPACK}[{network} onnx-fp32-opset20]" in passed


def test_shallow_networks_have_every_layer_of_the_whole_ones() -> None:
    networks = families.Families()
    shallow = [*networks.pyramids, networks.mamba]
    names = [*families.PYRAMIDS.values(), "vcmamba_s"]
    assert tuple(name.partition("_")[0] for name in names) == families.NAMES
    for name, network in zip(names, shallow, strict=True):
        whole = create_model(name, num_classes=families.CLASSES)
        assert set(map(type, network.modules())) == set(map(type, whole.modules()))


def test_records_of_the_jobs_are_ranked_by_python(
    done: Callable[[str], Done], tmp_path: Path
) -> None:
    rows = _ranked(done("dex").jobs, tmp_path / "records.db")
    assert {row["runtime"].split()[0] for row in rows} == {"onnxruntime", "litert", "executorch"}


@pytest.mark.slow
def test_one_network_of_every_family_computes_the_same(case_folder: Path, tmp_path: Path) -> None:
    folder = case_folder.with_name("all-cases")
    cases.write(folder, True)
    outcomes = on_natives.run_tests(folder, tmp_path / "jobs", tmp_path / "results.jsonl")
    assert [each for each in outcomes if each.status != "passed"] == []
    rows = _ranked(tmp_path / "jobs", tmp_path / "records.db")
    assert sum(row["protocol"] == "paced-30fps-1" for row in rows) == 3


def _ranked(jobs: Path, store: Path) -> list[dict[str, str]]:
    """Read the records of done jobs into a store, and return the rows of its leaderboard."""
    folders = sorted(jobs.iterdir())
    for folder in folders:
        _mobilebench("job", "read", folder, "--store", store)
    text = _mobilebench("leaderboard", "--store", store, "--as", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(folders)
    return rows


def _mobilebench(*args: str | Path) -> str:
    command = [sys.executable, "-m", "mobilebench", *map(str, args)]
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_library_for_another_machine_is_refused(tmp_path: Path) -> None:
    library = tmp_path / "libone.so"
    library.write_bytes(b"\x7fELF\x01\x01")
    with pytest.raises(UserError, match=r"libone\.so"):
        on_glibc.prepare({"libone.so": library}, tmp_path / "out")
