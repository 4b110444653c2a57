"""What quantized files are judged on is said, and decides which file is found again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilebench.conversion.loading import LoadedModel, describe
from mobilebench.exporting.choosing import choose
from mobilebench.exporting.order import Terms
from mobilebench.inputs.source import InputSource
from mobilebench.pipeline import export_module
from mobilebench.values.artifact import Artifact
from mobilebench.values.modelspec import CALLER, ModelSpec, Preprocessing
from mobilebench.values.tensor import parse_tensor
from mobilebench.verifying import verification
from tests import models

# The toolkit runs in this process and raises its own warnings.
pytestmark = pytest.mark.filterwarnings("ignore")

USUAL = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Write a folder of twelve images, fewer than a calibration takes."""
    folder, rng = tmp_path / "photographs", np.random.default_rng(0)
    folder.mkdir()
    for index in range(12):
        pixels = rng.integers(0, 256, size=(40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def _network(preprocessing: Preprocessing = USUAL) -> LoadedModel:
    spec = ModelSpec(name="tiny", inputs=(parse_tensor("1x3x32x32"),), preprocessing=preprocessing)
    return describe(models.tiny().eval(), spec, CALLER)


def _export(network: LoadedModel, photographs: Path, out: Path) -> Artifact:
    terms = Terms(source=InputSource(photographs), allow_parity_failure=True)
    recipes = choose(["onnx"], ["int8"], terms=terms).recipes
    [exported] = export_module(network, recipes, out, terms=terms)
    assert isinstance(exported.outcome, Artifact), exported.outcome
    return exported.outcome


def test_a_file_that_is_judged_on_its_calibration_says_so(
    photographs: Path, tmp_path: Path
) -> None:
    artifact = _export(_network(), photographs, tmp_path / "out")
    facts = artifact.manifest.facts
    assert facts.agreement is not None and facts.agreement.on_calibration
    assert "its calibration images" in facts.agreement.description
    assert [result.on_calibration for result in facts.parity] == [True]
    assert "on images that it was calibrated on" in facts.parity[0].description
    assert verification.verify_bundle(Artifact.load(artifact.folder)) == facts.parity
    source = InputSource(photographs)
    assert verification.agree_bundle(artifact, source) == facts.agreement


def test_other_images_or_another_preparation_of_them_is_another_file(
    photographs: Path, tmp_path: Path
) -> None:
    folders = [_export(_network(), photographs, tmp_path / "out").folder]
    other = replace(USUAL, mean=(0.5, 0.5, 0.5))
    folders.append(_export(_network(other), photographs, tmp_path / "out").folder)
    (photographs / "0.png").unlink()
    folders.append(_export(_network(), photographs, tmp_path / "out").folder)
    assert len(set(folders)) == 3
