"""Known failures, each provoked by a network that causes it, in the real toolkit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mobilebench import export, failures, plugins
from mobilebench.conversion import steps
from mobilebench.conversion.loading import describe
from mobilebench.deploy import deploy
from mobilebench.errors import CellFailed
from mobilebench.failures import failure_of
from mobilebench.inputs.source import InputSource
from mobilebench.values.measurement import Failure
from mobilebench.values.modelspec import CALLER, ModelSpec
from mobilebench.values.recipe import Precision
from mobilebench.values.tensor import parse_tensor
from mobilebench.zoo import create_model
from mobilebench.zoo.layers.initialise import for_verification
from mobilebench_exporters import _pt2e

# The toolkits run in this process here and warn of themselves.
pytestmark = pytest.mark.filterwarnings("ignore")


class Conv(nn.Module):
    """(1, 3, 8, 8) -> (1, 4, 8, 8)"""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)


class WholeSlice(Conv):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y[:, :4]


class Eigenvalues(Conv):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.linalg.eigvalsh(y[:, 0] + y[:, 0].transpose(1, 2))


class SixDimensions(Conv):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y.reshape(1, 2, 2, 4, 2, 8).sum(2)


class Histogram(Conv):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.histc(y, bins=4)


class Decides(Conv):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y * 2 if y.sum() > 0 else y


class ThroughNumpy(Conv):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.from_numpy(y.detach().numpy() * 2)


class Spectrum(Conv):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.fft.fft2(y).abs()


class InDouble(Conv):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y.double().mean((2, 3))


class OnlyPositive(Conv):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.nonzero(y > 0).float()


PROVOKED = [
    ("coreml", WholeSlice, "leave it out", "return y[:, :4]"),
    ("coreml", Eigenvalues, "no conversion for this operation", "return torch.linalg.eigvalsh"),
    ("coreml", SixDimensions, "at most five dimensions", None),
    ("onnx", Eigenvalues, "ONNX has no operator", "return torch.linalg.eigvalsh"),
    ("onnx", Decides, "torch.where", "return y * 2 if y.sum() > 0 else y"),
    ("executorch", Eigenvalues, "ExecuTorch has no kernel", "return torch.linalg.eigvalsh"),
    ("executorch", ThroughNumpy, "use torch's operations", "y.detach().numpy()"),
    ("tflite", Histogram, "LiteRT has no operator", "return torch.histc(y, bins=4)"),
    ("tflite", Spectrum, "no complex numbers", "return torch.fft.fft2(y).abs()"),
    ("tflite", InDouble, "do not use double", None),
    ("tflite", OnlyPositive, "mask them", "return torch.nonzero(y > 0).float()"),
    ("tflite", Decides, "torch.where", "return y * 2 if y.sum() > 0 else y"),
]


@pytest.mark.parametrize(
    ("name", "network", "advice", "line"),
    PROVOKED,
    ids=[f"{name}-{network.__name__}" for name, network, _, _ in PROVOKED],
)
def test_a_known_failure_comes_with_its_cure_and_its_line(
    name: str,
    network: type[nn.Module],
    advice: str,
    line: str | None,
    tmp_path: Path,
) -> None:
    failure = _fail(name, network, tmp_path)
    assert failure.stage == "export"
    assert failure.advice is not None and advice in failure.advice, failure
    if line is not None:
        assert f"{__file__}, line " in failure.message and line in failure.message


def _fail(name: str, network: type[nn.Module], folder: Path) -> Failure:
    spec = ModelSpec(name="provoked", inputs=(parse_tensor("1x3x8x8"),))
    loaded = describe(network().eval(), spec, CALLER)
    recipe = plugins.exporter(name).recipe(Precision.FP32)
    with pytest.raises(CellFailed) as caught:
        steps.convert_loaded(loaded, recipe, InputSource(), folder)
    return failure_of(caught.value, recipe)


SLICES = "keep slices, concatenations and maxima together in floats"


@pytest.mark.slow
def test_a_tensor_that_crosses_between_delegates_in_8_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pt2e, "_ALSO_FLOAT", re.compile("nothing"))
    network = create_model("mobilevig_ti").eval()
    for_verification(network, 0)
    module = deploy(network, torch.zeros(1, 3, 224, 224))
    with pytest.raises(CellFailed, match=SLICES):
        export(module, "executorch", precision="int8", inputs=["1x3x224x224"], out_dir=tmp_path)


class Sorts(Conv):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.sort(y, 1).values


NO_KERNEL = "LiteRT's runtime has no kernel for this, in no precision"


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_an_operation_without_a_kernel_is_named_in_every_precision(
    precision: str, tmp_path: Path
) -> None:
    words = {"precision": precision, "inputs": ["1x3x8x8"], "out_dir": tmp_path}
    with pytest.raises(CellFailed, match=NO_KERNEL) as caught:
        export(Sorts().eval(), "tflite", **words)
    assert "STABLEHLO_SORT" in caught.value.message
    assert f"{__file__}, line " in caught.value.message
    assert "return torch.sort(y, 1).values" in caught.value.message
    assert "also offers" not in caught.value.message, "no precision has a kernel for it"


def test_every_cure_of_a_toolkit_is_provoked_here() -> None:
    for name in plugins.exporter_names():
        provoked = [advice for format, _, advice, _ in PROVOKED if format == name]
        provoked += [SLICES] * (name == "executorch") + [NO_KERNEL] * (name == "tflite")
        for cure in plugins.exporter(name).cures:
            assert any(advice in cure.advice for advice in provoked), cure


def test_limits_say_which_option_raises_them() -> None:
    killed = "its process was ended by the signal SIGKILL"
    for error, message, option in (
        ("OutOfMemory", "its process held too much", "--memory-limit"),
        ("Timeout", "its process did not end", "--time-limit"),
        ("Crash", killed, "--jobs"),
    ):
        advice = failures.find(CellFailed("export", error, message), failures.GENERAL)
        assert advice is not None and option in advice


def test_an_unknown_failure_has_no_advice() -> None:
    known = [cure for name in plugins.exporter_names() for cure in plugins.exporter(name).cures]
    error = CellFailed("export", "RuntimeError", "something new", "a log")
    assert failures.find(error, (*failures.GENERAL, *known)) is None


def test_signatures_are_expressions() -> None:
    for name in plugins.exporter_names():
        for cure in plugins.exporter(name).cures:
            re.compile(cure.signature)
            assert cure.advice and not cure.advice.endswith(".")
