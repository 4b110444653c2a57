"""Read an Xcode project and find what is wrong with it; Xcode itself runs on a Mac only."""

from __future__ import annotations

import os
import plistlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mobilebench.errors import UserError
from mobilebench_android.fetching import Report, silent
from mobilebench_ios.fetched import fetch
from mobilebench_ios.places import APP

PROJECT = APP / "MobileBench.xcodeproj"
_ID = re.compile(r"[0-9A-F]{24}")
_TOKEN = re.compile(
    r'\s+|//[^\n]*|/\*.*?\*/|(?P<mark>[{}()=;,])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>[\w.$/:-]+)',
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)")
_NEEDED = {
    "PBXBuildFile": (),
    "PBXFileReference": ("path", "sourceTree"),
    "PBXFileSystemSynchronizedRootGroup": ("path", "sourceTree"),
    "PBXFrameworksBuildPhase": ("files",),
    "PBXGroup": ("children", "sourceTree"),
    "PBXNativeTarget": (
        "buildConfigurationList", "buildPhases", "name", "productReference", "productType",
    ),
    "PBXProject": ("buildConfigurationList", "mainGroup", "targets"),
    "PBXResourcesBuildPhase": ("files",),
    "PBXShellScriptBuildPhase": ("shellPath", "shellScript"),
    "PBXSourcesBuildPhase": ("files",),
    "XCBuildConfiguration": ("buildSettings", "name"),
    "XCConfigurationList": ("buildConfigurations", "defaultConfigurationName"),
    "XCLocalSwiftPackageReference": ("relativePath",),
    "XCSwiftPackageProductDependency": ("productName",),
}  # fmt: skip
"""The kinds of object that the project has, and what each needs."""
_FILES = ("INFOPLIST_FILE", "CODE_SIGN_ENTITLEMENTS")
_KIN = "import sys; from kin.verifier import Verifier; print(*Verifier().check_errors(sys.argv[1]))"
_PBXPROJ = (
    "import sys; from pbxproj import XcodeProject; project = XcodeProject.load(sys.argv[1]); "
    "print(*sorted(each.get_id() for each in project.objects.get_objects_in_section("
    "*project.objects.get_sections())))"
)


def read(text: str) -> dict[str, Any]:
    """Return a project as dicts, lists and strings. Raises `UserError` for broken text."""
    tokens = list(_tokens(text))
    value, at = _value(tokens, 0)
    if at != len(tokens) or not isinstance(value, dict):
        raise UserError("the project's text goes on behind its end; compare its brackets")
    return value


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            line = text.count("\n", 0, at) + 1
            raise UserError(f"line {line} of the project has {text[at : at + 20]!r}")
        at = match.end()
        if match["mark"]:
            yield match["mark"]
        elif match["word"] is not None or match["quoted"] is not None:
            # A space before a value tells it from a mark.
            yield " " + (match["word"] or _ESCAPE.sub(_unescaped, match["quoted"] or ""))


