"""Values validate on construction; their JSON form is strict in both directions."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mobilebench.errors import SchemaError, UserError
from mobilebench.schema import FOLDER, PROTOCOLS_FILE, RATE, definitions, schemas
from mobilebench.values import wire
from mobilebench.values.device import DeviceState
from mobilebench.values.job import Job
from mobilebench.values.measurement import Failure, Measurement, Phase, Samples
from mobilebench.values.modelspec import Weights
from mobilebench.values.protocol import Protocol, half_hour, protocols
from mobilebench.values.recipe import ExportRecipe, Format
from mobilebench.values.record import Record
from mobilebench.values.tensor import DType, TensorSpec, parse_tensor
from tests.records import failed_export, measured


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("1x3x224x224", TensorSpec(name="input", shape=(1, 3, 224, 224))),
        ("image=1x3x32x48", TensorSpec(name="image", shape=(1, 3, 32, 48))),
        ("tokens=1x77:int64", TensorSpec(name="tokens", shape=(1, 77), dtype=DType.INT64)),
    ],
)
def test_input_spellings(text: str, spec: TensorSpec) -> None:
    assert parse_tensor(text) == spec


@pytest.mark.parametrize("text", ["", "1,3,224", "1x0x3", "-1x3", "x3", "1x3:float8", "1x3x"])
def test_a_misspelt_input_is_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"positive|is not a shape|known are"):
        parse_tensor(text)


def test_recipes_are_hashable_and_labelled() -> None:
    recipe = ExportRecipe(format=Format.COREML, target="iOS16")
    assert {recipe: 1}[ExportRecipe(format=Format.COREML, target="iOS16")] == 1
    assert recipe.label == "coreml-fp32-iOS16"


@pytest.mark.parametrize("origin", ["", "pretrained", "abc123", "F" * 64])
def test_weights_are_a_sha256_or_a_known_word(origin: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        Weights(origin=origin, state_sha256="0" * 64)


def _samples(**changes: Any) -> Samples:
    columns: dict[str, Any] = {
        "t_ns": (0, 10, 20),
        "latency_ns": (5, 6, 7),
        "phase": (Phase.WARM_UP, Phase.MEASURED, Phase.MEASURED),
        "round": (0, 0, 0),
    }
    return Samples(**columns | changes)


def test_latencies_are_those_of_one_phase() -> None:
    assert _samples().latencies_ns() == (6, 7)
    assert _samples().latencies_ns(Phase.WARM_UP) == (5,)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"latency_ns": (5, 6)}, "differ in length"),
        ({"latency_ns": (5, 0, 7)}, "zero or negative"),
        ({"latency_ns": (5, -6, 7)}, "zero or negative"),
        ({"t_ns": (0, 20, 10)}, "backwards"),
    ],
)
def test_impossible_samples_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _samples(**changes)


def test_values_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        measured().created = "later"  # type: ignore[misc]


@pytest.mark.parametrize("record", [measured(), failed_export()], ids=["measured", "failed"])
def test_a_record_survives_the_trip_through_json(record: Record) -> None:
    assert wire.loads(Record, wire.dumps(record)) == record


def test_a_measurement_needs_its_artifact() -> None:
    with pytest.raises(ValueError, match="needs the artifact"):
        dataclasses.replace(measured(), artifact=None)


def _broken(change: str) -> tuple[str, str]:
    plain = json.loads(wire.dumps(measured()))
    match change:
        case "newer":
            plain["schema_version"] = 3
            return json.dumps(plain), "newer than the 2.*update mobilebench"
        case "older":
            plain["schema_version"] = 0
            return json.dumps(plain), "cannot migrate from 0"
        case "no version":
            del plain["schema_version"]
            return json.dumps(plain), "no schema_version"
        case "unknown key":
            plain["outcome"]["samples"]["mood"] = "good"
            return json.dumps(plain), r"outcome\.measurement\.samples\.mood"
        case "missing key":
            del plain["device"]["model"]
            return json.dumps(plain), r"device\.model"
        case "wrong type":
            plain["outcome"]["loads"]["first_ns"] = "12"
            return json.dumps(plain), r"loads\.first_ns"
        case "not an integer":
            plain["outcome"]["samples"]["latency_ns"][0] = 1.5
            return json.dumps(plain), r"latency_ns\.0"
        case "unordered":
            plain["outcome"]["samples"]["t_ns"].reverse()
            return json.dumps(plain), "backwards"
        case "nan":
            return wire.dumps(measured()).replace("20000000", "NaN", 1), "NaN is not a JSON number"
        case "cut off":
            return json.dumps(plain)[:500], "cut off"
        case "deep":
            return "[" * 100_000, "cut off"
    raise AssertionError(change)


@pytest.mark.parametrize(
    "change",
    [
        "newer",
        "older",
        "no version",
        "unknown key",
        "missing key",
        "wrong type",
        "not an integer",
        "unordered",
        "nan",
        "cut off",
        "deep",
    ],
)
def test_a_document_that_is_not_a_record_is_refused_by_name(change: str) -> None:
    text, sentence = _broken(change)
    with pytest.raises(SchemaError, match=sentence) as caught:
        wire.loads(Record, text, "results.json")
    assert "results.json" in str(caught.value)


def test_infinities_never_reach_json() -> None:
    state = DeviceState(t_ns=0, temperatures_c={"cpu": float("inf")})
    with pytest.raises(ValueError, match="Out of range"):
        wire.dumps(state)
    text = wire.dumps(DeviceState(t_ns=0, temperatures_c={"cpu": 50.0}))
    for number in ("1e999", "NaN", "Infinity"):
        with pytest.raises(SchemaError):
            wire.loads(DeviceState, text.replace("50.0", number))


def test_schema_files_are_those_of_the_types() -> None:
    """Run `make schema` after changing a value."""
    for name, text in schemas().items():
        assert (FOLDER / name).read_text() == text
    assert (FOLDER / PROTOCOLS_FILE).read_text() == definitions()


def test_the_file_of_protocols_defines_each_of_them() -> None:
    """Apps are built with it, and a definition that differs would be another protocol."""
    document = json.loads(definitions())
    assert tuple(wire.from_plain(Protocol, p) for p in document["protocols"]) == protocols()
    for fps in (1, 24, 30, document["most_fps"]):
        stated = json.loads(json.dumps(document["paced"]).replace(RATE, str(fps)))
        stated["interval_ns"] = 1_000_000_000 // fps
        assert wire.from_plain(Protocol, stated) == half_hour(fps)


@pytest.mark.parametrize("record", [measured(), failed_export()], ids=["measured", "failed"])
def test_records_and_jobs_hold_to_their_published_schema(record: Record) -> None:
    schema = json.loads((FOLDER / "record.v2.json").read_text())
    jsonschema.validate(wire.to_plain(record), schema)
    spoilt = wire.to_plain(record) | {"extra": 1}
    with pytest.raises(jsonschema.ValidationError, match="extra"):
        jsonschema.validate(spoilt, schema)
    if record.job is not None:
        jsonschema.validate(
            wire.to_plain(record.job), json.loads((FOLDER / "job.v2.json").read_text())
        )
        assert wire.loads(Job, wire.dumps(record.job)) == record.job


def test_identity_names_what_differs() -> None:
    first = measured()
    assert isinstance(first.outcome, Measurement) and first.job is not None
    runtime = dataclasses.replace(first.outcome.runtime, threads=4, settings={"spin": "1"})
    device = dataclasses.replace(first.device, model="Another CPU")
    second = dataclasses.replace(
        first, device=device, outcome=dataclasses.replace(first.outcome, runtime=runtime)
    )
    assert first.identity.differences(first.identity) == ()
    assert first.identity.differences(second.identity) == (
        "device_model",
        "threads",
        "runtime_settings",
    )


def test_a_failure_has_no_identity() -> None:
    record = failed_export()
    assert isinstance(record.outcome, Failure)
    with pytest.raises(ValueError, match="nothing to compare"):
        _ = record.identity


def test_a_record_written_by_the_first_version_is_still_read() -> None:
    path = Path(__file__).parents[1] / "data" / "record-v1-host.json"
    record = wire.read(Record, path)
    assert isinstance(record.outcome, Measurement)
    assert record.model.name == "mobilevig_ti"
    assert len(record.outcome.samples.latencies_ns()) >= 60
