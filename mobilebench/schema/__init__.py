"""What programs in other languages are built with, generated from the types.

The JSON Schemas of the documents that cross languages, and the definitions of the protocols.
`python -m mobilebench.schema` writes them to files. A test compares the files with the types.
"""

from __future__ import annotations

import json
from pathlib import Path

from mobilebench.values import wire
from mobilebench.values.accuracy import ACCURACY_SCHEMA_VERSION, Accuracy
from mobilebench.values.job import JOB_SCHEMA_VERSION, Job
from mobilebench.values.journal import JOURNAL_SCHEMA_VERSION, Line
from mobilebench.values.protocol import MOST_FPS, half_hour, protocols
from mobilebench.values.record import (
    RECORD_SCHEMA_VERSION,
    SUBJECT_SCHEMA_VERSION,
    Record,
    Subject,
)
from mobilebench.values.reported import REPORTED_SCHEMA_VERSION, Reported

FOLDER = Path(__file__).parent


def schemas() -> dict[str, str]:
    """Return the file name and the text of every schema."""
    documents = {
        f"accuracy.v{ACCURACY_SCHEMA_VERSION}.json": wire.json_schema(Accuracy),
        f"job.v{JOB_SCHEMA_VERSION}.json": wire.json_schema(Job),
        f"journal.v{JOURNAL_SCHEMA_VERSION}.json": wire.json_schema(Line),
        f"record.v{RECORD_SCHEMA_VERSION}.json": wire.json_schema(Record),
        f"reported.v{REPORTED_SCHEMA_VERSION}.json": wire.json_schema(Reported),
        f"subject.v{SUBJECT_SCHEMA_VERSION}.json": wire.json_schema(Subject),
    }
    return {
        name: json.dumps(document, indent=2, sort_keys=True) + "\n"
        for name, document in documents.items()
    }


PROTOCOLS_FILE = "protocols.json"
RATE = "{fps}"
"""Stands for the frame rate in the protocol of half an hour."""


def definitions() -> str:
    """Return the text of the file of protocols.

    `protocols` has each with its id, `paced` the one of half an hour. In that, `{fps}` stands for
    the frame rate, and `interval_ns` is left out: it is a second in nanoseconds, divided by the
    rate and rounded down.
    """
    fps = MOST_FPS
    paced = wire.to_sparse(half_hour(fps))
    del paced["interval_ns"]
    paced |= {name: paced[name].replace(str(fps), RATE) for name in ("id", "purpose")}
    document = {
        "most_fps": MOST_FPS,
        "paced": paced,
        "protocols": wire.to_sparse(protocols()),
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
