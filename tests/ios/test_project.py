"""The Xcode project and its files hold together, as far as can be seen without Xcode."""

from __future__ import annotations

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version
from PIL import Image

from mobilebench.cli import doctor
from mobilebench.errors import UserError
from mobilebench_android.resources import version_name
from mobilebench_ios import package, xcode
from mobilebench_ios.places import APP, CORE, output
from mobilebench_ios.swift_source import masked, sources

FILE = xcode.PROJECT / "project.pbxproj"
TEXT = FILE.read_text(encoding="utf-8")
SCHEME = xcode.PROJECT / "xcshareddata/xcschemes/MobileBench.xcscheme"
CATALOG = APP / "App/Resources/Assets.xcassets"
OLDEST = "16.0"


def _project() -> dict[str, Any]:
    return xcode.read(TEXT)


def test_every_id_leads_to_an_object_and_every_file_is_there() -> None:
    assert xcode.problems(_project()) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("children = (\n\t\t\t\t4D42000000000000000000F3", "children = (\n\t\t\t\t" + "A" * 24,
         f"names {'A' * 24}, which does not exist"),
        ("4D42000000000000000000D3 /* Resources */,\n", "", "4D42000000000000000000D3 is reached"),
        ("relativePath = BenchCore", "relativePath = Elsewhere", "Elsewhere/Package.swift"),
        ("isa = PBXGroup", "isa = PBXGruop", "is a PBXGruop"),
        ("mainGroup = 4D42000000000000000000E1;", "", "has no mainGroup"),
    ],
)  # fmt: skip
def test_a_project_that_does_not_hold_together_is_found(old: str, new: str, problem: str) -> None:
    assert old in TEXT
    rows = xcode.problems(xcode.read(TEXT.replace(old, new, 1)))
    assert any(problem in row for row in rows), rows


@pytest.mark.parametrize("old", [");\n", "};\n", " = {", ";"])
def test_broken_text_is_refused(old: str) -> None:
    with pytest.raises(UserError):
        xcode.read(TEXT.replace(old, "", 1))


def test_two_readers_of_others_read_the_same_objects() -> None:
    assert xcode.errors_of_kin(FILE) == ""
    assert xcode.ids_of_pbxproj(FILE) == set(_project()["objects"])


def test_both_readers_refuse_a_broken_project(tmp_path: Path) -> None:
    broken = tmp_path / "project.pbxproj"
    broken.write_text(TEXT.replace("isa = PBXGroup;", "isa = ;", 1), encoding="utf-8")
    assert xcode.errors_of_kin(broken) != ""
    broken.write_text(TEXT.replace("objects = {", "objects = (", 1), encoding="utf-8")
    with pytest.raises(UserError, match="pbxproj does not read"):
        xcode.ids_of_pbxproj(broken)


@pytest.fixture(scope="module")
def dumped() -> dict[str, Any]:
    """The package as Swift reads it."""
    return package.dump()


def test_swift_reads_from_the_package_what_the_project_asks_for(dumped: dict[str, Any]) -> None:
    assert package.problems(_project(), dumped) == []
    assert xcode.settings(_project(), "Release")["IPHONEOS_DEPLOYMENT_TARGET"] == OLDEST


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("productName = BenchCore;", "productName = BenchConformance;", "BenchConformance, which"),
        ("relativePath = BenchCore", "relativePath = Core", "which calls itself BenchCore"),
        ("TARGET = 16.0", "TARGET = 15.0", "Debug is for iOS 15.0, and the package for 16.0"),
        ("SWIFT_VERSION = 6.0", "SWIFT_VERSION = 5.0", "Debug is in Swift 5, and the package in"),
    ],
)
def test_a_project_that_asks_for_another_package_is_found(
    dumped: dict[str, Any], old: str, new: str, problem: str
) -> None:
    assert old in TEXT
    [row] = package.problems(xcode.read(TEXT.replace(old, new, 1)), dumped)
    assert problem in row


def test_a_plan_of_other_tests_is_found(dumped: dict[str, Any]) -> None:
    plan = {"testTargets": [{"target": {"identifier": "AppTests"}}]}
    rows = package.problems(_project(), dumped, plan)
    assert [row.partition(",")[0] for row in rows] == [
        "the test plan has AppTests",
        "the package has the tests BenchCoreTests",
    ]


def test_a_package_that_swift_does_not_take_is_refused() -> None:
    folder = output() / "broken-package"
    folder.mkdir(parents=True, exist_ok=True)
    text = "import PackageDescription\nlet package = Package(names: 1)\n"
    (folder / "Package.swift").write_text(f"// swift-tools-version: 6.0\n{text}")
    with pytest.raises(UserError, match="incorrect argument label"):
        package.dump(folder=folder)


