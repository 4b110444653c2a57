"""The program does its work, and says how it went, whatever becomes of its output."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench.store import RecordStore
from tests import foreign
from tests.conftest import Ran

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
Shell = Callable[[str], Ran]
"""Runs a line of a shell in which $M is the program."""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    def run(line: str) -> Ran:
        program = f"{shlex.quote(sys.executable)} -m mobilebench"
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env={**os.environ, "M": program, "MOBILEBENCH_STORE": str(tmp_path / "store.sqlite")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.mark.parametrize("words", ["--help", "--version", "models", "models --json", "devices"])
def test_a_reader_that_ends_early_changes_nothing(shell: Shell, words: str) -> None:
    for reader in ("head -1", "true"):
        done = shell(f"$M {words} | {reader}; exit ${{PIPESTATUS[0]}}")
        assert (done.code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("target", "cause"),
    [
        ("&-", "bad file descriptor"),
        pytest.param("/dev/full", "no space left on device", marks=FULL),
    ],
)
@pytest.mark.parametrize("words", ["--help", "--version", "models", "models --json"])
def test_a_result_that_is_lost_is_one_sentence(
    shell: Shell, words: str, target: str, cause: str
) -> None:
    done = shell(f"$M {words} >{target}")
    assert done.code == 2
    assert done.stderr.startswith(f"error: The result could not be printed: {cause};")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("target", ["&-", pytest.param("/dev/full", marks=FULL)])
def test_complaints_that_nobody_sees_change_no_exit_code(shell: Shell, target: str) -> None:
    assert shell(f"$M models 2>{target}").code == 0
    assert shell(f"$M model 2>{target}").code == 2
    assert shell(f"$M inspect nowhere 2>{target} >{target}").code == 2


@pytest.mark.parametrize(
    "redirection",
    [
        pytest.param("2>&-", marks=pytest.mark.slow),
        pytest.param("2>/dev/full", marks=FULL),
        "| true",
        "<&- 2>&-",
    ],
)
def test_measuring_goes_on_without_its_streams(
    shell: Shell, tmp_path: Path, redirection: str
) -> None:
    foreign.difference(tmp_path / "difference.tflite")
    line = f"$M bench difference.tflite --protocol smoke-1 --out records.json {redirection}"
    done = shell(f"{line}; exit ${{PIPESTATUS[0]}}")
    assert done.code == 0, done.stderr
    assert '"latency' in (tmp_path / "records.json").read_text()
    with RecordStore(tmp_path / "store.sqlite", create=False) as store:
        assert len(store.find()) == 1


def test_what_closed_streams_would_print_goes_into_no_file(shell: Shell, tmp_path: Path) -> None:
    foreign.difference(tmp_path / "difference.tflite")
    done = shell("$M bench difference.tflite --protocol smoke-1 --out records.json <&- >&- 2>&-")
    assert done.code == 2, "the table is lost"
    with RecordStore(tmp_path / "store.sqlite", create=False) as store:
        assert len(store.find()) == 1


def test_a_verdict_stays_when_nobody_reads_it(shell: Shell, tmp_path: Path) -> None:
    for redirection in ("| true", ">&-"):
        line = f"$M conformance --answers answers --kind headline {redirection}"
        (tmp_path / "answers").write_text("")
        assert shell(f"{line}; exit ${{PIPESTATUS[0]}}").code == 1
