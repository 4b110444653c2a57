"""The app compiles against our declarations of Apple's frameworks, and these are Apple's."""

from __future__ import annotations

import json
import urllib.parse
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench_ios import comparing, objective_c, stubs
from mobilebench_ios.availability import cut, levels
from mobilebench_ios.comparing import Verdict
from tests.building import Once

MODULES = sorted(folder.name for folder in stubs.STUBS.iterdir())
PAGES = {
    "developer.apple.com", "docs.pytorch.org", "onnxruntime.ai",
}  # fmt: skip
HEAD = "import CoreML\nimport Foundation\nimport SwiftUI\nimport UIKit\n"


def test_the_app_compiles_at_every_level_of_ios(once: Once) -> None:
    def check(place: Path) -> None:
        done = stubs.check()
        place.write_text(json.dumps([done.files, len(done.modules), done.levels]))

    files, modules, every = json.loads(once("type-check", check).read_text())
    assert files > 20 and modules == len(MODULES)
    assert every[0] == [16, 0] and [17, 4] in every and [18, 0] in every


def test_every_module_of_declarations_is_used() -> None:
    texts = [path.read_text(encoding="utf-8") for path in stubs.SOURCES.rglob("*.swift")]
    texts += [path.read_text(encoding="utf-8") for path in stubs.STUBS.rglob("*.swift")]
    used = {name for text in texts for name in stubs.imports(text)} | set(stubs.IMPLICIT)
    assert [name for name in MODULES if name not in used] == []


RIGHT = """
func compiled(_ file: URL) async throws -> MLModel {
    let configuration = MLModelConfiguration()
    if #available(iOS 18.0, *) { configuration.functionName = "main" }
    let place = try await MLModel.compileModel(at: file)
    return try await MLModel.load(contentsOf: place, configuration: configuration)
}

@available(iOS 17.4, *)
func weight(_ plan: MLComputePlan, _ operation: MLModelStructure.Program.Operation) -> Double? {
    plan.estimatedCost(of: operation)?.weight
}

func planned(_ file: URL) async throws -> Bool {
    guard #available(iOS 17.4, *) else { return false }
    let configuration = MLModelConfiguration()
    _ = try await MLComputePlan.load(contentsOf: file, configuration: configuration)
    return true
}
"""


def test_right_use_is_accepted() -> None:
    assert stubs.check(app={"Right.swift": HEAD + RIGHT}).files == 1


