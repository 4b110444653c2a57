"""Read the results of other benchmark tools.

Each module has one reader, chosen by its name or by what a file looks like. A reader turns the text
of a file into `Reported` results, and adds nothing that the text does not state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mobilebench.errors import SchemaError, UnknownName
from mobilebench.interop import androidx, executorch, litert, mlperf, onnxruntime, table
from mobilebench.interop.reader import Reader
from mobilebench.values.reported import Reported

READERS: Mapping[str, Reader] = {
    "litert": litert.READER,
    "onnxruntime": onnxruntime.READER,
    "executorch": executorch.READER,
    "mlperf": mlperf.RESULT,
    "mlperf-summary": mlperf.SUMMARY,
    "androidx": androidx.READER,
    "table": table.READER,
}
_LARGEST_BYTES = 256 << 20


def read(path: Path, kind: str | None = None) -> list[Reported]:
    """Read the results in a file, with the named reader or the first that recognises it.

    Raises `UnknownName` for a reader that does not exist, `SchemaError` where the file cannot be
    read, no reader recognises it, or it is not what its reader takes.
    """
    if kind is not None and kind not in READERS:
        raise UnknownName.among("kind of result file", kind, READERS)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise SchemaError(f"The file {path} is larger than {_LARGEST_BYTES >> 20} MB.")
        content = path.read_bytes()
    except OSError as error:
        raise SchemaError(f"The file {path} cannot be read: {error.strerror}.") from error
    text = content.decode("utf-8", errors="replace")
    reader = READERS[kind] if kind else _recognised(text)
    if reader is None:
        known = ", ".join(READERS)
        raise SchemaError(
            f"{path} does not look like the result of a known tool; name its kind with --as "
            f"({known})."
        )
    try:
        results = reader.read(text, path)
    except (ValueError, OverflowError) as error:
        raise SchemaError(f"{path} states an impossible number: {error}.") from error
    if not results:
        raise SchemaError(f"{path} was read as a result of {reader.tool} and holds no result.")
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


def recognised(path: Path) -> bool:
    """Return whether a file is another tool's result; False where it cannot be read."""
    try:
        with path.open("rb") as handle:
            head = handle.read(_LARGEST_BYTES)
    except OSError:
        return False
    return _recognised(head.decode("utf-8", errors="replace")) is not None


def _recognised(text: str) -> Reader | None:
    return next((reader for reader in READERS.values() if reader.recognises(text)), None)
