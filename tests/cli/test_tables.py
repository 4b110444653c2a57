"""Tables and live lines of the command line, for results that are seldom seen."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table
from typer.main import get_command

from mobilebench.cli import app, output, tables
from mobilebench.cli.console import SafeConsole
from mobilebench.cli.export import show_exports
from mobilebench.cli.progress import MatrixProgress
from mobilebench.exporting.matrix import Exported
from mobilebench.values.artifact import Agreement, Artifact, Manifest, Parity
from mobilebench.values.modelspec import Weights
from mobilebench.values.recipe import Format, Precision
from mobilebench.verifying import parity
from mobilebench.zoo import list_models
from tests.records import measured


def _parity(expected: float, output: float) -> Parity:
    return parity.compare(
        [[np.full((1, 4), expected)]],
        [[np.full((1, 4), output)]],
        bound=parity.limits(Precision.FP32),
        evaluated_by="onnxruntime 1.0",
    )


def _exported(result: Parity) -> Exported:
    record = measured()
    assert record.artifact is not None
    manifest = Manifest(
        created=record.created,
        mobilebench_version="0.1",
        model=record.model,
        recipe=record.recipe,
        model_file="model.onnx",
        facts=dataclasses.replace(record.artifact, parity=(result,)),
    )
    return Exported("tiny", record.recipe, Artifact(Path("kept"), manifest), record.model)


@pytest.mark.parametrize(
    ("result", "error", "snr"),
    [
        (_parity(1.0, float("nan")), "not finite", "not finite"),
        (_parity(1.0, 1.0), "0.0e+00", "equal"),
        (_parity(0.0, 1.0), "infinite", "none"),
        (_parity(1.0, 1.1), "1.0e-01", "20"),
    ],
)
def test_a_kept_file_that_differs_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], result: Parity, error: str, snr: str
) -> None:
    show_exports([_exported(result)])
    _, row, *_ = capsys.readouterr().out.splitlines()
    assert " ".join(row.split()).startswith(f"tiny onnx-fp32-opset20 3.00 s {error} {snr} ")


def _with(exported: Exported, weights: Weights) -> Exported:
    assert exported.model is not None and isinstance(exported.outcome, Artifact)
    model = dataclasses.replace(exported.model, weights=weights)
    manifest = dataclasses.replace(exported.outcome.manifest, model=model)
    outcome = dataclasses.replace(exported.outcome, manifest=manifest)
    return dataclasses.replace(exported, model=model, outcome=outcome)


EXPORTED = _exported(_parity(1.0, 1.0))
TRAINED = _with(EXPORTED, Weights(origin="3fa2c1d0" * 8, state_sha256="1" * 64, key="ema"))


def test_the_table_of_exports_says_that_weights_are_random(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_exports([EXPORTED])
    header, _, sentence, *_ = capsys.readouterr().out.splitlines()
    assert sentence == "random weights: tiny." and "weights" not in header
    show_exports([TRAINED])
    assert "random" not in capsys.readouterr().out


def test_exports_that_differ_in_weights_alone_are_told_apart(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_exports([EXPORTED, TRAINED])
    header, first, second, sentence, *_ = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["model", "artifact", "weights"]
    assert "onnx-fp32-opset20  random " in first
    assert "onnx-fp32-opset20  3fa2c1d0 ema " in second
    assert sentence == "random weights: tiny."


def test_a_share_of_inputs_with_the_same_class_is_not_called_accuracy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    agreement = Agreement(evaluated_by="x", source="noise", inputs=256, top1=0.859, least=0.7)
    assert isinstance(EXPORTED.outcome, Artifact)
    facts = dataclasses.replace(EXPORTED.outcome.manifest.facts, agreement=agreement)
    manifest = dataclasses.replace(EXPORTED.outcome.manifest, facts=facts)
    quantized = dataclasses.replace(
        EXPORTED, outcome=dataclasses.replace(EXPORTED.outcome, manifest=manifest)
    )
    show_exports([EXPORTED, quantized])
    text = capsys.readouterr().out
    header, first, second, *_ = text.splitlines()
    assert "same class" in header and "top-1" not in text
    assert " 100% of 1 " in first and " 86% of 256 (noise) " in second


def _lines(table: Table, width: int) -> list[str]:
    console = SafeConsole(width=width, file=io.StringIO(), markup=False)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_table_of_exports_breaks_no_name_and_loses_nothing(width: int) -> None:
    exported = dataclasses.replace(EXPORTED, name="edgeformer.edgeformer_t")
    lines = _lines(tables.exports([exported, TRAINED]), width)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    for word in ("edgeformer.edgeformer_t", "tiny", "onnx-fp32-opset20", "equal", "0.0e+00"):
        assert word in words, lines
    assert "100% of 1" in " ".join(words)


def test_a_narrow_terminal_lists_rows_below_each_other() -> None:
    table = output.columns("model", "artifact", "SNR dB>", "size>")
    table.add_row("edgeformer.edgeformer_t", "coreml-fp16-iOS16", "62", "9.63 MB")
    table.add_row("", "", "65", "9.63 MB")
    assert [line.rstrip() for line in _lines(table, 61)] == [
        "model                    artifact           SNR dB     size",
        "edgeformer.edgeformer_t  coreml-fp16-iOS16      62  9.63 MB",
        "                                                65  9.63 MB",
    ]
    assert _lines(table, 50) == [
        "model",
        "edgeformer.edgeformer_t",
        "  artifact coreml-fp16-iOS16  SNR dB 62",
        "  size 9.63 MB",
        "  SNR dB 65  size 9.63 MB",
    ]


def test_a_table_wraps_sentences_between_words_before_it_becomes_a_list() -> None:
    table = output.columns("format", "tools")
    table.add_row("executorch", "torch 2.13.0+cpu, executorch 1.5.1, torchao 0.18.0")
    assert [line.rstrip() for line in _lines(table, 40)] == [
        "format      tools",
        "executorch  torch 2.13.0+cpu, executorch",
        "            1.5.1, torchao 0.18.0",
    ]


@pytest.mark.parametrize("verb", ["models", "devices", "doctor"])
def test_tables_of_facts_fit_60_columns(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()

    def stdout(markup: bool = True) -> SafeConsole:
        return SafeConsole(width=60, file=written, markup=markup)

    monkeypatch.setattr(output, "stdout", stdout)
    get_command(app).main([verb], standalone_mode=False)
    lines = written.getvalue().splitlines()
    assert max(map(len, lines)) <= 60
    for name in {"models": list_models(), "devices": ["host"], "doctor": list(Format)}[verb]:
        assert any(name in line.split() for line in lines), name


def test_two_cells_of_one_name_may_run_at_once() -> None:
    with MatrixProgress("export", 2) as progress:
        networks = [progress.preparing("mobilevig_ti") for _ in range(2)]
        for network in networks:
            network.finished("prepared")
        cells = [progress.started("mobilevig_ti onnx-fp32") for _ in range(2)]
        for cell in cells:
            cell.stage("export")
            cell.finished("exported")
        [matrix] = progress.bar.tasks
        assert (matrix.completed, matrix.total) == (2, 2)
