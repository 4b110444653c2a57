"""The app's core answers every golden vector: as class files, as dex, and on Android's runtime."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mobilebench_android import dexing
from mobilebench_android.art import running
from mobilebench_android.compiling import compile_modules
from mobilebench_android.java import jdk
from mobilebench_android.places import ROOT

MAIN = "mobilebench.conformance.MainKt"


def _on_jvm(classpath: Sequence[Path], *options: str) -> list[str]:
    return [str(jdk().java), *options, "-cp", os.pathsep.join(map(str, classpath)), MAIN]


def _conformance(command: list[str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "mobilebench", "conformance", shlex.join(command), "--json"],
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


@pytest.mark.parametrize("form", ["class files", "dex", pytest.param("art", marks=pytest.mark.art)])
def test_every_vector_is_answered_right(form: str) -> None:
    if form == "class files":
        command = _on_jvm(compile_modules(["conformance"]).classpath)
    elif form == "dex":
        # Frames of code that was turned back are larger, and two vectors nest 5,000 deep.
        command = _on_jvm(dexing.turned_back(["conformance"]), "-Xss4m")
    else:
        command = running.app_command(["conformance"], MAIN)
    answers = _conformance(command)
    assert len(answers) > 200
    assert [each["id"] for each in answers if each["mistake"] or not each["supported"]] == []
