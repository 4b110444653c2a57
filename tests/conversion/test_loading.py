"""Load model references: names, files, modules and timm."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from mobilebench.conversion.loading import load
from mobilebench.errors import UnknownName, UserError
from mobilebench.values.modelspec import CALLER, RANDOM
from mobilebench.values.request import Request
from mobilebench.values.tensor import parse_tensor
from mobilebench.zoo import create_model
from tests.conftest import MODELS

IMAGE = (parse_tensor("1x3x32x32"),)


def test_random_weights_say_so_and_are_the_same_every_time() -> None:
    first, second = load(Request(reference="mobilevig_ti")), load(Request(reference="mobilevig_ti"))
    assert first.spec.weights is not None
    assert first.spec.weights.origin == RANDOM
    assert first.spec == second.spec
    assert not first.module.training


def test_random_weights_of_the_zoo_let_every_branch_be_seen() -> None:
    """No branch may be near zero, for a file that lost a branch must fail parity."""
    module = load(Request(reference="mobilevig_ti")).module
    state = module.state_dict()
    scales = [value for key, value in state.items() if key.endswith("layer_scale_2")]
    assert scales and all(float(scale.min()) >= 0.1 for scale in scales)


def test_loading_leaves_the_callers_random_state_alone() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    load(Request(reference="mobilevig_ti"))
    assert torch.equal(before, torch.get_rng_state())


def test_weights_of_a_checkpoint_are_named_by_its_sha256(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": create_model("mobilevig_ti").state_dict()}, path)
    spec = load(Request(reference="mobilevig_ti", checkpoint=str(path))).spec
    assert spec.weights is not None and spec.weights.from_checkpoint
    assert len(spec.weights.origin) == 64
    assert spec.weights.key == "state_dict"


@pytest.mark.parametrize("reference", [f"{MODELS}:tiny", "tests.models:tiny"])
def test_a_function_of_the_users_is_a_model(reference: str) -> None:
    loaded = load(Request(reference=reference, inputs=IMAGE))
    assert loaded.spec.name == "models.tiny" or loaded.spec.name == "tests.tiny"
    assert loaded.spec.weights is not None and loaded.spec.weights.origin == CALLER
    assert not loaded.module.training


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (Request(reference="mobilevig_xl"), "did you mean"),
        (Request(reference="mobilevig_ti", resolution=8), "it takes 32 to"),
        (Request(reference="mobilevig_ti", inputs=IMAGE), "--resolution instead of"),
        (Request(reference="mobilevig_ti", ema=True), "no checkpoint given"),
        (Request(reference="mobilevig_ti", checkpoint_key="ema"), "no checkpoint given"),
        (Request(reference=f"{MODELS}:tiny"), "add --input"),
        (Request(reference=f"{MODELS}:tinny", inputs=IMAGE), "did you mean tiny"),
        (Request(reference="nowhere.py:tiny", inputs=IMAGE), "nowhere.py does not exist"),
        (Request(reference="no_such_module:tiny", inputs=IMAGE), "no module 'no_such_module'"),
        (Request(reference="no.such.module:tiny", inputs=IMAGE), "no module 'no.such.module'"),
        (Request(reference=f"{MODELS}:raises", inputs=IMAGE), "another disk.*models.py, line"),
        (
            Request(reference=f"{MODELS}:not_a_module", inputs=IMAGE),
            "returned '.*it has to return the network",
        ),
        (Request(reference=f"{MODELS}:tiny", inputs=IMAGE, num_classes=9), "--num-classes is for"),
        (Request(reference=f"{MODELS}:tiny", inputs=IMAGE, resolution=64), "--resolution is for"),
    ],
    ids=lambda value: value.reference.rpartition("/")[2] if isinstance(value, Request) else "",
)
def test_a_bad_reference_is_one_clear_sentence(request_: Request, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load(request_)


def test_a_file_that_does_not_compile_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def make(:\n")
    with pytest.raises(UserError, match="SyntaxError"):
        load(Request(reference=f"{path}:make", inputs=IMAGE))


def test_neighbours_of_the_users_file_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "my_neighbour_layers.py").write_text("from torch import nn\nlayer = nn.ReLU\n")
    path = tmp_path / "net.py"
    path.write_text("import my_neighbour_layers\ndef make(): return my_neighbour_layers.layer()\n")
    try:
        assert load(Request(reference=f"{path}:make", inputs=IMAGE)).spec.params == 0
    finally:
        sys.path.remove(str(tmp_path))


def test_a_file_and_its_neighbours_take_no_packages_place(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError('the neighbour')\n")
    (tmp_path / "onnx.py").write_text(
        "import json\nfrom torch import nn\n"
        "def make(): return nn.ReLU() if hasattr(json, 'dumps') else None\n"
    )
    before = sys.modules.get("onnx")
    try:
        loaded = load(Request(reference=f"{tmp_path / 'onnx.py'}:make", inputs=IMAGE))
        assert loaded.spec.name == "onnx.make"
        assert sys.modules.get("onnx") is before
        assert sys.path[0] != str(tmp_path)
    finally:
        sys.path.remove(str(tmp_path))


def test_a_script_that_reads_its_command_line_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text("import sys\nsys.exit(2)\n")
    try:
        with pytest.raises(UserError, match="ended the program when it was run.*__main__"):
            load(Request(reference=f"{path}:make", inputs=IMAGE))
    finally:
        sys.path.remove(str(tmp_path))


def _timm(tmp_path: Path, code: str, *, with_torchvision: bool) -> subprocess.CompletedProcess[str]:
    """Run code with a stand-in for torchvision that has only what timm imports.

    The stand-in is used where torchvision is missing and `with_torchvision` is set. timm itself is
    real. torchvision's CPU builds are not available everywhere, and timm uses only its image
    preparation, which no test here needs.
    """
    if with_torchvision and find_spec("torchvision") is None:
        package = tmp_path / "torchvision"
        package.mkdir()
        (package / "__init__.py").write_text(_STAND_IN)
    places = filter(None, [os.environ.get("PYTHONPATH")])
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *places])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


_STAND_IN = """
import enum, sys, types
Mode = enum.Enum("InterpolationMode", "NEAREST NEAREST_EXACT BILINEAR BICUBIC BOX HAMMING LANCZOS")
class _Anything(types.ModuleType):
    InterpolationMode = Mode
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})
for part in ("transforms", "transforms.functional", "ops", "ops.misc", "datasets",
             "datasets.folder", "models", "models.feature_extraction"):
    module = sys.modules[f"{__name__}.{part}"] = _Anything(f"{__name__}.{part}")
    module.__path__ = []
    parent, _, leaf = f"{__name__}.{part}".rpartition(".")
    setattr(sys.modules[parent], leaf, module)
