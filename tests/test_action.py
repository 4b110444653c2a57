"""Run the action's shell steps in real repositories: each run ends in a report."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.repositories import BROKEN, DEEPER, EXPORT, NETWORK, git, repository

ROOT = Path(__file__).parent.parent
GH = """#!/bin/sh
# Stands for GitHub's program: no test reaches GitHub. It keeps the comment, or refuses to.
if [ -n "$REFUSE" ]; then echo "GraphQL: Resource not accessible by integration" >&2; exit 1; fi
while [ "$1" != --body-file ]; do shift; done
cp "$2" "$COMMENT_FILE"
"""


@dataclass(frozen=True)
class Ran:
    code: int
    outputs: dict[str, str]
    said: str
    summary: str
    comment: str | None


def _expand(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("${{ " + name + " }}", value)
    assert "${{" not in text, text
    return text


def _run(
    folder: Path, temp: Path, *, base: str = "", environment: dict[str, str] | None = None,
    **inputs: str,
) -> Ran:  # fmt: skip
    """Run the steps as GitHub does: each in its own shell, `env` expanded, outputs by file.

    After a step that fails, only those with `if: always()` run.
    """
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    settings = {name: str(spec.get("default", "")) for name, spec in action["inputs"].items()}
    settings |= {name.replace("_", "-"): value for name, value in inputs.items()}
    values = {f"inputs.{name}": value for name, value in settings.items()}
    values |= {"github.base_ref": base, "github.event.pull_request.number": "7"}
    values |= {"steps.compare.outputs.report": ""}
    temp.mkdir(exist_ok=True)
    programs = temp.parent / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "gh").write_text(GH)
    (programs / "gh").chmod(0o755)
    program = f'#!/bin/sh\nexec "{sys.executable}" -m mobilebench "$@"\n'
    (programs / "mobilebench").write_text(program)
    (programs / "mobilebench").chmod(0o755)
    comment = temp.parent / "comment.md"
    comment.unlink(missing_ok=True)
    files = {name: temp.parent / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    printed, code, outputs = "", 0, {}
    for step in action["runs"]["steps"]:
        assert step.get("if") in (None, "${{ always() }}")
        if code and "if" not in step:
            continue
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=folder,
            env={
                **os.environ,
                "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
                "RUNNER_TEMP": str(temp),
                "COMMENT_FILE": str(comment),
                **{name: str(file) for name, file in files.items()},
                **{name: _expand(text, values) for name, text in step.get("env", {}).items()},
                **(environment or {}),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        printed += done.stdout + done.stderr
        outputs |= dict(
            line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines()
        )
        values |= {f"steps.{step.get('id')}.outputs.{k}": v for k, v in outputs.items()}
        code = code or done.returncode
    text = comment.read_text() if comment.exists() else None
    return Ran(code, outputs, printed, files["GITHUB_STEP_SUMMARY"].read_text(), text)


@pytest.mark.slow
def test_a_commit_that_slows_a_network_fails(tmp_path: Path) -> None:
    folder = repository(tmp_path / "app", {"ml/net.py": NETWORK}, {"ml/net.py": DEEPER})
    options = {"install": "", "confirm": "false", "pairs": "2", "github_token": "t"}
    ran = _run(folder, tmp_path / "temp", export=EXPORT, **options)
    assert ran.code == 1, ran.said
    assert ran.outputs["verdict"] == "regressed"
    assert "::error title=mobilebench regressed::" in ran.said and "pair 2 of 2" in ran.said
    assert ran.summary.startswith("❌ **mobilebench failed:** ") and "❌ regressed" in ran.summary
    assert ran.comment == Path(ran.outputs["report"]).read_text()
    assert all(Path(ran.outputs[name]).is_file() for name in ("records", "junit"))
    assert len(git(folder, "worktree", "list").splitlines()) == 1


def test_a_broken_export_is_a_summary_a_comment_and_an_annotation(tmp_path: Path) -> None:
    folder = repository(tmp_path / "app", {"ml/net.py": NETWORK}, {"ml/net.py": BROKEN})
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD^")
    ran = _run(folder, tmp_path / "temp", base="main", export=EXPORT, install="", github_token="t")
    assert ran.code == 4, ran.said
    line = BROKEN.splitlines().index("        if x.mean() > 0:") + 1
    assert f"::error file=ml/net.py,line={line},title=mobilebench broken export::" in ran.said
    for text in (ran.summary, ran.comment or ""):
        assert text.startswith("❌ **mobilebench failed:** ") and "torch.where" in text
    assert ran.outputs["verdict"] == "broken export"


@pytest.mark.slow
def test_a_new_model_passes_also_where_no_comment_may_be_written(tmp_path: Path) -> None:
    folder = repository(tmp_path / "app", {"README": "An app."}, {"ml/net.py": NETWORK})
    ran = _run(
        folder, tmp_path / "temp", export=EXPORT, install="", github_token="t",
        environment={"REFUSE": "yes"},
    )  # fmt: skip
    assert ran.code == 0, ran.said
    assert ran.outputs["verdict"] == "no baseline" and ran.comment is None
    assert "::warning title=mobilebench::no comment could be written" in ran.said
    assert "is new since" in ran.summary.splitlines()[0]


def test_what_cannot_be_installed_or_has_wrong_inputs_is_a_report(tmp_path: Path) -> None:
    folder = repository(tmp_path / "app", {"ml/net.py": NETWORK}, {"ml/net.py": DEEPER})
    nowhere = str(tmp_path / "nowhere")
    lost = _run(folder, tmp_path / "temp", export=EXPORT, install=nowhere, github_token="t")
    assert lost.code not in (0, 4) and lost.comment == lost.summary
    assert "could not be installed" in lost.summary and "::error title=mobilebench" in lost.said
    wrong = _run(
        folder, tmp_path / "temp", export="ml/net.py:nothing --input 1x4x16x16", install="",
        github_token="t",
    )  # fmt: skip
    assert wrong.code == 2 and wrong.outputs["verdict"] == "refused"
    assert wrong.comment is not None and "no function in ml/net.py" in wrong.comment
