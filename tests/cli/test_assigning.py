"""The options of an export go to the networks they are for, or are refused."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from mobilebench.cli import assigning
from mobilebench.errors import UserError
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from tests.conftest import TINY, Ran
from tests.models import tiny

Program = Callable[..., Ran]
IMAGE = ("--input", "1x3x32x32", "-f", "onnx")
PAIR = ["a", "m.py:b"]


@pytest.mark.parametrize(
    ("models", "values", "paths"),
    [
        (["a"], [], [None]),
        (["a"], ["x"], ["x"]),
        (["a"], ["runs/lr=0.1/x"], ["runs/lr=0.1/x"]),
        (PAIR, [], [None, None]),
        (PAIR, ["x", "y"], ["x", "y"]),
        (PAIR, ["m.py:b=y", "a=x"], ["x", "y"]),
        (PAIR, ["m.py:b=lr=0.1/y"], [None, "lr=0.1/y"]),
        (["a", "a"], ["x", "y"], ["x", "y"]),
        (["a", "a"], ["a=x"], ["x", "x"]),
    ],
)
def test_checkpoints_go_to_networks_in_order_or_by_name(
    models: list[str], values: list[str], paths: list[str | None]
) -> None:
    assert assigning.checkpoints(models, values) == paths


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (["x"], "1 --checkpoint for 2 networks; give one for each"),
        (["x", "y", "z"], "3 --checkpoint for 2 networks"),
        (["a=x", "y"], "Some --checkpoint name their network"),
        (["a=x", "a=y"], "given twice for a"),
        (["c=x", "a=y"], "names 'c', but the networks are a, m.py:b, and there is no such file"),
    ],
)
def test_checkpoints_that_do_not_fit_the_networks_are_refused(
    values: list[str], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        assigning.checkpoints(PAIR, values)


@pytest.mark.parametrize(
    ("values", "paths", "keys"),
    [
        ([], [None, None], [None, None]),
        (["ema"], ["x", "y"], ["ema", "ema"]),
        (["ema"], [None, "y"], [None, "ema"]),
        (["net", "ema"], ["x", "y"], ["net", "ema"]),
        (["a=net"], ["x", "y"], ["net", None]),
    ],
)
def test_an_entry_is_that_of_every_checkpoint_or_of_one(
    values: list[str], paths: list[str | None], keys: list[str | None]
) -> None:
    assert assigning.checkpoint_keys(PAIR, values, paths) == keys


@pytest.mark.parametrize(
    ("values", "paths", "sentence"),
    [
        (["ema"], [None, None], "add --checkpoint"),
        (["a=ema"], [None, "y"], "--checkpoint-key ema needs the --checkpoint of a"),
        (["a", "b", "c"], ["x", "y"], "3 --checkpoint-key for 2 networks"),
    ],
)
def test_an_entry_without_a_checkpoint_is_refused(
    values: list[str], paths: list[str | None], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        assigning.checkpoint_keys(PAIR, values, paths)


@pytest.mark.parametrize(
    ("option", "models", "takers"),
    [
        ("resolution", ["a", "m.py:b", "timm:c"], {"a", "timm:c"}),
        ("num-classes", ["m.py:b"], {"m.py:b"}),
        ("input", ["a", "m.py:b", "timm:c"], {"m.py:b"}),
        ("input", ["a", "timm:c"], {"timm:c"}),
        ("input", ["a"], {"a"}),
        ("mean", ["a", "m:b"], {"m:b"}),
        ("mean", ["a", "timm:c"], {"a", "timm:c"}),
    ],
)
def test_an_option_is_for_the_networks_that_take_it(
    option: str, models: list[str], takers: set[str]
) -> None:
    assert assigning.takers(option, models) == takers


class _Settings:
    """A class of the user's, as training loops save."""


def _trained(scale: float) -> dict[str, torch.Tensor]:
    return {key: (part * scale).to(part.dtype) for key, part in tiny().state_dict().items()}


