"""A reference that names no network says what it may have meant, before torch is loaded."""

from __future__ import annotations

import subprocess
import sys
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


def edgeformer_t():
    return EdgeFormer(None)


def sized(size=3, *, depth):
    return None


make = edgeformer_t
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgeformer.py").write_text(FILE)
    return "edgeformer.py"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("edgeformer.py", "edgeformer.py:FUNCTION.*It has EdgeFormer, edgeformer_t, sized"),
        ("edgeformer.EdgeFormer", "with a colon: edgeformer:EdgeFormer"),
        ("edgeformer.py:EdgeFormer", "takes config, and nothing is known to give.*def make"),
        ("edgeformer.py:sized", "takes depth"),
        ("edgeformer.py:edgeformer", "did you mean edgeformer_t.*def make"),
        ("edgeformer.py:x", "known: EdgeFormer, edgeformer_t, sized. It has to take no required"),
        ("absent.py", "absent.py does not exist"),
        ("absent.py:make", "absent.py does not exist"),
        ("mobilenetv4_conv_small", "timm:mobilenetv4_conv_small"),
        ("mobilevig_tj", "did you mean mobilevig_ti"),
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


def test_a_wrong_name_is_refused_before_torch_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom mobilebench.cli import app\n"
        "try: app(['export', 'mobilevig_tj', '--out', 'out'], standalone_mode=False)\n"
        "except BaseException as error: print(error)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"
    assert "did you mean mobilevig_ti" in done.stderr and not (tmp_path / "out").exists()
