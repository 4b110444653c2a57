"""Files are compared on inputs of the range that the network takes, as far as it is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from mobilebench import api
from mobilebench.conversion import eager
from mobilebench.errors import CellFailed, UserError
from mobilebench.inputs.seeded import sample_of_network
from mobilebench.values.artifact import MANIFEST_FILE, Artifact, Drawn
from mobilebench.values.tensor import DType, TensorSpec
from mobilebench.verifying import verification
from mobilebench.verifying.reference import Reference
from tests.conftest import MODELS, TINY, Ran

# The toolkits run in this process and raise their own warnings.
pytestmark = pytest.mark.filterwarnings("ignore")

OF_PIXELS = {"mean": (0.0, 0.0, 0.0), "std": (1 / 255, 1 / 255, 1 / 255)}
USUAL = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


class OfPixels(nn.Module):
    """Takes pixels of 0 to 255; a square overflows half precision (65504) above 256."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.head = nn.Conv2d(3, 16, 4, 4), nn.Linear(16, 10)
        self.stem.weight.data *= 6

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x / torch.sqrt(x.pow(2).mean(1, keepdim=True) + 1e-6)
        y: Tensor = self.head(x.mean((2, 3)))
        return y


def _export(
    out: Path,
    precision: str = "fp32",
    folder: Path | None = None,
    format: str = "onnx",
    **how: tuple[float, ...],
) -> Artifact:
    return api.export(
        OfPixels().eval(),
        format,
        precision=precision,
        inputs=["1x3x32x32"],
        calibration=folder,
        out_dir=out,
        **how,  # type: ignore[arg-type]
    )


