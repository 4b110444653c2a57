"""Test ExecuTorch's delegates: verified files, files that cannot be, and missing tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench import plugins
from mobilebench.conversion.loading import describe
from mobilebench.deploy import Target, target_of
from mobilebench.errors import CellFailed, MissingToolkit, RecipeError
from mobilebench.leaderboard import rank
from mobilebench.leaderboard.text import as_markdown
from mobilebench.pages.board import as_page
from mobilebench.pipeline import export_module
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.modelspec import CALLER, ModelSpec
from mobilebench.values.recipe import Precision
from mobilebench.values.tensor import parse_tensor
from tests import models, records
from tests.conftest import Ran

pytest.importorskip("executorch")
pytest.importorskip("coremltools")

# The toolkit runs in this process and raises its own warnings.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def vulkan(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    recipe = plugins.exporter("executorch").recipe(Precision.FP16, None, "vulkan")
    spec = ModelSpec(name="tiny", inputs=(parse_tensor("1x3x32x32"),))
    loaded = describe(models.tiny().eval(), spec, CALLER)
    [result] = export_module(loaded, [recipe], tmp_path_factory.mktemp("vulkan"))
    assert isinstance(result.outcome, Artifact), result.outcome
    return result.outcome


def test_what_nothing_can_run_is_never_called_verified(
    vulkan: Artifact, mobilebench: Callable[..., Ran]
) -> None:
    facts = vulkan.manifest.facts
    assert facts.parity == () and facts.agreement is None
    assert facts.unverified is not None and "no runtime" in facts.unverified
    assert facts.structure["not_delegated"] == "aten::mean x1"
    assert "not by the delegate" in facts.structure["before_delegation"]
    inspected = mobilebench("inspect", vulkan.folder)
    assert "not verified: there is no runtime" in inspected.stdout
    assert "aten::mean x1" in inspected.stdout
    verified = mobilebench("verify", vulkan.folder)
    assert verified.code == 3 and "NOT VERIFIED" in verified.stdout, verified.stderr
    assert ": equal" not in verified.stdout
    benched = mobilebench("bench", vulkan.folder, "--protocol", "smoke-1")
    assert benched.code == 2 and "cannot be measured on host" in benched.stderr


def test_the_export_table_says_so(vulkan: Artifact, capsys: pytest.CaptureFixture[str]) -> None:
    from mobilebench.cli.export import show_exports
    from mobilebench.pipeline import Exported

    manifest = vulkan.manifest
    show_exports([Exported("vulkan", manifest.recipe, vulkan, manifest.model)])
    printed = capsys.readouterr()
    assert "not verified" in printed.out
    assert "is not verified: there is no runtime" in printed.err


def test_the_leaderboard_says_so_in_the_cell_and_below(vulkan: Artifact) -> None:
    record = replace(records.measured(), artifact=vulkan.manifest.facts)
    [row] = rank([record])
    assert row.relative_error is None and row.unverified is not None
    for text in (as_markdown([row]), as_page([row])):
        assert text.count("not verified") >= 2
    again = wire.loads(type(record), wire.dumps(record))
    assert again.artifact is not None and again.artifact.unverified == row.unverified


def test_the_form_fits_the_delegate() -> None:
    exporter = plugins.exporter("executorch")
    for delegate, target in (
        ("xnnpack", Target.XNNPACK),
        ("coreml", Target.COREML),
        ("vulkan", Target.VULKAN),
        ("qualcomm", Target.COREML),
        ("ethos-u", Target.COREML),
    ):
        precision = sorted(exporter.precisions(None, delegate))[0]
        assert target_of(exporter.recipe(precision, None, delegate)) is target


def test_a_combination_that_no_delegate_has_is_refused_saying_what_it_has() -> None:
    exporter = plugins.exporter("executorch")
    for precision, target, delegate, message in (
        (Precision.INT8, None, "vulkan", "executorch for vulkan .* it offers fp32, fp16"),
        (Precision.FP32, "iOS16", None, "it has no choice of target"),
        (Precision.FP32, "iOS14", "coreml", "executorch for coreml .* it offers iOS16"),
        (Precision.FP32, None, "metal", "it offers xnnpack, coreml, vulkan, qualcomm, ethos-u"),
    ):
        with pytest.raises(RecipeError, match=message):
            exporter.recipe(precision, target, delegate)


def test_a_missing_sdk_is_named_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    exporter = plugins.exporter("executorch")
    monkeypatch.delenv("QNN_SDK_ROOT", raising=False)
    with pytest.raises(MissingToolkit, match="QNN_SDK_ROOT is not set. Download"):
        exporter.tool_versions("qualcomm")
    monkeypatch.setenv("QNN_SDK_ROOT", str(tmp_path))
    with pytest.raises(MissingToolkit, match=r"libQnnHtp\.so is missing"):
        exporter.tool_versions("qualcomm")


def test_a_missing_compiler_is_named_with_its_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    from mobilebench_exporters import _vendor_delegates

    monkeypatch.setattr(_vendor_delegates, "_installed", lambda name: None)
    with pytest.raises(MissingToolkit) as error:
        plugins.exporter("executorch").tool_versions("ethos-u")
    for word in ("tosa-tools==", "ethos-u-vela==", "ml_dtypes==", "--target DIR", "PYTHONPATH=DIR"):
        assert word in str(error.value)


def test_a_program_that_is_not_one_delegate_is_not_taken_for_it(vulkan: Artifact) -> None:
    from mobilebench_exporters import _pte

    with pytest.raises(CellFailed, match=r"not one Core ML delegate.*VulkanBackend x2, aten::mean"):
        _pte.evaluate_coreml(vulkan.model_path, Path("inputs"), Path("outputs"))


def test_a_lowering_that_computes_something_else_is_refused() -> None:
    import torch

    from mobilebench_exporters import executorch

    class Doubled:
        """A lowered program of another network: its outputs are twice as large."""

        def exported_program(self) -> object:
            return torch.export.export(Twice(), (torch.zeros(1, 3, 32, 32),))

    class Twice(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = models.tiny().eval()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * self.network(x)

    recipe = plugins.exporter("executorch").recipe(Precision.FP32, None, "vulkan")
    with pytest.raises(CellFailed, match="before delegation"):
        executorch._before_delegation(
            Doubled(), models.tiny().eval(), [parse_tensor("1x3x32x32")], recipe
        )
