"""JSON Schemas of the documents that cross languages, generated from the types.

`python -m mobilebench.schema` writes them to files. A test compares the files with the types.
"""

from __future__ import annotations

import json
from pathlib import Path

from mobilebench.values import wire
from mobilebench.values.accuracy import ACCURACY_SCHEMA_VERSION, Accuracy
from mobilebench.values.job import JOB_SCHEMA_VERSION, Job
from mobilebench.values.journal import JOURNAL_SCHEMA_VERSION, Line
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