def _images(folder: Path, count: int, brightest: int = 255) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(count):
        pixels = rng.integers(0, brightest + 1, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def test_half_precision_is_judged_in_the_range_of_pixels(tmp_path: Path) -> None:
    with pytest.raises(CellFailed, match="parity"):
        _export(tmp_path, "fp16", format="coreml", **OF_PIXELS)
    fp32 = _export(tmp_path, "fp32", format="coreml", **OF_PIXELS).manifest
    assert fp32.facts.parity[0].passed and not fp32.only_noise
    # Noise of unit variance cannot show it, and the manifest says what was tried.
    blind = _export(tmp_path, "fp16", format="coreml").manifest
    assert blind.facts.parity[0].passed and blind.only_noise
    assert blind.facts.preflight.drawn is Drawn.NOISE


def test_seeds_draw_normalised_pixels_where_mean_and_deviation_are_stated(tmp_path: Path) -> None:
    artifact = _export(tmp_path, **USUAL)
    assert artifact.manifest.facts.preflight.drawn is Drawn.PIXELS
    inputs = np.stack([batch[0] for batch in Reference.of_bundle(artifact).inputs])
    lowest, highest = inputs.min(axis=(0, 1, 3, 4)), inputs.max(axis=(0, 1, 3, 4))
    mean, std = np.array(USUAL["mean"]), np.array(USUAL["std"])
    np.testing.assert_allclose(lowest, -mean / std, rtol=1e-5)
    np.testing.assert_allclose(highest, (1 - mean) / std, rtol=1e-5)
    [result] = verification.verify_bundle(artifact)
    assert result.passed
    before = artifact.manifest.facts.parity[0]
    assert result.max_relative_error == pytest.approx(before.max_relative_error)


def test_a_bundle_from_before_is_verified_on_the_noise_that_it_was_made_with(
    tmp_path: Path,
) -> None:
    artifact = _export(tmp_path)
    plain = json.loads((artifact.folder / MANIFEST_FILE).read_text())
    del plain["facts"]["preflight"]["drawn"], plain["facts"]["preflight"]["program_sha256"]
    plain["model"]["preprocessing"] = {**USUAL, "crop_pct": 1.0, "interpolation": "bicubic"}
    (artifact.folder / MANIFEST_FILE).write_text(json.dumps(plain))
    old = Artifact.load(artifact.folder)
    [result] = verification.verify_bundle(old)
    assert result.passed
    assert np.array_equal(
        Reference.of_bundle(old).inputs[0][0],
        sample_of_network(old.manifest.model.inputs, 1000, None)[0],
    )


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8-weights", "int8"])
def test_files_of_every_precision_are_judged_on_images(precision: str, tmp_path: Path) -> None:
    dark = _images(tmp_path / "dark", 20, brightest=3)
    made = _export(tmp_path / "out", precision, dark, **OF_PIXELS)
    [result] = made.manifest.facts.parity
    assert result.images and result.inputs == 16 and result.passed
    assert result.on_calibration == (precision == "int8")  # 20 images, and int8 takes all
    assert not made.manifest.only_noise
    [again] = verification.verify_bundle(made)
    assert again.images and again.snr_db == pytest.approx(result.snr_db)
    assert _export(tmp_path / "out", precision, dark, **OF_PIXELS).folder == made.folder


def test_images_show_what_half_precision_cannot_hold(tmp_path: Path) -> None:
    bright = _images(tmp_path / "bright", 20)
    with pytest.raises(CellFailed, match="parity"):
        _export(tmp_path / "out", "fp16", bright, "coreml", **OF_PIXELS)


def test_other_images_or_another_range_are_another_file(tmp_path: Path) -> None:
    one, other = _images(tmp_path / "one", 4), _images(tmp_path / "other", 5)
    out = tmp_path / "out"
    files = [
        _export(out),
        _export(out, **USUAL),
        _export(out, **OF_PIXELS),
        _export(out, folder=one, **USUAL),
        _export(out, folder=other, **USUAL),
    ]
    assert len({artifact.folder for artifact in files}) == len(files)


def test_images_at_which_the_network_jumps_are_passed_over() -> None:
    class Step(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x.mean((2, 3)) > 0.5).float()

    def image(value: float) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        return [np.full((1, 3, 8, 8), value, np.float32)]

    candidates = [image(0.5), image(0.2), image(0.5), image(0.9)]
    chosen, outputs = eager.on_images(Step(), candidates, 2, None, thresholds=True)
    assert [float(batch[0].max()) for batch in chosen] == pytest.approx([0.2, 0.9])
    assert [float(batch[0].max()) for batch in outputs] == [0.0, 1.0]
    chosen, _ = eager.on_images(Step(), candidates, 2, None, thresholds=False)
    assert chosen == candidates[:2]
    only = candidates[:1]
    assert eager.on_images(Step(), only, 2, None, thresholds=True)[0] == only


def test_mean_and_deviation_are_refused_where_they_say_nothing(tmp_path: Path) -> None:
    class Sums(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum(1)

    for tensor in ("1x10", "1x1x8x8", "1x3x8x8:uint8"):
        with pytest.raises(UserError, match="leave them out"):
            api.export(
                Sums().eval(), "onnx", inputs=[tensor], out_dir=tmp_path, mean=(0, 0, 0),
                std=(1, 1, 1),
            )  # fmt: skip
    with pytest.raises(UserError, match="in 0..1, for pixels divided by 255"):
        _export(tmp_path, mean=(123.7, 116.3, 103.5), std=(58.4, 57.1, 57.4))
    with pytest.raises(UserError, match="three numbers for each"):
        _export(tmp_path, mean=(0.5, 0.5, 0.5))


def test_the_table_says_that_only_noise_was_tried(mobilebench: Callable[..., Ran]) -> None:
    noise = mobilebench("export", TINY, "--input", "1x3x32x32", "-f", "onnx")
    assert "compared on noise of unit variance only: models.tiny@32." in noise.stderr
    known = mobilebench(
        "export", TINY, "--input", "1x3x32x32", "-f", "onnx", "--mean", "0.5,0.5,0.5",
        "--std", "0.5,0.5,0.5",
    )  # fmt: skip
    assert known.code == 0 and "noise" not in known.stderr
    tokens = mobilebench("export", f"{MODELS}:two_inputs", "--input", "1x3x8x8", "--input",
                         "1x3x8x8", "--mean", "0,0,0", "--std", "1,1,1", "-f", "onnx")  # fmt: skip
    assert tokens.code == 2 and "leave them out" in tokens.stderr


def test_whole_numbers_are_no_noise(tmp_path: Path) -> None:
    manifest = _export(tmp_path).manifest
    assert manifest.only_noise
    whole = TensorSpec(name="tokens", shape=(1, 7), dtype=DType.INT64)
    assert not replace(manifest, model=replace(manifest.model, inputs=(whole,))).only_noise
