"""Compile the modules and their tests: only what changed, all of it in one JVM."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

from mobilebench.errors import ProcessFailed, UserError
from mobilebench.files import only_one, staging_folder
from mobilebench_android import stubs
from mobilebench_android.fetching import Report, fetch, silent
from mobilebench_android.jars import files_below, write_jar
from mobilebench_android.java import java, jdk, run
from mobilebench_android.modules import LIBRARIES, Library, Module, with_needs
from mobilebench_android.outputs import files_key, key_of, made, publish
from mobilebench_android.places import ROOT, output
from mobilebench_android.resources import link, manifest

_TIMEOUT_S = 600
_JVM = ("-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""The quick compiler only: a run is too short for the other one, and takes half the time."""
_PROGRAMS = Path(__file__).with_name("jvm")
_SCHEMAS = ROOT / "mobilebench" / "schema"
_TEST_LIBRARIES = ("junit", "hamcrest", "kotlin-test")
KOTLIN = ("-no-stdlib", "-no-reflect", "-jvm-target", "1.8", "-Xjdk-release=8", "-Werror")
JAVA = ("--release", "8", "-encoding", "UTF-8", "-proc:none")
_UNRESOLVED = "unresolved reference"
_CUT_ADVICE = (
    "Where it is a class of Android's, add it to those that the app is compiled against: "
    "python android_app/tools/build.py cut"
)
_OUR_JAVA = ("-Xlint:all,-options,-path,-serial", "-Werror")
_OTHERS_JAVA = ("-nowarn", "-Xlint:none")


@dataclass(frozen=True)
class Unit:
    """A module's sources, or those of its tests."""

    module: Module
    tests: bool
    sources: tuple[tuple[str, Path], ...]
    """By the name below their source folder."""
    resources: tuple[tuple[str, Path], ...]

    @property
    def name(self) -> str:
        """As messages and outputs have it."""
        return f"{self.module.name}-tests" if self.tests else self.module.name

    @property
    def sees(self) -> set[str]:
        """Names of the units on its class path; tests see their own module."""
        names = {module.name for module in with_needs((self.module.name,))}
        return names if self.tests else names - {self.module.name}

    def of_kind(self, ending: str) -> list[str]:
        """Return the paths of its sources with an ending."""
        return [str(path) for _, path in self.sources if path.suffix == ending]


@dataclass(frozen=True)
class Compiled:
    """The classes of units, and the libraries that they need."""

    units: dict[str, Path]
    """Jars by the unit's name, `core` or `core-tests`, each after those that it needs."""
    libraries: tuple[Path, ...]
    stubs: Path | None
    """Android's classes without code, where a module takes them."""

    @property
    def classpath(self) -> tuple[Path, ...]:
        """All jars, Android's classes without code last."""
        return (*self.units.values(), *self.libraries, *((self.stubs,) if self.stubs else ()))


def compile_modules(
    names: Sequence[str],
    report: Report = silent,
    *,
    tests: bool = False,
    android: Path | None = None,
) -> Compiled:
    """Compile modules and what they need; with `tests` also the tests of the named ones.

    `android` is a jar to compile against in place of the classes that are cut out for the app.
    Raises `UserError` with the compiler's messages, and `Unavailable` without a JDK or a part.
    """
    jdk()
    modules = with_needs(names)
    units = [_unit(module, report, tests=False) for module in modules]
    if tests:
        units += [_unit(module, report, tests=True) for module in modules if module.name in names]
    units = [unit for unit in units if unit.sources]
    libraries = library_jars(_libraries(modules, tests), report)
    stub_jar = android
    if stub_jar is None and any(module.android for module in modules):
        stub_jar = stubs.jar(report)
    build = _Build(libraries, stub_jar, report)
    return Compiled(build.jars(units), tuple(libraries), stub_jar)


def library_jars(libraries: Sequence[Library], report: Report = silent) -> list[Path]:
    """Return the jars of libraries. Raises as `fetch`."""
    return [fetch(each.part, report) / jar for each in libraries for jar in each.jars]


def _libraries(modules: Sequence[Module], tests: bool) -> list[Library]:
    names = ["kotlin-stdlib", "kotlin-annotations"]
    names += [name for module in modules for name in module.libraries]
    names += _TEST_LIBRARIES if tests else ()
    return [LIBRARIES[name] for name in dict.fromkeys(names)]


def _unit(module: Module, report: Report, *, tests: bool) -> Unit:
    folder = module.place / "src" / ("test" if tests else "main")
    roots = [folder / "kotlin", folder / "java"]
    if module.sources_part and not tests:
        roots.append(fetch(module.sources_part, report) / "java")
    if module.name == "app" and not tests and manifest().is_file():
        roots.append(link(report).java)
    sources = {
        name: path
        for root in roots
        for name, path in files_below(root).items()
        if path.suffix in (".kt", ".java") and path.name != "package-info.java"
    }
    resources = files_below(folder / "resources")
    if module.name == "core" and not tests:
        resources |= {f"mobilebench/schema/{path.name}": path for path in _SCHEMAS.glob("*.json")}
    return Unit(module, tests, tuple(sorted(sources.items())), tuple(sorted(resources.items())))


