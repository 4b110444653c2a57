"""Exported files tell nothing of the machine, and are the same from every folder."""

from __future__ import annotations

import getpass
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from mobilebench.inspecting.inspection import inspect
from mobilebench.values.artifact import Artifact
from tests.conftest import Ran

NETWORK = """
import torch
from torch import nn


def make():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
"""


def _content(path: Path) -> bytes:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return b"".join(file.read_bytes() for file in sorted(files))


def test_no_file_holds_a_path_or_a_stack_trace(tiny_artifacts: dict[str, Artifact]) -> None:
    telling = [sys.prefix, str(Path.cwd()), str(Path.home()), "site-packages", 'File "', ".py"]
    if len(getpass.getuser()) > 4:  # a short name occurs by chance
        telling.append(getpass.getuser())
    for name, artifact in tiny_artifacts.items():
        content = _content(artifact.model_path)
        assert [text for text in telling if text.encode() in content] == [], name


def test_layers_still_have_names(tiny_artifacts: dict[str, Artifact]) -> None:
    graph = inspect(tiny_artifacts["onnx-fp32"].folder).graph
    assert graph is not None
    assert "depthwise" in {operation.layer for operation in graph.operations}


def test_the_same_network_in_another_folder_makes_the_same_file(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    digests = []
    for name in ("one", "another-place"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "net.py").write_text(NETWORK)
        formats = ("-f", "onnx", "-f", "tflite", "-f", "executorch")
        words = ("--input", "1x3x8x8", "--out", folder / "out")
        done = mobilebench("export", f"{folder / 'net.py'}:make", *formats, *words)
        assert done.code == 0, done.stderr
        digests.append(
            {
                path.name.rsplit("-", 1)[0]: Artifact.load(path).manifest.facts.sha256
                for path in (folder / "out").iterdir()
                if not path.name.startswith(".")
            }
        )
        shutil.rmtree(folder)
    assert len(digests[0]) == 3 and digests[0] == digests[1]
