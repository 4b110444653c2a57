"""Run the tests that load the app's native libraries."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mobilebench.errors import ProcessFailed, UserError
from mobilebench_android import dexing, testing
from mobilebench_android.compiling import compile_modules, programs
from mobilebench_android.fetching import Report, silent
from mobilebench_android.java import jdk, run
from mobilebench_android.natives import on_glibc
from mobilebench_android.testing import Outcome

MODULE = "natives"
_TIMEOUT_S = 600


def run_tests(
    cases: Path, jobs: Path, results: Path, report: Report = silent, *, through_dex: bool = False
) -> list[Outcome]:
    """Run the tests of the module `natives` on a folder of cases, in one Java machine.

    `jobs` gets the folders of whole jobs that were done, and `results` a line of JSON for each
    test. With `through_dex` the modules and their libraries were dex before. Raises `UserError`
    where the Java machine ends.
    """
    compiled = compile_modules([MODULE], report, tests=True)
    classes = testing.test_classes(compiled.units[f"{MODULE}-tests"])
    settings = on_glibc.java_settings(on_glibc.libraries(report))
    classpath: Sequence[Path] = compiled.classpath
    if through_dex:
        # Names of tests have spaces, which dex cannot have: the tests themselves stay as they are.
        tests = [jar for name, jar in compiled.units.items() if name.endswith("-tests")]
        classpath = [*dexing.turned_back([MODULE], report), *tests, *compiled.libraries]
    path = os.pathsep.join(map(str, [programs(report), *classpath]))
    places = [
        f"-Dmobilebench.{name}={at.resolve()}" for name, at in (("cases", cases), ("jobs", jobs))
    ]
    options = [*settings.options, *places, "-ea"]
    jobs.mkdir(parents=True, exist_ok=True)
    report(f"running the tests of {len(classes)} classes on the native libraries")
    try:
        printed = run(
            [jdk().java, *options, "-cp", path, "RunTests", results, *classes],
            timeout_s=_TIMEOUT_S,
            env=settings.environment,
        )
    except ProcessFailed as error:
        raise UserError(
            f"the Java machine with the native libraries {error.detail}:\n{error.log_tail.strip()}"
        ) from None
    for line in printed.splitlines():
        if line.startswith("PARITY\t"):
            report(line)
    return testing.read(results)
