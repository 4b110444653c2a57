"""Android's API signatures become classes that the compilers believe."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mobilebench.errors import ProcessFailed, UserError
from mobilebench_android import class_reader, cutting, signatures, stubs
from mobilebench_android.java import jdk, run

API = """\
// Signature format: 2.0
package android.sample {

  public abstract class Box<T extends java.lang.Comparable<T>> implements java.io.Closeable {
    ctor public Box(int, long);
    method @NonNull @RequiresPermission(anyOf={"a (b"}) public java.util.List<? extends T> all();
    method public void close() throws java.io.IOException;
    method @Nullable public static <E> E[] first(@IntRange(from=0, to=60) int, @NonNull E...);
    method public abstract android.sample.Other other();
    method public android.sample.Box.Kind kind();
    field public static final int LARGE = -1; // 0xffffffff
    field public static final float NONE = (0.0f/0.0f);
    field public static final String QUOTED = "a; // \\"b\\" \\u00e9";
    field protected final long size;
  }

  public enum Box.Kind {
    enum_constant public static final android.sample.Box.Kind OPEN;
  }

  public class Box.Inner {
    ctor public Box.Inner(T);
  }

  public static interface Box.Listener {
    method public default void onClosed();
    method public void onOpened(@NonNull android.sample.Box<?>);
  }

  public class Other {
  }

}

package android.annotation {

  @Retention(java.lang.annotation.RetentionPolicy.CLASS) public @interface TargetApi {
    method public abstract int value();
  }

}
"""

GOOD = """\
import android.sample.Box;

abstract class Good extends Box<String> implements Box.Listener {
    Good() { super(1, 2L); }

    public void onOpened(Box<?> box) {
        String first = all().get(0);
        Integer[] many = Box.first(LARGE, 1, 2);
        long all = size;
        float none = NONE;
        switch (kind()) { case OPEN: break; default: break; }
        Box<String>.Inner inner = this.new Inner("x");
    }
}
"""


@pytest.fixture(scope="module")
def jar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stubs") / "android.jar"
    stubs.write_jar(API, path)
    return path


def _compile(jar: Path, source: str, folder: Path) -> Path:
    path = folder / "Good.java"
    path.write_text(source)
    run([jdk().javac, "-cp", jar, "-d", folder, path], timeout_s=120)
    return folder / "Good.class"


def test_a_class_is_compiled_against_them(jar: Path, tmp_path: Path) -> None:
    assert _compile(jar, GOOD, tmp_path).is_file()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("super(1, 2L)", "super(1, null)"),
        ("String first = all()", "Integer first = all()"),
        ("Box.first(", "Box.frist("),
        ("long all = size", "int all = size"),
        ("void onOpened", "int onOpened"),
        ("case OPEN", "case SHUT"),
        ("abstract class Good", "class Good"),
    ],
)
def test_a_wrong_use_is_refused(jar: Path, tmp_path: Path, right: str, wrong: str) -> None:
    assert right in GOOD
    with pytest.raises(ProcessFailed):
        _compile(jar, GOOD.replace(right, wrong), tmp_path)


def test_constants_and_what_is_said_of_null_are_written(jar: Path) -> None:
    text = subprocess.run(
        [jdk().home / "bin/javap", "-p", "-v", "-constants", "-cp", jar, "android.sample.Box"],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    assert "LARGE = -1" in text and "float NONE = NaNf" in text
    assert "a; // " in text and " é" in text
    assert "android.annotation.NonNull" in text and "android.annotation.Nullable" in text
    assert "InnerClass" in text


def test_a_line_of_another_kind_is_refused() -> None:
    with pytest.raises(UserError, match="no line of an API signature file"):
        signatures.read("class Box {}")


def test_a_cut_holds_what_is_used_and_stands_alone() -> None:
    text = cutting.cut(API, {"android/sample/Box$Listener"})
    names = {each.qualified for each in signatures.read(text)}
    assert names == {
        "android.sample.Box",
        "android.sample.Box.Listener",
        "android.annotation.TargetApi",
    }
    # These mention a class that is left out.
    assert "other()" not in text and "kind()" not in text
    assert "all()" in text and "RequiresPermission" not in text
    assert text.startswith("// Signature format: 2.0") and "Apache License" in text


def test_a_class_that_android_does_not_have_cannot_be_cut() -> None:
    with pytest.raises(UserError, match=r"android\.sample\.Gone"):
        cutting.cut(API, {"android/sample/Gone"})


def test_the_level_that_marks_a_class_is_read(jar: Path, tmp_path: Path) -> None:
    marked = f"@android.annotation.TargetApi(31)\n{GOOD.partition(chr(10) * 2)[2]}"
    path = _compile(jar, f"import android.sample.Box;\n{marked}", tmp_path)
    uses = class_reader.read(path.read_bytes())
    assert uses.target_api == 31 and uses.superclass == "android/sample/Box"
    [opened] = [method for method in uses.methods if method.name == "onOpened"]
    assert opened.descriptor == "(Landroid/sample/Box;)V"
    assert {use.name for use in opened.uses} >= {"all", "first", "kind", "size"}
    assert "android/sample/Box$Inner" in opened.classes
