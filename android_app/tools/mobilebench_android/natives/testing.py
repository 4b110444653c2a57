"""Run the tests that load the app's native libraries."""

from __future__ import annotations

import os
from pathlib import Path

from mobilebench.errors import ProcessFailed, UserError
from mobilebench_android import dexing, testing
from mobilebench_android.compiling import compile_modules, library_jars, programs
from mobilebench_android.fetching import Report, silent
from mobilebench_android.java import jdk, run
from mobilebench_android.modules import LIBRARIES, MODULES
from mobilebench_android.natives import on_glibc
from mobilebench_android.resources import executorch_version
from mobilebench_android.testing import Outcome

MODULE = "natives"
_TIMEOUT_S = 600


def run_tests(
    cases: Path, jobs: Path, results: Path, report: Report = silent, *, dexed: bool = False
) -> list[Outcome]:
    """Run the tests of the module `natives` on a folder of cases, in one Java machine.

    `jobs` gets the folders of whole jobs that were done, and `results` a line of JSON for each
    test. With `dexed`, all that the app holds went through dex and back; the tests themselves did
    not. Raises `UserError` where the Java machine ends.
    """
    compiled = compile_modules([MODULE], report, tests=True)
    tests = compiled.units[f"{MODULE}-tests"]
    classes = testing.test_classes(tests)
    classpath = list(compiled.classpath)
    if dexed:
        own = [LIBRARIES[name] for name in ("junit", "hamcrest")]
        app = dexing.turned_back(MODULES[MODULE].needs, report)
        classpath = [*app, tests, *library_jars(own, report)]
    settings = on_glibc.java_settings(on_glibc.libraries(report))
    path = os.pathsep.join(map(str, [programs(report), *classpath]))
    places = [
        f"-Dmobilebench.{name}={at.resolve()}" for name, at in (("cases", cases), ("jobs", jobs))
    ]
    version = f"-Dmobilebench.executorch={executorch_version()}"
    options = [*settings.options, *places, version, "-ea"]
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
