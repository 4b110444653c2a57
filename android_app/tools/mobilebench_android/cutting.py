"""Cut the classes that the app uses out of Android's public API signatures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mobilebench.errors import UserError
from mobilebench_android import signatures, stubs
from mobilebench_android.class_reader import read_jar
from mobilebench_android.compiling import compile_modules
from mobilebench_android.fetching import Report, silent
from mobilebench_android.modules import MODULES
from mobilebench_android.signatures import ApiClass, Member
from mobilebench_android.stubs import internal

NOTICE = """\
// Signature format: 2.0
// The classes of Android's public API, level 34, that the app is compiled against: a cut of
// core/api/current.txt of the Android Open Source Project, platform/frameworks/base, as Debian's
// source package android-platform-frameworks-base 14~beta1 has it.
// Copyright (C) The Android Open Source Project.
// Licensed under the Apache License, Version 2.0; see LICENSE.
// Changed: classes that the app does not use are left out, and members that mention one of them.
// Written by `python android_app/tools/build.py cut`; do not edit.
"""
_NAME = re.compile(r"\b[a-z]\w*(?:\.\w+)+\b")
_IMPORT = re.compile(r"^import ([\w.]+)", re.MULTILINE)
_DOTTED = re.compile(r"(?<![\w.])([A-Za-z]\w*)((?:\.\w+)*)")
MARK = "android/annotation/TargetApi"
"""Marks classes for newer Android; class files name annotations in no table of classes."""
_KEPT = {"NonNull", "Nullable", "Deprecated"}
_JAVA = ("java.", "javax.")


def of_app(text: str, report: Report = silent) -> str:
    """Return the cut of the whole API that the modules need, which are compiled against it."""
    whole = stubs.whole_jar(text, report)
    units = compile_modules(list(MODULES), report, android=whole).units
    known = stubs.names(text)
    used = {name for jar in units.values() for each in read_jar(jar) for name in each.classes}
    # Constants are copied into class files, so that only sources name their classes.
    used |= {internal(name) for name in _imported()}
    return cut(text, used & known)


def _imported() -> set[str]:
    """Return the names that the modules' sources import or write out, and what they are in."""
    names: set[str] = set()
    for module in MODULES.values():
        for path in (module.place / "src" / "main").rglob("*.kt"):
            text = path.read_text(encoding="utf-8")
            imported = {name.rpartition(".")[2]: name for name in _IMPORT.findall(text)}
            for first, rest in _DOTTED.findall(text):
                words = f"{imported.get(first, first)}{rest}".split(".")
                names |= {".".join(words[:count]) for count in range(1, len(words) + 1)}
    return names


def cut(text: str, wanted: Iterable[str]) -> str:
    """Return a signature file with the wanted classes and what they are made of.

    `wanted` are internal names, `android/view/View`. Raises `UserError` for one that the API does
    not have.
    """
    classes = {internal(each.qualified): each for each in _android(signatures.read(text))}
    for name in sorted(set(wanted) - classes.keys()):
        raise UserError(f"{name.replace('/', '.')} is not in Android's public API, level 34")
    chosen = _closure(classes, {*wanted, MARK})
    known = {classes[name].qualified for name in chosen}
    lines = [NOTICE]
    packages: dict[str, list[ApiClass]] = {}
    for name in sorted(chosen):
        packages.setdefault(classes[name].package, []).append(classes[name])
    for package, members in packages.items():
        lines.append(f"package {package} {{\n")
        for each in sorted(members, key=lambda each: each.name):
            lines.append(f"  {_shorter(each.line)}")
            lines += [
                f"    {_shorter(member.line)}"
                for member in each.members
                if _mentioned(member) <= known
            ]
            lines.append("  }\n")
        lines.append("}\n")
    return "\n".join(lines)


def _android(classes: Sequence[ApiClass]) -> list[ApiClass]:
    return [each for each in classes if not each.qualified.startswith(_JAVA)]


def _closure(classes: dict[str, ApiClass], wanted: set[str]) -> set[str]:
    """Return the wanted classes, and those above and around them."""
    chosen: set[str] = set()
    todo = sorted(wanted)
    while todo:
        name = todo.pop()
        if name in chosen or name not in classes:
            continue  # what comes from a library of Android's, such as org.xmlpull
        chosen.add(name)
        each = classes[name]
        parents = [*each.interfaces, *([each.superclass] if each.superclass else [])]
        mentioned = {word for parent in parents for word in _names(parent)}
        todo += [internal(word) for word in mentioned]
        if "$" in name:
            todo.append(name.rpartition("$")[0])
    return chosen


def _shorter(line: str) -> str:
    """Return a line without what is said for people and other tools."""
    line = signatures.without_comment(line)
    return signatures.without_annotations(line, keep=_KEPT)[0]


def _mentioned(member: Member) -> set[str]:
    return {name for text in member.types for name in _names(text)}


def _names(text: str) -> set[str]:
    """Return the Android classes in a type."""
    return {name for name in _NAME.findall(text) if not name.startswith(_JAVA)}
