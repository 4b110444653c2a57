"""The app's package answers every golden vector."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from mobilebench_ios import testing
from mobilebench_ios.places import APP, ROOT

UNANSWERED = set() if sys.platform == "linux" else {"signature"}
"""Kinds left out: the program signs with Linux's OpenSSL, and the app with Apple's CryptoKit."""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("no task", "task 2 is not JSON"),
        ("[1]", "task 2 has not the keys id, kind and given"),
        ('{"id": "a", "kind": "stats"}', "task 2 has not the keys"),
    ],
)
def test_what_is_no_task_is_one_sentence(line: str, sentence: str) -> None:
    testing.build(product="BenchConformance")
    done = subprocess.run(
        [sys.executable, APP / "tools/build.py", "run", "BenchConformance"],
        input=f'{{"id": "a", "kind": "new", "given": {{}}}}\n{line}\n',
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout) == {"id": "a", "unsupported": True}
    *_, last = done.stderr.splitlines()  # the lines before it are of the build
    assert last.startswith(sentence)


def test_every_vector_is_answered_right() -> None:
    testing.build(product="BenchConformance")
    command = f"{sys.executable} {APP / 'tools/build.py'} run BenchConformance"
    done = subprocess.run(
        [sys.executable, "-m", "mobilebench", "conformance", command, "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    answers = json.loads(done.stdout)
    assert len(answers) > 200
    assert [each["id"] for each in answers if each["mistake"]] == []
    unanswered = [each["id"] for each in answers if not each["supported"]]
    assert {each.partition("/")[0] for each in unanswered} == UNANSWERED
