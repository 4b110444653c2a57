"""Each test of the app's Swift package, as a test of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilebench_ios import testing
from mobilebench_ios.testing import Claim, Outcome

CLAIMS = testing.claims()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.class_name}: {claim.name}")
def test_in_swift(claim: Claim, results: dict[tuple[str, str], Outcome]) -> None:
    outcome = results[claim.class_name, claim.name]
    if outcome.status == "skipped":
        pytest.skip(outcome.detail)
    assert outcome.status == "passed", outcome.detail


def test_every_test_that_ran_is_one_of_these(results: dict[tuple[str, str], Outcome]) -> None:
    assert set(results) == {(claim.class_name, claim.name) for claim in CLAIMS}
    assert len(results) > 50


def test_claims_are_read_from_the_sources(tmp_path: Path) -> None:
    source = tmp_path / "WidthTests.swift"
    source.write_text(
        "import Testing\nimport XCTest\n\n"
        '@Test("a { brace") func alone() {}\n'
        "@Suite struct WidthTests {\n"
        "    // @Test func inAComment() {}\n"
        "    @Test func aWidthIsKept() throws {}\n"
        "    @Test(arguments: [1, 2]) func holds(_ width: Int, under load: [Int]) async {}\n"
        "    func helper() {}\n"
        "    struct Inner {\n        @Test(.tags(.quick))\n        func deeper() {}\n    }\n"
        "}\n"
        "extension WidthTests { @Test func more() {} }\n"
        "final class OldTests: XCTestCase, Sendable {\n"
        "    func testOne() throws {}\n    func help() {}\n}\n"
    )
    assert testing.claims_of(source) == [
        Claim("", "alone()"),
        Claim("WidthTests", "aWidthIsKept()"),
        Claim("WidthTests", "holds(_:under:)"),
        Claim("WidthTests.Inner", "deeper()"),
        Claim("WidthTests", "more()"),
        Claim("OldTests", "testOne"),
    ]
