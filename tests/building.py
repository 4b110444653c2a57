"""What the checks of both phone apps share: each app is built once, by whichever comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from mobilebench_android.places import Unavailable

Once = Callable[[str, Callable[[Path], object]], Path]


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
def once(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Once:
    """Make a file once in a run of the tests, whatever the number of processes."""
    shared = tmp_path_factory.getbasetemp().parent / f"built-{testrun_uid}"
    shared.mkdir(exist_ok=True)

    def make(name: str, write: Callable[[Path], object]) -> Path:
        place = shared / name
        with FileLock(shared / f"{name}.lock"):
            if not place.exists():
                write(place)
        return place

    return make
