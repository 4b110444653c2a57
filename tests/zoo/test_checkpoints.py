"""Official files load strictly; any other gives one clear sentence and changes no model."""

from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mobilebench.errors import CheckpointError
from mobilebench.zoo import create_model, load_checkpoint
from mobilebench.zoo.fingerprint import state_sha256


@pytest.fixture(scope="module")
def trained() -> dict[str, Any]:
    torch.manual_seed(3)
    return dict(create_model("mobilevig_ti").state_dict())


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(4)
    return create_model("mobilevig_ti")


def _saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def _same(model: nn.Module, state: dict[str, Any]) -> bool:
    return all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("layout", ["state_dict", "model", "bare", "parallel", "training"])
def test_every_official_layout_loads(
    layout: str, tmp_path: Path, trained: dict[str, Any], model: nn.Module
) -> None:
    content: dict[str, Any] = {
        "state_dict": {"state_dict": trained, "state_dict_ema": {}},
        "model": {"model": trained},
        "bare": trained,
        "parallel": {"state_dict": {f"module.{key}": value for key, value in trained.items()}},
        "training": {
            "state_dict": trained,
            "epoch": 299,
            "args": argparse.Namespace(lr=0.002),
            "optimizer": {"state": {}},
        },
    }[layout]
    path = _saved(tmp_path / "weights.pth", content)
    assert load_checkpoint(model, path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert _same(model, trained)


def test_averaged_weights_load_on_request(
    tmp_path: Path, trained: dict[str, Any], model: nn.Module
) -> None:
    averaged = {key: value * 0 for key, value in trained.items()}
    path = _saved(tmp_path / "w.pth", {"state_dict": trained, "state_dict_ema": averaged})
    load_checkpoint(model, path, ema=True)
    assert _same(model, averaged)


def test_a_state_dict_loads_without_a_file(trained: dict[str, Any], model: nn.Module) -> None:
    assert load_checkpoint(model, trained) is None
    assert _same(model, trained)


class _Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("touch /tmp/mobilebench-test-was-run",))


def _bad(kind: str, folder: Path, trained: dict[str, Any]) -> Path:
    path = folder / "weights.pth"
    match kind:
        case "other variant":
            return _saved(path, {"state_dict": create_model("mobilevig_s").state_dict()})
        case "other classes":
            state = create_model("mobilevig_ti", num_classes=10).state_dict()
            return _saved(path, {"state_dict": state})
        case "missing key":
            return _saved(path, {k: v for k, v in trained.items() if k != "head.bias"})
        case "unexpected key":
            return _saved(path, {**trained, "head.extra": torch.zeros(1)})
        case "not finite":
            broken = {**trained, "head.bias": torch.full((1000,), float("nan"))}
            return _saved(path, broken)
        case "truncated":
            _saved(path, trained)
            path.write_bytes(path.read_bytes()[:100_000])
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("<html>404 not found</html>")
        case "code":
            return _saved(path, {"state_dict": trained, "hook": _Code()})
        case "list":
            return _saved(path, [1, 2, 3])
        case "no ema":
            return _saved(path, {"state_dict": trained})
        case "folder":
            path.mkdir()
    return path


SENTENCES = {
    "other variant": "It fits mobilevig_s",
    "other classes": "of another shape: head.weight .10, 512, 1, 1. instead of .1000, 512, 1, 1.",
    "missing key": "missing: head.bias",
    "unexpected key": "unexpected: head.extra",
    "not finite": "not finite, in head.bias",
    "truncated": "cut off",
    "empty": "cut off",
    "text": "cut off",
    "code": "Python code",
    "list": "a list, not a dictionary",
    "folder": "does not exist or is not a file",
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_bad_file_is_refused_and_the_model_is_left_alone(
    kind: str, tmp_path: Path, trained: dict[str, Any], model: nn.Module
) -> None:
    before = state_sha256(model)
    path = _bad(kind, tmp_path, trained)
    with pytest.raises(CheckpointError, match=SENTENCES[kind]) as caught:
        load_checkpoint(model, path)
    assert str(path) in str(caught.value)
    assert state_sha256(model) == before
    assert not Path("/tmp/mobilebench-test-was-run").exists()


def test_asking_for_averaged_weights_that_are_not_there_names_what_is(
    tmp_path: Path, trained: dict[str, Any], model: nn.Module
) -> None:
    path = _bad("no ema", tmp_path, trained)
    with pytest.raises(CheckpointError, match="no averaged weights.*state_dict"):
        load_checkpoint(model, path, ema=True)