class _Build:
    """One run of the compilers."""

    def __init__(self, libraries: list[Path], stub_jar: Path | None, report: Report) -> None:
        self._libraries = libraries
        self._stubs = stub_jar
        self._report = report
        self._keys: dict[str, str] = {}
        self._jars: dict[str, Path] = {}

    def jars(self, units: Sequence[Unit]) -> dict[str, Path]:
        """Return the jars of units; what is missing is compiled, by one process at a time."""
        for unit in units:
            self._keys[unit.name] = self._key(unit)
            place = output() / f"classes-{unit.name}-{self._keys[unit.name]}"
            self._jars[unit.name] = place / f"{unit.name}.jar"
        waiting = "waiting for another process that compiles"
        with only_one(output() / "compiling", lambda: self._report(waiting), Event()):
            missing = [unit for unit in units if not self._jars[unit.name].is_file()]
            if missing:
                self._report(f"compiling {', '.join(unit.name for unit in missing)}")
                with staging_folder(output()) as folder:
                    self._compile(missing, folder)
        return dict(self._jars)

    def _key(self, unit: Unit) -> str:
        """Return a name for all that goes into a unit."""
        return key_of(
            [key for name, key in self._keys.items() if name in unit.sees],
            files_key(unit.sources),
            files_key(unit.resources),
            [path.parent.name for path in self._libraries],
            self._stubs.parent.name if self._stubs and unit.module.android else None,
            [*KOTLIN, *JAVA, jdk().version],
        )

    def _compile(self, missing: Sequence[Unit], folder: Path) -> None:
        tasks: list[list[str]] = []
        fresh = {unit.name: folder / unit.name for unit in missing}
        for unit in missing:
            fresh[unit.name].mkdir()
            seen = [fresh.get(name, jar) for name, jar in self._jars.items() if name in unit.sees]
            tasks += self._tasks(unit, seen, fresh[unit.name])
            tasks.append(["done", str(folder / f"{unit.name}.done")])
        request = folder / "tasks"
        request.write_text("".join("\n".join(task) + "\n\n" for task in tasks), encoding="utf-8")
        compilers = [programs(self._report), *compiler_jars(self._report)]
        try:
            java(compilers, "Compile", [request], options=_JVM, timeout_s=_TIMEOUT_S)
        except ProcessFailed as error:
            advice = f"\n{_CUT_ADVICE}" if _UNRESOLVED in error.log_tail else ""
            log = error.log_tail.strip()
            raise UserError(f"a module does not compile:\n{log}{advice}") from None
        finally:
            self._keep([u for u in missing if (folder / f"{u.name}.done").exists()], fresh)

    def _keep(self, done: Sequence[Unit], fresh: dict[str, Path]) -> None:
        """Publish the jars of units, also where a later one does not compile."""
        for unit in done:
            files = files_below(fresh[unit.name]) | dict(unit.resources)
            pack = partial(_pack, f"{unit.name}.jar", files)
            publish(f"classes-{unit.name}", self._keys[unit.name], pack)

    def _tasks(self, unit: Unit, seen: list[Path], out: Path) -> list[list[str]]:
        """Return the compilers to run: Java first, which sees nothing of the unit's Kotlin."""
        stub_jars = [self._stubs] if self._stubs and unit.module.android else []
        classpath = os.pathsep.join(map(str, [out, *seen, *self._libraries, *stub_jars]))
        common = ["-classpath", classpath, "-d", str(out)]
        tasks = []
        if files := unit.of_kind(".java"):
            lint = _OTHERS_JAVA if unit.module.sources_part else _OUR_JAVA
            tasks.append(["javac", *JAVA, *lint, *common, *files])
        if files := unit.of_kind(".kt"):
            own = [f"-Xfriend-paths={path}" for path in seen if unit.tests]
            tasks.append(["kotlinc", *KOTLIN, *own, "-module-name", unit.name, *common, *files])
        return tasks


def _pack(name: str, files: dict[str, Path], folder: Path) -> None:
    write_jar(folder / name, files)


def compiler_jars(report: Report = silent) -> list[Path]:
    """Return the Kotlin compiler's jars."""
    return sorted(fetch("kotlin-compiler", report).glob("*.jar"))


def programs(report: Report = silent) -> Path:
    """Return the classes of our own small Java programs, `Compile` and `RunTests`."""
    sources = files_below(_PROGRAMS)
    libraries = [*compiler_jars(report), *library_jars([LIBRARIES["junit"]], report)]
    path = os.pathsep.join(map(str, libraries))

    def make(folder: Path) -> None:
        run(
            [jdk().javac, *_OUR_JAVA, "-cp", path, "-d", folder, *sources.values()],
            timeout_s=_TIMEOUT_S,
        )

    return made("programs", key_of(files_key(sources.items()), jdk().version), make, report)
