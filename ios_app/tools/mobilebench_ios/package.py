"""Read the package as Swift does, and find what the Xcode project asks for that it has not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mobilebench.errors import ProcessFailed, UserError
from mobilebench_android.fetching import Report, silent
from mobilebench_ios.places import APP, CORE, output
from mobilebench_ios.swift import swift
from mobilebench_ios.xcode import settings

PLAN = "MobileBench.xctestplan"


def dump(report: Report = silent, folder: Path = CORE) -> dict[str, Any]:
    """Return what `swift package dump-package` reads from a package.

    Raises `UserError` where Swift does not take its manifest, `Unavailable` without Swift.
    """
    tool = swift(report)
    place = output() / "manifest"
    try:
        log = tool.run(["swift", "package", "--scratch-path", place, "dump-package"], folder)
    except ProcessFailed as error:
        raise UserError(f"swift package {error.detail}:\n{error.log_tail.strip()}") from None
    # A warning may come before it.
    value: dict[str, Any] = json.loads(log[log.index("{\n") :])
    return value


def problems(
    project: dict[str, Any], package: dict[str, Any], plan: dict[str, Any] | None = None
) -> list[str]:
    """Return what a project or its test plan asks of a package, and the package has not."""
    if plan is None:
        plan = json.loads((APP / PLAN).read_text(encoding="utf-8"))
    return [*_names(project, package), *_versions(project, package), *_tests(plan, package)]


def _names(project: dict[str, Any], package: dict[str, Any]) -> Iterator[str]:
    libraries = {each["name"] for each in package["products"] if "library" in each["type"]}
    for name, each in project["objects"].items():
        if each["isa"] == "XCSwiftPackageProductDependency":
            product = each["productName"]
            if product not in libraries:
                yield f"{name} names the product {product}, which is no library of the package"
        if each["isa"] == "XCLocalSwiftPackageReference":
            path = each["relativePath"]
            if path != package["name"]:
                yield f"{name} is the package {path}, which calls itself {package['name']}"


def _versions(project: dict[str, Any], package: dict[str, Any]) -> Iterator[str]:
    oldest = {each["platformName"]: each["version"] for each in package["platforms"]}.get("ios")
    for configuration in ("Debug", "Release"):
        given = settings(project, configuration)
        target = given["IPHONEOS_DEPLOYMENT_TARGET"]
        if target != oldest:
            yield f"{configuration} is for iOS {target}, and the package for {oldest}"
        language = given["SWIFT_VERSION"].removesuffix(".0")
        if [language] != package["swiftLanguageVersions"]:
            modes = package["swiftLanguageVersions"]
            yield f"{configuration} is in Swift {language}, and the package in {modes}"


def _tests(plan: dict[str, Any], package: dict[str, Any]) -> Iterator[str]:
    tests = {each["name"] for each in package["targets"] if each["type"] == "test"}
    planned = {each["target"]["identifier"] for each in plan["testTargets"]}
    for name in sorted(planned - tests):
        yield f"the test plan has {name}, which is no test of the package"
    for name in sorted(tests - planned):
        yield f"the package has the tests {name}, which the test plan leaves out"
