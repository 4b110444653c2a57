"""What the app uses of Android is there, on the oldest one too."""

from __future__ import annotations

import pytest

from mobilebench_android import api_levels, cutting, second_source, stubs
from mobilebench_android.class_reader import ClassUses, Use, read_jar
from mobilebench_android.compiling import compile_modules
from mobilebench_android.fetching import fetch
from mobilebench_android.modules import MODULES

DECLARED = second_source.read(
    """\
declare module android {
    export module os {
        export class PowerManager extends java.lang.Object {
            public static class: java.lang.Class<android.os.PowerManager>;
            /** @since 30 */
            public getThermalHeadroom(forecastSeconds: number): number;
            /** @since 36
             *  @deprecated Deprecated in API 37 */
            public far(a: java.util.Map<java.lang.Integer,java.lang.Float>, b: number): void;
            public isInteractive(): boolean;
        }
        /** @since 35 */
        export class Newer extends android.os.PowerManager {
            public constructor();
        }
        export module PowerManager {
            export class Listener extends java.lang.Object {
                public constructor(implementation: {
                    onChanged(param0: number): void;
                });
                public constructor();
                public onChanged(param0: number): void;
            }
        }
        export module Build {
            export class VERSION extends java.lang.Object {
                public static SDK_INT: number;
            }
        }
    }
}
""".replace("    ", "\t")
)
HEADROOM = Use("method", "android/os/PowerManager", "getThermalHeadroom", "(I)F")
LEVEL = Use("field", "android/os/Build$VERSION", "SDK_INT", "I")


def _class(name: str, *uses: Use, api: int | None = None, names: tuple[str, ...] = ()) -> ClassUses:
    classes = {use.owner for use in uses} | set(names)
    return ClassUses(
        name, "java/lang/Object", (), frozenset(uses), frozenset(classes), frozenset(), api
    )


def test_declarations_are_read_with_their_level() -> None:
    manager = DECLARED["android/os/PowerManager"]
    assert manager.since == second_source.OLDEST
    assert manager.methods[("getThermalHeadroom", 1)] == 30
    assert manager.methods[("far", 2)] == 36
    assert manager.methods[("isInteractive", 0)] == second_source.OLDEST
    assert DECLARED["android/os/Newer"].since == 35
    listener = DECLARED["android/os/PowerManager$Listener"]
    assert listener.methods[("onChanged", 1)] == second_source.OLDEST


def test_a_member_is_found_in_the_class_above() -> None:
    use = Use("method", "android/os/Newer", "isInteractive", "()Z")
    assert second_source.since(DECLARED, use) == second_source.OLDEST


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([_class("a/A", HEADROOM)], "move the use into a class with @TargetApi(30)"),
        ([_class("a/A", HEADROOM, api=29)], "of API 30"),
        ([_class("a/A", Use("method", "android/os/PowerManager", "gone", "()V"))], "does not have"),
        (
            [_class("a/A", Use("method", "android/os/PowerManager", "far", "(LX;I)V"), api=36)],
            "newer than 34",
        ),
        ([_class("a/A", HEADROOM, api=30), _class("a/B", names=("a/A",))], "ask for the level"),
        ([_class("a/A", names=("android/os/Newer",))], "newer than 34"),
    ],
)
def test_what_may_fail_on_a_phone_is_named(given: list[ClassUses], complaint: str) -> None:
    problems = api_levels.problems(given, DECLARED)
    assert len(problems) == 1 and complaint in problems[0]


def test_a_newer_member_in_a_marked_class_behind_a_question_is_good() -> None:
    marked = _class("a/A", HEADROOM, api=30)
    inner = _class("a/A$of$1", HEADROOM)
    assert (
        api_levels.problems([marked, inner, _class("a/B", LEVEL, names=("a/A",))], DECLARED) == []
    )


def test_the_app_takes_only_what_android_has() -> None:
    modules = [module.name for module in MODULES.values() if module.on_phone]
    units = compile_modules(modules).units
    classes = [each for name in modules if name in units for each in read_jar(units[name])]
    assert len(classes) > 100
    assert api_levels.problems(classes, second_source.declarations()) == []


def test_the_committed_cut_is_what_the_app_uses() -> None:
    """The whole API is 61 MB to fetch; without it there is nothing to compare with."""
    text = (fetch("android-api") / "current.txt").read_text(encoding="utf-8")
    assert stubs.CUT.read_text(encoding="utf-8") == cutting.of_app(text)
