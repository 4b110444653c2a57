"""Networks that are too large for one file: ONNX puts the weights beside it, others refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mobilebench import api, pipeline, plugins
from mobilebench.errors import BundleError, CellFailed
from mobilebench.inspecting import differences, inspection
from mobilebench.values.artifact import Artifact, content_sha256
from mobilebench.values.measurement import Measurement
from mobilebench.verifying import verification
from tests.protocols import quick

# The toolkits run in this process and raise their own warnings.
pytestmark = pytest.mark.filterwarnings("ignore")

SMALL = 1000
"""Bytes that one file may hold, for a network of some kilobytes."""


class Wide(nn.Module):
    """(1, 3, 16, 16) -> (1, 10), with weights of more than a kilobyte in 8 bits."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.first, self.second = nn.Conv2d(3, 64, 3), nn.Conv2d(64, 64, 1)
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.second(self.first(x)[:, :, 2:].relu()).mean((2, 3)))
        return y


def _export(out: Path, format_: str, precision: str = "fp32", **how: str) -> Artifact:
    return api.export(
        Wide().eval(),
        format_,
        precision=precision,
        inputs=["1x3x16x16"],
        out_dir=out,
        **how,  # type: ignore[arg-type]
    )


def _limited(format_: str, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plugins.exporter(format_), "one_file_bytes", SMALL)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8", "int8-weights"])
def test_weights_lie_beside_a_file_that_cannot_hold_them(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _export(tmp_path / "whole", "onnx", precision)
    assert not whole.model_path.with_name("model.onnx.data").exists()
    _limited("onnx", monkeypatch)
    divided = _export(tmp_path / "divided", "onnx", precision)
    weights = divided.model_path.with_name("model.onnx.data")
    assert weights.stat().st_size > SMALL
    facts = divided.manifest.facts
    assert facts.size_bytes == divided.model_path.stat().st_size + weights.stat().st_size
    assert facts.op_histogram == whole.manifest.facts.op_histogram
    assert [parity.passed for parity in facts.parity] == [True]
    assert sorted(path.name for path in divided.folder.glob("*.onnx*")) == [
        "model.onnx",
        "model.onnx.data",
    ]


def test_every_reader_takes_a_file_with_weights_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _export(tmp_path / "whole", "onnx")
    _limited("onnx", monkeypatch)
    divided = _export(tmp_path / "divided", "onnx")
    [parity] = verification.verify_bundle(Artifact.load(divided.folder))
    assert parity.passed
    one, other = (inspection.inspect(artifact.folder) for artifact in (whole, divided))
    assert other.graph is not None and one.graph is not None
    assert other.graph.macs == one.graph.macs
    assert other.size_bytes == divided.manifest.facts.size_bytes
    assert not differences.differences(one, other).moved
    [record] = pipeline.benchmark_cells([divided], quick())
    assert isinstance(record.outcome, Measurement)


def test_weights_that_changed_or_are_gone_are_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _limited("onnx", monkeypatch)
    artifact = _export(tmp_path, "onnx")
    weights = artifact.model_path.with_name("model.onnx.data")
    content = weights.read_bytes()
    weights.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    with pytest.raises(BundleError, match="not the one that was exported"):
        Artifact.load(artifact.folder)
    weights.unlink()
    with pytest.raises(BundleError, match="not the one that was exported"):
        Artifact.load(artifact.folder)
    weights.write_bytes(content)
    assert content_sha256(artifact.model_path) == artifact.manifest.facts.sha256
    assert _export(tmp_path, "onnx").folder == artifact.folder


@pytest.mark.parametrize(
    ("format_", "target", "sentence"),
    [
        ("tflite", None, "a TFLite file.* holds at most 0.00 GB; export it to ONNX"),
        ("coreml", "neuralnetwork", "a Core ML neural network.* --target iOS16"),
    ],
)
def test_formats_of_one_file_refuse_before_they_convert(
    format_: str,
    target: str | None,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _limited(format_, monkeypatch)
    how = {} if target is None else {"target": target}
    with pytest.raises(CellFailed, match=sentence):
        _export(tmp_path, format_, **how)
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]


def test_a_large_parameter_that_is_shared_counts_once() -> None:
    from mobilebench_exporters._sizes import stored_bytes

    layer = nn.Linear(10, 10, bias=False)
    assert stored_bytes(nn.Sequential(layer, layer)) == 400
