"""A signal ends the program as one, also where a library makes another error of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.signals import hear_signals

_EARLY = """
import os

from mobilebench import cli
from mobilebench.__main__ import main


class Slow(cli.Verbs):
    @property
    def name(self):
        return "mobilebench"

    @name.setter
    def name(self, _):
        os.kill(os.getpid(), 2)


cli.app.info.cls = Slow
main()
"""
_VERB = """
import os
import signal

from mobilebench import cli


@cli.app.command()
def odd(number: int) -> None:
    try:
        if number:
            os.kill(os.getpid(), number)
    except BaseException as error:
        raise RuntimeError("what a compiled library makes of it") from None
    raise RuntimeError("a fault")


cli.main()
"""
_TWICE = """
import os
import sys

from mobilebench import cli


@cli.app.command()
def slow() -> None:
    try:
        os.kill(os.getpid(), 2)
    finally:
        for number in (2, 15, 1):
            os.kill(os.getpid(), number)
        print("unwound", file=sys.stderr)


cli.main()
"""


def _run(program: str, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=hear_signals,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(("number", "code"), [(1, 129), (2, 130), (15, 143)])
def test_an_error_that_a_signal_became_is_a_stop(number: int, code: int) -> None:
    assert _run(_VERB, "odd", str(number)) == (
        code,
        "error: Stopped. Finished artifacts and records are kept; nothing is half written.\n",
    )


def test_others_that_say_the_same_do_not_interrupt_the_unwinding() -> None:
    assert _run(_TWICE, "slow") == (
        130,
        "unwound\n"
        "error: Stopped. Finished artifacts and records are kept; nothing is half written.\n",
    )


def test_what_is_ignored_stays_ignored() -> None:
    assert _run("import signal; signal.signal(1, signal.SIG_IGN)" + _VERB, "odd", "1")[0] == 1


def test_any_other_unexpected_error_is_told_whole() -> None:
    code, told = _run(_VERB, "odd", "0")
    assert code == 1
    assert "Traceback" in told
    assert told.endswith("RuntimeError: a fault\n")


def test_ctrl_c_before_a_verb_begins_is_no_traceback() -> None:
    assert _run(_EARLY, "models") == (130, "")
