"""The modules of the app: what each needs, in one table. Gradle's files say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench_android.places import APP

MIN_API = 26
"""The oldest Android that the app runs on."""
COMPILE_API = 34
"""The Android that the app is compiled against, and that it targets."""


@dataclass(frozen=True)
class Library:
    """Classes that others made."""

    name: str
    jars: tuple[str, ...] = ()
    """Files in the part of the same name."""
    part: str = ""
    natives: tuple[str, ...] = ()
    """Native libraries that go into the app with it, by file name."""
    in_app: bool = True
    """Whether its classes go into the app."""


LIBRARIES: dict[str, Library] = {
    library.name: library
    for library in (
        Library("kotlin-stdlib", ("kotlin-stdlib.jar",), "kotlin-compiler"),
        Library("kotlin-annotations", ("annotations-13.0.jar",), "kotlin-compiler", in_app=False),
        Library("jackson-core", ("jackson-core.jar",), "jackson-core"),
        Library(
            "onnxruntime",
            ("classes.jar",),
            "onnxruntime-android",
            ("libonnxruntime.so", "libonnxruntime4j_jni.so"),
        ),
        Library(
            "executorch",
            ("classes.jar",),
            "executorch-android",
            ("libexecutorch.so",),
        ),
        Library("fbjni", (), "fbjni", ("libfbjni.so", "libc++_shared.so")),
        Library("tflite", (), "tflite-android", ("libtensorflowlite_jni.so",)),
        Library("junit", ("junit4.jar",), "junit4", in_app=False),
        Library(
            "kotlin-test",
            ("kotlin-test.jar", "kotlin-test-junit.jar"),
            "kotlin-compiler",
            in_app=False,
        ),
        Library("hamcrest", ("hamcrest-2.2.jar",), "hamcrest", in_app=False),
    )
}
"""`tflite-java` compiles TensorFlow Lite's own classes; the library `tflite` has only natives."""


@dataclass(frozen=True)
class Module:
    """Sources that are compiled together."""

    name: str
    folder: str
    """Below `android_app/`; a Gradle module's path with slashes."""
    needs: tuple[str, ...] = ()
    """Other modules."""
    libraries: tuple[str, ...] = ()
    on_phone: bool = True
    """Whether it may run on a phone, so that it takes only what Android has."""
    android: bool = False
    """Whether it takes `android.*`."""
    sources_part: str = ""
    """The part that holds its Java sources, in the folder `java`; ours otherwise."""

    @property
    def place(self) -> Path:
        """Its folder."""
        return APP / self.folder


MODULES: dict[str, Module] = {
    module.name: module
    for module in (
        Module("core", "core", libraries=("jackson-core",)),
        Module("conformance", "conformance", ("core",), on_phone=False),
        Module("onnxruntime", "runners/onnxruntime", ("core",), ("onnxruntime",)),
        Module(
            "tflite-java",
            "tools/mobilebench_android/annotations",
            libraries=("tflite",),
            sources_part="tflite-java",
        ),
        Module("tflite", "runners/tflite", ("core", "tflite-java")),
        Module("executorch", "runners/executorch", ("core",), ("executorch", "fbjni")),
        Module(
            "natives",
            "natives",
            ("core", "onnxruntime", "tflite", "executorch"),
            on_phone=False,
        ),
        Module(
            "app",
            "app",
            ("core", "onnxruntime", "tflite", "executorch"),
            android=True,
        ),
    )
}
"""In an order in which each comes after those that it needs."""


def with_needs(names: Sequence[str]) -> tuple[Module, ...]:
    """Return modules and all that they need, in the order of the table."""
    wanted: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += MODULES[name].needs
    return tuple(module for module in MODULES.values() if module.name in wanted)


def libraries_of(modules: Sequence[Module]) -> tuple[Library, ...]:
    """Return the libraries of modules, each once, with Kotlin's own first."""
    names = ["kotlin-stdlib", *(name for module in modules for name in module.libraries)]
    return tuple(LIBRARIES[name] for name in dict.fromkeys(names))