def _copies_pins(project: Path, built: Path) -> Path:
    """Run the project's script that keeps the versions of packages; return where they are."""
    [phase] = [
        each for each in _project()["objects"].values() if each["isa"] == "PBXShellScriptBuildPhase"
    ]
    subprocess.run(
        [phase["shellPath"], "-c", phase["shellScript"]],
        check=True,
        env={
            "PATH": os.environ["PATH"],
            "PROJECT_FILE_PATH": str(project),
            "TARGET_BUILD_DIR": str(built),
            "UNLOCALIZED_RESOURCES_FOLDER_PATH": "MobileBench.app",
        },
    )
    return built / "MobileBench.app" / "Package.resolved"


def test_the_app_holds_the_versions_of_the_packages_that_it_was_built_with(tmp_path: Path) -> None:
    project, built = tmp_path / "a b.xcodeproj", tmp_path / "Release-iphoneos"
    assert not _copies_pins(project, built).exists()
    pins = project / "project.xcworkspace" / "xcshareddata" / "swiftpm" / "Package.resolved"
    pins.parent.mkdir(parents=True)
    pins.write_text('{"pins": []}')
    assert _copies_pins(project, built).read_text() == '{"pins": []}'
    # A package that was removed since is not in the app either.
    pins.unlink()
    assert not _copies_pins(project, built).exists()
    # The script reads the project and writes the app, which Xcode's sandbox forbids.
    settings = xcode.settings(_project(), "Release")
    assert settings["ENABLE_USER_SCRIPT_SANDBOXING"] == "NO"


def test_declarations_for_checks_are_not_in_the_app() -> None:
    groups = [
        each["path"]
        for each in _project()["objects"].values()
        if each["isa"] == "PBXFileSystemSynchronizedRootGroup"
    ]
    assert sorted(groups) == ["App", "Configuration"]
    target = _project()["objects"]["4D4200000000000000000011"]
    [group] = target["fileSystemSynchronizedGroups"]
    assert _project()["objects"][group]["path"] == "App"


def test_the_scheme_and_the_test_plan_name_what_the_project_has() -> None:
    objects = _project()["objects"]
    tree = ElementTree.parse(SCHEME)
    for each in tree.iter("BuildableReference"):
        target = objects[each.attrib["BlueprintIdentifier"]]
        assert target["name"] == each.attrib["BlueprintName"]
        product = objects[target["productReference"]]
        assert product["path"] == each.attrib["BuildableName"]
        assert each.attrib["ReferencedContainer"] == f"container:{xcode.PROJECT.name}"
    [plan] = [each.attrib["reference"] for each in tree.iter("TestPlanReference")]
    tests = json.loads((APP / plan.removeprefix("container:")).read_text(encoding="utf-8"))
    for each in tests["testTargets"]:
        package = APP / each["target"]["containerPath"].removeprefix("container:")
        name = each["target"]["identifier"]
        assert f'testTarget(name: "{name}"' in (package / "Package.swift").read_text("utf-8")
        assert (package / "Tests" / name).is_dir()


def test_the_app_is_run_as_it_is_released_and_without_a_debugger() -> None:
    [launch] = ElementTree.parse(SCHEME).iter("LaunchAction")
    assert launch.attrib["buildConfiguration"] == "Release"
    assert launch.attrib["selectedDebuggerIdentifier"] == ""


def test_the_finder_and_the_files_app_show_the_folder_of_jobs() -> None:
    info = xcode.plist("Configuration/Info.plist")
    # The Finder asks for the first; the Files app shows a folder with both alone.
    assert info["UIFileSharingEnabled"] is True
    assert info["LSSupportsOpeningDocumentsInPlace"] is True


def test_the_app_has_the_version_of_the_program() -> None:
    for configuration in ("Debug", "Release"):
        version = xcode.settings(_project(), configuration)["MARKETING_VERSION"]
        # Apple takes three numbers and nothing behind them.
        assert Version(version_name()).base_version == version


def test_the_app_offers_to_open_only_what_it_opens() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources(APP / "App"))
    info = xcode.plist("Configuration/Info.plist")
    assert "CFBundleDocumentTypes" not in info
    [scheme] = info["CFBundleURLTypes"]
    assert scheme["CFBundleURLSchemes"] == ["mobilebench"] and ".onOpenURL" in code


