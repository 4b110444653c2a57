"""Official files load strictly; any other gives one clear sentence and changes no model."""

from __future__ import annotations

import argparse
import collections
import hashlib
import importlib
import os
import random
import sys
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from mobilebench.errors import CheckpointError, MobilebenchWarning
from mobilebench.zoo import create_model, load_checkpoint, saved
from mobilebench.zoo.checkpoints import load_weights
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
            "hook": _Code(),
        },
    }[layout]
    path = _saved(tmp_path / "weights.pth", content)
    assert load_checkpoint(model, path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert _same(model, trained)
    assert not Path("/tmp/mobilebench-test-was-run").exists()


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
            return _saved(path, _Code())
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
    "code": "contains a posix.system, not a dictionary",
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


class Small(nn.Module):
    """A network with every kind of tensor: parameters, buffers, one of them not in its state."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.register_buffer("grid", torch.zeros(2), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        normalised: Tensor = self.norm(self.conv(image))
        return normalised


def _trained(seed: int = 1) -> Small:
    network = Small()
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.copy_(torch.full_like(tensor, seed))
    return network


@dataclass
class _Config:
    width: int = 3
    folder: Path = Path("runs")


class _Mode(Enum):
    FAST = "fast"


class _Attributes(dict[str, Any]):
    """As the configurations of several libraries are."""


def _training_loop() -> dict[str, Any]:
    """Return what a training loop saves, objects of its own and of libraries among it."""
    network = _trained()
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.zeros(1, 3, 8, 8)).sum().backward()
    optimizer.step()
    network = _trained()
    return {
        "model": {f"module.{key}": value for key, value in network.state_dict().items()},
        "model_ema": _trained(2).state_dict(),
        "optimizer": optimizer.state_dict(),
        "optimizer object": optimizer,
        "scheduler": torch.optim.lr_scheduler.LambdaLR(optimizer, _at_rate).state_dict(),
        "function": _at_rate,
        "args": argparse.Namespace(lr=0.002, device=torch.device("cpu")),
        "config": _Config(),
        "mode": _Mode.FAST,
        "attributes": _Attributes(a=1, b=_Attributes(c=2)),
        "best": np.float64(0.8),
        "history": np.arange(3),
        "time": datetime(2025, 1, 1, tzinfo=UTC),
        "path": Path("x"),
        "losses": collections.defaultdict(list, {1: [torch.tensor(2.0)]}),
        "counts": collections.Counter("aab"),
        "names": {"a", "b"},
        "others": (frozenset([1]), 3j, b"x", bytearray(b"y"), 10**40, ..., torch.float16),
        "rng": torch.get_rng_state(),
        "sparse": torch.eye(2).to_sparse(),
        "quantized": _quantized(),
        "meta": torch.empty(2, device="meta"),
        "storage": torch.ones(2).untyped_storage(),
        "hook": _Code(),
    }


def _quantized() -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch gives them up, but files hold them
        return torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)


def _at_rate(_: int) -> float:
    return 1.0


@pytest.mark.parametrize("archive", [True, False], ids=["archive", "older"])
@pytest.mark.parametrize("protocol", range(2, 6))
def test_the_checkpoint_of_a_training_loop_loads(
    archive: bool, protocol: int, tmp_path: Path
) -> None:
    path = tmp_path / "best.pth"
    content = _training_loop()
    torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=archive)
    model = Small()
    with pytest.warns(MobilebenchWarning, match="averaged weights too, in 'model_ema'; --ema"):
        assert load_weights(model, path).key == "model"
    assert state_sha256(model) == state_sha256(_trained())
    assert load_weights(model, path, ema=True).key == "model_ema"
    assert state_sha256(model) == state_sha256(_trained(2))
    assert not Path("/tmp/mobilebench-test-was-run").exists()


def test_the_users_own_module_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_config.py").write_text("class Config:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("their_config")
    path = _saved(tmp_path / "w.pth", {"model": _trained().state_dict(), "c": module.Config()})
    monkeypatch.delitem(sys.modules, "their_config")
    load_checkpoint(Small(), path)
    assert "their_config" not in sys.modules


@pytest.mark.parametrize("wrapped", [False, True], ids=["alone", "in parallel"])
@pytest.mark.parametrize("archive", [True, False], ids=["archive", "older"])
@pytest.mark.parametrize("key", [None, "model", "ema"])
def test_a_network_that_was_saved_whole_loads(
    key: str | None, archive: bool, wrapped: bool, tmp_path: Path
) -> None:
    network = nn.DataParallel(_trained()) if wrapped else _trained()
    content = network if key is None else {"model": None, key: network, "updates": 3}
    model = Small()
    path = tmp_path / "w.pth"
    torch.save(content, path, _use_new_zipfile_serialization=archive)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert load_weights(model, path).key == key
    assert "holds a whole network of the class" in str(caught[-1].message)
    assert state_sha256(model) == state_sha256(_trained())


_STATE = _trained().state_dict()
_AVERAGE = _trained(2).state_dict()
_OTHER = nn.Linear(2, 2).state_dict()


def _prefixed(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}.{key}": value for key, value in state.items()}


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"net": _STATE, "teacher": _OTHER}, "net"),
        ({"model": _OTHER, "net": _STATE}, "net"),
        ({"run": {"weights": {"net": _STATE}}}, "run.weights.net"),
        ({"state": {"model": _STATE, "optimizer": {"state": {0: _OTHER}}}}, "state.model"),
        ([_STATE, {"lr": 0.1}], "0"),
        (_Config(_STATE), "width"),  # type: ignore[arg-type]
        ({"ema": {"module": _STATE}}, "ema.module"),
        ({"weights": _prefixed("net", _STATE) | _prefixed("loss", _OTHER)}, "weights.net"),
        (_prefixed("model._orig_mod", _STATE) | _prefixed("criterion", _OTHER), "model"),
        ({"net": AveragedModel(_trained()).state_dict()}, "net.module"),
        ({"net": _STATE, "best": _STATE}, "net"),
        ({"log": [{"loss": 0.1}] * 30_000, "scores": [0.5] * 30_000, "net": _STATE}, "net"),
        ({"net": _STATE, "best": dict(_STATE), "d": _OTHER}, "net"),
    ],
)
@pytest.mark.filterwarnings("ignore::mobilebench.errors.MobilebenchWarning")
def test_the_one_entry_that_fits_is_found_whatever_its_name(
    content: object, key: str, tmp_path: Path
) -> None:
    path, model = _saved(tmp_path / "w.pth", content), Small()
    assert load_weights(model, path).key == key
    assert state_sha256(model) == state_sha256(_trained())
    model = Small()
    assert load_weights(model, path, checkpoint_key=key).key == key
    assert state_sha256(model) == state_sha256(_trained())


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (_STATE, []),
        ({"state_dict": _STATE, "epoch": 3, "loss": {"train": torch.tensor(0.1)}}, []),
        ({"model": _STATE, "optimizer": {"buffer": torch.ones(3)}}, []),
        ({"state_dict": _STATE, "model_ema": _AVERAGE}, ["averaged weights too, in 'model_ema'"]),
        ({"model": _STATE, "ema": {"module": _AVERAGE, "d": 1}}, ["too, in 'ema.module'; --ema"]),
        ({"model": _STATE, "schema": _AVERAGE}, ["tensors in 'schema' too; --checkpoint-key"]),
        ({"model": _STATE, "net": _STATE}, []),
        ({"model": _STATE, "net": _AVERAGE}, ["tensors in 'net' too; --checkpoint-key"]),
        ({"net": _STATE, "d": _OTHER}, ["from the entry 'net' of", "tensors in 'd' too"]),
        (
            {"state_dict": _prefixed("model", _STATE) | _prefixed("ema_model", _AVERAGE)},
            ["from the entry 'state_dict.model'", "too, in 'state_dict.ema_model'", "left out"],
        ),
        ({"epoch": 1, "ema": _STATE}, ["The averaged weights were taken from the entry 'ema'"]),
    ],
)
def test_what_was_guessed_and_what_else_there_is_is_said(
    content: object, sentences: list[str], tmp_path: Path
) -> None:
    path, model = _saved(tmp_path / "w.pth", content), Small()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_checkpoint(model, path)
    assert state_sha256(model) == state_sha256(_trained())
    assert len(caught) == len(sentences)
    for sentence, warning in zip(sentences, caught, strict=True):
        assert sentence in str(warning.message)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"model": _STATE, "ema": _AVERAGE}, "ema"),
        ({"model": _STATE, "swa_model": _AVERAGE}, "swa_model"),
        ({"model": _STATE, "ema": _STATE, "model_ema": _AVERAGE}, "model_ema"),
        ({"model": _STATE, "ema": {"module": _AVERAGE}}, "ema.module"),
        ({"model": _STATE, "ema": AveragedModel(_trained(2)).state_dict()}, "ema.module"),
        ({"model": _STATE, "ema": AveragedModel(_trained(2))}, "ema.module"),
        (_prefixed("net", _STATE) | _prefixed("ema_net", _AVERAGE), "ema_net"),
    ],
)
@pytest.mark.filterwarnings("ignore::mobilebench.errors.MobilebenchWarning")
def test_the_averaged_weights_that_are_offered_are_those_that_load(
    content: object, key: str, tmp_path: Path
) -> None:
    model = Small()
    assert load_weights(model, _saved(tmp_path / "w.pth", content), ema=True).key == key
    assert state_sha256(model) == state_sha256(_trained(2))


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        ({"a": _STATE, "b": _AVERAGE}, {}, "2 entries of .* fit Small: 'a', 'b'; choose one with"),
        ({"a": _OTHER, "b": _OTHER}, {}, "'a' of .* does not fit Small.*Tensors are in 'b' too"),
        ({"model": _OTHER, "b": {"c": _OTHER}}, {}, "Tensors are in 'b.c' too; choose with --chec"),
        ({"a": _STATE}, {"checkpoint_key": "b"}, "no entry 'b' that holds tensors.*it has 'a'"),
        ({"a": _STATE, "b": 1}, {"checkpoint_key": "b"}, "no entry 'b' that holds tensors"),
        ({"a": _STATE, "b": _OTHER}, {"checkpoint_key": "b"}, "entry 'b' of .* does not fit"),
        (_STATE, {"checkpoint_key": "model"}, "no entry 'model' .*it is itself the state dict"),
        ({"a": _STATE}, {"checkpoint_key": "a", "ema": True}, "ask for one of them"),
        ({"a": _STATE, "ema1": _OTHER, "ema_2": _OTHER}, {"ema": True}, "'ema1' of .* not fit"),
        ({"a": torch.ones(2).conj()}, {}, "Keys missing"),
        ({"epoch": 3}, {}, "not tensors: epoch"),
        (_Config(), {}, "contains a .*_Config, not a dictionary"),
        (3, {}, "contains a int, not a dictionary"),
    ],
)
def test_entries_that_cannot_be_chosen_are_named(
    content: object, options: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    model = Small()
    with pytest.raises(CheckpointError, match=sentence):
        load_checkpoint(model, _saved(tmp_path / "w.pth", content), **options)
    assert state_sha256(model) == state_sha256(Small())


def test_names_in_a_file_do_nothing_to_a_terminal(tmp_path: Path) -> None:
    state = {"\x1b[2J\nerror: x": torch.ones(1), "y" * 10_000: torch.ones(1)}
    for content in (state, {"\x1b[31mnet": state}, {"\x1b[31ma": state, "b": state}):
        with pytest.raises(CheckpointError) as caught:
            load_checkpoint(Small(), _saved(tmp_path / "w.pth", content))
        assert str(caught.value).isprintable() and len(str(caught.value)) < 2000


def test_a_name_for_the_same_tensors_can_be_chosen(tmp_path: Path) -> None:
    path = _saved(tmp_path / "w.pth", {"model": _STATE, "best": _STATE})
    assert load_weights(Small(), path, checkpoint_key="best").key == "best"


def test_an_entry_of_a_state_dict_in_memory_is_chosen_too() -> None:
    model = Small()
    assert load_checkpoint(model, {"a": _STATE, "b": _AVERAGE}, checkpoint_key="b") is None
    assert state_sha256(model) == state_sha256(_trained(2))


@pytest.mark.parametrize("archive", [True, False], ids=["archive", "older"])
def test_every_kind_of_tensor_is_read_as_pytorch_reads_it(archive: bool, tmp_path: Path) -> None:
    base = torch.arange(24, dtype=torch.float32)
    tensors = {
        "view": base.reshape(4, 6).t()[1:, ::2],
        "same storage": base[5:],
        "scalar": torch.tensor(3),
        "empty": torch.empty(0, 3),
        "expanded": torch.ones(1, 2).expand(4, 2),
        "bool": torch.tensor([True, False]),
        "parameter": nn.Parameter(torch.ones(2)),
        "complex": torch.tensor([1 + 2j]),
        **{
            str(dtype): torch.ones(3).to(dtype)
            for dtype in (torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8)
        },
        **{str(dtype): torch.ones(3).to(dtype) for dtype in (torch.int16, torch.int32)},
        **{str(dtype): torch.ones(3).to(dtype) for dtype in (torch.uint16, torch.float8_e4m3fn)},
    }
    path = tmp_path / "w.pth"
    torch.save(tensors, path, _use_new_zipfile_serialization=archive)
    read = saved.read(path)
    assert read.keys() == tensors.keys()
    for name, expected in tensors.items():
        assert read[name].dtype == expected.dtype and read[name].shape == expected.shape, name
        assert torch.equal(read[name], expected), name


def test_a_tensor_that_is_no_plain_view_is_not_read_as_one(tmp_path: Path) -> None:
    path = _saved(tmp_path / "w.pth", {"a": torch.tensor([1 + 2j]).conj()})
    assert not isinstance(saved.read(path)["a"], Tensor)


def test_an_archive_of_a_big_endian_machine_is_read(tmp_path: Path) -> None:
    path, swapped = _saved(tmp_path / "w.pth", {"a": torch.arange(3.0)}), tmp_path / "big.pth"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(swapped, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("/byteorder"):
                content = b"big"
            elif name.endswith("/data/0"):
                content = np.frombuffer(content, "<f4").astype(">f4").tobytes()
            target.writestr(name, content)
    assert torch.equal(saved.read(swapped)["a"], torch.arange(3.0))


@pytest.mark.filterwarnings("ignore:.*jit.*:DeprecationWarning")
def test_a_torchscript_archive_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "scripted.pt"
    torch.jit.trace(nn.Conv2d(3, 8, 3), torch.zeros(1, 3, 8, 8)).save(str(path))
    with pytest.raises(CheckpointError, match="is a TorchScript archive"):
        load_checkpoint(nn.Conv2d(3, 8, 3), path)


@pytest.mark.parametrize("objects", [False, True], ids=["state dict", "training loop"])
def test_no_damaged_file_loads_or_ends_in_anything_but_one_sentence(
    objects: bool, tmp_path: Path
) -> None:
    state = nn.Conv2d(3, 8, 3).state_dict()
    content = {"state_dict": state, "args": _Config(), "hook": _Code()} if objects else state
    whole = _saved(tmp_path / "whole.pth", content).read_bytes()
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


def test_no_damaged_older_file_ends_in_anything_but_one_sentence(tmp_path: Path) -> None:
    state = nn.Conv2d(3, 8, 3).state_dict()
    path = tmp_path / "w.pth"
    content = {"state_dict": state, "args": _Config(), "hook": _Code()}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    whole, rng = path.read_bytes(), random.Random(0)
    loads = 0
    for number in range(300):
        damaged = bytearray(whole)
        if number % 2:
            del damaged[rng.randrange(len(damaged)) :]
        else:
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            load_checkpoint(nn.Conv2d(3, 8, 3), path)
        except CheckpointError:
            continue
        loads += 1
        assert number % 2 == 0  # it has no checksums, and a number may become another
    assert loads < 140
