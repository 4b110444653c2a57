"""`--width` exports a network cut to some of its channels, and says so wherever it is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mobilebench import export
from mobilebench.conversion.loading import load
from mobilebench.errors import UserError
from mobilebench.slimmable import extract
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.modelspec import Macs
from mobilebench.values.request import Request
from mobilebench.values.width import Width
from mobilebench.zoo import create_model
from mobilebench.zoo.complexity import count_macs, count_params
from mobilebench.zoo.fingerprint import state_sha256
from mobilebench.zoo.layers.initialise import for_verification
from tests.conftest import TINY, Ran

Program = Callable[..., Ran]
ONNX = ("-f", "onnx", "--resolution", "64")


def test_a_network_is_exported_at_each_width(mobilebench: Program, tmp_path: Path) -> None:
    done = mobilebench(
        "export", "mobilevig_ti", "--width", "0.5", "--width", "1,0.75,0.5,0.5", *ONNX, "--json"
    )
    assert done.code == 0, done.stderr
    exports = json.loads(done.stdout)
    assert [each["model"] for each in exports] == [
        "mobilevig_ti@64 w0.5",
        "mobilevig_ti@64 w1-0.75-0.5-0.5",
    ]
    for each, shares in zip(exports, ([0.5] * 4, [1.0, 0.75, 0.5, 0.5]), strict=True):
        model = each["manifest"]["model"]
        assert model["stage_widths"] == shares
        assert (model["name"], model["width"]) == ("mobilevig_ti", sum(shares) / 4)
        assert model["published"] == []
        narrow = extract(create_model("mobilevig_ti").eval(), shares)
        assert model["params"] == count_params(narrow)
        macs = count_macs(narrow, [torch.zeros(1, 3, 64, 64)])
        assert Macs(**model["macs"]) == macs
        parity = Artifact.load(tmp_path / each["folder"]).manifest.facts.parity
        assert parity and all(each.passed for each in parity)
    again = mobilebench("export", "mobilevig_ti", "--width", "0.5", *ONNX, "--json")
    [cached] = json.loads(again.stdout)
    assert cached["cached"] and cached["folder"] == exports[0]["folder"]

    measured = mobilebench("bench", exports[0]["folder"], "--protocol", "smoke-1")
    assert measured.code == 0, measured.stderr
    assert "mobilevig_ti@64 w0.5" in measured.stdout
    assert "mobilevig_ti@64 w0.5" in mobilebench("leaderboard", "--as", "markdown").stdout


@pytest.mark.parametrize("width", ["1", "1,1,1,1"])
def test_a_full_width_is_the_full_network(width: str) -> None:
    full = load(Request(reference="mobilevig_ti")).spec
    assert load(Request(reference="mobilevig_ti", width=Width.parse(width))).spec == full
    assert "stage_widths" not in wire.to_plain(full)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("mobilevig_ti", "--width", "0"), "--width was given as 0; give a number above 0 and up"),
        (("mobilevig_ti", "--width", "nan"), "--width was given as nan; give a number"),
        (("mobilevig_ti", "--width", "1,0.5"), "1,0.5 has 2 numbers, and mobilevig_ti has 4"),
        (("mobilevig_ti", "--width", "0.05"), "keeps none of the 42 channels of stage 1 of mobil"),
        (("vcmamba_s", "--width", "0.5"), "keep it whole: --width 0.5,0.5,0.5,1"),
        ((TINY, "--input", "1x3x32x32", "--width", "0.5"), "--width was given for"),
        (("timm:resnet18", "--width", "0.5"), "only timm:mobilenetv2_... has widths: leave it out"),
    ],
)
def test_a_width_that_cannot_be_is_one_sentence(
    mobilebench: Program, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = mobilebench("export", *arguments, "-f", "onnx")
    assert done.code == 2, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert sentence in line and "Traceback" not in done.stderr
    assert not list((tmp_path / "artifacts").glob("*/manifest.json"))


def test_weights_of_a_checkpoint_are_loaded_before_the_cut(tmp_path: Path) -> None:
    full = create_model("rapidnet_ti")
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": full.state_dict()}, path)
    width = Width.parse("0.5")
    loaded = load(Request(reference="rapidnet_ti", checkpoint=str(path), width=width))
    narrow = extract(full, width)
    assert state_sha256(loaded.module) == state_sha256(narrow)
    weights = loaded.spec.weights
    assert weights is not None and weights.from_checkpoint
    assert weights.state_sha256 == state_sha256(narrow)
    assert loaded.spec.stage_widths == (0.5,) * 4 and loaded.spec.macs is None


def test_python_exports_a_width_of_a_module(tmp_path: Path) -> None:
    module = create_model("mobilevig_ti")
    for_verification(module)
    shares = (1, 0.75, 0.5, 0.5)
    artifact = export(
        module.eval(),
        "onnx",
        precision="int8",
        inputs=["1x3x32x32"],
        width=shares,
        out_dir=tmp_path,
    )
    assert artifact.manifest.model.stage_widths == shares
    assert artifact.name.startswith("MobileViG@32 w1-0.75-0.5-0.5 onnx-int8")


@pytest.mark.parametrize(
    ("width", "sentence"),
    [(2, r"^width was given as 2; give a number above 0"), ((1, 0.5), r"^width 1,0.5 has 2 num")],
)
def test_python_names_its_argument(tmp_path: Path, width: float, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        export("mobilevig_ti", "onnx", width=width, out_dir=tmp_path)