"""
_LOAD = (
    "from mobilebench.values.request import Request\n"
    "from mobilebench.conversion.loading import load\n"
    "from mobilebench.errors import UserError\n"
    "try:\n"
    "    spec = load(Request(reference={!r})).spec\n"
    "    print(spec.inputs, spec.weights, spec.preprocessing)\n"
    "except UserError as error: print('refused:', error)\n"
)


needs_timm = pytest.mark.skipif(
    find_spec("timm") is None, reason="timm is not installed: pip install --no-deps timm"
)


@needs_timm
def test_a_timm_model_brings_its_own_input_size_and_preprocessing(tmp_path: Path) -> None:
    process = _timm(tmp_path, _LOAD.format("timm:test_resnet.r160_in1k"), with_torchvision=True)
    assert "shape=(1, 3, 160, 160)" in process.stdout, process.stdout + process.stderr
    assert "origin='random'" in process.stdout
    assert "crop_pct=0.95" in process.stdout


_CUT = """
import timm, torch
from mobilebench.conversion.loading import load
from mobilebench.slimmable import extract
from mobilebench.values.request import Request
from mobilebench.values.width import Width
width = Width.parse("1,0.75,0.5,0.25")
ours = load(Request(reference="mobilenetv2_100", resolution=64)).module.double()
theirs = timm.create_model("mobilenetv2_100").eval().double()
tensors = zip(theirs.state_dict(), ours.state_dict().values(), strict=True)
theirs.load_state_dict(dict(tensors))
image = torch.randn(1, 3, 64, 64).double()
for one, other in ((ours, theirs), (extract(ours, width), extract(theirs, width))):
    with torch.no_grad():
        print(torch.equal(one(image), other(image)))
