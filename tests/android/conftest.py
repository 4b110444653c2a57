"""What the checks of the Android app share: it is built once, by whichever process comes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilebench_android import packaging, testing
from mobilebench_android.testing import Outcome
from tests.building import Once, once, pytest_runtest_call, pytest_runtest_setup

__all__ = ["once", "pytest_runtest_call", "pytest_runtest_setup"]

Results = dict[tuple[str, str], Outcome]


@pytest.fixture(scope="session")
def results(once: Once) -> Results:
    """How each Kotlin test ended, by class and name."""
    place = once("tests-kotlin", lambda out: testing.run_tests(testing.MODULES_ON_JVM, out))
    return {(each.class_name, each.name): each for each in testing.read(place)}


@pytest.fixture(scope="session")
def phone_app() -> Path:
    """The app for phones before it is signed."""
    return packaging.unsigned("arm64-v8a")
