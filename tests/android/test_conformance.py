"""The app's core answers every golden vector, as class files and as dex."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mobilebench_android import dexing
from mobilebench_android.compiling import compile_modules
from mobilebench_android.java import jdk
from mobilebench_android.places import ROOT

MAIN = "mobilebench.conformance.MainKt"


def _conformance(classpath: list[Path], *options: str) -> list[dict[str, Any]]:
    command = [str(jdk().java), *options, "-cp", os.pathsep.join(map(str, classpath)), MAIN]
    done = subprocess.run(
        [sys.executable, "-m", "mobilebench", "conformance", " ".join(command), "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("form", ["class files", "dex"])
def test_every_vector_is_answered_right(form: str) -> None:
    if form == "class files":
        answers = _conformance(list(compile_modules(["conformance"]).classpath))
    else:
        # Frames of code that was turned back are larger, and two vectors nest 5,000 deep.
        answers = _conformance(dexing.turned_back(["conformance"]), "-Xss4m")
    assert len(answers) > 200
    assert [each["id"] for each in answers if each["mistake"] or not each["supported"]] == []
