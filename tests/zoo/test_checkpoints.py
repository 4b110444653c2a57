"""Official files load strictly; any other gives one clear sentence and changes no model."""

from __future__ import annotations

import argparse
import hashlib
import os
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mobilebench.errors import CheckpointError, MobilebenchWarning
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


class WithNorm(nn.Module):
    """A convolution with weight norm in its present form, and a batch norm."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 8, 3))
        self.norm = nn.BatchNorm2d(8)


class Wrapped(nn.Module):
    """A wrapper that calls its network `module`."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.module = nn.Conv2d(3, 8, 3)


def _old_weight_norm() -> dict[str, Any]:
    """Return the state of `WithNorm` as older versions of PyTorch wrote it."""
    state = WithNorm().state_dict()
    names = {"original0": "weight_g", "original1": "weight_v"}
    return {
        f"conv.{names[key.rpartition('.')[2]]}" if "parametrizations" in key else key: value
        for key, value in state.items()
    }


@pytest.mark.parametrize(
    ("network", "state"),
    [
        (Wrapped, Wrapped().state_dict()),
        (WithNorm, _old_weight_norm()),
        (WithNorm, {f"_orig_mod.{k}": v for k, v in WithNorm().state_dict().items()}),
        (WithNorm, {f"module._orig_mod.{k}": v for k, v in WithNorm().state_dict().items()}),
    ],
    ids=["network called module", "old weight norm", "compiled", "parallel and compiled"],
)
def test_what_pytorch_loads_strictly_is_loaded(
    network: type[nn.Module], state: dict[str, Any], tmp_path: Path
) -> None:
    fresh = network()
    expected = state_sha256(fresh)
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.zero_()
    load_checkpoint(fresh, _saved(tmp_path / "weights.pth", state))
    assert state_sha256(fresh) == expected


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({f"net.{k}": v for k, v in WithNorm().state_dict().items()}, "The prefix 'net.' was rem"),
        ({"net": WithNorm().state_dict(), "acc": 91.0}, "taken from the entry 'net'"),
    ],
    ids=["prefix", "entry"],
)
def test_a_guess_about_the_layout_is_said(
    content: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    model = WithNorm()
    with pytest.warns(MobilebenchWarning, match=sentence):
        load_checkpoint(model, _saved(tmp_path / "weights.pth", content))


@pytest.mark.filterwarnings("ignore:.*jit.*:DeprecationWarning")
def test_a_torchscript_archive_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "scripted.pt"
    torch.jit.trace(nn.Conv2d(3, 8, 3), torch.zeros(1, 3, 8, 8)).save(str(path))
    with pytest.raises(CheckpointError, match="is a TorchScript archive"):
        load_checkpoint(nn.Conv2d(3, 8, 3), path)


def test_no_damaged_file_loads_or_ends_in_anything_but_one_sentence(tmp_path: Path) -> None:
    whole = _saved(tmp_path / "whole.pth", nn.Conv2d(3, 8, 3).state_dict()).read_bytes()
    rng, path = random.Random(0), tmp_path / "weights.pth"
    model = nn.Conv2d(3, 8, 3)
    before, same = state_sha256(model), 0
    for number in range(300):
        content = bytearray(whole)
        if number % 3 == 0:
            content = bytearray(rng.randbytes(rng.randrange(1, 4000)))
        elif number % 3 == 1:
            del content[rng.randrange(len(content)) :]
        else:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        try:
            load_checkpoint(model, path)
        except CheckpointError:
            assert state_sha256(model) == before
        else:
            # A bit that no part's checksum covers, such as one of padding or of a date.
            same += 1
            assert state_sha256(model) == state_sha256(_loaded(whole, tmp_path))
            model = nn.Conv2d(3, 8, 3)
            before = state_sha256(model)
    assert same < 60


def _loaded(content: bytes, folder: Path) -> nn.Module:
    path = folder / "again.pth"
    path.write_bytes(content)
    model = nn.Conv2d(3, 8, 3)
    load_checkpoint(model, path)
    return model
