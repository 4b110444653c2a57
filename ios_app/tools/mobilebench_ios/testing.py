"""Build BenchCore and run its tests, XCTest's and Swift Testing's."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

from mobilebench.errors import ProcessFailed, UserError
from mobilebench.files import only_one, write_text
from mobilebench_android.fetching import Report, silent
from mobilebench_ios.places import CORE, output
from mobilebench_ios.swift import Swift, swift
from mobilebench_ios.swift_source import masked, path_of, sources, types

_TEST = re.compile(
    r"@Test\b(?:\s*\((?P<traits>(?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\))?"
    r"\s+(?:@\w+(?:\([^)]*\))?\s+|\w+\s+)*?func\s+`?(?P<name>\w+)`?\s*"
    r"(?:<[^>]*>)?\s*\((?P<inputs>(?:[^()]|\([^()]*\))*)\)"
)
_XC_TEST = re.compile(r"\bfunc\s+(test\w*)\s*\(\s*\)")
_XC_LINE = re.compile(
    r"^Test Case '(?:-\[(?:\w+\.)?)?(\w+)[. ](\w+)\]?' "
    r"(passed|failed|skipped) \(([\d.]+) seconds\)",
    re.M,
)
"""As on Linux, `Class.test`, and as on a Mac, `-[Module.Class test]`."""
_XC_DETAIL = re.compile(r"^\S+?:\d+: (?:error: )?([\w.]+) : (.*)$", re.M)

_PROGRESS = re.compile(r"^\[\d+/\d+\] .*\n|^Building for .*\n", re.M)
_LOG_CHARS = 8000
"""Of what a failed program printed; its first message says most."""


@dataclass(frozen=True)
class Claim:
    """A test as its source names it."""

    class_name: str
    """The type around it, outer ones first: `Suite.Inner`; empty for a test outside a type."""
    name: str
    """With its labels where it is one of Swift Testing's: `holds(x:)`."""


@dataclass(frozen=True)
class Outcome:
    """How a test ended."""

    class_name: str
    name: str
    status: str
    """`passed`, `failed` or `skipped`."""
    seconds: float
    detail: str
    """What a failure says, the reason of a skip; empty otherwise."""


def claims() -> list[Claim]:
    """Return the tests in BenchCore's sources; nothing is compiled."""
    return [claim for path in sources(CORE / "Tests") for claim in claims_of(path)]


def claims_of(path: Path) -> list[Claim]:
    """Return the tests in a source."""
    code = masked(path.read_text(encoding="utf-8"))
    rows = types(code)
    swift_tests = [
        Claim(
            ".".join(path_of(rows, match.start())), f"{match['name']}({_labels(match['inputs'])})"
        )
        for match in _TEST.finditer(code)
    ]
    cases = [row for row in rows if re.search(r":\s*(?:\w+\s*,\s*)*XCTestCase\b", row.head)]
    names = {row.name for row in cases}
    xc_tests = [
        Claim(row.name, match[1])
        for row in rows
        if row.name in names
        for match in _XC_TEST.finditer(code, row.open, row.close)
    ]
    return swift_tests + xc_tests


def _labels(inputs: str) -> str:
    """Return the labels of a function's inputs: `x:_:`."""
    depth, parts = 0, [""]
    for letter in inputs:
        depth += {"(": 1, "[": 1, "<": 1, ")": -1, "]": -1, ">": -1}.get(letter, 0)
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return "".join(f"{part.split()[0].rstrip(':')}:" for part in parts if part.strip())


def scratch() -> Path:
    """Return the folder where Swift keeps what it built of the package."""
    return output() / "BenchCore"


def build(report: Report = silent, *, tests: bool = False, product: str | None = None) -> Path:
    """Build the package, only what changed, and return the folder of its products.

    Raises `UserError` with the compiler's messages, and `Unavailable` without Swift.
    """
    tool = swift(report)
    more = ["--build-tests"] if tests else []
    more += ["--product", product] if product else []
    waiting = "waiting for another process that builds BenchCore"
    with only_one(scratch(), lambda: report(waiting), Event()):
        report("building BenchCore")
        _swift(tool, "build", *more)
        return Path(_swift(tool, "build", "--show-bin-path").strip().splitlines()[-1])


def _swift(tool: Swift, verb: str, *args: str | Path, good: tuple[int, ...] = (0,)) -> str:
    try:
        return tool.run(["swift", verb, "--scratch-path", scratch(), *args], CORE, good=good)
    except ProcessFailed as error:
        log = _PROGRESS.sub("", error.log_tail).strip()
        raise UserError(f"swift {verb} {error.detail}:\n{log[:_LOG_CHARS]}") from None


def run_tests(results: Path, report: Report = silent) -> list[Outcome]:
    """Build the tests, run them, and write a JSON line for each into a file."""
    build(report, tests=True)
    tool = swift(report)
    xml = output() / "tests.xml"
    written = xml.with_stem(f"{xml.stem}-swift-testing")
    waiting = "waiting for another process that tests BenchCore"
    with only_one(scratch(), lambda: report(waiting), Event()):
        written.unlink(missing_ok=True)
        report("running the tests of BenchCore")
        log = _swift(tool, "test", "--skip-build", "--xunit-output", xml, good=(0, 1))
        outcomes = [*xctest(log), *(swift_testing(written) if written.is_file() else ())]
    if not outcomes:
        raise UserError(f"swift test ran nothing:\n{log[-4000:]}")
    write_text(results, "".join(json.dumps(asdict(each)) + "\n" for each in outcomes))
    return outcomes


def read(results: Path) -> list[Outcome]:
    """Return the outcomes that a run wrote."""
    rows = results.read_text(encoding="utf-8").splitlines()
    return [Outcome(**json.loads(row)) for row in rows]


def xctest(log: str) -> Iterator[Outcome]:
    """Yield the outcomes that XCTest printed."""
    details: dict[str, list[str]] = {}
    for match in _XC_DETAIL.finditer(log):
        details.setdefault(match[1], []).append(match[2])
    for match in _XC_LINE.finditer(log):
        detail = "\n".join(details.get(f"{match[1]}.{match[2]}", ()))
        yield Outcome(match[1], match[2], match[3], float(match[4]), detail)


def swift_testing(path: Path) -> Iterator[Outcome]:
    """Yield the outcomes in Swift Testing's report; it names the module before the type."""
    for case in ElementTree.parse(path).iter("testcase"):
        failures = [each.get("message") or "" for each in case.iter("failure")]
        skips = [each.text or "" for each in case.iter("skipped")]
        status = "failed" if failures else "skipped" if skips else "passed"
        class_name = (case.get("classname") or "").partition(".")[2]
        seconds = float(case.get("time") or 0)
        detail = "\n".join(failures or skips)
        yield Outcome(class_name, case.get("name") or "", status, seconds, detail)
