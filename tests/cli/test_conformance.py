"""Check an implementation of the contract, by a command or by a file of its answers."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran

Program = Callable[..., Ran]
STRANGER = Path(__file__).parents[1] / "conformance" / "stranger.py"
COMMAND = f"{shlex.quote(sys.executable)} {shlex.quote(str(STRANGER))}"


def test_a_program_is_asked_and_its_counts_are_shown(mobilebench: Program) -> None:
    done = mobilebench("conformance", COMMAND)
    assert done.code == 0, done.stdout
    assert "engine: 34 of 34 right" in done.stdout
    assert "journal: 18 of 18 right" in done.stdout
    assert "record: 6 of 20 right, 14 not supported" in done.stdout
    assert "diagnoses: 0 of 47 right, 47 not supported" in done.stdout


def test_a_wrong_program_is_told_what_and_why(mobilebench: Program, tmp_path: Path) -> None:
    wrong = STRANGER.read_text().replace("if converged and enough:", "if enough:")
    (tmp_path / "wrong.py").write_text(wrong)
    done = mobilebench("conformance", f"{shlex.quote(sys.executable)} wrong.py", "--kind", "engine")
    assert done.code == 1
    assert "wrong: engine/warm-up-converges-late: " in done.stdout
    assert "The averages meet only after the latency has stopped falling." in done.stdout


def test_answers_may_come_later_in_a_file(mobilebench: Program, tmp_path: Path) -> None:
    assert mobilebench("conformance", "--tasks", "tasks.jsonl", "--kind", "stats").code == 0
    tasks = (tmp_path / "tasks.jsonl").read_bytes()
    answers = subprocess.run(
        [sys.executable, str(STRANGER)], input=tasks, capture_output=True, check=True
    ).stdout
    (tmp_path / "answers.jsonl").write_bytes(answers)
    done = mobilebench("conformance", "--answers", "answers.jsonl", "--kind", "stats", "--json")
    results = json.loads(done.stdout)
    assert done.code == 0 and len(results) == len(tasks.splitlines())
    others = answers.splitlines(keepends=True)[1:]
    (tmp_path / "answers.jsonl").write_bytes(b"".join(others))
    done = mobilebench("conformance", "--answers", "answers.jsonl", "--kind", "stats")
    assert done.code == 1 and "there is no answer" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "one of the three"),
        (["true", "--tasks", "t"], "one of the three"),
        (["true", "--kind", "engines"], "did you mean engine"),
        (["nothing-there"], "cannot be started"),
        (["false"], "ended with code 1"),
        (["--answers", "gone.jsonl"], "cannot be read"),
        ([""], "COMMAND was given as '', which holds no words"),
        (["   "], "which holds no words"),
        (["python 'x"], "which a shell could not read (no closing quotation)"),
        (["python x\\"], "which a shell could not read (no escaped character)"),
        (["--answers", "x", "--time-limit", "4"], "--time-limit is for a COMMAND"),
        (["--tasks", "x", "--json"], "--json is about a result"),
    ],
)
def test_bad_input_is_one_sentence(mobilebench: Program, arguments: list[str], words: str) -> None:
    done = mobilebench("conformance", *arguments)
    assert done.code == 2 and words in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1
