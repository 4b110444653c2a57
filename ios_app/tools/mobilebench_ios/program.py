"""The command line of the build."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence

from mobilebench_android.commands import report, run_verb, show_tests
from mobilebench_ios import comparing, package, stubs, testing, xcode
from mobilebench_ios.places import output, shown
from mobilebench_ios.swift import swift


def main(args: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit code: 0 good, 1 a check said no, 2 the user can mend it."""
    parser = argparse.ArgumentParser(
        prog="build.py", description="Build and test the iOS app's Swift without a Mac."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, (describe, run) in VERBS.items():
        verb = verbs.add_parser(name, help=describe, description=describe)
        if name == "run":
            verb.add_argument("product", help="an executable of BenchCore")
            verb.add_argument("args", nargs=argparse.REMAINDER, help="what it is given")
        verb.set_defaults(run=run)
    return run_verb(parser, args)


def _setup(given: argparse.Namespace) -> int:
    tool = swift(report)
    print(tool.root or "the system's Swift")
    return 0


def _build(given: argparse.Namespace) -> int:
    started = time.monotonic()
    print(f"{shown(testing.build(report))}: built in {time.monotonic() - started:.1f} s")
    return 0


def _test(given: argparse.Namespace) -> int:
    started = time.monotonic()
    output().mkdir(parents=True, exist_ok=True)
    outcomes = testing.run_tests(output() / "tests.jsonl", report)
    return show_tests(outcomes, started)


def _check(given: argparse.Namespace) -> int:
    started = time.monotonic()
    done = stubs.check(report)
    shown_levels = ", ".join(f"{major}.{minor}" for major, minor in done.levels)
    print(f"{done.files} files compile as on iOS {shown_levels}", end=" ")
    print(f"in {time.monotonic() - started:.1f} s")
    return 0


def _declarations(given: argparse.Namespace) -> int:
    rows = [v for folder in stubs.modules() for v in comparing.verdicts(stubs.STUBS / folder)]
    wrong = [each for each in rows if each.how == "wrong"]
    for each in wrong:
        print(f"{each.declared.place}: {each.declared.title}: {each.reason}")
    compared = sum(each.how == "compared" for each in rows)
    print(f"{compared} of {len(rows)} declarations are those of Objective-C")
    return 1 if wrong else 0


def _project(given: argparse.Namespace) -> int:
    path = xcode.PROJECT / "project.pbxproj"
    project = xcode.read(path.read_text(encoding="utf-8"))
    problems = xcode.problems(project)
    # What does not hold together is not compared.
    problems = problems or package.problems(project, package.dump(report))
    print("\n".join(problems) or f"{shown(path)} holds together")
    return 1 if problems else 0


def _run(given: argparse.Namespace) -> int:
    tool = swift(report)
    program = testing.build(report, product=given.product) / given.product
    command = tool.command([program, *given.args])
    sys.stdout.flush()
    os.execvp(command[0], command)


VERBS: dict[str, tuple[str, Callable[[argparse.Namespace], int]]] = {
    "setup": ("set up Swift, in the cache", _setup),
    "build": ("build BenchCore, only what changed", _build),
    "test": ("build BenchCore and run its tests", _test),
    "check": ("compile the app against declarations of Apple's frameworks", _check),
    "declarations": ("compare those declarations with Objective-C's", _declarations),
    "project": ("check the Xcode project, and the package against it", _project),
    "run": ("build an executable of BenchCore and run it", _run),
}
