"""What the checks of the iOS app share: it is built once, by whichever process comes first."""

from __future__ import annotations

import pytest

from mobilebench_ios import testing
from mobilebench_ios.testing import Outcome
from tests.building import Once, once, pytest_runtest_call, pytest_runtest_setup

__all__ = ["once", "pytest_runtest_call", "pytest_runtest_setup"]

Results = dict[tuple[str, str], Outcome]


@pytest.fixture(scope="session")
def results(once: Once) -> Results:
    """How each Swift test ended, by type and name."""
    place = once("tests-swift", testing.run_tests)
    return {(each.class_name, each.name): each for each in testing.read(place)}
