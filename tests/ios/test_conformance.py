"""The app's package answers every golden vector."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from mobilebench_ios import testing
from mobilebench_ios.places import APP, ROOT

UNANSWERED = {"signature"}
"""Kinds that only a phone can answer: CryptoKit is Apple's."""


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
    assert {each.partition("/")[0] for each in unanswered} <= UNANSWERED
