"""A reference that names no network says what it may have meant, before torch is loaded."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench.zoo import references

FILE = """
import torch
from torch import nn as layers


class EdgeFormer(layers.Module):
    def __init__(self, config, *, width=1.0):
        super().__init__()


class Small(EdgeFormer):
    pass


def edgeformer_t():
    return EdgeFormer(None)


def sized(size=3, *, depth):
    return None


make = edgeformer_t

if __name__ == "__main__":
    print(make())
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgeformer.py").write_text(FILE)
    return "edgeformer.py"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (
            "edgeformer.py",
            "write edgeformer.py:FUNCTION.*It has EdgeFormer .needs config., Small .needs config.,"
            " edgeformer_t, sized .needs depth.",
        ),
        ("edgeformer.py:", "write edgeformer.py:FUNCTION"),
        ("edgeformer", "write edgeformer.py:FUNCTION.*It has EdgeFormer"),
        ("edgeformer.EdgeFormer", "with a colon: edgeformer:EdgeFormer"),
        (
            "edgeformer.py:EdgeFormer",
            r"cannot be called without arguments: it takes config .edgeformer.py, line 7: "
            r"def __init__\(self, config, \*, width=1.0\):.. Add a function that gives them, "
            r"def make_edgeformer\(\): return EdgeFormer\(config=...\), and export "
            r"edgeformer.py:make_edgeformer.",
        ),
        ("edgeformer.py:Small", "it takes config .*line 7"),
        ("edgeformer.py:EdgeFormer()", "it takes config"),
        ("edgeformer.py:edgeformer_t()", "name it alone: edgeformer.py:edgeformer_t"),
        ("edgeformer.py::edgeformer_t", "more than one colon; write edgeformer.py:edgeformer_t"),
        ("edgeformer.py:sized", r"it takes depth .*return sized\(depth=...\)"),
        ("edgeformer.py:edgeformer", "did you mean edgeformer_t.*def make"),
        ("edgeformer.py:x", "known: EdgeFormer, Small, edgeformer_t, sized. It has to take no"),
        ("absent.py", "absent.py does not exist; a model is named FILE.py:FUNCTION"),
        ("absent.py:make", "absent.py does not exist"),
        ("edgefromer.py:make", "edgefromer.py does not exist; did you mean edgeformer.py"),
        ("nowhere/absent.py:make", "nowhere/absent.py does not exist"),
        ("mobilevig_tj", "did you mean mobilevig_ti"),
        ("xyz", "`mobilebench models` lists the zoo; timm's models are named timm:NAME"),
        ("best.pth", "named like a file of weights.*FILE.py:FUNCTION --checkpoint best.pth"),
        ("net.onnx", "exported already.*bench"),
        (":make", "names no network"),
        ("timm:", "timm:NAME"),
        ("", "There is no model called"),
    ],
)
def test_a_wrong_reference_says_what_it_may_have_meant(
    file: str, reference: str, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        references.require(reference)


needs_timm = pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")


@needs_timm
@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("mobilenetv4_conv_small", "in the zoo; timm has it: timm:mobilenetv4_conv_small."),
        ("resnet18.a1_in1k", "timm has it: timm:resnet18.a1_in1k."),
        ("timm.resnet18", "timm has it: timm:resnet18."),
        ("timm/resnet18", "timm has it: timm:resnet18."),
        ("mobilenetv4_conv_smal", "did you mean timm:mobilenetv4_conv_small or "),
        ("timm:resnett18", "called 'timm:resnett18'; did you mean timm:resnet18 or "),
    ],
)
def test_a_name_of_timm_is_offered_as_it_is_written(reference: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        references.require(reference)


def test_without_timm_its_names_are_left_to_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "timm_models", lambda: ())
    references.require("timm:anything")


@pytest.mark.parametrize(
    "reference",
    ["mobilevig_ti", "timm:resnet18", "edgeformer.py:edgeformer_t", "edgeformer.py:make", "a.b:c"],
)
def test_what_may_name_a_network_passes(file: str, reference: str) -> None:
    references.require(reference)


@pytest.mark.parametrize(
    "text",
    ["from torch.nn import *", "if True:\n    make = 1", "def broken(:", "for make in (1,): pass"],
)
def test_a_file_that_only_running_can_tell_passes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(text)
    references.require(f"{path}:make")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mobilevig_tj", "did you mean mobilevig_ti"),
        pytest.param("timm:resnett18", "did you mean timm:resnet18", marks=needs_timm),
    ],
)
def test_a_wrong_name_is_refused_before_torch_is_loaded(
    tmp_path: Path, name: str, words: str
) -> None:
    code = (
        "import sys\nfrom mobilebench.cli import app\n"
        f"try: app(['export', {name!r}, '--out', 'out'], standalone_mode=False)\n"
        "except BaseException as error: print(error)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"
    assert words in done.stderr and not (tmp_path / "out").exists()
