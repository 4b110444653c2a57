"""Run the action's shell steps on two commits of which the second slows a network."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
NETWORK = """
import torch
from torch import nn


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d({channels}, {channels}, 3, padding=1) for _ in range(4)]
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return self.body(x).mean((2, 3))


def make():
    torch.manual_seed(0)
    return Network()
"""
EXPORT = "model.py:make --input 1x{channels}x32x32 --format onnx"


@dataclass(frozen=True)
class Ran:
    code: int
    outputs: dict[str, str]
    said: str
    summary: str


def _git(folder: Path, *arguments: str) -> None:
    author = ("-c", "user.name=A", "-c", "user.email=a@b.invalid")
    subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True)


def _commit(folder: Path, text: str, message: str) -> None:
    (folder / "model.py").write_text(text)
    _git(folder, "add", ".")
    _git(folder, "commit", "-qm", message)


def _expand(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("${{ " + name + " }}", value)
    assert "${{" not in text, text
    return text


def _run(repository: Path, temp: Path, *, after: Ran | None = None, **inputs: str) -> Ran:
    """Run the steps as GitHub does: each in its own shell, `env` expanded, outputs by file.

    `after` a run that compared, the steps behind the comparison run alone.
    """
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    settings = {name: str(spec.get("default", "")) for name, spec in action["inputs"].items()}
    settings |= {name.replace("_", "-"): value for name, value in inputs.items()}
    values = {f"inputs.{name}": value for name, value in settings.items()}
    values |= {"github.base_ref": "", "github.event.pull_request.number": ""}
    temp.mkdir(exist_ok=True)
    files = {name: temp / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    printed, code, outputs = "", 0, {}
    steps = action["runs"]["steps"]
    if after:
        outputs = after.outputs
        values |= {f"steps.compare.outputs.{name}": value for name, value in outputs.items()}
        steps = steps[[step.get("id") for step in steps].index("compare") + 1 :]
    for step in steps:
        if "if" in step:
            assert step["name"] == "Comment", "it needs a pull request, and there is none here"
            continue
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=repository,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "RUNNER_TEMP": str(temp),
                **{name: str(file) for name, file in files.items()},
                **{name: _expand(text, values) for name, text in step.get("env", {}).items()},
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
        if done.returncode:
            code = done.returncode
            break
    return Ran(code, outputs, printed, files["GITHUB_STEP_SUMMARY"].read_text())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Commit a network, then one with four times the work."""
    folder = tmp_path / "repository"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    _commit(folder, NETWORK.format(channels=16), "Add a network")
    slower = NETWORK.format(channels=16).replace("range(4)", "range(16)")
    _commit(folder, slower, "Make it deeper")
    return folder


def test_a_commit_that_slows_a_network_fails(repository: Path, tmp_path: Path) -> None:
    script = EXPORT.format(channels=16)
    ran = _run(repository, tmp_path / "temp", export=script, install="", confirm="false")
    assert ran.code == 1, ran.said
    assert ran.outputs["verdict"] == "regressed"
    assert "::error title=mobilebench regressed::" in ran.said
    assert "❌ regressed" in ran.summary
    assert "baseline: " in ran.said and "Add a network" in ran.said
    assert Path(ran.outputs["records"]).is_file()
    assert not (tmp_path / "temp" / "mobilebench" / "baseline").exists()

    warned = _run(repository, tmp_path / "temp", after=ran, fail_on="never")
    assert (warned.code, warned.outputs["verdict"]) == (0, "regressed"), warned.said


def test_a_network_that_cannot_be_exported_fails_the_step_with_its_words(
    repository: Path, tmp_path: Path
) -> None:
    ran = _run(
        repository, tmp_path / "temp", export="model.py:nothing --input 1x16x32x32", install=""
    )
    assert ran.code == 2 and "nothing" in ran.said
    assert ran.outputs == {}
