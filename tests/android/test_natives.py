"""The native libraries of the app, run here: the x86_64 twins of those that go to phones."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from filelock import FileLock

from mobilebench_android import testing
from mobilebench_android.natives import cases, on_glibc
from mobilebench_android.natives import testing as on_natives
from mobilebench_android.parts import host
from mobilebench_android.places import Unavailable, output
from mobilebench_android.testing import Claim, Outcome

CLAIMS = testing.claims(on_natives.MODULE)
FORMS = ("class files", "dex")
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


@pytest.fixture(scope="session")
def outcomes(case_folder: Path, once: Once) -> Callable[[str], Sequence[Outcome]]:
    """How each test ended, as class files or as dex."""

    def of(form: str) -> Sequence[Outcome]:
        name = form.replace(" ", "-")

        def write(results: Path) -> None:
            jobs = results.with_name(f"jobs-{name}")
            on_natives.run_tests(case_folder, jobs, results, through_dex=form == "dex")

        return testing.read(once(f"natives-{name}.jsonl", write))

    return of


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "claim", CLAIMS, ids=lambda claim: f"{claim.class_name.rpartition('.')[2]}: {claim.name}"
)
def test_on_the_native_libraries(
    claim: Claim, form: str, outcomes: Callable[[str], Sequence[Outcome]]
) -> None:
    mine = [
        each
        for each in outcomes(form)
        if each.class_name == claim.class_name and each.name.partition("[")[0] == claim.name
    ]
    assert mine
    assert [each.detail for each in mine if each.status != "passed"] == []


def test_a_library_for_another_machine_is_refused(tmp_path: Path) -> None:
    from mobilebench.errors import UserError

    library = tmp_path / "libone.so"
    library.write_bytes(b"\x7fELF\x01\x01")
    with pytest.raises(UserError, match=r"libone\.so"):
        on_glibc.prepare({"libone.so": library}, tmp_path / "out")
