"""What Android's own runtime is made of fits together, and it runs dex as a phone does."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench_android import dexing
from mobilebench_android.art import fetched, renaming, running, sources
from mobilebench_android.art.sources import Edit
from mobilebench_android.jars import files_below, write_jar
from mobilebench_android.java import java, jdk, run

NAMED = """\
package old.place;

public class Named {
    static final class Inner<T extends Inner<T>> {}

    public static void main(String[] words) throws Exception {
        Object inner = Class.forName("old.place.Named$Inner").newInstance();
        long wide = 1L << 40;
        System.out.println(inner.getClass().getName() + " " + wide);
        System.out.println(Named.class.getResource("/old/place/beside.txt") != null);
    }
}
"""
DALVIK = """\
public class Main {
    public static void main(String[] words) {
        System.out.println(System.getProperty("java.vm.name"));
        java.util.function.Supplier<String> lambda = () -> String.format("%.2f", 0.5);
        System.out.println(lambda.get() + " " + words[0]);
    }
}
"""
CASTING = """\
public class Main {
    static String text(Object given) { return (String) given; }

    public static void main(String[] words) { System.out.println(text("a cast")); }
}
"""


def _compile(source: str, folder: Path) -> Path:
    """Return a jar of a source's classes."""
    name = "Named" if "class Named" in source else "Main"
    path = folder / f"{name}.java"
    path.write_text(source)
    out = folder / "classes"
    options = ["--release", "8", "-Xlint:none", "-nowarn"]
    run([jdk().javac, *options, "-d", out, path], timeout_s=120)
    jar = folder / "classes.jar"
    write_jar(jar, files_below(out))
    return jar


def test_a_renamed_package_is_the_same_program(tmp_path: Path) -> None:
    jar, renamed = _compile(NAMED, tmp_path), tmp_path / "renamed.jar"
    with zipfile.ZipFile(jar, "a") as opened:
        opened.writestr("old/place/beside.txt", "")
    renaming.rename_jar(jar, "old.place", "another.place.below", renamed)
    printed = java([renamed], "another.place.below.Named", timeout_s=60)
    assert printed.split() == ["another.place.below.Named$Inner", str(1 << 40), "true"]


@pytest.mark.parametrize("content", [b"", b"PK", b"\xca\xfe\xba\xbe\0\0\0\x34\0\x02\x02"])
def test_a_file_that_is_no_class_is_not_renamed(content: bytes, tmp_path: Path) -> None:
    jar = tmp_path / "odd.jar"
    with zipfile.ZipFile(jar, "w") as opened:
        opened.writestr("old/Odd.class", content)
    with pytest.raises(UserError, match=r"odd\.jar!old/Odd\.class"):
        renaming.rename_jar(jar, "old", "another", tmp_path / "renamed.jar")


def test_an_edit_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "one.c"
    source.write_text("int a; int b;")
    with pytest.raises(UserError, match=r"one\.c .* 2 times, and 1 were expected"):
        sources.edit(tmp_path, Edit("one.c", "int", "long"))
    assert source.read_text() == "int a; int b;"
    sources.edit(tmp_path, Edit("one.c", "int", "long", times=2))
    assert source.read_text() == "long a; long b;"


def test_every_part_of_the_runtime_is_one_of_debian() -> None:
    assert {part.registry for part in fetched.table().values()} == {"debian"}


def _on_android(jar: Path) -> subprocess.CompletedProcess[str]:
    dex = dexing.dex("sample", [jar], []) / "classes.dex"
    return subprocess.run(
        [*running.command([dex], "Main"), "a word"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.art
def test_what_runs_is_androids_runtime(tmp_path: Path) -> None:
    done = _on_android(_compile(DALVIK, tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Dalvik\n0.50 a word\n"


@pytest.mark.art
def test_an_exception_ends_the_program(tmp_path: Path) -> None:
    jar = _compile(CASTING.replace('"a cast"', "1"), tmp_path)
    done = _on_android(jar)
    assert done.returncode == 1 and "ClassCastException" in done.stderr


@pytest.mark.art
def test_the_runtime_verifies_types(tmp_path: Path) -> None:
    jar = _compile(CASTING, tmp_path)
    assert _on_android(jar).stdout == "a cast\n"
    with zipfile.ZipFile(jar) as opened:
        content = bytearray(opened.read("Main.class"))
    cast = re.search(rb"\x2a\xc0(..)\xb0", content, re.DOTALL)
    assert cast
    content[cast.start() + 1 : cast.end() - 1] = bytes(3)  # three times `nop`
    with zipfile.ZipFile(jar, "w") as opened:
        opened.writestr("Main.class", bytes(content))
    done = _on_android(jar)
    assert done.returncode == 1 and "VerifyError" in done.stderr