def _save(folder: Path) -> None:
    torch.save(
        {
            "model": {f"module.{key}": value for key, value in _trained(1.5).items()},
            "model_ema": _trained(2.0),
            "teacher": nn.Linear(2, 2).state_dict(),
            "args": argparse.Namespace(lr=0.1),
            "config": _Settings(),
        },
        folder / "best.pth",
    )
    torch.save({"run": {"net": _trained(2.5)}}, folder / "last.pth")


def test_each_network_of_one_command_gets_its_checkpoint(
    mobilebench: Program, tmp_path: Path
) -> None:
    _save(tmp_path)
    done = mobilebench(
        *("export", TINY, TINY, *IMAGE, "--json"),
        *("--checkpoint", "best.pth", "--checkpoint", "last.pth"),
    )
    assert done.code == 0, done.stderr
    weights = [cell["manifest"]["model"]["weights"] for cell in json.loads(done.stdout)]
    assert [one["key"] for one in weights] == ["model", "run.net"]
    assert weights[0]["origin"] != weights[1]["origin"]
    assert weights[0]["state_sha256"] != weights[1]["state_sha256"]
    assert "averaged weights too, in 'model_ema'; --ema loads them" in done.stderr
    assert "holds tensors in 'teacher' too; --checkpoint-key loads" in done.stderr
    assert "taken from the entry 'run.net' of last.pth" in done.stderr


@pytest.mark.parametrize(
    "options",
    [("--ema",), pytest.param(("--checkpoint-key", "model_ema"), marks=pytest.mark.slow)],
)
def test_the_entry_that_was_loaded_is_said_and_recorded(
    mobilebench: Program, tmp_path: Path, options: tuple[str, ...]
) -> None:
    _save(tmp_path)
    done = mobilebench("export", TINY, *IMAGE, "--checkpoint", "best.pth", *options)
    assert done.code == 0, done.stderr
    [line] = [line for line in done.stderr.splitlines() if "checkpoint" in line]
    assert line.endswith("weights from the entry 'model_ema' of its checkpoint.")
    [folder] = (tmp_path / "artifacts").glob("models*")
    model = Artifact.load(folder).manifest.model
    assert model.weights is not None and model.weights.key == "model_ema"
    assert f"{model.weights.origin}, entry 'model_ema'" in mobilebench("inspect", folder).stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--checkpoint-key", "net"), "--checkpoint-key names an entry of a checkpoint; add"),
        (("--ema",), "--ema loads the averaged weights of a checkpoint; add --checkpoint"),
        (("--checkpoint", "best.pth", "--checkpoint", "b"), "2 --checkpoint for 1 network;"),
        (("--checkpoint", "best.pth", "--checkpoint-key", "nat"), "it has 'model', 'teacher', 'mo"),
        (
            ("--checkpoint", "best.pth", "--checkpoint-key", "model", "--ema"),
            "--ema and --checkpoint-key both choose",
        ),
        (
            ("--checkpoint", "best.pth", "--checkpoint-key", "teacher"),
            "The entry 'teacher' of best.pth does not fit Tiny",
        ),
    ],
)
def test_options_of_checkpoints_are_used_or_refused(
    mobilebench: Program, tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    _save(tmp_path)
    done = mobilebench("export", TINY, *IMAGE, *options)
    assert done.code == 2 and "Traceback" not in done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert sentence in line
    assert not list(tmp_path.glob("artifacts/[!.]*"))


def test_weights_of_older_documents_have_no_entry() -> None:
    from mobilebench.values.modelspec import Weights

    older = {"origin": "0" * 64, "state_sha256": "1" * 64}
    assert wire.from_plain(Weights, older).key is None
    with pytest.raises(ValueError, match="'random' have no entry 'model'"):
        Weights(origin="random", state_sha256="1" * 64, key="model")


def test_what_is_named_twice_is_exported_once(mobilebench: Program, tmp_path: Path) -> None:
    words = ("--out", tmp_path / "out", "--precision", "fp32", "--precision", "fp32", "--json")
    done = mobilebench("export", TINY, TINY, *IMAGE, "-f", "onnx", *words)
    assert done.code == 0, done.stderr
    assert len(json.loads(done.stdout)) == 1
    assert "export 1/1" in done.stderr