def _unescaped(match: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(match[1], match[1])


def _value(tokens: list[str], at: int) -> tuple[Any, int]:
    token = _token(tokens, at)
    if token == "{":
        fields: dict[str, Any] = {}
        at += 1
        while _token(tokens, at) != "}":
            key = _token(tokens, at)[1:]
            if key in fields:
                raise UserError(f"the project has {key!r} twice in one place")
            _expect(tokens, at + 1, "=")
            fields[key], at = _value(tokens, at + 2)
            _expect(tokens, at, ";")
            at += 1
        return fields, at + 1
    if token == "(":
        items = []
        at += 1
        while _token(tokens, at) != ")":
            item, at = _value(tokens, at)
            items.append(item)
            if _token(tokens, at) != ")":
                _expect(tokens, at, ",")
                at += 1
        return items, at + 1
    if not token.startswith(" "):
        raise UserError(f"the project has {token!r} where a value belongs")
    return token[1:], at + 1


def _token(tokens: list[str], at: int) -> str:
    if at >= len(tokens):
        raise UserError("the project ends inside a bracket")
    return tokens[at]


def _expect(tokens: list[str], at: int, mark: str) -> None:
    if _token(tokens, at) != mark:
        raise UserError(f"the project has {tokens[at].strip()!r} where {mark!r} belongs")


def problems(project: dict[str, Any], folder: Path = APP) -> list[str]:
    """Return what is wrong with a project whose files are in a folder; empty where all is well."""
    objects: dict[str, dict[str, Any]] = project["objects"]
    rows = []
    for name, each in objects.items():
        kind = each.get("isa", "")
        if kind not in _NEEDED:
            rows.append(f"{name} is a {kind or 'thing without isa'}, which this check knows not")
        rows += [
            f"{name} ({kind}) has no {key}" for key in _NEEDED.get(kind, ()) if key not in each
        ]
        rows += [
            f"{name} ({kind}) names {other}, which does not exist"
            for other in _ids(each)
            if other not in objects
        ]
    reached = _reached(objects, project["rootObject"])
    rows += [f"{name} is reached from nowhere" for name in objects if name not in reached]
    return rows + list(_missing_files(objects, folder))


def _ids(value: Any) -> Iterator[str]:
    """Yield all object ids in a value, also those that are keys."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _ids(key)
            yield from _ids(each)
    elif isinstance(value, list):
        for each in value:
            yield from _ids(each)
    elif isinstance(value, str) and _ID.fullmatch(value):
        yield value


def _reached(objects: dict[str, dict[str, Any]], start: str) -> set[str]:
    reached: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name not in reached and name in objects:
            reached.add(name)
            todo += _ids(objects[name])
    return reached


def _missing_files(objects: dict[str, dict[str, Any]], folder: Path) -> Iterator[str]:
    for name, each in objects.items():
        paths = []
        if each.get("sourceTree") == "<group>" and "path" in each:
            paths.append(each["path"])
        if each.get("isa") == "XCLocalSwiftPackageReference":
            paths.append(f"{each['relativePath']}/Package.swift")
        settings = each.get("buildSettings", {})
        paths += [settings[key] for key in _FILES if key in settings]
        for path in paths:
            if not (folder / path).exists():
                yield f"{name} names the file {path}, which does not exist"


def settings(project: dict[str, Any], configuration: str) -> dict[str, Any]:
    """Return the build settings of the app in a configuration, over those of the project."""
    objects = project["objects"]
    root = objects[project["rootObject"]]
    rows: dict[str, Any] = {}
    for owner in (root, objects[root["targets"][0]]):
        for name in objects[owner["buildConfigurationList"]]["buildConfigurations"]:
            if objects[name]["name"] == configuration:
                rows |= objects[name]["buildSettings"]
    return rows


def plist(name: str) -> dict[str, Any]:
    """Return one of the app's property lists, by its path in the app's folder."""
    with (APP / name).open("rb") as file:
        value: dict[str, Any] = plistlib.load(file)
    return value


def errors_of_kin(path: Path, report: Report = silent) -> str:
    """Return what kin's grammar of Xcode's projects says against one; empty where nothing."""
    return _other(_KIN, ("kin", "antlr4-python3-runtime"), path, report)


def ids_of_pbxproj(path: Path, report: Report = silent) -> set[str]:
    """Return the ids of the objects that pbxproj reads from a project."""
    return set(_other(_PBXPROJ, ("pbxproj", "openstep-parser"), path, report).split())


def _other(code: str, parts: tuple[str, ...], path: Path, report: Report) -> str:
    """Run a reader of others, in a Python that sees only what that reader needs."""
    folders = os.pathsep.join(str(fetch(part, report)) for part in parts)
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": folders},
    )
    if done.returncode:
        raise UserError(f"{parts[0]} does not read {path}:\n{done.stderr.strip()[-2000:]}")
    return done.stdout.strip()