WRONG = {
    "wrong label": (
        "func a(_ u: URL) async throws -> URL { try await MLModel.compileModel(from: u) }",
        "incorrect argument label",
    ),
    "wrong member": (
        "func a(_ c: MLModelConfiguration) { c.computeUnit = .all }",
        "has no member 'computeUnit'",
    ),
    "wrong type": (
        "func a(_ c: MLModelConfiguration) { c.computeUnits = 3 }",
        "cannot assign value of type 'Int'",
    ),
    "no guard": (
        "func a(_ c: MLModelConfiguration) { c.functionName = nil }",
        "'functionName' is unavailable",
    ),
    "a guard for too old a system": (
        "func a(_ c: MLModelConfiguration) { if #available(iOS 17.4, *) { c.functionName = nil } }",
        "'functionName' is unavailable",
    ),
    "the wrong branch of a guard": (
        "func a(_ c: MLModelConfiguration) {"
        " if #available(iOS 18, *) {} else { c.functionName = nil } }",
        "'functionName' is unavailable",
    ),
    "behind a guard for too old a system": (
        "func a(_ c: MLModelConfiguration) {"
        " guard #available(iOS 17, *) else { return }; c.functionName = nil }",
        "'functionName' is unavailable",
    ),
    "a function of a newer system, called without a guard": (
        "@available(iOS 18, *) func b() {}\nfunc a() { b() }",
        "cannot find 'b' in scope",
    ),
    "a modifier of a newer system": (
        "struct A: View { var body: some View {"
        ' Text("a").onChange(of: 1, initial: true) { _, _ in } } }',
        "is unavailable",
    ),
    "a data race": (
        "final class A { var x = 0 }\nfunc a(_ c: A) { Task.detached { c.x += 1 }; c.x += 1 }",
        "data race",
    ),
    "the main thread's API on another": (
        "func a() -> Float { UIDevice.current.batteryLevel }",
        "main actor-isolated",
    ),
    "a case that is missing": (
        "func a(_ t: MLMultiArrayDataType) -> Int {"
        " switch t { case .double: 1; case .float32: 2; case .float16: 3; case .int32: 4 } }",
        "may have additional unknown values",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use_is_refused(name: str) -> None:
    text, message = WRONG[name]
    with pytest.raises(UserError, match=message):
        stubs.check(app={"Wrong.swift": HEAD + text})


@pytest.mark.parametrize("module", MODULES)
def test_declarations_are_those_of_objective_c(module: str) -> None:
    verdicts = comparing.verdicts(stubs.STUBS / module)
    wrong = [each for each in verdicts if each.how == "wrong"]
    assert [f"{v.declared.place} {v.declared.title}: {v.reason}" for v in wrong] == []


def test_what_exists_in_swift_only_names_its_page() -> None:
    verdicts = [each for name in MODULES for each in comparing.verdicts(stubs.STUBS / name)]
    for each in verdicts:
        if each.how == "documented":
            address = urllib.parse.urlparse(each.declared.page)
            assert address.scheme == "https" and address.netloc in PAGES and address.path
    compared = sum(each.how == "compared" for each in verdicts)
    assert compared > 150


def _verdicts(text: str) -> list[Verdict]:
    rows = comparing.declared(Path("Sample.swift"), text)
    return comparing.compare(rows, objective_c.declarations())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("open class MLModel {\n func predict(from input: Int) throws {}\n}", "no such thing"),
        (
            "open class MLModel {\n class func compileModel(from url: URL) async throws {}\n}",
            "no such thing",
        ),
        (
            "open class MLModel {\n class func load(contentsOf url: URL) async throws {}\n}",
            "no such thing",
        ),
        ("open class MLModels {}", "no such thing"),
        (
            "open class MLModelConfiguration {\n open var functionName: String? { nil }\n}",
            "declared for iOS 16.0, and is there since 18.0",
        ),
        ("open class MLComputePlan {}", "declared for iOS 16.0, and is there since 17.4"),
        (
            "@available(iOS 18.0, *)\nopen class MLComputePlan {}",
            "declared for iOS 18.0, and is there since 17.4",
        ),
        ("public enum MLComputeUnits: Int {\n case cpuAndGPU = 2\n}", "no such thing"),
        ("public enum MLComputeUnits: Int {\n case npuOnly\n}", "no such thing"),
        ("public var kCVReturnSucces: Int32 { 0 }", "no such thing"),
        ("public func CVPixelBufferCreate(_ a: Int, _ b: Int) -> Int32 { 0 }", "no such thing"),
    ],
)
def test_a_declaration_that_is_not_apples_is_found(text: str, reason: str) -> None:
    assert any(each.how == "wrong" and reason in each.reason for each in _verdicts(text))


def test_a_source_is_cut_to_what_a_level_has() -> None:
    text = (
        "@available(iOS 18.0, *)\nfunc new() {\n    old()\n}\n"
        "func old() {\n    // #available(iOS 99, *)\n"
        "    if #available(iOS 17.4, *), let x = y() {\n        x.go()\n    } else {\n"
        "        stay()\n    }\n"
        "    guard #available(iOS 18, *) else { return }\n    new()\n}\n"
    )
    assert levels([text]) == [(16, 0), (17, 4), (18, 0)]
    assert cut(text, (18, 0)) == text
    middle = cut(text, (17, 4), removes=True)
    assert "func new" not in middle and "x.go()" in middle and "    new()" not in middle
    oldest = cut(text, (16, 0))
    assert oldest.startswith("@available(*, unavailable)\nfunc new()")
    assert "if false { fatalError() }" in oldest and "stay()" in oldest
    assert [cut(text, each).count("\n") for each in levels([text])] == [text.count("\n")] * 3


@pytest.mark.parametrize("text", ["if #unavailable(iOS 18, *) {}", "x(#available(iOS 18, *))"])
def test_a_guard_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="asks"):
        cut(text, (16, 0))
