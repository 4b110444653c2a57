"""The canonical form is that of RFC 8785, as another implementation writes it."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

import pytest
import rfc8785

from mobilebench.store import canonical, signing
from mobilebench.values import wire
from tests.records import failed_export, measured

RFC = [
    (0x0000000000000000, "0"),
    (0x8000000000000000, "0"),
    (0x0000000000000001, "5e-324"),
    (0x8000000000000001, "-5e-324"),
    (0x7FEFFFFFFFFFFFFF, "1.7976931348623157e+308"),
    (0xFFEFFFFFFFFFFFFF, "-1.7976931348623157e+308"),
    (0x4340000000000000, "9007199254740992"),
    (0xC340000000000000, "-9007199254740992"),
    (0x4430000000000000, "295147905179352830000"),
    (0x44B52D02C7E14AF5, "9.999999999999997e+22"),
    (0x44B52D02C7E14AF6, "1e+23"),
    (0x44B52D02C7E14AF7, "1.0000000000000001e+23"),
    (0x444B1AE4D6E2EF4E, "999999999999999700000"),
    (0x444B1AE4D6E2EF4F, "999999999999999900000"),
    (0x444B1AE4D6E2EF50, "1e+21"),
    (0x3EB0C6F7A0B5ED8C, "9.999999999999997e-7"),
    (0x3EB0C6F7A0B5ED8D, "0.000001"),
    (0x41B3DE4355555553, "333333333.3333332"),
    (0x41B3DE4355555557, "333333333.33333343"),
    (0xBECBF647612F3696, "-0.0000033333333333333333"),
    (0x43143FF3C1CB0959, "1424953923781206.2"),
]
"""Numbers of the RFC, appendix B."""


@pytest.mark.parametrize(("bits", "text"), RFC)
def test_numbers_are_written_as_the_rfc_says(bits: int, text: str) -> None:
    [number] = struct.unpack(">d", bits.to_bytes(8))
    assert canonical.dumps(number) == text.encode()


def test_any_number_is_written_as_the_other_implementation_does() -> None:
    chance = random.Random(1)
    for _ in range(20_000):
        [number] = struct.unpack(">d", chance.randbytes(8))
        if number == number and abs(number) != float("inf"):
            assert canonical.dumps(number) == rfc8785.dumps(number)
        short = round(chance.uniform(-1e3, 1e3), chance.randrange(6)) * 10 ** chance.randrange(
            -9, 25
        )
        assert canonical.dumps(short) == rfc8785.dumps(short)


@pytest.mark.parametrize(
    "plain",
    [
        None, True, False, [], {}, [[]], [{}], {"": None}, "", 0, -0.0, 1.0, [1, True, 2], [1, 1.5],
        list(range(-50, 50)), (1 << 53) - 1, 1 - (1 << 53),
        {"€": 1, "\r": 2, "דּ": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7},
        "".join(map(chr, range(0x100))), "\u2028 \ufeff \U0001f600", '"\\/\b\f\n\r\t',
        {"b": {"d": [1.5, "x"], "c": {"f": None}}, "a": [{"z": 1, "y": [2, 3]}]},
    ],
)  # fmt: skip
def test_documents_are_written_as_the_other_implementation_does(plain: Any) -> None:
    assert canonical.dumps(plain) == rfc8785.dumps(plain)


@pytest.mark.parametrize("record", [measured(), failed_export()])
def test_records_are_written_as_the_other_implementation_does(record: Any) -> None:
    plain = wire.to_plain(record)
    expected = rfc8785.dumps({name: each for name, each in plain.items() if name != "signature"})
    assert signing.canonical(plain) == expected


@pytest.mark.parametrize(
    "plain",
    [1 << 53, [1, -(1 << 53)], [1 << 60], float("nan"), float("inf"), {1: 2}, {1}, "\ud800", b"x"],
)
def test_what_has_no_canonical_form_is_refused(plain: Any) -> None:
    with pytest.raises(ValueError):
        canonical.dumps(plain)


def test_text_is_parsed_as_the_standard_library_does() -> None:
    chance = random.Random(2)
    for _ in range(2_000):
        [number] = struct.unpack(">d", chance.randbytes(8))
        if number == number and abs(number) != float("inf"):
            for text in (
                repr(number),
                f"{number:.25e}",
                str(int(number)) if abs(number) < 1e300 else "1",
            ):
                assert wire.parse(text) == json.loads(text)
                plain = wire.parse(text)
                assert json.loads(wire.text_of(plain)) == plain
                assert type(json.loads(wire.text_of(plain))) is type(plain)
    for text in ('{"a":1,"a":2}', "[1e2]", '"\\u00e9\\n"', "-0", "-0.0", "[]", " 1 ", "1" * 40):
        assert repr(wire.parse(text)) == repr(json.loads(text))
    assert wire.text_of(wire.parse('{"a":1,"b":0,"a":2}')) == b'{"a":2,"b":0}'
