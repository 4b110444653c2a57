"""Real repositories of git, for tests that compare commits."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

NETWORK = """
import torch
from torch import nn


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(*[nn.Conv2d(4, 4, 3, padding=1) for _ in range(1)])

    def forward(self, x):
        return self.body(x).mean((2, 3))


def make():
    torch.manual_seed(0)
    return Network()
"""
BROKEN = NETWORK.replace(
    "        return self.body(x)",
    "        if x.mean() > 0:\n            x = -x\n        return self.body(x)",
)
"""The same with a branch that no file can hold."""
DEEPER = NETWORK.replace("range(1)", "range(8)")
EXPORT = "ml/net.py:make --input 1x4x16x16 --format onnx"


def git(folder: Path, *arguments: str) -> str:
    """Run git as an author, and return what it printed."""
    author = ("-c", "user.name=A", "-c", "user.email=a@b.invalid")
    command = ["git", *author, *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def commit(folder: Path, files: Mapping[str, str], subject: str) -> None:
    """Write files and commit them."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", subject)


def repository(folder: Path, *versions: Mapping[str, str]) -> Path:
    """Make a repository with a commit for each version of some files."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for number, files in enumerate(versions):
        commit(folder, files, f"Version {number}")
    return folder
