"""Compile the app against declarations of Apple's frameworks, at every level of iOS."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from mobilebench.errors import ProcessFailed, UserError
from mobilebench.files import only_one
from mobilebench_android.fetching import Report, silent
from mobilebench_ios import testing
from mobilebench_ios.availability import Level, cut, levels
from mobilebench_ios.places import APP, Unavailable, output
from mobilebench_ios.swift import Swift, swift
from mobilebench_ios.swift_source import masked, sources

STUBS = APP / "Stubs"
SOURCES = APP / "App"
IMPLICIT = ("FoundationForApple",)
"""What Foundation has on Apple's systems only: seen wherever Foundation is."""
COMMON = ("-parse-as-library", "-enable-upcoming-feature", "ExistentialAny")
AS_THE_APP = ("-swift-version", "6")
AS_APPLE = ("-swift-version", "5", "-enable-library-evolution", "-suppress-warnings")
"""Apple's modules are not written in Swift 6 mode, which decides what the app has to mind."""
_IMPORT = re.compile(
    r"^[ \t]*(?:@\w+[ \t]+)*(?:public[ \t]+)?import[ \t]+(?:\w+[ \t]+)?(\w+)", re.M
)
_TIMEOUT_S = 600


@dataclass(frozen=True)
class Checked:
    """What a type-check went over."""

    files: int
    modules: tuple[str, ...]
    levels: tuple[Level, ...]


def modules() -> dict[str, list[Path]]:
    """Return the sources of each module of declarations, those that others need first."""
    found_modules = {
        folder.name: sources(folder) for folder in sorted(STUBS.iterdir()) if sources(folder)
    }
    ordered: dict[str, list[Path]] = {}

    def visit(name: str) -> None:
        if name not in ordered and name in found_modules:
            for path in found_modules[name]:
                for other in imports(path.read_text(encoding="utf-8")):
                    if other != name:
                        visit(other)
            ordered[name] = found_modules[name]

    for name in found_modules:
        visit(name)
    return ordered


def imports(text: str) -> list[str]:
    """Return the modules that a source imports."""
    return _IMPORT.findall(masked(text))


def check(
    report: Report = silent,
    *,
    app: dict[str, str] | None = None,
    only: Level | None = None,
) -> Checked:
    """Type-check the app's sources in Swift 6 mode, at every level of iOS that they name.

    `app` is sources by name in place of the app's; `only` is the one level to check. Raises
    `UserError` with the compiler's messages, and `Unavailable` without Swift.
    """
    if sys.platform == "darwin":
        raise Unavailable("on a Mac, Xcode compiles the app against Apple's own frameworks")
    texts = _app() if app is None else app
    needs_core = any("BenchCore" in imports(text) for text in texts.values())
    seen = [testing.build(report) / "Modules"] if needs_core else []
    stubs = {
        name: [p.read_text(encoding="utf-8") for p in files] for name, files in modules().items()
    }
    every = levels([*texts.values(), *(text for rows in stubs.values() for text in rows)])
    tool = swift(report)
    waiting = "waiting for another process that type-checks the app"
    with only_one(output() / "type-check", lambda: report(waiting), Event()):
        for level in reversed(every) if only is None else [only]:
            report(f"type-checking the app as on iOS {level[0]}.{level[1]}")
            _Level(tool, level, seen).check(stubs, texts)
    return Checked(len(texts), tuple(stubs), tuple(every))


def _app() -> dict[str, str]:
    texts = {str(p.relative_to(SOURCES)): p.read_text(encoding="utf-8") for p in sources(SOURCES)}
    if not texts:
        raise UserError(f"{SOURCES} has no Swift sources")
    return texts


class _Level:
    """The type-check at one level of iOS."""

    def __init__(self, tool: Swift, level: Level, seen: list[Path]) -> None:
        self._tool = tool
        self._level = level
        self._seen = seen
        self._made: dict[str, Path] = {}

    def check(self, stubs: dict[str, list[str]], app: dict[str, str]) -> None:
        for name, texts in stubs.items():
            self._module(name, texts)
        folder = output() / "type-check" / "app"
        shutil.rmtree(folder, ignore_errors=True)
        files = _write(folder, {n: cut(text, self._level, removes=True) for n, text in app.items()})
        # What is cut leaves variables unused.
        strict = [] if _is_cut(app, self._level) else ["-warnings-as-errors"]
        seen = [word for path in (*self._made.values(), *self._seen) for word in ("-I", path)]
        implicit = [
            w
            for n in IMPLICIT
            if n in stubs
            for w in ("-Xfrontend", "-import-module", "-Xfrontend", n)
        ]
        # Data races and missing returns are found behind the type-check, on the way to code.
        kind = ["-emit-sil", "-wmo", "-o", "/dev/null"]
        args = [
            *AS_THE_APP,
            *kind,
            "-module-name",
            "MobileBench",
            *strict,
            *implicit,
            *seen,
            *files,
        ]
        self._swiftc(args, "the app does not compile")

    def _module(self, name: str, texts: list[str]) -> None:
        """Compile a module of declarations, where that was not done for this content."""
        cuts = [cut(text, self._level) for text in texts]
        needed = {other for text in texts for other in imports(text)} & self._made.keys()
        terms = [*cuts, *sorted(self._made[each].name for each in needed), *COMMON, *AS_APPLE]
        key = hashlib.sha256("\0".join(terms).encode()).hexdigest()[:16]
        folder = output() / "stubs" / f"{name}-{key}"
        if not (folder / f"{name}.swiftmodule").is_file():
            files = _write(folder, {f"{i}.swift": text for i, text in enumerate(cuts)})
            seen = [word for path in self._made.values() for word in ("-I", path)]
            module = folder / f"{name}.swiftmodule"
            args = [*AS_APPLE, "-emit-module", "-module-name", name, "-o", module, *seen, *files]
            self._swiftc(args, f"the declarations of {name} do not compile")
        self._made[name] = folder

    def _swiftc(self, args: list[str | Path], what: str) -> None:
        try:
            self._tool.run(["swiftc", *COMMON, *args], timeout_s=_TIMEOUT_S)
        except ProcessFailed as error:
            major, minor = self._level
            raise UserError(
                f"{what} as on iOS {major}.{minor}:\n{error.log_tail.strip()[:8000]}"
            ) from None


def _is_cut(app: dict[str, str], level: Level) -> bool:
    return any(cut(text, level) != text for text in app.values())


def _write(folder: Path, texts: dict[str, str]) -> list[Path]:
    rows = []
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        rows.append(path)
    return rows