spec = load(Request(reference="timm:mobilenetv2_100", width=width)).spec
print(spec.title, spec.params)
"""


@needs_timm
def test_timms_mobilenetv2_is_cut_as_the_zoos(tmp_path: Path) -> None:
    process = _timm(tmp_path, _CUT, with_torchvision=True)
    assert process.stdout.splitlines()[:2] == ["True", "True"], process.stderr
    assert "mobilenetv2_100 w1-0.75-0.5-0.25" in process.stdout, process.stderr


@needs_timm
def test_an_unknown_timm_model_offers_near_names(tmp_path: Path) -> None:
    process = _timm(tmp_path, _LOAD.format("timm:resnett18"), with_torchvision=True)
    assert (
        "refused: There is no model called 'timm:resnett18'; did you mean timm:resnet18"
        in process.stdout
    )


@needs_timm
def test_the_names_read_from_the_source_of_timm_are_those_that_it_registers(tmp_path: Path) -> None:
    code = (
        "import timm\nfrom mobilebench.zoo.timm_names import timm_models\n"
        "print(set(timm_models()) ^ set(timm.list_models()), len(timm_models()) > 1000)"
    )
    process = _timm(tmp_path, code, with_torchvision=True)
    assert process.stdout.strip() == "set() True", process.stderr


def _refusal(tmp_path: Path, code: str, function: str) -> str:
    path = tmp_path / "net.py"
    path.write_text(code)
    try:
        with pytest.raises(UserError) as error:
            load(Request(reference=f"{path}:{function}", inputs=IMAGE))
    finally:
        if str(tmp_path) in sys.path:
            sys.path.remove(str(tmp_path))
    return str(error.value).replace(f"{path}", "net.py")


def test_a_constructor_that_only_running_the_file_shows_is_named_with_its_line(
    tmp_path: Path,
) -> None:
    code = (
        "from torch import nn\nif nn:\n    class Net(nn.Module):\n"
        "        def __init__(self, width, *, depth=2):\n            super().__init__()\n"
    )
    assert _refusal(tmp_path, code, "Net") == (
        "net.py:Net cannot be called without arguments: it takes width (net.py, line 4: "
        "def __init__(self, width, *, depth=2):). Add a function that gives them, def make(): "
        "return Net(width=...), and export net.py:make."
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("net = nn.ReLU()", "net.py:net is a network, not a function; .*def make.*return net"),
        ("def net(): return 3", "net.py:net returned 3; it has to return the network"),
        ("def net(): return nn.ReLU", "returned the class ReLU; it has to return the network"),
        ("def net(): return nn.Linear(3, 'x')", "line 2: def net.*nn.Linear"),
        ("def net(: pass", "SyntaxError.*net.py, line 2: def net.: pass"),
        ("def other(): pass\nif nn: pass", "called 'net'; known: other\\."),
    ],
)
def test_what_a_function_gives_instead_of_a_network_is_shown(
    tmp_path: Path, code: str, words: str
) -> None:
    assert re.search(words, _refusal(tmp_path, f"from torch import nn\n{code}\n", "net"))


def test_timm_without_torchvision_says_what_to_install(tmp_path: Path) -> None:
    blocked = "import sys; sys.modules['torchvision'] = None\n" + _LOAD.format("timm:resnet18")
    process = _timm(tmp_path, blocked, with_torchvision=False)
    assert "refused: timm models need the packages timm and torchvision" in process.stdout
    assert f"torch {torch.__version__}" in process.stdout


def test_unknown_name_error_is_a_user_error() -> None:
    assert issubclass(UnknownName, UserError)
