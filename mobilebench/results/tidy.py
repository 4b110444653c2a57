"""Lay records out as a tidy table: one row a record, or one row a sample, for data frames."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from mobilebench.errors import MissingToolkit
from mobilebench.notation import escapes
from mobilebench.results.entry import Entry
from mobilebench.results.figures import Figures
from mobilebench.values.measurement import Measurement
from mobilebench.values.record import Record

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

Cell = str | int | float | bool | None
_NS_PER_MS = 1e6


class Kind(Enum):
    """What a column holds; what is not known is missing in each of them."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "true or false"
    TIME = "time"
    """In UTC."""


@dataclass(frozen=True)
class Field:
    """One column of a tidy table."""

    name: str
    kind: Kind
    about: str
    """What it holds, in words; empty where the name says it."""


@dataclass(frozen=True)
class Table:
    """Columns of equal length, by name, in the order of their fields."""

    fields: tuple[Field, ...]
    columns: Mapping[str, Sequence[Cell]]

    def __len__(self) -> int:
        return len(self.columns[self.fields[0].name])

    def __repr__(self) -> str:
        return f"<Table: {len(self)} rows of {len(self.fields)} columns>"

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Yield the rows in order."""
        yield from zip(*(self.columns[field.name] for field in self.fields), strict=True)

    def csv(self) -> str:
        """Return the table as CSV; what is not known is empty.

        A text that a spreadsheet would compute has an apostrophe before it.
        """
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(field.name for field in self.fields)
        for row in self.rows():
            writer.writerow(map(_csv_cell, row))
        return out.getvalue()

    def parquet(self) -> bytes:
        """Return the table as a Parquet file.

        Raises `MissingToolkit` without the extra `analysis`.
        """
        table = self.arrow()
        from pyarrow import parquet

        out = io.BytesIO()
        parquet.write_table(table, out)
        return out.getvalue()

    def arrow(self) -> pyarrow.Table:
        """Return the table for Arrow. Raises `MissingToolkit` without the extra `analysis`."""
        pa = _imported("pyarrow")
        types = {
            Kind.TEXT: pa.string(),
            Kind.WHOLE: pa.int64(),
            Kind.NUMBER: pa.float64(),
            Kind.FLAG: pa.bool_(),
            Kind.TIME: pa.timestamp("ns", tz="UTC"),
        }
        arrays = []
        for field in self.fields:
            cells = self.columns[field.name]
            if field.kind is Kind.TIME:
                texts = pa.array([_without_zone(cell) for cell in cells], pa.string())
                times = texts.cast(pa.timestamp("ns"))
                arrays.append(pa.compute.assume_timezone(times, "UTC"))
            else:
                arrays.append(pa.array(cells, types[field.kind]))
        schema = pa.schema([(field.name, types[field.kind]) for field in self.fields])
        return pa.Table.from_arrays(arrays, schema=schema)

    def pandas(self) -> pandas.DataFrame:
        """Return the table for pandas; each column has a type that knows missing values.

        Raises `MissingToolkit` without the extra `analysis`.
        """
        pd = _imported("pandas")
        types = {
            Kind.TEXT: "string",
            Kind.WHOLE: "Int64",
            Kind.NUMBER: "float64",
            Kind.FLAG: "boolean",
        }

        def series(field: Field) -> Any:
            cells = self.columns[field.name]
            if field.kind is not Kind.TIME:
                return pd.Series(cells, dtype=types[field.kind])
            times = pd.to_datetime(pd.Series(cells, dtype="object"), utc=True, format="ISO8601")
            return times.astype("datetime64[ns, UTC]")

        frame: pandas.DataFrame = pd.DataFrame({each.name: series(each) for each in self.fields})
        return frame

    def polars(self) -> polars.DataFrame:
        """Return the table for polars. Raises `MissingToolkit` without the extra `analysis`."""
        pl = _imported("polars")
        types = {
            Kind.TEXT: pl.String,
            Kind.WHOLE: pl.Int64,
            Kind.NUMBER: pl.Float64,
            Kind.FLAG: pl.Boolean,
            Kind.TIME: pl.String,
        }
        schema = {field.name: types[field.kind] for field in self.fields}
        frame: polars.DataFrame = pl.DataFrame(dict(self.columns), schema=schema)
        times = [field.name for field in self.fields if field.kind is Kind.TIME]
        if not times:
            return frame
        return frame.with_columns(pl.col(times).str.to_datetime(time_unit="ns", time_zone="UTC"))


def _imported(name: str) -> Any:
    import importlib

    try:
        module = importlib.import_module(name)
        if name == "pyarrow":
            importlib.import_module("pyarrow.compute")
    except ModuleNotFoundError as error:
        raise MissingToolkit(
            f"A table for it needs the package {error.name!r}, which is not installed; run: "
            f"pip install 'mobilebench[analysis]'"
        ) from error
    return module


def _csv_cell(cell: Cell) -> Cell:
    return escapes.csv(cell) if isinstance(cell, str) else cell


def _without_zone(cell: Cell) -> str | None:
    return None if cell is None else str(cell).removesuffix("Z")


def of_records(records: Iterable[Record | Entry]) -> Table:
    """Return a table with one row for each record, in the order given."""
    columns: dict[str, list[Cell]] = {field.name: [] for field in RECORD_FIELDS}
    for record in records:
        row = _row(record if isinstance(record, Entry) else Entry.of(record))
        for name, cells in columns.items():
            cells.append(_plain(row[name]))
    return Table(fields=RECORD_FIELDS, columns=columns)


def of_samples(records: Iterable[Record]) -> Table:
    """Return a table with one row for each sample of the records, warm-up included.

    `record_id` joins it to the table of records. A failure has no samples.
    """
    columns: dict[str, list[Cell]] = {field.name: [] for field in SAMPLE_FIELDS}
    for record in records:
        if not isinstance(record.outcome, Measurement):
            continue
        samples = record.outcome.samples
        count = len(samples.t_ns)
        columns["record_id"] += [record.record_id] * count
        columns["t_ns"] += samples.t_ns
        columns["latency_ns"] += samples.latency_ns
        columns["phase"] += map(str, samples.phase)
        columns["round"] += samples.round
        columns["width"] += samples.width or [None] * count
    return Table(fields=SAMPLE_FIELDS, columns=columns)


SAMPLE_FIELDS = (
    Field("record_id", Kind.TEXT, "record of the sample"),
    Field("t_ns", Kind.WHOLE, "start of the inference on the measurement's clock"),
    Field("latency_ns", Kind.WHOLE, ""),
    Field("phase", Kind.TEXT, "`warm-up` or `measured`; only the second counts"),
    Field("round", Kind.WHOLE, "from 0"),
    Field("width", Kind.NUMBER, "share of the channels; missing where it was the full network"),
)
"""Columns of the table of samples."""
RECORD_FIELDS = (
    Field("record_id", Kind.TEXT, ""),
    Field("created", Kind.TIME, ""),
    Field("outcome", Kind.TEXT, "`measurement` or `failure`"),
    Field("validity", Kind.TEXT, "`valid` or `suspect`, of a measurement"),
    Field("reasons", Kind.TEXT, "diagnoses, the most serious first, with `; ` between them"),
    Field("model", Kind.TEXT, "with its image size and width where they are not the usual ones"),
    Field("family", Kind.TEXT, ""),
    Field("width", Kind.NUMBER, "share of the channels that the network keeps"),
    Field("params", Kind.WHOLE, ""),
    Field("macs", Kind.WHOLE, "of one image"),
    Field("weights", Kind.TEXT, "what tells the weights from others of the network"),
    Field("published_top1", Kind.NUMBER, "per cent, as the authors state"),
    Field("format", Kind.TEXT, ""),
    Field("precision", Kind.TEXT, ""),
    Field("target", Kind.TEXT, "deployment target"),
    Field("delegate", Kind.TEXT, "ahead of time"),
    Field("artifact", Kind.TEXT, "the recipe in words"),
    Field("file_sha256", Kind.TEXT, ""),
    Field("size_bytes", Kind.WHOLE, "of the file"),
    Field("relative_error", Kind.NUMBER, "largest difference from PyTorch over the largest value"),
    Field("snr_db", Kind.NUMBER, "lowest signal-to-noise ratio against PyTorch"),
    Field("agreement", Kind.NUMBER, "share of inputs with PyTorch's class"),
    Field("device", Kind.TEXT, "id"),
    Field("device_model", Kind.TEXT, ""),
    Field("device_kind", Kind.TEXT, ""),
    Field("soc", Kind.TEXT, ""),
    Field("cores", Kind.WHOLE, ""),
    Field("ram_bytes", Kind.WHOLE, ""),
    Field("os", Kind.TEXT, ""),
    Field("os_version", Kind.TEXT, ""),
    Field("os_build", Kind.TEXT, ""),
    Field("runtime", Kind.TEXT, ""),
    Field("runtime_version", Kind.TEXT, ""),
    Field("compute_unit", Kind.TEXT, "asked for"),
    Field("unit_evidence", Kind.TEXT, "how well it is known that this unit did the work"),
    Field("threads", Kind.WHOLE, ""),
    Field("protocol", Kind.TEXT, ""),
    Field("policy", Kind.TEXT, "what chose between which widths; missing for one network"),
    Field("resolution", Kind.TEXT, "height and width of the images"),
    Field("inputs", Kind.TEXT, "name, shape and type of each input"),
    Field("samples", Kind.WHOLE, "measured inferences"),
    Field("min_ms", Kind.NUMBER, ""),
    Field("mean_ms", Kind.NUMBER, ""),
    Field("p50_ms", Kind.NUMBER, "median"),
    Field("p90_ms", Kind.NUMBER, ""),
    Field("p99_ms", Kind.NUMBER, ""),
    Field("headline_ms", Kind.NUMBER, "the number that the protocol reports"),
    Field("spread_low_ms", Kind.NUMBER, "of the median; `spread_kind` says what it is"),
    Field("spread_high_ms", Kind.NUMBER, ""),
    Field("spread_kind", Kind.TEXT, ""),
    Field("first_window_ms", Kind.NUMBER, "median of the first window of a protocol with windows"),
    Field("last_window_ms", Kind.NUMBER, ""),
    Field("minute_1_ms", Kind.NUMBER, "median of minute 1 of a run of at least eleven minutes"),
    Field("last_ten_ms", Kind.NUMBER, "median of its last ten minutes"),
    Field("change", Kind.NUMBER, "from the one to the other: 0.4 is 40 % more"),
    Field("onset_s", Kind.NUMBER, "first sign of throttling, since the first measured sample"),
    Field("onset_sign", Kind.TEXT, "`thermal status` or `clock cap`"),
    Field("heat_known", Kind.FLAG, "whether no onset means that there was none"),
    Field("warmest", Kind.TEXT, "thermal state"),
    Field("frames", Kind.WHOLE, "that were due, of a protocol with a pace"),
    Field("frames_on_time", Kind.WHOLE, ""),
    Field("frames_late", Kind.WHOLE, ""),
    Field("frames_dropped", Kind.WHOLE, ""),
    Field("on_time_top1", Kind.NUMBER, "per cent, of a run at several widths"),
    Field("first_load_ms", Kind.NUMBER, ""),
    Field("peak_memory_bytes", Kind.WHOLE, ""),
    Field("start_thermal", Kind.TEXT, "thermal state when the run began"),
    Field("charging", Kind.FLAG, "when the run began"),
    Field("app_build", Kind.TEXT, "`debug` or `release`; missing for a program of the host"),
    Field("device_settings", Kind.TEXT, "set on the device by a wish"),
    Field("stage", Kind.TEXT, "where a failure stopped"),
    Field("error", Kind.TEXT, ""),
    Field("message", Kind.TEXT, ""),
    Field("session", Kind.TEXT, "of interleaved runs"),
    Field("pair", Kind.WHOLE, ""),
    Field("side", Kind.TEXT, "`A` or `B`"),
    Field("source_commit", Kind.TEXT, "of the repository that the command was run in"),
    Field("harness_version", Kind.TEXT, ""),
    Field("transport", Kind.TEXT, "the way to the device"),
    Field("signed", Kind.FLAG, ""),
)
"""Columns of the table of records."""


def _row(entry: Entry) -> dict[str, Cell]:
    file, job, measured, failure = entry.file, entry.job, entry.measured, entry.failure
    model, recipe, device, session = entry.model, entry.recipe, entry.device, entry.session
    identity = measured.identity if measured else None
    published = model.published_top1
    row: dict[str, Cell] = {
        "record_id": entry.record_id,
        "created": entry.created,
        "outcome": "failure" if measured is None else "measurement",
        "validity": measured.validity if measured else None,
        "reasons": "; ".join(measured.reasons) or None if measured else None,
        "model": model.title,
        "family": model.family,
        "width": model.width,
        "params": model.params,
        "macs": model.macs.total if model.macs else None,
        "weights": model.weights.label if model.weights else None,
        "published_top1": published.top1 if published else None,
        "format": recipe.format,
        "precision": recipe.precision,
        "target": recipe.target,
        "delegate": recipe.delegate,
        "artifact": recipe.label,
        "file_sha256": file.sha256 if file else None,
        "size_bytes": file.size_bytes if file else None,
        "relative_error": file.relative_error if file else None,
        "snr_db": file.snr_db if file else None,
        "agreement": file.agreement.top1 if file and file.agreement else None,
        "device": device.id,
        "device_model": device.model,
        "device_kind": device.kind,
        "soc": device.soc,
        "cores": device.cores,
        "ram_bytes": device.ram_bytes,
        "os": device.os,
        "os_version": device.os_version,
        "os_build": device.os_build,
        "runtime": job.runtime if job else None,
        "runtime_version": measured.runtime.version if measured else None,
        "compute_unit": job.compute_unit if job else None,
        "unit_evidence": measured.runtime.compute_unit_evidence if measured else None,
        "threads": job.threads if job else None,
        "protocol": job.protocol.id if job else None,
        "policy": job.choice if job else None,
        "resolution": entry.resolution,
        "inputs": "; ".join(map(str, model.inputs)),
        "first_load_ms": _ms(measured.first_load_ns if measured else None),
        "peak_memory_bytes": measured.peak_memory_bytes if measured else None,
        "start_thermal": identity.start_thermal if identity else None,
        "charging": identity.charging if identity else None,
        "app_build": identity.app_build if identity else None,
        "device_settings": "; ".join(entry.device_settings) or None,
        "stage": failure.stage if failure else None,
        "error": failure.error if failure else None,
        "message": failure.message if failure else None,
        "session": session.id if session else None,
        "pair": session.pair if session else None,
        "side": session.side if session else None,
        "source_commit": entry.provenance.source_commit,
        "harness_version": entry.provenance.harness_version,
        "transport": entry.provenance.transport,
        "signed": entry.signed,
    }
    numbers = _numbers(measured.figures) if measured else {}
    return {**dict.fromkeys(field.name for field in RECORD_FIELDS), **row, **numbers}


def _numbers(figures: Figures) -> dict[str, Cell]:
    spread, counts, onset = figures.spread, figures.deadlines, figures.onset
    return {
        "samples": figures.count,
        "min_ms": _ms(figures.min_ns),
        "mean_ms": _ms(figures.mean_ns),
        "p50_ms": _ms(figures.p50_ns),
        "p90_ms": _ms(figures.p90_ns),
        "p99_ms": _ms(figures.p99_ns),
        "headline_ms": _ms(figures.headline_ns),
        "spread_low_ms": _ms(spread.low_ns if spread else None),
        "spread_high_ms": _ms(spread.high_ns if spread else None),
        "spread_kind": spread.kind if spread else None,
        "first_window_ms": _ms(figures.first.p50_ns if figures.first else None),
        "last_window_ms": _ms(figures.last.p50_ns if figures.last else None),
        "minute_1_ms": _ms(figures.minute_1.p50_ns if figures.minute_1 else None),
        "last_ten_ms": _ms(figures.last_ten.p50_ns if figures.last_ten else None),
        "change": figures.change,
        "onset_s": onset.after_ns / 1e9 if onset else None,
        "onset_sign": onset.sign if onset else None,
        "heat_known": figures.heat_known,
        "warmest": figures.warmest,
        "frames": counts.frames if counts else None,
        "frames_on_time": counts.on_time if counts else None,
        "frames_late": counts.late if counts else None,
        "frames_dropped": counts.dropped if counts else None,
        "on_time_top1": figures.on_time_top1,
    }


def _plain(cell: Cell) -> Cell:
    """Return a word of an enum as a text, as data frames expect."""
    return str(cell) if isinstance(cell, str) else cell


def _ms(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / _NS_PER_MS
