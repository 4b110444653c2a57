"""The command line of the build."""

from __future__ import annotations

import argparse
import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mobilebench.errors import MobilebenchError
from mobilebench.files import write_text
from mobilebench_android import api_levels, cutting, packaging, second_source, stubs
from mobilebench_android.art import running
from mobilebench_android.class_reader import read_jar
from mobilebench_android.commands import report, run_verb, show_tests
from mobilebench_android.compiling import compile_modules
from mobilebench_android.fetching import fetch
from mobilebench_android.modules import MODULES
from mobilebench_android.natives import cases
from mobilebench_android.natives import testing as on_natives
from mobilebench_android.parts import host, parts
from mobilebench_android.places import output, shown
from mobilebench_android.testing import MODULES_ON_JVM, run_tests


def main(args: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit code: 0 good, 1 a check said no, 2 the user can mend it."""
    parser = argparse.ArgumentParser(
        prog="build.py", description="Build and check the Android app without Gradle."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, (describe, run) in VERBS.items():
        verb = verbs.add_parser(name, help=describe, description=describe)
        if name in _TAKES_MODULES:
            verb.add_argument("modules", nargs="*", help="modules; all where none is named")
        if name == "fetch":
            verb.add_argument("parts", nargs="*", help="parts; all where none is named")
        if name in _TAKES_CASES:
            verb.add_argument("folder", type=Path, help="folder of the cases")
        if name == "cases":
            verb.add_argument(
                "--all", action="store_true", help="a whole network of every family too"
            )
        if name == "natives":
            verb.add_argument("--dexed", action="store_true", help="with classes made from dex")
        verb.set_defaults(run=run)
    return run_verb(parser, args)


def _fetch(given: argparse.Namespace) -> int:
    for name in _known(given.parts, parts(), "part"):
        part = parts()[name]
        if given.parts or part.host in (None, host()):
            print(f"{name}: {fetch(name, report)}")
    return 0


def _parts(given: argparse.Namespace) -> int:
    for part in parts().values():
        print(f"{part.name}: {part.title}, {part.licence}, {part.addresses[0]}")
    return 0


def _compile(given: argparse.Namespace) -> int:
    names = _known(given.modules, MODULES, "module")
    for name, jar in compile_modules(names, report, tests=True).units.items():
        print(f"{name}: {jar}")
    return 0


def _classpath(given: argparse.Namespace) -> int:
    names = _known(given.modules, MODULES, "module")
    print(os.pathsep.join(map(str, compile_modules(names, report).classpath)))
    return 0


def _art(given: argparse.Namespace) -> int:
    print(shlex.join(running.app_command(["conformance"], _CONFORMANCE, report)))
    return 0


def _test(given: argparse.Namespace) -> int:
    started = time.monotonic()
    output().mkdir(parents=True, exist_ok=True)
    results = output() / "tests.jsonl"
    names = given.modules or MODULES_ON_JVM
    return show_tests(run_tests(_known(names, MODULES, "module"), results, report), started)


def _cases(given: argparse.Namespace) -> int:
    for case in cases.write(given.folder, given.all):
        print(case)
    return 0


def _natives(given: argparse.Namespace) -> int:
    started = time.monotonic()
    output().mkdir(parents=True, exist_ok=True)
    results = output() / "tests-natives.jsonl"
    jobs = output() / "jobs"
    outcomes = on_natives.run_tests(given.folder, jobs, results, report, dexed=given.dexed)
    return show_tests(outcomes, started)


def _cut(given: argparse.Namespace) -> int:
    text = (fetch("android-api", report) / "current.txt").read_text(encoding="utf-8")
    write_text(stubs.CUT, cutting.of_app(text, report))
    print(shown(stubs.CUT))
    return 0


def _api(given: argparse.Namespace) -> int:
    modules = [module.name for module in MODULES.values() if module.on_phone]
    units = compile_modules(modules, report).units
    classes = [each for name in modules if name in units for each in read_jar(units[name])]
    problems = api_levels.problems(classes, second_source.declarations(report))
    print("\n".join(problems) or f"{len(classes)} classes take what Android has")
    return 1 if problems else 0


def _apk(given: argparse.Namespace) -> int:
    started = time.monotonic()
    for abi in packaging.ABIS:
        path = packaging.build(abi, report)
        print(f"{shown(path)}: {path.stat().st_size:,} bytes")
        for native in packaging.natives(abi, report):
            if not native.ready:
                instead = packaging.INSTEAD[native.name]
                print(f"  {native.name} does not load on pages of 16 KiB; with Gradle: {instead}")
    print(f"built in {time.monotonic() - started:.1f} s")
    return 0


def _known(names: Sequence[str], table: Mapping[str, object], noun: str) -> list[str]:
    """Return names, or all of the table where none is given."""
    for name in names:
        if name not in table:
            raise MobilebenchError(f"there is no {noun} {name!r}; there are {', '.join(table)}")
    return list(names) or list(table)


_CONFORMANCE = "mobilebench.conformance.MainKt"
_TAKES_CASES = {"cases", "natives"}
_TAKES_MODULES = {"compile", "classpath", "test"}
VERBS: dict[str, tuple[str, Callable[[argparse.Namespace], int]]] = {
    "parts": ("list the parts that others made", _parts),
    "fetch": ("fetch parts into the cache", _fetch),
    "compile": ("compile modules and their tests", _compile),
    "classpath": ("compile modules and print their class path", _classpath),
    "api": ("check what the modules use of Android, and since when it is there", _api),
    "cut": ("write the classes of Android's API that the app is compiled against", _cut),
    "art": ("build Android's runtime and print how it answers the golden vectors", _art),
    "apk": ("build and sign the app for phones and for emulators", _apk),
    "test": ("run the tests of modules", _test),
    "cases": ("export the cases that the tests of the native libraries need", _cases),
    "natives": ("run the tests of the native libraries on cases", _natives),
}
