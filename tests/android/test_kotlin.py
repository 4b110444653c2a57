"""Each test of the app's Kotlin modules, as a test of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench_android import testing
from mobilebench_android.testing import Claim, Outcome

CLAIMS = [claim for module in testing.MODULES_ON_JVM for claim in testing.claims(module)]


@pytest.mark.parametrize(
    "claim", CLAIMS, ids=lambda claim: f"{claim.class_name.rpartition('.')[2]}: {claim.name}"
)
def test_on_the_jvm(claim: Claim, results: dict[tuple[str, str], Outcome]) -> None:
    outcome = results[claim.class_name, claim.name]
    if outcome.status == "skipped":
        pytest.skip(outcome.detail)
    assert outcome.status == "passed", outcome.detail


def test_every_test_that_ran_is_one_of_these(results: dict[tuple[str, str], Outcome]) -> None:
    assert set(results) == {(claim.class_name, claim.name) for claim in CLAIMS}
    assert len(results) > 100


def test_claims_are_read_from_the_sources(tmp_path: Path) -> None:
    source = tmp_path / "WidthTest.kt"
    source.write_text(
        "package a.b\n\nclass WidthTest {\n    @Test\n    fun `a width is kept`() {}\n\n"
        "    @Test fun plain() = Unit\n\n    fun helper() {}\n}\n"
    )
    assert [(claim.class_name, claim.name) for claim in testing.claims_of("core", source)] == [
        ("a.b.WidthTest", "a width is kept"),
        ("a.b.WidthTest", "plain"),
    ]


def test_a_test_outside_a_class_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "LooseTest.kt"
    source.write_text("package a\n\n@Test\nfun `nobody runs this`() {}\n")
    with pytest.raises(UserError, match="outside a class"):
        testing.claims_of("core", source)


def test_a_class_of_tests_is_named_so() -> None:
    """JUnit is given the classes whose name ends with Test."""
    assert [claim.class_name for claim in CLAIMS if not claim.class_name.endswith("Test")] == []
