"""Check that what the app uses of Android exists there, and since when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mobilebench_android import second_source
from mobilebench_android.class_reader import ClassUses, MethodUses, Use
from mobilebench_android.modules import COMPILE_API, MIN_API
from mobilebench_android.second_source import Declarations

ANDROID = ("android/", "dalvik/", "java/", "javax/", "org/json/", "org/xmlpull/")
"""What Android brings."""
_FOR_LAMBDAS = {"java/lang/invoke/LambdaMetafactory", "java/lang/invoke/MethodHandles$Lookup"}
"""D8 turns lambdas into classes, so that nothing of these is left."""


def problems(classes: Sequence[ClassUses], known: Declarations) -> list[str]:
    """Return a sentence for each use that may fail on a phone.

    What is newer than the oldest Android that the app runs on has to be in a method that compares
    the API level with that of the use or a later one, or in a method or class with `@TargetApi`;
    a class that extends something newer has to have that mark. Constants are copied by the
    compiler, so their level is not seen here; nor is which way a comparison goes.
    """
    marked = {each.name: each.target_api for each in classes if each.target_api is not None}
    return sorted({row for each in classes for row in _of_class(each, marked, known)})


def _of_class(each: ClassUses, marked: dict[str, int], known: Declarations) -> Iterator[str]:
    level = _level(each.name, marked)
    for name in {each.superclass, *each.interfaces}:
        yield from _complaint(each.name, name, _class_since(known, name), level)
    for name in each.classes:
        if _of_android(name) and name not in known:
            yield from _complaint(each.name, name, None, level)
    questions: dict[str, int] = {}
    for method in each.methods:
        most = max((*method.asks, method.target_api or 0), default=0)
        questions[method.written_in] = max(most, questions.get(method.written_in, 0))
    for method in each.methods:
        allowed = max(level, questions[method.written_in])
        where = f"{each.name}.{method.name}"
        for what, since in _newest(method, known):
            yield from _complaint(where, what, since, allowed)
        for name in {use.owner for use in method.uses} | method.classes:
            newer = marked.get(name, 0)
            if newer > allowed:
                yield f"{where} uses {name}, which is for API {newer}; {_ADVICE.format(newer)}"


_ADVICE = "ask for Build.VERSION.SDK_INT >= {0} in that method, or mark it with @TargetApi({0})"


def _newest(method: MethodUses, known: Declarations) -> Iterator[tuple[str, int | None]]:
    """Yield what a method uses of Android, with the level since when it is there."""
    for name in method.classes:
        if _of_android(name):
            yield name, _class_since(known, name)
    for use in method.uses:
        if _of_android(use.owner):
            yield f"{use.owner}.{use.name}", _since(known, use)


def _since(known: Declarations, use: Use) -> int | None:
    if use.owner.startswith("["):
        return MIN_API  # an array has what every object has
    return second_source.since(known, use)


def _class_since(known: Declarations, name: str) -> int | None:
    if not _of_android(name):
        return MIN_API
    return known[name].since if name in known else None


def _of_android(name: str) -> bool:
    return name.startswith(ANDROID) and name not in _FOR_LAMBDAS


def _complaint(where: str, what: str, since: int | None, allowed: int) -> Iterator[str]:
    if since is None:
        yield f"{where} uses {what}, which the second source does not have"
    elif since > COMPILE_API:
        yield f"{where} uses {what} of API {since}, newer than {COMPILE_API}"
    elif since > max(allowed, MIN_API):
        advice = _ADVICE.format(since)
        yield f"{where} uses {what} of API {since}, and the app runs from {MIN_API}; {advice}"


def _level(name: str, marked: dict[str, int]) -> int:
    """Return the level that marks a class, or one around it; the oldest where none does."""
    while name not in marked and "$" in name:
        name = name.rpartition("$")[0]
    return marked.get(name, MIN_API)
