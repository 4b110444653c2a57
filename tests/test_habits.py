"""The repository's own files: the workflow, the hooks, the issue forms, and the citation."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
FORMS = sorted(
    path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"
)


def _text(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _yaml(path: str | Path) -> Any:
    return yaml.safe_load(_text(path))


def _recipe(target: str) -> list[str]:
    """Return the commands of one of the Makefile's targets."""
    text = _text("Makefile")
    match = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    assert match, f"the Makefile has no target {target}"
    return [line.strip() for line in match[1].splitlines()]


def test_the_workflow_runs_what_a_person_runs() -> None:
    workflow = _yaml(".github/workflows/ci.yml")
    job = workflow["jobs"]["test"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["bash .ci/run"]
    script = _text(".ci/run")
    assert script.splitlines()[-1] == "make test"
    assert set(job["strategy"]["matrix"]["os"]) == {"ubuntu-latest", "macos-latest"}
    # YAML 1.1 reads the key `on` as true.
    assert {"push", "pull_request"} <= workflow[True].keys()


def test_the_workflow_may_only_read_and_ends_by_itself() -> None:
    workflow = _yaml(".github/workflows/ci.yml")
    job = workflow["jobs"]["test"]
    assert workflow["permissions"] == {"contents": "read"} and "permissions" not in job
    assert job["timeout-minutes"] == 60
    assert "github.ref" in workflow["concurrency"]["group"]


def test_the_workflow_has_the_python_that_the_makefile_asks_for() -> None:
    steps = _yaml(".github/workflows/ci.yml")["jobs"]["test"]["steps"]
    [python] = [step["with"] for step in steps if "setup-python" in step.get("uses", "")]
    assert f"python{python['python-version']}" in _text("Makefile")
    assert python["cache"] == "pip"
    for name in python["cache-dependency-path"].split():
        assert (ROOT / name).is_file()


def test_the_hooks_are_the_commands_of_make_lint() -> None:
    [local] = _yaml(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    for hook in local["hooks"]:
        assert hook["language"] == "system" and hook["name"] and hook["id"]
        assert hook["pass_filenames"] is False
        assert "python" in hook["types_or"]
    entries = [hook["entry"] for hook in local["hooks"]]
    assert entries == [line.replace("$(BIN)", ".venv/bin") for line in _recipe("lint")]


def test_every_hook_names_a_tool_that_the_project_installs() -> None:
    pinned = _text("requirements.txt")
    for hook in _yaml(".pre-commit-config.yaml")["repos"][0]["hooks"]:
        command = Path(hook["entry"].split()[0])
        assert command.parent == Path(".venv/bin")
        assert f"\n{command.name}==" in pinned
        assert (Path(sys.executable).parent / command.name).is_file()


def test_the_citation_says_what_the_package_says() -> None:
    citation = _yaml("CITATION.cff")
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    assert citation["cff-version"] == "1.2.0" and citation["message"]
    assert citation["title"] == project["name"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert citation["authors"] == project["authors"]


REQUIRED_ATTRIBUTES = {
    "markdown": {"value"},
    "input": {"label"},
    "textarea": {"label"},
    "dropdown": {"label", "options"},
    "checkboxes": {"label", "options"},
}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_has_what_github_requires(path: Path) -> None:
    form = _yaml(path)
    allowed = {"name", "description", "body", "title", "labels", "assignees", "projects", "type"}
    assert form.keys() <= allowed
    for key in ("name", "description"):
        assert isinstance(form[key], str) and form[key].strip()
    for element in form["body"]:
        assert REQUIRED_ATTRIBUTES[element["type"]] <= element["attributes"].keys()
        assert element.get("validations", {}).get("required", False) in (True, False)
        for option in element["attributes"].get("options", ()):
            assert element["type"] != "checkboxes" or option["label"]
    questions = [element for element in form["body"] if element["type"] != "markdown"]
    assert any(question.get("validations", {}).get("required") for question in questions)
    ids = [question["id"] for question in questions]
    labels = [question["attributes"]["label"] for question in questions]
    assert len(set(ids)) == len(ids) and len(set(labels)) == len(labels)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in ids)


def test_the_forms_have_different_names() -> None:
    names = [_yaml(path)["name"] for path in FORMS]
    assert [path.stem for path in FORMS] == ["bug", "feature", "measurement"]
    assert len(set(names)) == len(names)


def test_a_number_that_others_cannot_reproduce_comes_with_its_record() -> None:
    body = _yaml(".github/ISSUE_TEMPLATE/measurement.yml")["body"]
    required = {e["id"] for e in body if e.get("validations", {}).get("required")}
    assert {"records", "device", "protocol"} <= required


def test_the_forms_name_options_that_the_program_has() -> None:
    """A form asks people to type commands; a renamed command shows here."""
    from typer.main import get_command

    from mobilebench.cli import app

    verbs: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    pattern = re.compile(r"`mobilebench ([a-z]+)([^`]*)`")
    commands = [match for path in FORMS for match in pattern.findall(_text(path))]
    assert {verb for verb, _ in commands} >= {"bench", "devices", "doctor"}
    for verb, rest in commands:
        options = {name for parameter in verbs[verb].params for name in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options


def test_the_source_distribution_holds_what_its_tests_read(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    [archive] = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    for needed in (
        ".ci/run",
        ".github/workflows/ci.yml",
        ".github/ISSUE_TEMPLATE/bug.yml",
        ".pre-commit-config.yaml",
        "CITATION.cff",
        "Makefile",
        "action.yml",
        "android_app/settings.gradle.kts",
        "android_app/tools/build.py",
        "ios_app/BenchCore/Package.swift",
        "ios_app/BenchCore/Sources/BenchCore/Schemas/record.v2.json",
        "ios_app/MobileBench.xcodeproj/project.pbxproj",
        "ios_app/tools/build.py",
        "requirements.txt",
        "tests/test_habits.py",
    ):
        assert needed in names


PARTS = ("CORE", "CLI", "EXPORTERS", "ANDROID", "SWIFT")


def _listed(variable: str) -> list[Path]:
    """Return the paths of one of the Makefile's lists, with the lists inside it."""
    text = _text("Makefile")
    match = re.search(rf"^{variable} := ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    assert match, f"the Makefile has no list {variable}"
    paths: list[Path] = []
    for word in match[1].replace("\\\n", " ").split():
        inner = re.fullmatch(r"\$\((\w+)\)", word)
        paths += _listed(inner[1]) if inner else [Path(word)]
    return paths


def _test_files(paths: Sequence[Path]) -> list[Path]:
    """Return the test files at and below paths, one that is reached twice also twice."""
    files: list[Path] = []
    for path in paths:
        assert (ROOT / path).exists(), f"the Makefile lists {path}, which does not exist"
        found = [ROOT / path] if path.suffix else sorted((ROOT / path).rglob("test_*.py"))
        assert found, f"the Makefile lists {path}, which has no tests"
        files += found
    return files


def test_every_test_belongs_to_one_part() -> None:
    listed = Counter(file for part in PARTS for file in _test_files(_listed(part)))
    assert [str(file) for file, times in listed.items() if times > 1] == []
    assert sorted(listed) == sorted((ROOT / "tests").rglob("test_*.py"))


def test_the_quick_tests_are_some_of_the_core() -> None:
    quick, core = set(_test_files(_listed("QUICK"))), set(_test_files(_listed("CORE")))
    assert quick < core
    exporting = [file.name for file in quick - {Path(__file__)} if "tiny_artifacts" in _text(file)]
    assert exporting == [], "the fixture exports, which takes a minute"


@pytest.mark.parametrize("part", ["QUICK", *PARTS])
def test_a_part_is_run_as_the_whole_is(part: str) -> None:
    [whole] = _recipe("test")
    assert whole == "$(PYTEST)", "without a path it takes all of tests/"
    options = tomllib.loads(_text("pyproject.toml"))["tool"]["pytest"]
    assert options["ini_options"]["testpaths"] == ["tests"]
    assert _recipe(f"test-{part.lower()}") == [f"{whole} $({part})"]


def test_the_makefile_begins_with_its_targets_in_short() -> None:
    """What a person reads first names every target, and nothing else."""
    text = _text("Makefile")
    named = re.findall(r"^# make ([\w-]+)  ", text, re.MULTILINE)
    [phony] = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert {*named, "schema", "clean"} == set(phony.split())
    assert text.startswith("# make setup ")
