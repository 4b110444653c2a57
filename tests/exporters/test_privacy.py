"""Exported files tell nothing of the machine, and are the same from every folder."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mobilebench.inspecting.inspection import inspect
from mobilebench.store import Query, RecordStore
from mobilebench.values import wire
from mobilebench.values.artifact import LOG_FILE, Artifact
from mobilebench.values.measurement import Failure
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


def _telling() -> list[str]:
    user, host = getpass.getuser(), socket.gethostname()
    names = [name for name in (user, host) if len(name) > 4]  # a short name occurs by chance
    return [sys.prefix, sys.base_prefix, str(Path.cwd()), str(Path.home()), *names]


def test_no_part_of_a_bundle_tells_of_the_machine(tiny_artifacts: dict[str, Artifact]) -> None:
    logs = 0
    for name, artifact in tiny_artifacts.items():
        for path in artifact.folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                places = [*_telling(), str(artifact.folder.parent), "/tmp/"]
                assert [text for text in places if text.encode() in content] == [], (name, path)
                logs += path.name == LOG_FILE and b"<packages>" in content
    assert logs > 0, "a toolkit names its packages, and the log still says which"


FAILING = """
import torch
from torch import nn


class Net(nn.Module):
    def forward(self, x):
        return torch.linalg.eigvalsh(x[:, 0])


def make():
    return Net()
"""


def test_a_record_of_a_failure_tells_the_line_and_not_the_folder(
    mobilebench: Callable[..., Ran], tmp_path: Path
) -> None:
    folder = tmp_path / "clients" / "acme secret"
    folder.mkdir(parents=True)
    (folder / "net.py").write_text(FAILING)
    words = ("-f", "onnx", "--input", "1x3x8x8", "--out", folder / "out")
    done = mobilebench("export", f"{folder / 'net.py'}:make", *words)
    assert done.code == 1 and f"{folder / 'net.py'}, line 8" in done.stderr, "for the user"
    with RecordStore(str(tmp_path / "records.sqlite")) as store:
        [record] = store.find(Query())
    assert isinstance(record.outcome, Failure)
    assert "(from .../net.py, line 8: return torch.linalg.eigvalsh" in record.outcome.message
    content = wire.dumps(record)
    assert [text for text in (*_telling(), str(tmp_path), "acme") if text in content] == []


def test_accuracy_names_the_folder_of_images_and_not_where_it_is(
    mobilebench: Callable[..., Ran], tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    for index in range(10):
        folder = tmp_path / "private" / "val" / f"class{index}"
        folder.mkdir(parents=True)
        Image.new("RGB", (40, 40), (25 * index, 120, 9)).save(folder / "image.png")
    words = ("--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25", "--json")
    data = tmp_path / "private" / "val"
    done = mobilebench("eval", tiny_artifacts["onnx-fp32"].folder, "--data", data, *words)
    [accuracy] = json.loads(done.stdout)
    assert accuracy["data"]["folder"] == "val" and str(tmp_path) not in done.stdout


def test_layers_still_have_names(tiny_artifacts: dict[str, Artifact]) -> None:
    graph = inspect(tiny_artifacts["onnx-fp32"].folder).graph
    assert graph is not None
    assert "depthwise" in {operation.layer for operation in graph.operations}


@pytest.mark.parametrize(
    "name_of_format",
    ["onnx", *(pytest.param(name, marks=pytest.mark.slow) for name in ("tflite", "executorch"))],
)
def test_the_same_network_in_another_folder_makes_the_same_file(
    mobilebench: Callable[..., Ran], tmp_path: Path, name_of_format: str
) -> None:
    digests = []
    for name in ("one", "another-place"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "net.py").write_text(NETWORK)
        words = ("-f", name_of_format, "--input", "1x3x8x8", "--out", folder / "out")
        done = mobilebench("export", f"{folder / 'net.py'}:make", *words)
        assert done.code == 0, done.stderr
        digests.append(
            {
                path.name.rsplit("-", 1)[0]: Artifact.load(path).manifest.facts.sha256
                for path in (folder / "out").iterdir()
                if not path.name.startswith(".")
            }
        )
        shutil.rmtree(folder)
    assert len(digests[0]) == 1 and digests[0] == digests[1]
