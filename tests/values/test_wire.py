"""Ctrl-C is not lost, and nothing is half written, where it comes inside pydantic's core."""

from __future__ import annotations

import enum
import os
import signal
from typing import Annotated, Any, Literal

import pytest
from pydantic import Discriminator, PlainSerializer
from pydantic_core import PydanticSerializationError

from mobilebench.values import value, wire


def _interrupted(number: int) -> str:
    os.kill(os.getpid(), signal.SIGINT)
    return f"written {number}"


class Slow(enum.Enum):
    """Read by the core when it builds what reads a class."""

    ONE = "one"

    @enum.property
    def value(self) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return str(self._value_)


@value
class Holder:
    kind: Slow


def _failing(number: int) -> str:
    os.kill(os.getpid(), signal.SIGTERM)
    raise ValueError(number)


@value
class Failing:
    number: Annotated[int, PlainSerializer(_failing)]


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


@value
class Stopped:
    kind: Literal["stopped"] = "stopped"

    def __post_init__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


@value
class Read:
    side: Annotated[Stopped | Right, Discriminator("kind")] | str


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


def test_ctrl_c_while_a_class_is_first_read_is_no_fault_of_the_class(handler: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        wire.loads(Holder, '{"kind": "one"}')
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_while_a_value_is_read_is_not_lost(handler: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        wire.loads(Read, '{"side": {"kind": "stopped"}}')


def test_a_signal_is_not_lost_where_the_work_it_waited_for_fails() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    try:
        with pytest.raises(PydanticSerializationError):
            wire.dumps(Failing(number=1))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert came == [signal.SIGTERM]
