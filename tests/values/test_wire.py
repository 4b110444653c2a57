"""A value is written whole, also where Ctrl-C comes while it is written."""

from __future__ import annotations

import os
import signal
from typing import Annotated, Any, Literal

import pytest
from pydantic import Discriminator, PlainSerializer

from mobilebench.values import value, wire


def _interrupted(number: int) -> str:
    os.kill(os.getpid(), signal.SIGINT)
    return f"written {number}"


@value
class Left:
    kind: Literal["left"] = "left"
    number: Annotated[int, PlainSerializer(_interrupted)]


@value
class Right:
    kind: Literal["right"] = "right"


@value
class Either:
    side: Annotated[Left | Right, Discriminator("kind")]


@pytest.fixture
def handler() -> Any:
    """Return Ctrl-C's handler as the program has it; a shell may have it ignored here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_while_a_union_is_written_is_not_lost(handler: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        wire.dumps(Either(side=Left(number=1)))
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_handler_that_goes_on_gets_the_value_whole(handler: Any) -> None:
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    assert wire.dumps(Either(side=Left(number=1))) == (
        '{"side":{"kind":"left","number":"written 1"}}'
    )
    assert came == [signal.SIGINT]
