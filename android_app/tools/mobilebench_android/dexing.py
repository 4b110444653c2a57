"""Turn class files into dex, and dex back into class files."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from mobilebench.errors import ProcessFailed, UserError
from mobilebench_android.compiling import compile_modules, library_jars
from mobilebench_android.fetching import Report, fetch, silent
from mobilebench_android.jars import entry
from mobilebench_android.java import java, jdk, run
from mobilebench_android.modules import MIN_API, libraries_of, with_needs
from mobilebench_android.outputs import files_key, key_of, made

_TIMEOUT_S = 600
_JVM = ("-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
TEST_API = 23
"""For dex that is turned back: enjarify writes classes of a version without interface methods."""


def dex(
    name: str,
    jars: Sequence[Path],
    classpath: Sequence[Path],
    min_api: int = MIN_API,
    report: Report = silent,
) -> Path:
    """Return the folder with `classes.dex` of jars; `classpath` is what they need beside them."""
    r8 = fetch("r8", report) / "r8-3.3.75.jar"

    def make(folder: Path) -> None:
        report(f"dexing {name} for API {min_api}")
        options = ["--release", "--min-api", str(min_api), "--output", str(folder)]
        options += ["--lib", str(jdk().home)]
        for path in classpath:
            options += ["--classpath", str(path)]
        try:
            java(
                [r8], "com.android.tools.r8.D8", [*options, *jars],
                options=_JVM, timeout_s=_TIMEOUT_S,
            )  # fmt: skip
        except ProcessFailed as error:
            raise UserError(f"D8 does not take {name}:\n{error.log_tail.strip()}") from None

    inputs = [_content(path) for path in (*jars, *classpath)]
    return made(f"dex-{name}-{min_api}", key_of(inputs, str(r8), jdk().version), make, report)


def _content(path: Path) -> str:
    return files_key([(path.name, path)])


def app_dex(modules: Sequence[str], min_api: int = MIN_API, report: Report = silent) -> list[Path]:
    """Return the dex files of modules with what they need, and of their libraries."""
    compiled = compile_modules(modules, report)
    wanted = [each for each in libraries_of(with_needs(modules)) if each.in_app]
    libraries = library_jars(wanted, report)
    beside = [compiled.stubs] if compiled.stubs else []
    own = list(compiled.units.values())
    return [
        dex("app", own, [*libraries, *beside], min_api, report) / "classes.dex",
        dex("libraries", libraries, beside, min_api, report) / "classes.dex",
    ]


def resources(modules: Sequence[str], report: Report = silent) -> Path:
    """Return an archive of what modules carry beside classes; the app holds it as it is."""
    units = compile_modules(modules, report).units

    def make(folder: Path) -> None:
        with zipfile.ZipFile(folder / "resources.jar", "w") as out:
            for jar in units.values():
                with zipfile.ZipFile(jar) as opened:
                    for name in opened.namelist():
                        if not name.endswith((".class", ".kotlin_module")):
                            out.writestr(entry(name), opened.read(name))

    key = key_of([_content(jar) for jar in units.values()])
    return made("carried", key, make, report) / "resources.jar"


def turned_back(modules: Sequence[str], report: Report = silent) -> list[Path]:
    """Return a class path of modules and their libraries that went through dex."""
    return [*back(app_dex(modules, TEST_API, report), report), resources(modules, report)]


def back(files: Sequence[Path], report: Report = silent) -> list[Path]:
    """Return dex files as jars of class files again, made by enjarify."""
    enjarify = fetch("enjarify", report)
    undex = f"{__package__}.undex"
    jars = []
    for file in files:

        def make(folder: Path, file: Path = file) -> None:
            report(f"turning {file.parent.name} back into class files")
            program = [sys.executable, "-O", "-m", undex]
            path = os.pathsep.join([str(enjarify), str(Path(__file__).parents[1])])
            run(
                [*program, file, folder / "classes.jar"],
                timeout_s=_TIMEOUT_S,
                env={"PYTHONPATH": path},
            )

        key = key_of(_content(file), enjarify.name, _content(Path(__file__).with_name("undex.py")))
        jars.append(made("enjarified", key, make, report) / "classes.jar")
    return jars
