"""What the app uses of Android is there, on the oldest one too."""

from __future__ import annotations

import pytest

from mobilebench_android import api_levels, cutting, second_source, stubs
from mobilebench_android.class_reader import ClassUses, MethodUses, Use, read_jar
from mobilebench_android.compiling import compile_modules
from mobilebench_android.fetching import fetch
from mobilebench_android.modules import MODULES

DECLARED = second_source.read(
    """\
declare module java {
    export module lang {
        export class Object {
        }
    }
}
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


def _method(*uses: Use, name: str = "of", asks: int = 0, api: int | None = None) -> MethodUses:
    return MethodUses(name, "()V", frozenset(uses), asks=frozenset({asks} - {0}), target_api=api)


def _class(
    name: str, *methods: MethodUses, api: int | None = None, above: str = "java/lang/Object"
) -> ClassUses:
    return ClassUses(name, above, (), frozenset(), methods, api)


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


GONE = Use("method", "android/os/PowerManager", "gone", "()V")
FAR = Use("method", "android/os/PowerManager", "far", "(LX;I)V")
OF_A = Use("method", "a/A", "of", "()V")
MARKED = _class("a/A", _method(HEADROOM), api=30)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([_class("a/A", _method(HEADROOM))], "SDK_INT >= 30"),
        ([_class("a/A", _method(HEADROOM, asks=29))], "of API 30"),
        ([_class("a/A", _method(HEADROOM), _method(asks=30, name="other"))], "of API 30"),
        ([_class("a/A", _method(HEADROOM), api=29)], "of API 30"),
        ([_class("a/A", _method(GONE))], "does not have"),
        ([_class("a/A", _method(FAR), api=36)], "newer than 34"),
        ([MARKED, _class("a/B", _method(OF_A))], "a/A, which is for API 30"),
        ([_class("a/A", above="android/os/Newer")], "newer than 34"),
    ],
)
def test_what_may_fail_on_a_phone_is_named(given: list[ClassUses], complaint: str) -> None:
    problems = api_levels.problems(given, DECLARED)
    assert len(problems) == 1 and complaint in problems[0]


@pytest.mark.parametrize(
    "given",
    [
        [_class("a/A", _method(HEADROOM, asks=30))],
        [_class("a/A", _method(HEADROOM, asks=33))],
        [_class("a/A", _method(HEADROOM, api=30))],
        [_class("a/A", _method(asks=30), _method(HEADROOM, name="of$lambda$0"))],
        [MARKED, _class("a/A$of$1", _method(HEADROOM))],
        [MARKED, _class("a/B", _method(OF_A, asks=31))],
    ],
)
def test_a_newer_member_behind_a_question_is_good(given: list[ClassUses]) -> None:
    assert api_levels.problems(given, DECLARED) == []


def test_the_app_takes_only_what_android_has() -> None:
    modules = [module.name for module in MODULES.values() if module.on_phone]
    units = compile_modules(modules).units
    classes = [each for name in modules if name in units for each in read_jar(units[name])]
    assert len(classes) > 100
    assert api_levels.problems(classes, second_source.declarations()) == []


@pytest.mark.slow
def test_the_committed_cut_is_what_the_app_uses() -> None:
    """The whole API is 61 MB to fetch; without it there is nothing to compare with."""
    text = (fetch("android-api") / "current.txt").read_text(encoding="utf-8")
    assert stubs.CUT.read_text(encoding="utf-8") == cutting.of_app(text)


def test_properties_of_the_battery_are_read_as_they_are() -> None:
    """Android 8 gives the least Long for what is missing, which is 0 as an Int."""
    calls = {
        use.name
        for each in read_jar(compile_modules(["app"]).units["app"])
        for method in each.methods
        for use in method.uses
        if use.owner == "android/os/BatteryManager"
    }
    assert calls == {"getLongProperty"}
