"""The vectors in `tests/vectors` are current, and a stranger's program passes them."""

from __future__ import annotations

import ast
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mobilebench import conformance
from mobilebench.conformance import jobs, journals, kit, records
from mobilebench.conformance.vector import Kind, Vector
from mobilebench.values.measurement import Diagnosis, Stop
from mobilebench.values.protocol import protocols

FOLDER = Path(__file__).parents[1] / "vectors"
STRANGER = Path(__file__).parent / "stranger.py"


@pytest.fixture(scope="module")
def vectors() -> list[Vector]:
    return list(conformance.vectors())


def test_the_files_are_current(vectors: list[Vector]) -> None:
    """`python -m mobilebench.schema vectors` writes them."""
    files = {str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.glob("*/*.json")}
    assert files == {vector.id for vector in vectors}
    for vector in vectors:
        assert (FOLDER / f"{vector.id}.json").read_text() == vector.text, vector.id


def test_every_name_is_used_once(vectors: list[Vector]) -> None:
    assert len({vector.id for vector in vectors}) == len(vectors)
    assert {vector.kind for vector in vectors} == set(Kind)


def test_every_protocol_is_defined_and_run(vectors: list[Vector]) -> None:
    ids = {vector.id for vector in vectors}
    for protocol in protocols():
        assert {f"protocol/{protocol.id}", f"engine/{protocol.id}"} <= ids


@pytest.mark.parametrize("diagnosis", Diagnosis)
def test_every_diagnosis_is_shown_once_present_and_once_absent(
    vectors: list[Vector], diagnosis: Diagnosis
) -> None:
    by_id = {v.id: v.expected["reasons"] for v in vectors if v.kind is Kind.DIAGNOSES}
    name = diagnosis.replace(" ", "-")
    assert by_id[f"diagnoses/{name}-present"] == [diagnosis]
    assert diagnosis not in by_id[f"diagnoses/{name}-absent"]


def test_vectors_show_what_they_say(vectors: list[Vector]) -> None:
    """The cases are those that an implementation gets wrong; each shows its effect."""
    engine = {v.name: v.expected for v in vectors if v.kind is Kind.ENGINE}
    late = _column(engine["warm-up-converges-late"]["samples"]["phase"])
    assert late.count("warm-up") > 100 and late.count("measured") == 4
    never = engine["warm-up-never-converges"]["samples"]
    warm_up = [ns for ns, phase in zip(never["latency_ns"], _column(never["phase"]), strict=True)
               if phase == "warm-up"]  # fmt: skip
    assert sum(warm_up) >= 60_000_000 > sum(warm_up[:-1])
    assert [gate["open"] for gate in engine["gate-never-opens"]["gates"]] == [False, False]
    assert engine["gate-with-late-waits-and-slow-readings"]["gates"][0]["waited_ns"] % 1_000_000
    missed = engine["deadline-missed"]["samples"]
    both = zip(missed["t_ns"], _column(missed["phase"]), strict=True)
    starts = [t for t, phase in both if phase == "measured"]
    assert sorted({b - a for a, b in pairwise(starts)}) == [10**7, 3 * 10**7]
    assert max(engine["clock-jumps"]["samples"]["latency_ns"]) == 600 * 10**9
    assert engine["inference-fails"] == {"failing_inference": 9}


def _column(spans: list[dict[str, Any]]) -> list[Any]:
    return [span["value"] for span in spans for _ in range(span["count"])]


def test_a_program_that_knows_only_the_page_passes(vectors: list[Vector]) -> None:
    results = kit.judge(kit.ask([sys.executable, str(STRANGER)], vectors, 60), vectors)
    assert [result.mistake for result in results if result.mistake] == []
    answered = {result.kind for result in results if result.supported}
    assert answered == set(Kind) - kit.OPTIONAL


@pytest.mark.parametrize("name", ["job", "journal", "record"])
def test_mobilebench_reads_documents_as_the_vectors_say(vectors: list[Vector], name: str) -> None:
    kind = Kind(name)
    answer = {Kind.JOB: jobs.answer, Kind.JOURNAL: journals.answer, Kind.RECORD: records.answer}
    asked = [v for v in vectors if v.kind is kind and ("text" in v.given)]
    assert sum("refused" in v.expected for v in asked) >= 5
    for vector in asked:
        line = json.dumps({"id": vector.id, "answer": answer[kind](vector.given)})
        [result] = kit.judge(line, [vector])
        assert result.right, (vector.id, result.mistake)


def test_every_limit_stops_a_device_once(vectors: list[Vector]) -> None:
    stopped = {v.name: v.expected.get("stopped") for v in vectors if v.kind is Kind.ENGINE}
    assert set(stopped.values()) == {None, *Stop}
    within = next(v for v in vectors if v.id == "engine/stop-by-time-within-a-round")
    assert within.expected["samples"]["t_ns"][-1] < 30_000_000
    assert stopped["limits-that-are-not-reached"] is None


def test_that_program_shares_no_code_with_us() -> None:
    tree = ast.parse(STRANGER.read_text())
    names = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names == {
        "decimal",
        "fractions",
        "hashlib",
        "itertools",
        "json",
        "math",
        "re",
        "sys",
        "urllib.parse",
    }


def test_vectors_are_json_that_every_language_reads(vectors: list[Vector]) -> None:
    def whole(text: str) -> int:
        assert abs(int(text)) < 2**53, "a double holds no larger whole number"
        return int(text)

    def none(name: str) -> None:
        raise AssertionError(name)

    for vector in vectors:
        json.loads(vector.text, parse_int=whole, parse_constant=none)
