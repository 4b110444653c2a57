"""ExecuTorch's error codes are put into words, with the operation that its log names."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mobilebench import api
from mobilebench.errors import CellFailed
from mobilebench.values.artifact import Artifact
from mobilebench.values.tensor import parse_tensor
from mobilebench_device_runners import _executorch_errors
from mobilebench_device_runners.host import HostRunner
from tests.protocols import job_for


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the toolkit runs in this process and warns of itself
        return api.export(
            nn.Embedding(4, 3).eval(),
            "executorch",
            inputs=["tokens=1x7:int64"],
            out_dir=tmp_path_factory.mktemp("embedding"),
        )


def test_an_operation_that_fails_is_named_with_its_check(artifact: Artifact) -> None:
    path, recipe = artifact.model_path, artifact.manifest.recipe
    with pytest.raises(CellFailed) as caught:
        HostRunner().predict("host", path, recipe, "executorch", [[np.full((1, 7), 88)]])
    assert (caught.value.stage, caught.value.error) == ("run", "InvalidArgument")
    message = caught.value.message
    assert message.startswith("in the operation aten::embedding.out, an argument is not valid: ")
    assert "88 >= weight.size(0) 4" in message and message.endswith("(ExecuTorch's code 0x12)")


def test_measuring_says_the_same(artifact: Artifact) -> None:
    job = dataclasses.replace(job_for(artifact, "executorch"), inputs=(parse_tensor("1x7"),))
    with pytest.raises(CellFailed) as caught:
        HostRunner().run("host", artifact, job)
    assert caught.value.error == "InvalidArgument"
    assert "expected Long but was Float" in caught.value.message


def test_a_file_that_is_no_program_says_so(artifact: Artifact, tmp_path: Path) -> None:
    bad = tmp_path / "model.pte"
    bad.write_bytes(b"123" * 1000)
    with pytest.raises(CellFailed) as caught:
        HostRunner().predict("host", bad, artifact.manifest.recipe, "executorch", [])
    assert caught.value.error == "InvalidProgram"
    assert "the file is not a valid program" in caught.value.message


@pytest.mark.parametrize(
    ("message", "log", "words"),
    [
        (
            "Failed to load method forward, error: 0x:14",
            "[method.cpp:841] Missing operator: [3] aten::linalg_eigvalsh.out\n",
            "in the operation aten::linalg_eigvalsh.out, this runtime has no kernel",
        ),
        (
            "method->execute() failed with error 0x1",
            "[XNNExecutor.cpp:86] XNN Runtime invoke failed with code: 3\n"
            "[method.cpp:1420] CALL_DELEGATE execute failed at instruction 0:3: 0x1\n",
            "in its delegate, an internal error of the runtime",
        ),
        (
            "Failed to load method forward, error: 0x:20",
            "[method.cpp:120] Init failed for backend CoreMLBackend: 0x20\n",
            "in the delegate CoreMLBackend, something that the program needs was not found",
        ),
    ],
)
def test_other_codes_have_words(message: str, log: str, words: str) -> None:
    explained = _executorch_errors.in_words(CellFailed("load", "RuntimeError", message, log))
    assert explained.message.startswith(words) and explained.error != "RuntimeError"


def test_errors_without_a_code_stay_as_they_are() -> None:
    for message in ("the process ended with exit code 2", "failed with error 0x99"):
        error = CellFailed("run", "Exit", message)
        assert _executorch_errors.in_words(error) is error
