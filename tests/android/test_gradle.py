"""Gradle's files, which are not run here, say what the build's own tables say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mobilebench_android.modules import COMPILE_API, MIN_API, MODULES, Module
from mobilebench_android.packaging import ABIS, INSTEAD
from mobilebench_android.parts import parts
from mobilebench_android.places import APP
from mobilebench_android.resources import APPLICATION, VERSION_CODE, aapt2, link, version_name

ELSEWHERE = {"tflite-java", "natives"}
"""Gradle takes TensorFlow Lite's classes from its artifact, and runs no library on Linux."""
INCLUDED = [module for module in MODULES.values() if module.name not in ELSEWHERE]
ARTIFACTS = {
    "jackson-core": {"jackson.core"},
    "onnxruntime": {"onnxruntime"},
    "executorch": {"executorch"},
    "fbjni": {"fbjni"},
    "tflite": {"litert", "litert.gpu"},
}
"""What Gradle takes for a library of ours."""
FILES = [APP / "settings.gradle.kts", *sorted(APP.glob("**/build.gradle.kts"))]


def _path(module: Module) -> str:
    return f":{module.folder.replace('/', ':')}"


def _text(module: Module) -> str:
    return (module.place / "build.gradle.kts").read_text(encoding="utf-8")


def _catalog() -> dict[str, Any]:
    return tomllib.loads((APP / "gradle/libs.versions.toml").read_text(encoding="utf-8"))


def test_gradle_includes_the_modules_of_the_table() -> None:
    settings = (APP / "settings.gradle.kts").read_text(encoding="utf-8")
    assert re.findall(r'^include\("([^"]+)"\)', settings, re.MULTILINE) == [
        _path(module) for module in INCLUDED
    ]


@pytest.mark.parametrize("module", INCLUDED, ids=lambda module: module.name)
def test_a_module_needs_there_what_it_needs_here(module: Module) -> None:
    projects = set(re.findall(r'implementation\(project\("([^"]+)"\)\)', _text(module)))
    assert projects == {_path(MODULES[n]) for n in module.needs if n not in ELSEWHERE}
    taken = set(re.findall(r"^    implementation\(libs\.([\w.]+)\)", _text(module), re.MULTILINE))
    assert taken == _libraries(module.name)


def _libraries(module: str) -> set[str]:
    if module == "core":
        return ARTIFACTS["jackson-core"]
    if module == "tflite":
        return ARTIFACTS["tflite"]
    return {artifact for name in MODULES[module].libraries for artifact in ARTIFACTS[name]}


@pytest.mark.parametrize("module", INCLUDED, ids=lambda module: module.name)
def test_a_module_is_of_the_kind_that_it_is_here(module: Module) -> None:
    text = _text(module)
    plain = module.name in ("core", "conformance")
    assert ("plugins.kotlin.jvm" in text) == plain
    assert ("plugins.android." in text) == (not plain)
    assert "allWarningsAsErrors.set(true)" in text and "JvmTarget.JVM_1_8" in text
    if not plain:
        assert f"compileSdk = {COMPILE_API}" in text and f"minSdk = {MIN_API}" in text
        package = {"app": APPLICATION}.get(module.name, f"mobilebench.{module.name}")
        assert f'namespace = "{package}"' in text


def test_the_app_has_the_same_name_and_version() -> None:
    text = _text(MODULES["app"])
    assert f'applicationId = "{APPLICATION}"' in text
    assert f"targetSdk = {COMPILE_API}" in text and f"versionCode = {VERSION_CODE}" in text
    assert f'versionName = "{version_name()}"' in text
    assert re.findall(r"abiFilters \+= listOf\((.*)\)", text) == [
        ", ".join(f'"{abi}"' for abi in ABIS)
    ]


def test_every_alias_is_in_the_catalog_and_used() -> None:
    catalog = _catalog()
    used = {
        alias
        for path in FILES
        for alias in re.findall(r"\(libs\.([\w.]+)\)", path.read_text(encoding="utf-8"))
    }
    known = {name.replace("-", ".") for name in catalog["libraries"]}
    known |= {f"plugins.{name.replace('-', '.')}" for name in catalog["plugins"]}
    assert used == known
    references = [row["version"]["ref"] for row in catalog["libraries"].values()]
    references += [row["version"]["ref"] for row in catalog["plugins"].values()]
    assert set(references) == catalog["versions"].keys()


def test_what_both_builds_take_has_one_version() -> None:
    versions = _catalog()["versions"]
    for alias, part in (("kotlin", "kotlin-compiler"), ("jackson", "jackson-core")):
        assert parts()[part].version.partition("-")[0] == versions[alias]
    assert parts()["junit4"].version.partition("-")[0] == versions["junit"]


def test_both_builds_state_the_executorch_that_they_pack() -> None:
    text = _text(MODULES["app"])
    assert 'resValue("string", "executorch_version", libs.versions.executorch.get())' in text
    part = parts()["executorch-android"]
    table = aapt2("dump", "resources", link().package)
    assert f'string/executorch_version\n      () "{part.package} {part.version}"' in table


def test_what_stands_in_for_a_library_is_in_the_catalog() -> None:
    modules = {row["module"] for row in _catalog()["libraries"].values()}
    assert set(INSTEAD.values()) <= modules


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(APP)))
def test_a_file_says_that_it_is_not_run_here(path: Path) -> None:
    assert "Not run in CI" in path.read_text(encoding="utf-8")


def test_there_is_no_wrapper() -> None:
    assert list(APP.rglob("gradle-wrapper*")) == []
