"""What the kit calls a mistake, and what it refuses."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from mobilebench.conformance import kit
from mobilebench.conformance.vector import Kind, Vector
from mobilebench.errors import UserError
from mobilebench.machine import process

EXPECTED = {"count": 3, "p50_ns": 2.5, "gates": [{"open": False, "start": None}], "word": "fair"}
VECTOR = Vector(
    kind=Kind.STATS, name="one", about="What it catches.", given={"x": 1}, expected=EXPECTED
)


def _mistake(answer: Any, vector: Vector = VECTOR) -> str | None:
    line = json.dumps({"id": vector.id, "answer": answer})
    [result] = kit.judge(line, [vector])
    assert result.right == (result.mistake is None)
    return result.mistake


def test_a_right_answer_has_no_mistake() -> None:
    assert _mistake(EXPECTED) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("p50_ns", 2.5 * (1 + 1e-12)),
        ("gates", [{"open": False}]),
        ("gates", [{"open": False, "start": []}]),
        ("more", {}),
    ],
)
def test_rounding_and_absent_nulls_are_no_mistakes(key: str, value: Any) -> None:
    assert _mistake({**EXPECTED, key: value}) is None


@pytest.mark.parametrize(
    ("key", "value", "mistake"),
    [
        ("count", 3.0000001, "the answer.count is 3.0000001, and should be 3"),
        ("count", True, "the answer.count is true, and should be 3"),
        ("count", "3", 'the answer.count is "3", and should be 3'),
        ("count", None, "the answer.count is null, and should be 3"),
        ("p50_ns", 2.5001, "the answer.p50_ns is 2.5001, and should be 2.5"),
        ("word", "Fair", 'the answer.word is "Fair", and should be "fair"'),
        ("gates", [], "the answer.gates has 0 entries, and should have 1"),
        ("gates", [{"open": 0}], "the answer.gates[0].open is 0, and should be false"),
        ("gates", {}, 'the answer.gates is {}, and should be [{"open": false, "start": null}]'),
        ("more", 1, "the answer.more is 1, and should be null"),
    ],
)
def test_mistakes_name_their_place(key: str, value: Any, mistake: str) -> None:
    assert _mistake({**EXPECTED, key: value}) == mistake


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        ({"refused": "No field is called COLOUR, and its value is red."}, None),
        ({"refused": "A field is unknown: red"}, "the refusal does not name colour: A field is"),
        ({"refused": ["colour", "red"]}, "it is not refused, and should be"),
        ({"refused": None}, "it is not refused, and should be"),
        ({"files": {}}, "it is not refused, and should be"),
        ([], "it is not refused, and should be"),
    ],
)
def test_a_refusal_has_to_hold_its_words(answer: Any, mistake: str | None) -> None:
    vector = Vector(kind=Kind.JOB, name="bad", about="-", given={},
                    expected={"refused": ["colour", "red"]})  # fmt: skip
    found = _mistake(answer, vector)
    assert found == mistake if mistake is None else str(found).startswith(mistake)


def test_what_has_to_be_taken_may_not_be_refused() -> None:
    assert _mistake({"refused": "not today"}) == "it is refused, and should not be: not today"


def test_reading_records_may_be_left_to_a_computer() -> None:
    line = json.dumps({"id": "record/x", "unsupported": True})
    for expected, right in (({"refused": ["x"]}, True), ({"canonical": "{}"}, False)):
        vector = Vector(kind=Kind.RECORD, name="x", about="-", given={}, expected=expected)
        assert kit.judge(line, [vector])[0].right is right


def test_whole_numbers_are_equal_to_the_last_digit() -> None:
    vector = Vector(kind=Kind.STATS, name="large", about="-", given={}, expected={"t_ns": 10**15})
    assert _mistake({"t_ns": 10**15}, vector) is None
    assert _mistake({"t_ns": 10**15 + 1}, vector) is not None


def test_a_missing_answer_is_a_mistake() -> None:
    [result] = kit.judge("", [VECTOR])
    assert result.mistake == "there is no answer"


def test_kinds_that_a_device_needs_cannot_be_left_out() -> None:
    [needed] = kit.judge(json.dumps({"id": VECTOR.id, "unsupported": True}), [VECTOR])
    assert needed.mistake == "every device has to answer stats"
    other = Vector(kind=Kind.DIAGNOSES, name="one", about="-", given={}, expected={})
    [optional] = kit.judge(json.dumps({"id": other.id, "unsupported": True}), [other])
    assert optional.right and not optional.supported


def _nested(levels: int) -> str:
    return json.dumps({"id": VECTOR.id, "answer": 0})[:-2] + "[" * levels + "]" * levels + "}"


def test_an_answer_with_other_ends_of_lines_inside_is_one_line() -> None:
    for character in "\u2028\u2029\x85":
        text = f"fair{character}"
        vector = Vector(kind=Kind.STATS, name="x", about="-", given={}, expected={"word": text})
        line = json.dumps({"id": vector.id, "answer": {"word": text}}, ensure_ascii=False)
        [result] = kit.judge(f"{line}\r\n", [vector])
        assert result.right, result.mistake


def test_a_whole_number_that_no_float_holds_is_a_mistake() -> None:
    mistake = _mistake({**EXPECTED, "p50_ns": 10**400})
    assert mistake is not None and mistake.startswith("the answer.p50_ns is 1000")


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("not json", "Line 1 of the answers is not JSON"),
        ('\n{"answer": 1}', "Line 2 of the answers has no id"),
        ("[1]", "Line 1 of the answers has no id"),
        ("null", "Line 1 of the answers has no id"),
        ('{"id": "stats/other", "answer": 1}', "'stats/other', which is no task"),
        ('{"id": "stats/one"}\n{"id": "stats/one"}', "Line 2 answers stats/one for the second"),
        ("[" * 100_000 + "]" * 100_000, "Line 1 of the answers is nested more than 64 levels"),
        (_nested(900), "Line 1 of the answers is nested more than 64 levels"),
        (_nested(80), "Line 1 of the answers is nested more than 64 levels"),
    ],
)
def test_what_is_no_answer_is_refused(answers: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        kit.judge(answers, [VECTOR])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "import sys; sys.exit('no model')",
            "code 1; its last words: no model",
        ),
        ("import time; time.sleep(60)", "did not end within 0.5 s of getting 1 task;"),
    ],
)
def test_a_program_that_fails_is_refused(code: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        kit.ask([sys.executable, "-c", code], [VECTOR], 0.5)


def test_a_program_that_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match="nothing-there cannot be started"):
        kit.ask(["nothing-there"], [VECTOR], 5)
    for command in ([], [""], [" ", "x"]):
        with pytest.raises(UserError, match="The command is empty"):
            kit.ask(command, [VECTOR], 5)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_program_that_prints_without_end_is_stopped(
    monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    monkeypatch.setattr(kit, "MOST_BYTES", 1_000_000)
    code = f"import sys\nwhile True: sys.{stream}.write('x' * 10_000 + '\\n')"
    with pytest.raises(UserError, match="printed more than 1.00 MB"):
        kit.ask([sys.executable, "-c", code], [VECTOR], 60)


def test_what_a_program_has_started_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'id')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    with pytest.raises(UserError, match="did not end within 3 s"):
        kit.ask([sys.executable, "-c", code], [VECTOR], 3)
    started = int((tmp_path / "id").read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(started) and psutil.Process(started).status() != "zombie":
        assert time.monotonic() < deadline, "the child of the program still runs"
        time.sleep(0.05)


def test_a_program_that_a_signal_ended_is_said_to_be() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(UserError, match="was ended by SIGKILL"):
        kit.ask([sys.executable, "-c", code], [VECTOR], 60)
    assert process.signal_name(9) == "SIGKILL" and process.signal_name(35) == "number 35"


def test_a_file_of_answers_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "answers"
    path.write_bytes(b"\xef\xbb\xbf" + b"{}")
    assert kit.read(path) == "{}", "without the mark that Windows puts first"
    monkeypatch.setattr(kit, "MOST_BYTES", 4)
    with pytest.raises(UserError, match="are larger than 4 bytes"):
        kit.read(path)
