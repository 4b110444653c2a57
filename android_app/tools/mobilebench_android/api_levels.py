"""Check that what the app uses of Android exists there, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mobilebench_android import second_source
from mobilebench_android.class_reader import ClassUses, Use
from mobilebench_android.modules import COMPILE_API, MIN_API
from mobilebench_android.second_source import Declarations

ANDROID = ("android/", "dalvik/", "java/", "javax/", "org/json/", "org/xmlpull/")
"""What Android brings."""
_FOR_LAMBDAS = {"java/lang/invoke/LambdaMetafactory", "java/lang/invoke/MethodHandles$Lookup"}
"""D8 turns lambdas into classes, so that nothing of these is left."""
_LEVEL = Use("field", "android/os/Build$VERSION", "SDK_INT", "I")


def problems(classes: Sequence[ClassUses], known: Declarations) -> list[str]:
    """Return a sentence for each use that may fail on a phone.

    Whatever is newer than the oldest Android that the app runs on has to be in a class with
    `@TargetApi`. A class that names such a class has to ask for the level, or be marked itself.
    Constants are copied by the compiler, so their level is not seen here; nor is the order of a
    question and a call.
    """
    marked = {each.name: each.target_api for each in classes if each.target_api is not None}
    rows = [row for each in classes for row in _of_class(each, marked, known)]
    return sorted(set(rows))


def _of_class(each: ClassUses, marked: dict[str, int], known: Declarations) -> Iterable[str]:
    level = _level(each.name, marked)
    allowed = level or MIN_API
    for name in each.classes:
        if name.startswith(ANDROID) and name not in _FOR_LAMBDAS:
            declared = known.get(name)
            yield from _complaint(each, name, declared.since if declared else None, allowed)
    for use in each.uses:
        if use.owner.startswith(ANDROID) and use.owner not in _FOR_LAMBDAS:
            since = second_source.since(known, use)
            yield from _complaint(each, f"{use.owner}.{use.name}", since, allowed)
    asks = _LEVEL in each.uses
    for name in each.classes:
        newer = marked.get(name)
        if newer is not None and newer > allowed and not asks:
            yield (
                f"{each.name} names {name}, which is for API {newer}, and does not read "
                "Build.VERSION.SDK_INT; ask for the level first"
            )


def _complaint(each: ClassUses, what: str, since: int | None, allowed: int) -> Iterable[str]:
    if since is None:
        yield f"{each.name} uses {what}, which the second source does not have"
    elif since > COMPILE_API:
        yield f"{each.name} uses {what} of API {since}, newer than {COMPILE_API}"
    elif since > allowed:
        yield (
            f"{each.name} uses {what} of API {since}, and the app runs from API {MIN_API}; move "
            f"the use into a class with @TargetApi({since})"
        )


def _level(name: str, marked: dict[str, int]) -> int | None:
    """Return the level that marks a class, or one around it."""
    while name not in marked and "$" in name:
        name = name.rpartition("$")[0]
    return marked.get(name)
