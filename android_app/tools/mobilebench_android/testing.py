"""Run the modules' JUnit tests in one JVM."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import ProcessFailed, UserError
from mobilebench_android.compiling import compile_modules, programs
from mobilebench_android.fetching import Report, silent
from mobilebench_android.java import java
from mobilebench_android.modules import MODULES
from mobilebench_android.places import ROOT

MODULES_ON_JVM = ("core", "conformance", "onnxruntime", "tflite", "executorch")
"""Modules whose tests need nothing but a JVM."""
_TIMEOUT_S = 600
_CLASS = re.compile(r"^(?:(?!.*\$).*/)?\w*Test\.class$")
_KOTLIN_TEST = re.compile(r"@Test\b(?:\([^)]*\))?\s+(?:\w+\s+)*?fun\s+(?:`([^`]+)`|(\w+))\s*\(")
_KOTLIN_CLASS = re.compile(r"^(?:\w+ )*class (\w+)", re.MULTILINE)
_PACKAGE = re.compile(r"^package ([\w.]+)", re.MULTILINE)


@dataclass(frozen=True)
class Claim:
    """A test as its source names it."""

    module: str
    class_name: str
    """With its package."""
    name: str


@dataclass(frozen=True)
class Outcome:
    """How a test ended."""

    class_name: str
    name: str
    status: str
    """`passed`, `failed` or `skipped`."""
    ns: int
    detail: str
    """The trace of a failure, the reason of a skip; empty otherwise."""


def claims(module: str) -> list[Claim]:
    """Return the tests in a module's sources; nothing is compiled."""
    folder = MODULES[module].place / "src" / "test" / "kotlin"
    return [claim for path in sorted(folder.rglob("*.kt")) for claim in claims_of(module, path)]


def claims_of(module: str, path: Path) -> list[Claim]:
    """Return the tests in a source. Raises `UserError` for one outside a class."""
    text = path.read_text(encoding="utf-8")
    package = _PACKAGE.search(text)
    prefix = f"{package[1]}." if package else ""
    classes = [(match.start(), match[1]) for match in _KOTLIN_CLASS.finditer(text)]
    rows = []
    for match in _KOTLIN_TEST.finditer(text):
        owner = [name for start, name in classes if start < match.start()]
        if not owner:
            raise UserError(f"{path} has a test outside a class; JUnit does not run it")
        rows.append(Claim(module, prefix + owner[-1], match[1] or match[2]))
    return rows


def run_tests(names: Sequence[str], results: Path, report: Report = silent) -> list[Outcome]:
    """Compile modules with their tests, run those, and write a JSON line for each into a file."""
    compiled = compile_modules(names, report, tests=True)
    jars = [jar for name, jar in compiled.units.items() if name.endswith("-tests")]
    classes = sorted(name for jar in jars for name in test_classes(jar))
    if not classes:
        return []
    report(f"running the tests of {len(classes)} classes")
    execute(compiled.classpath, classes, results, report)
    return read(results)


def execute(
    classpath: Sequence[Path], classes: Sequence[str], results: Path, report: Report = silent
) -> None:
    """Run test classes in one JVM. Raises `UserError` where the JVM itself ends."""
    try:
        java(
            [programs(report), *classpath],
            "RunTests",
            [results, *classes],
            options=["-ea", f"-Dmobilebench.root={ROOT}"],
            timeout_s=_TIMEOUT_S,
        )
    except ProcessFailed as error:
        raise UserError(f"the JVM of the tests {error.detail}:\n{error.log_tail.strip()}") from None


def read(results: Path) -> list[Outcome]:
    """Return the outcomes that a run wrote."""
    rows = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return [
        Outcome(row["class"], row["name"], row["status"], row["ns"], row["detail"]) for row in rows
    ]


def test_classes(jar: Path) -> list[str]:
    """Return the classes whose name ends with Test."""
    with zipfile.ZipFile(jar) as opened:
        names = [name for name in opened.namelist() if _CLASS.match(name)]
    return [name.removesuffix(".class").replace("/", ".") for name in names]