def test_the_app_has_the_rights_of_an_app_in_front_alone() -> None:
    info = xcode.plist("Configuration/Info.plist")
    assert "UIBackgroundModes" not in info, "a measurement ends when the app leaves the front"
    variables = set(re.findall(r"\$\((\w+)\)", json.dumps(info)))
    given = {"DEVELOPMENT_LANGUAGE", "EXECUTABLE_NAME"}
    assert variables - given <= set(xcode.settings(_project(), "Release"))


def test_a_personal_team_can_sign() -> None:
    assert xcode.plist("Configuration/MobileBench.entitlements") == {}


REASONS = {
    "NSPrivacyAccessedAPICategorySystemBootTime": r"\bsystemUptime\b|\bmach_absolute_time\b",
    "NSPrivacyAccessedAPICategoryDiskSpace":
        r"\bvolumeAvailableCapacity\w*|\bsystemFreeSize\b|\bstatv?fs\b",
    "NSPrivacyAccessedAPICategoryFileTimestamp":
        r"\bcreationDate\b|\bmodificationDate\b|\bcontentModificationDate\w*|\bl?f?stat\(",
    "NSPrivacyAccessedAPICategoryUserDefaults": r"\bUserDefaults\b|@AppStorage\b|@SceneStorage\b",
    "NSPrivacyAccessedAPICategoryActiveKeyboards": r"\bactiveInputModes\b",
}  # fmt: skip
"""What Apple wants a reason for, and the names that it goes by:
https://developer.apple.com/documentation/bundleresources/describing-use-of-required-reason-api
"""


def test_the_privacy_manifest_gives_a_reason_for_just_what_is_used() -> None:
    manifest = xcode.plist("App/Resources/PrivacyInfo.xcprivacy")
    assert manifest["NSPrivacyTracking"] is False
    assert manifest["NSPrivacyTrackingDomains"] == manifest["NSPrivacyCollectedDataTypes"] == []
    rows = manifest["NSPrivacyAccessedAPITypes"]
    assert all(each["NSPrivacyAccessedAPITypeReasons"] for each in rows)
    files = [*sources(APP / "App"), *sources(CORE / "Sources" / "BenchCore")]
    code = "\n".join(masked(path.read_text(encoding="utf-8")) for path in files)
    used = {name for name, pattern in REASONS.items() if re.search(pattern, code)}
    assert {each["NSPrivacyAccessedAPIType"] for each in rows} == used


def _contents() -> list[Path]:
    return [path for path in CATALOG.rglob("*") if path.is_dir()] + [CATALOG]


@pytest.mark.parametrize("folder", _contents(), ids=lambda path: path.name)
def test_a_folder_of_the_asset_catalog_says_what_it_holds(folder: Path) -> None:
    contents = json.loads((folder / "Contents.json").read_text(encoding="utf-8"))
    assert contents["info"] == {"author": "xcode", "version": 1}
    rows = contents.get("images", [])
    named = {row["filename"] for row in rows}
    files = {path.name for path in folder.iterdir() if path.is_file()}
    assert named == files - {"Contents.json"}
    for row in rows:
        with Image.open(folder / row["filename"]) as image:
            assert "x".join(map(str, image.size)) == row["size"]
            assert image.mode == "RGB", "an icon has no transparency"
    for row in contents.get("colors", []):
        parts = row["color"]["components"]
        assert all(0 <= float(value) <= 1 for value in parts.values())


def test_the_settings_name_what_the_catalog_has() -> None:
    settings = xcode.settings(_project(), "Release")
    icon = settings["ASSETCATALOG_COMPILER_APPICON_NAME"]
    accent = settings["ASSETCATALOG_COMPILER_GLOBAL_ACCENT_COLOR_NAME"]
    assert (CATALOG / f"{icon}.appiconset").is_dir()
    assert (CATALOG / f"{accent}.colorset").is_dir()


def test_the_readme_has_the_commands_of_the_doctor() -> None:
    readme = (APP / "README.md").read_text(encoding="utf-8")
    settings = xcode.settings(_project(), "Release")
    assert [line for line in doctor.IPHONE.splitlines() if f"{line}\n" not in readme] == []
    assert f"{xcode.PROJECT.name} " in doctor.IPHONE and f"-scheme {SCHEME.stem} " in doctor.IPHONE
    assert "MOBILEBENCH_BUNDLE_ID" in settings
    [option] = re.findall(r"--job \S+ (--\w+)", doctor.IPHONE)
    asked = (CORE / "Sources/BenchCore/Jobs/Asked.swift").read_text(encoding="utf-8")
    assert '"--job"' in asked and f'"{option}"' in asked
