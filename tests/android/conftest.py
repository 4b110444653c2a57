"""What the checks of the Android app share: it is built once, by whichever process comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from mobilebench_android import packaging, testing
from mobilebench_android.places import Unavailable
from mobilebench_android.testing import Outcome


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Skip a test whose fixture needs a part or program that cannot be had, with the reason."""
    try:
        return (yield)
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Skip a test that needs a part or program that cannot be had, with the reason."""
    try:
        return (yield)
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def once(
    tmp_path_factory: pytest.TempPathFactory, testrun_uid: str
) -> Callable[[str, Callable[[Path], object]], Path]:
    """Make a file once in a run of the tests, whatever the number of processes."""
    shared = tmp_path_factory.getbasetemp().parent / f"android-{testrun_uid}"
    shared.mkdir(exist_ok=True)

    def make(name: str, write: Callable[[Path], object]) -> Path:
        place = shared / name
        with FileLock(shared / f"{name}.lock"):
            if not place.exists():
                write(place)
        return place

    return make


Results = dict[tuple[str, str], Outcome]


@pytest.fixture(scope="session")
def results(once: Callable[[str, Callable[[Path], object]], Path]) -> Results:
    """How each Kotlin test ended, by class and name."""
    place = once("tests.jsonl", lambda out: testing.run_tests(testing.MODULES_ON_JVM, out))
    return {(each.class_name, each.name): each for each in testing.read(place)}


@pytest.fixture(scope="session")
def phone_app() -> Path:
    """The app for phones before it is signed."""
    return packaging.unsigned("arm64-v8a")
