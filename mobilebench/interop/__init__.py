"""Read the results of other benchmark tools.

Each module has one reader, chosen by its name or by what a file looks like. A reader turns the text
of a file into `Reported` results, and adds nothing that the text does not state.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mobilebench.errors import SchemaError, UnknownName
from mobilebench.interop import (
    androidx,
    executorch,
    litert,
    mlperf,
    onnxruntime,
    runner,
    series,
    shell,
    table,
)
from mobilebench.interop.content import decoded
from mobilebench.interop.reader import Reader
from mobilebench.interop.shell import Known
from mobilebench.values.reported import Latency, Reported

READERS: Mapping[str, Reader] = {
    "litert": litert.READER,
    "onnxruntime": onnxruntime.READER,
    "executorch": executorch.READER,
    "executor-runner": runner.READER,
    "mlperf": mlperf.RESULT,
    "mlperf-summary": mlperf.SUMMARY,
    "androidx": androidx.READER,
    # Before tables: it can have their columns beside its own.
    "series": series.READER,
    "table": table.READER,
}
KINDS = ("record", "bundle", "accuracy", *READERS)
"""Names of what can be imported: the documents of mobilebench, and what the readers read."""
_LARGEST_BYTES = 256 << 20


def read(path: Path, kind: str | None = None) -> list[Reported]:
    """Read the results in a file, with the named reader or the first that recognises it.

    Raises `UnknownName` for a reader that does not exist, `SchemaError` where the file cannot be
    read, no reader recognises it, or one of its results is wrong: then none of them is read.
    """
    if kind is not None and kind not in READERS:
        raise UnknownName.among("kind of result file", kind, KINDS)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise SchemaError(f"The file {path} is larger than {_LARGEST_BYTES >> 20} MB.")
        content = path.read_bytes()
    except OSError as error:
        raise SchemaError(f"The file {path} cannot be read: {error.strerror}.") from error
    decoding = decoded(content, str(path))
    reader = READERS[kind] if kind else _recognised(decoding.text)
    if reader is None:
        raise SchemaError(f"No reader knows what {path} is; {_readers()}.")
    if decoding.damaged and not reader.log:
        raise SchemaError(f"{path} has characters that are not UTF-8; save it as UTF-8.")
    try:
        results = reader.read(decoding.text, path)
    except (ValueError, OverflowError) as error:
        raise SchemaError(f"{path} states an impossible number: {error}.") from error
    if not results:
        raise SchemaError(f"{path} was read as a result of {reader.tool} and holds no result.")
    _require_possible(results, path)
    digest = hashlib.sha256(content).hexdigest()
    return [
        replace(
            result,
            report_id=hashlib.sha256(f"{digest}:{place}".encode()).hexdigest()[:32],
            source=result.source or reader.tool,
            file=path.name,
        )
        for place, result in enumerate(results)
    ]


def read_run(path: Path, kind: str, known: Known) -> list[Reported]:
    """Read what a tool printed that was run in the shell of a device.

    What no reader can read, and what has no result, is a result without latency that says why.
    """
    try:
        results = read(path, kind)
    except SchemaError as error:
        # Records do not hold the folders of this computer.
        why = known.failure or str(error).replace(str(path), path.name)
        return [shell.failed(READERS[kind].tool, path.name, known, why)]
    return [shell.completed(result, known) for result in results]


def recognised(path: Path) -> bool:
    """Return whether a file is another tool's result; False where it cannot be read."""
    try:
        text = decoded(_head(path), str(path)).text
    except (OSError, SchemaError):
        return False
    return _recognised(text) is not None


def is_accuracy(path: Path) -> bool:
    """Return whether a file looks like accuracies of mobilebench; False if it cannot be read."""
    return b'"accuracy_id"' in _plain_head(path)


def is_record(path: Path) -> bool:
    """Return whether a file looks like records of mobilebench; False where it cannot be read."""
    head = _plain_head(path)
    return b'"record_id"' in head or (b'"schema_version"' in head and not recognised(path))


def _plain_head(path: Path) -> bytes:
    """Return the file without the zeros that stand beside each letter in UTF-16."""
    try:
        return _head(path).replace(b"\0", b"")
    except OSError:
        return b""


def _head(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(_LARGEST_BYTES)


def _recognised(text: str) -> Reader | None:
    return next((reader for reader in READERS.values() if reader.recognises(text)), None)


def _readers() -> str:
    """List what can be read, for a file that none of the readers knows."""
    kinds = [f"{name} ({reader.reads})" for name, reader in READERS.items()]
    return (
        "name its kind with --as, if it is one of these: record (records that mobilebench wrote), "
        f"accuracy (what `mobilebench eval --out` wrote), "
        f"{', '.join(kinds)}"
    )


def _require_possible(results: Sequence[Reported], path: Path) -> None:
    """Raise `SchemaError` for quantities that are not finite or negative, and wrong latencies."""
    for result in results:
        name = result.model or "a result"
        quantities = (
            result.load_ns,
            result.first_inference_ns,
            result.inferences_per_second,
            result.peak_memory_bytes,
        )
        if not all(0 <= quantity < math.inf for quantity in quantities if quantity is not None):
            raise SchemaError(f"{path} states a negative or endless quantity for {name}.")
        for latency in (result.latency, *(window.latency for window in result.windows)):
            fault = _fault(latency)
            if fault:
                raise SchemaError(f"{path} states {fault} for {name}.")


def _fault(latency: Latency) -> str | None:
    """Return what is wrong with a latency; None where nothing is."""
    rising = (
        latency.min_ns,
        latency.p50_ns,
        latency.p90_ns,
        latency.p95_ns,
        latency.p99_ns,
        latency.max_ns,
    )
    stated = [number for number in rising if number is not None]
    others = [latency.mean_ns, latency.std_ns, *(latency.samples_ns or ())]
    if math.inf in (*stated, *others):
        return "a latency that is too large"
    # The least of many can be below what a timer of microseconds tells apart.
    if 0 in (latency.mean_ns, latency.p50_ns, latency.max_ns, *(latency.samples_ns or ())):
        return "a latency of 0 (nothing was measured, or the timer is too coarse)"
    if stated != sorted(stated):
        return "a minimum, percentiles and a maximum that do not rise (one of them is wrong)"
    return None
