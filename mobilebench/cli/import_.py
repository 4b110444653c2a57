"""`mobilebench import`: add records, accuracies and other tools' results to the store."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Store

if TYPE_CHECKING:
    from mobilebench.store.arrivals import Row
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
    from mobilebench.store import RecordStore, bulk
    from mobilebench.values.reported import Latency

    given = _Given()
    with counting("import", len(paths), "files") as counted:
        for path in paths:
            if _holds_records(path, kind):
                given.files.append(path)  # these are read together
            else:
                _read(path, kind, given)
                counted(1)
        rows = bulk.rows_of(given.files, counted=counted)
    records: list[Document | Row] = [*given.documents, *rows]
    with RecordStore(store) as destination:
        added = destination.add_all(records, given.reported, given.accuracies)
    for result in given.reported:
        if result.remarks and result.latency == Latency() and not result.windows:
            name = result.model or result.source
            output.tell(f"{result.file}: {name} has no latency: {'; '.join(result.remarks)}")
    present = len(records) + len(given.reported) + len(given.accuracies) - added
    output.tell(f"{added} added, {present} there already: {destination.place}")


@dataclass
class _Given:
    """What the files of a command line hold."""

    files: list[Path] = field(default_factory=list)
    """Those of records, still to be read."""
    documents: list[Document] = field(default_factory=list)
    """Records of bundles."""
    reported: list[Reported] = field(default_factory=list)
    accuracies: list[Accuracy] = field(default_factory=list)


def _holds_records(path: Path, kind: str | None) -> bool:
    from mobilebench import interop
    from mobilebench.reproducing import bundle

    if kind is not None:
        return kind == "record"
    return not (bundle.is_bundle(path) or interop.is_accuracy(path)) and interop.is_record(path)


def _read(path: Path, kind: str | None, given: _Given) -> None:
    """Read a file of anything but records."""
    from mobilebench import interop
    from mobilebench.reproducing import bundle
    from mobilebench.store.documents import read_accuracies

    if kind == "bundle" or (kind is None and bundle.is_bundle(path)):
        packed = bundle.read(path)
        given.documents += packed.documents
        given.accuracies += packed.accuracies
        given.reported += packed.reported
        words = shlex.join(packed.view.words)
        output.tell(f"{path} is the table of `mobilebench leaderboard{' ' * bool(words)}{words}`.")
    elif kind == "accuracy" or (kind is None and interop.is_accuracy(path)):
        given.accuracies += read_accuracies(path)
    else:
        given.reported += interop.read(path, kind)
