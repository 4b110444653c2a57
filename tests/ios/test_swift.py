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


def test_outcomes_of_xctest_are_read_as_it_prints_them() -> None:
    log = (
        "Test Case 'OldTests.testOne' started at 2026-01-01 00:00:00.000\n"
        "Test Case 'OldTests.testOne' passed (0.006 seconds)\n"
        "/src/T.swift:3: OldTests.testTwo : Test skipped - no reason\n"
        "Test Case 'OldTests.testTwo' skipped (0.0 seconds)\n"
        "/src/T.swift:4: error: OldTests.testThree : XCTAssertEqual failed\n"
        "Test Case 'OldTests.testThree' failed (0.1 seconds)\n"
        "Test Case '-[BenchCoreTests.OldTests testOnAMac]' passed (0.2 seconds).\n"
    )
    assert list(testing.xctest(log)) == [
        Outcome("OldTests", "testOne", "passed", 0.006, ""),
        Outcome("OldTests", "testTwo", "skipped", 0.0, "Test skipped - no reason"),
        Outcome("OldTests", "testThree", "failed", 0.1, "XCTAssertEqual failed"),
        Outcome("OldTests", "testOnAMac", "passed", 0.2, ""),
    ]


def test_outcomes_of_swift_testing_are_read_from_its_report(tmp_path: Path) -> None:
    report = tmp_path / "tests.xml"
    report.write_text(
        '<testsuites><testsuite name="TestResults">'
        '<testcase classname="aTests" name="b()" time="0.1" />'
        '<testcase classname="aTests.S" name="c(x:)" time="0.2"><failure message="no" /></testcase>'
        '<testcase classname="aTests.S.I" name="d()" time="0.3"><skipped>why</skipped></testcase>'
        "</testsuite></testsuites>"
    )
    assert list(testing.swift_testing(report)) == [
        Outcome("", "b()", "passed", 0.1, ""),
        Outcome("S", "c(x:)", "failed", 0.2, "no"),
        Outcome("S.I", "d()", "skipped", 0.3, "why"),
    ]
