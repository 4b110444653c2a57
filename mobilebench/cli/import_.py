"""`mobilebench import`: add records, accuracies and other tools' results to the store."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Store

if TYPE_CHECKING:
    from mobilebench.store.documents import Document
    from mobilebench.values.accuracy import Accuracy
    from mobilebench.values.reported import Reported


def command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Record files (one record, or a list of them), bundles of tables, files of "
            "`eval --out`, or results of another tool.",
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="KIND",
            autocompletion=completions.file_kinds,
            rich_help_panel=Panel.CHOICE,
            help="Format of the files: record, bundle, accuracy, litert, onnxruntime, executorch, "
            "executor-runner, mlperf, mlperf-summary, androidx, table or series. Default: "
            "recognised from each file.",
        ),
    ] = None,
    store: Store = None,
) -> None:
    """Add records to the store; all of them are added, or none.

    Results of LiteRT's benchmark_model, ONNX Runtime's perf test, ExecuTorch's and AndroidX's
    benchmarks, MLPerf, and tables in CSV are kept apart as reported: nothing here measured them.
    A file with one wrong result is refused as a whole.
    """
    from mobilebench.cli.progress import counting
    from mobilebench.store import RecordStore
    from mobilebench.values.reported import Latency

    records: list[Document] = []
    reported: list[Reported] = []
    accuracies: list[Accuracy] = []
    with counting("import", len(paths), "files") as counted:
        for path in paths:
            _read(path, kind, records, reported, accuracies)
            counted(1)
    with RecordStore(store) as destination:
        added = destination.add_all(records, reported, accuracies)
    for result in reported:
        if result.remarks and result.latency == Latency() and not result.windows:
            name = result.model or result.source
            output.tell(f"{result.file}: {name} has no latency: {'; '.join(result.remarks)}")
    present = len(records) + len(reported) + len(accuracies) - added
    output.tell(f"{added} added, {present} there already: {destination.place}")


def _read(
    path: Path,
    kind: str | None,
    records: list[Document],
    reported: list[Reported],
    accuracies: list[Accuracy],
) -> None:
    from mobilebench import interop
    from mobilebench.reproducing import bundle
    from mobilebench.store.documents import read_accuracies, read_documents

    if kind == "bundle" or (kind is None and bundle.is_bundle(path)):
        packed = bundle.read(path)
        records += packed.documents
        accuracies += packed.accuracies
        reported += packed.reported
        words = shlex.join(packed.view.words)
        output.tell(f"{path} is the table of `mobilebench leaderboard{' ' * bool(words)}{words}`.")
    elif kind == "accuracy" or (kind is None and interop.is_accuracy(path)):
        accuracies += read_accuracies(path)
    elif kind == "record" or (kind is None and interop.is_record(path)):
        records += read_documents(path)
    else:
        reported += interop.read(path, kind)
