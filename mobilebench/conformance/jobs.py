"""Vectors of the job: what a device takes, and what it must refuse before it does anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mobilebench.conformance import example
from mobilebench.conformance.vector import Kind, Vector
from mobilebench.errors import SchemaError
from mobilebench.measuring import journal
from mobilebench.values import wire
from mobilebench.values.job import Abilities, Job
from mobilebench.values.policy import PolicyRule
from mobilebench.values.unit import ComputeUnit
from mobilebench.values.wire import Plain

_ABLE = Abilities(
    runtimes=("onnxruntime", "litert"),
    compute_units=(ComputeUnit.CPU, ComputeUnit.NPU),
    policies=(PolicyRule.FIXED, PolicyRule.DEADLINE),
    uploads=True,
)
_NEEDED = (
    "schema_version",
    "model_file",
    "model_sha256",
    "format",
    "delegate",
    "inputs",
    "runtime",
    "protocol",
)
_PLAIN = {name: wire.to_plain(example.PLAIN)[name] for name in _NEEDED}
_VARIANT = {"name": "full", "model_file": "model.onnx", "model_sha256": example.FULL, "width": 1.0}
_REFUSED: dict[str, tuple[str, dict[str, Plain], list[str]]] = {
    "newer-schema": (
        "A newer version may mean something else by a field that looks the same.",
        {"schema_version": 3},
        ["schema version", "3"],
    ),
    "unknown-field": (
        "What is not understood may change the measurement, so it is never passed over.",
        {"colour": "red"},
        ["colour"],
    ),
    "unknown-field-inside": (
        "That holds at every depth.",
        {"limits": {"coldest_c": 5}},
        ["coldest_c"],
    ),
    "file-outside-the-folder": (
        "A name that leads out of the folder reads what is not of the job.",
        {"model_file": "../model.onnx"},
        ["../model.onnx"],
    ),
    "file-with-an-absolute-path": (
        "So does a path from the root.",
        {"model_file": "/model.onnx"},
        ["/model.onnx"],
    ),
    "journal-over-the-model": (
        "The journal would overwrite the file that it is about.",
        {"reporting": {"journal_file": "model.onnx"}},
        ["journal_file", "model.onnx"],
    ),
    "journal-over-the-record": (
        "The record is written beside the journal, when that is whole.",
        {"reporting": {"journal_file": "record.json"}},
        ["journal_file", "record.json"],
    ),
    "no-threads": (
        "Some runtimes take 0 threads for all cores.",
        {"threads": 0},
        ["thread"],
    ),
    "time-limit-of-0": (
        "A limit of nothing is a mistake, not a wish for an empty measurement.",
        {"limits": {"time_ns": 0}},
        ["time_ns", "0"],
    ),
    "temperature-in-another-unit": (
        "A temperature of 3000 is not in degrees Celsius.",
        {"limits": {"hottest_c": 3000}},
        ["hottest_c", "3000"],
    ),
    "width-of-2": (
        "A width is a share of the full network.",
        {"variants": [_VARIANT | {"width": 2.0}]},
        ["width", "2"],
    ),
    "width-of-0": (
        "No network has a width of 0.",
        {"variants": [_VARIANT | {"width": 0.0}]},
        ["width", "0"],
    ),
    "variants-out-of-order": (
        "A policy goes to the next narrower variant, so the order counts.",
        {"variants": [_VARIANT | {"width": 0.5}, _VARIANT | {"name": "wider"}]},
        ["width"],
    ),
    "variants-of-one-name": (
        "A record could not tell them apart.",
        {"variants": [_VARIANT, _VARIANT | {"width": 0.5}]},
        ["name", "full"],
    ),
    "policy-without-variants": (
        "A policy that chooses needs something to choose from.",
        {"policy": {"rule": "deadline"}},
        ["deadline", "variants"],
    ),
    "upload-with-a-password": (
        "The record holds the job, and would show the password to everybody.",
        {"upload_url": "https://me:secret@lab.example/records"},
        ["upload_url"],
    ),
    "runtime-that-is-not-there": (
        "Another runtime would be another measurement.",
        {"runtime": "executorch"},
        ["executorch"],
    ),
    "unit-that-is-not-there": (
        "Another unit would be another measurement.",
        {"compute_unit": "gpu"},
        ["gpu"],
    ),
    "policy-that-is-not-there": (
        "A width that no policy steers is not what was asked for.",
        {"variants": [_VARIANT], "policy": {"rule": "headroom"}},
        ["headroom"],
    ),
}


def vectors() -> Iterator[Vector]:
    """Yield jobs that are taken, and one refused job for each reason."""
    for name, about, document in (
        ("plain", "A job may leave out whatever has a default.", _PLAIN),
        ("complete", "A job that uses every field.", wire.to_plain(example.COMPLETE)),
        ("of-version-1", "Jobs of version 1 have fewer fields.", _PLAIN | {"schema_version": 1}),
    ):
        yield _vector(name, about, json.dumps(document))
    for name, (about, changes, words) in _REFUSED.items():
        yield _vector(f"refused-{name}", about, json.dumps(_PLAIN | changes), refused=words)
    text = json.dumps(_PLAIN)
    yield _vector("refused-cut-off", "Half a job is not a job.", text[:-9], refused=["JSON"])
    yield _vector(
        "refused-not-a-number",
        "JSON has no NaN, and such a limit would never be reached.",
        json.dumps(_PLAIN | {"limits": {"hottest_c": 12.5}}).replace("12.5", "NaN"),
        refused=["JSON"],
    )
    yield _vector(
        "refused-nested-without-end",
        "Deep nesting is refused, and does not end the program.",
        "[" * 5_000,
        refused=["JSON"],
    )
    whole = example.PLAIN.files
    yield _vector(
        "refused-lost-file", "A file is missing.", text, refused=["model.onnx"], present={}
    )
    yield _vector(
        "refused-other-file",
        "The file has another sha256 than the job states.",
        text,
        refused=["model.onnx", "sha256"],
        present=dict.fromkeys(whole, example.NARROW),
    )


def _vector(
    name: str,
    about: str,
    text: str,
    *,
    refused: list[str] | None = None,
    present: Mapping[str, str] | None = None,
) -> Vector:
    files = dict(example.COMPLETE.files if present is None else present)
    given = {"text": text, "files": files, "able": wire.to_sparse(_ABLE)}
    expected = answer(given) if refused is None else {"refused": refused}
    return Vector(kind=Kind.JOB, name=name, about=about, given=given, expected=expected)


def answer(given: dict[str, Any]) -> dict[str, Plain]:
    """Return what this program makes of a job: its files, or a sentence why it is refused."""
    text: str = given["text"]
    abilities = wire.from_plain(Abilities, given["able"])
    try:
        job = wire.loads(Job, text, "the job")
    except SchemaError as error:
        return {"refused": str(error)}
    lack = abilities.lacks(job)
    if lack is not None:
        return {"refused": lack}
    for name, sha256 in job.files.items():
        actual = given["files"].get(name)
        if actual is None:
            return {"refused": f"there is no {name}"}
        if actual != sha256:
            return {"refused": f"{name} has sha256 {actual}, and the job names {sha256}"}
    return {
        "job_sha256": journal.job_sha256(text.encode()),
        "files": job.files,
        "job": wire.to_sparse(job),
    }
