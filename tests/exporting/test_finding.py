"""A file is found again for the same network, and for no other."""

from __future__ import annotations

import enum
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobilebench import api, plugins
from mobilebench.conversion.loading import describe
from mobilebench.conversion.memory import InThisProcess
from mobilebench.errors import BundleError, CellFailed
from mobilebench.exporting import finding, preparation
from mobilebench.exporting.order import Order, Terms
from mobilebench.inputs import seeded
from mobilebench.values.artifact import REFERENCE_FILE, Artifact
from mobilebench.values.modelspec import CALLER, ModelSpec
from mobilebench.values.recipe import Precision
from mobilebench.values.request import Request, is_own
from mobilebench.values.tensor import parse_tensor
from tests.conftest import TINY


class Mode(enum.Enum):
    RELU = "relu"
    GELU = "gelu"


class Net(nn.Module):
    """(1, 3, 8, 8) -> (1, 4, 8, 8): a convolution, and `then` with one value of any kind."""

    def __init__(self, then: Callable[[Any, Tensor], Any], value: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 1)
        self.then, self.setting = then, value

    def forward(self, x: Tensor) -> Any:
        return self.then(self.setting, self.conv(x))


class WithOwnMethod(Net):
    def last(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Any:
        return self.last(super().forward(x))


SCALE = {"value": 2.0}


def _scaled(_: Any, x: Tensor) -> Tensor:
    return x * SCALE["value"]


def _times(value: Any, x: Tensor) -> Tensor:
    return x * value


def _hooked(value: Any) -> nn.Module:
    net = Net(_times, 1.0)
    net.conv.register_forward_hook(lambda _, __, y: y * value)
    return net


def _pre_hooked(value: Any) -> nn.Module:
    net = Net(_times, 1.0)
    net.conv.register_forward_pre_hook(lambda _, args: (args[0] * value,))
    return net


def _replaced(value: Any) -> nn.Module:
    net = WithOwnMethod(_times, 1.0)
    net.last = lambda x: x * value  # type: ignore[method-assign]
    return net


def _replaced_forward(value: Any) -> nn.Module:
    net = Net(_times, 1.0)
    net.conv.forward = lambda x: x * value  # type: ignore[method-assign]
    return net


def _underscored(value: Any) -> nn.Module:
    net = Net(_times, 1.0)
    net._scale = value
    net.then = lambda _, x: x * net._scale
    return net


def _read(read: Callable[[Any, Tensor], Any]) -> Callable[[Any], nn.Module]:
    return functools.partial(Net, read)


@torch.library.custom_op("mobilebench_tests::scaled_by_a_global", mutates_args=())
def _opaque(x: Tensor) -> Tensor:
    return x * SCALE["value"]


@_opaque.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


KINDS: dict[str, tuple[Callable[[Any], nn.Module], Any, Any]] = {
    "function": (_read(lambda f, x: f(x)), F.relu, F.gelu),
    "lambda": (_read(lambda f, x: f(x)), lambda x: x * 2, lambda x: x * 3),
    "another shape": (_read(lambda f, x: f(x)), F.relu, lambda x: F.avg_pool2d(x, 2)),
    "partial": (
        _read(lambda f, x: f(x)),
        functools.partial(F.leaky_relu, negative_slope=0.1),
        functools.partial(F.leaky_relu, negative_slope=0.2),
    ),
    "tensor": (_read(_times), torch.tensor(2.0), torch.tensor(3.0)),
    "array": (
        _read(lambda v, x: x * torch.from_numpy(v)),
        np.full((1, 4, 1, 1), 2, np.float32),
        np.full((1, 4, 1, 1), 3, np.float32),
    ),
    "array scalar": (_read(_times), np.float64(2), np.float64(3)),
    "list of tensors": (_read(lambda v, x: x * v[0]), [torch.tensor(2.0)], [torch.tensor(3.0)]),
    "dictionary": (_read(lambda v, x: x * v["by"]), {"by": 2.0}, {"by": 3.0}),
    "set": (_read(lambda v, x: F.relu(x) if "relu" in v else x), {"relu"}, {"gelu"}),
    "slice": (_read(lambda v, x: x[:, :, v]), slice(0, 4), slice(4, 8)),
    "range": (_read(lambda v, x: x[:, list(v)]), range(2), range(2, 4)),
    "enumeration": (
        _read(lambda v, x: F.relu(x) if v is Mode.RELU else F.gelu(x)),
        Mode.RELU,
        Mode.GELU,
    ),
    "settings": (
        _read(lambda v, x: x * v.by),
        SimpleNamespace(by=2.0),
        SimpleNamespace(by=3.0),
    ),
    "bytes": (_read(lambda v, x: x * len(v)), b"12", b"123"),
    "shape": (_read(lambda v, x: x.reshape(v)), torch.Size((1, 256)), torch.Size((1, 4, 64))),
    "device of numbers": (_read(lambda v, x: x * v.imag), 2j, 3j),
    "underscore": (_underscored, 2.0, 3.0),
    "hook": (_hooked, 2.0, 3.0),
    "hook before": (_pre_hooked, 2.0, 3.0),
    "method": (_replaced, 2.0, 3.0),
    "forward": (_replaced_forward, 2.0, 3.0),
    "names of outputs": (_read(lambda v, x: {v: x, "b": x + 1}), "a", "c"),
    "one more output": (_read(lambda v, x: tuple([x, x + 1][: v["n"]])), {"n": 1}, {"n": 2}),
    "inputs that were not drawn": (
        _read(lambda v, x: x.clamp(max=v["most"])),
        {"most": 1e3},
        {"most": 1e4},
    ),
}


def _order(net: nn.Module, out_dir: Path) -> Order:
    """Prepare a network really, and return the order of its ONNX file."""
    out_dir.mkdir(parents=True)
    loaded = describe(net.eval(), ModelSpec(name="net", inputs=(parse_tensor("1x3x8x8"),)), CALLER)
    exporter = plugins.exporter("onnx")
    recipe = exporter.recipe(Precision.FP32)
    request = Request(reference="memory:net", inputs=loaded.spec.inputs)
    InThisProcess(loaded).prepare(request, [recipe], Terms(), out_dir, Event())
    prepared = preparation.read(out_dir)
    assert prepared is not None
    return Order(request, recipe, prepared, out_dir, dict(exporter.tool_versions()), Terms())


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_differs_in_anything_has_another_key(kind: str, tmp_path: Path) -> None:
    build, first, second = KINDS[kind]
    one, same, other = (
        _order(build(value), tmp_path / name)
        for name, value in (("one", first), ("same", first), ("other", second))
    )
    assert one.key == same.key
    assert one.key != other.key


def test_networks_exported_one_after_the_other_have_their_own_files(tmp_path: Path) -> None:
    functions = (F.relu, F.gelu, lambda x: F.avg_pool2d(x, 2), F.relu)
    artifacts = [
        api.export(
            Net(lambda f, x: f(x), function).eval(),
            "onnx",
            inputs=["1x3x8x8"],
            out_dir=tmp_path,
        )
        for function in functions
    ]
    assert len({artifact.folder for artifact in artifacts}) == 3
    assert artifacts[3].folder == artifacts[0].folder
    shapes = [artifact.manifest.facts.preflight.outputs[0].shape for artifact in artifacts]
    assert shapes[2] == (1, 4, 4, 4)


@pytest.fixture
def scale() -> Iterator[dict[str, float]]:
    before = dict(SCALE)
    yield SCALE
    SCALE.update(before)


def test_a_value_of_another_module_is_seen(tmp_path: Path, scale: dict[str, float]) -> None:
    one = _order(Net(_scaled, None), tmp_path / "one")
    scale["value"] = 3.0
    assert _order(Net(_scaled, None), tmp_path / "other").key != one.key


def test_an_operation_of_ones_own_that_changed_is_seen(
    tmp_path: Path, scale: dict[str, float]
) -> None:
    """The graph holds only its name, so the outputs that the bundle keeps must tell."""
    net = Net(lambda _, x: _opaque(x), None)
    one, out = _order(net, tmp_path / "one"), tmp_path / "out"
    made = api.export(Net(lambda _, x: x * 2.0, None).eval(), "onnx", inputs=["1x3x8x8"],
                      out_dir=out)  # fmt: skip
    made.folder.rename(one.place(out))  # as if the operation itself could be exported
    assert isinstance(finding.find(one, out), Artifact)
    scale["value"] = 3.0
    other = _order(net, tmp_path / "other")
    assert other.key == one.key
    with pytest.raises(BundleError, match="a network that computed something else"):
        finding.find(other, out)


def test_outputs_of_another_machine_are_those_of_the_same_network(tmp_path: Path) -> None:
    order, out = _order(Net(_times, 1.0), tmp_path / "one"), tmp_path / "out"
    made = api.export(Net(_times, 1.0).eval(), "onnx", inputs=["1x3x8x8"], out_dir=out)
    made.folder.rename(order.place(out))
    kept = order.place(out) / REFERENCE_FILE
    batches = seeded.load_batches(kept)
    seeded.save_batches(kept, [[array * np.float32(1 + 2e-7) for array in b] for b in batches])
    assert finding.find(order, out) is not None
    seeded.save_batches(kept, [[array * np.float32(1.01) for array in b] for b in batches])
    with pytest.raises(BundleError):
        finding.find(order, out)
    kept.unlink()
    with pytest.raises(BundleError, match=r"lost its reference\.npz"):
        finding.find(order, out)


def test_a_file_that_failed_parity_is_no_success_of_a_later_run(tmp_path: Path) -> None:
    class Large(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x * 1e4) ** 2 * 1e-8

    def run(allow: bool) -> Artifact:
        return api.export(
            Large().eval(),
            "onnx",
            precision="fp16",
            inputs=["1x3x8x8"],
            out_dir=tmp_path,
            allow_parity_failure=allow,
        )

    first = run(allow=True)
    assert not first.manifest.facts.parity[0].passed
    assert run(allow=True).manifest == first.manifest
    with pytest.raises(CellFailed, match="parity"):
        run(allow=False)


HELPERS = {
    "ops.py": ("def activation(x):\n    return x.relu()\n", "relu", "sigmoid"),
    "config.json": ('{"scale": 2.0}', "2.0", "3.0"),
}
MAIN = """
import json, pathlib
import torch
from ops import activation

SCALE = json.loads((pathlib.Path(__file__).parent / "config.json").read_text())["scale"]

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)
    def forward(self, x):
        return activation(self.conv(x)).mean((2, 3)) * SCALE

def make():
    torch.manual_seed(0)
    return Net()
"""


def test_the_program_sees_a_change_of_a_neighbouring_file(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MAIN)
    for name, (text, _, _) in HELPERS.items():
        (tmp_path / name).write_text(text)

    def run() -> tuple[bool, str]:
        done = subprocess.run(
            [sys.executable, "-m", "mobilebench", "export", "net.py:make", "--input", "1x3x16x16",
             "-f", "onnx", "--out", "out", "--json"],
            cwd=tmp_path,
            env={**os.environ, "MOBILEBENCH_STORE": str(tmp_path / "records.sqlite")},
            capture_output=True,
            text=True,
            check=True,
        )  # fmt: skip
        [row] = json.loads(done.stdout)
        return row["cached"], row["folder"]

    first = run()
    assert run() == (True, first[1])
    folders = {first[1]}
    for name, (text, before, after) in HELPERS.items():
        (tmp_path / name).write_text(text.replace(before, after))
        cached, folder = run()
        assert not cached and folder not in folders
        folders.add(folder)


def test_the_code_of_a_zoo_network_has_a_digest() -> None:
    assert is_own(TINY)
    assert not is_own("mobilevig_ti")
    assert not is_own("timm:mobileone_s0")
