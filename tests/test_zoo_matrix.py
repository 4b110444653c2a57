"""Export the zoo by the real toolkits; takes minutes, run by `make test-all`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilebench import plugins
from mobilebench.exporting.workers import LocalWorkers
from mobilebench.pipeline import export_matrix
from mobilebench.values.artifact import Artifact
from mobilebench.values.recipe import ExportRecipe, Precision
from mobilebench.values.request import Request
from mobilebench.zoo import list_models

pytestmark = pytest.mark.slow

SMALLEST = tuple({name.partition("_")[0]: name for name in reversed(list_models())}.values())
ONNX = (plugins.exporter("onnx").recipe(Precision.FP32),)
EVERY = tuple(
    plugins.exporter(name).recipe(precision)
    for name in plugins.exporter_names()
    for precision in sorted(plugins.exporter(name).precisions())
    if not precision.quantized
)


def _export(name: str, recipes: tuple[ExportRecipe, ...], out: Path) -> list[Artifact]:
    artifacts = []
    for done in export_matrix(
        [Request(reference=name)], recipes, out, workers=LocalWorkers(jobs=2)
    ):
        assert isinstance(done.outcome, Artifact), done.outcome
        assert all(parity.passed for parity in done.outcome.manifest.facts.parity)
        artifacts.append(done.outcome)
    return artifacts


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_of_each_family_is_equal_in_every_format(name: str, tmp_path: Path) -> None:
    for artifact in _export(name, EVERY, tmp_path):
        facts = artifact.manifest.facts
        assert sum(facts.op_histogram.values()) < 1500
        if artifact.manifest.recipe.delegate == "xnnpack":
            assert facts.structure["delegates"] == "XnnpackBackend x1"
            assert facts.structure["not_delegated"] == "none"


@pytest.mark.parametrize("name", [name for name in list_models() if name not in SMALLEST])
def test_every_variant_is_equal_in_onnx(name: str, tmp_path: Path) -> None:
    _export(name, ONNX, tmp_path)
