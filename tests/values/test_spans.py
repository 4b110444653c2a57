"""Columns that seldom change are written as spans, and read from spans or plain values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mobilebench.errors import SchemaError
from mobilebench.values import wire
from mobilebench.values.measurement import Phase, Samples

SAMPLES = Samples(
    t_ns=(0, 10, 20, 30),
    latency_ns=(5, 5, 6, 5),
    phase=(Phase.WARM_UP, Phase.MEASURED, Phase.MEASURED, Phase.MEASURED),
    round=(0, 0, 0, 1),
    width=(1.0, 1.0, 0.5, 0.5),
)


def test_equal_neighbours_are_one_span() -> None:
    plain = wire.to_plain(SAMPLES)
    assert plain["phase"] == [
        {"count": 1, "value": "warm-up"},
        {"count": 3, "value": "measured"},
    ]
    assert plain["round"] == [{"count": 3, "value": 0}, {"count": 1, "value": 1}]
    assert plain["width"] == [{"count": 2, "value": 1.0}, {"count": 2, "value": 0.5}]
    assert wire.from_plain(Samples, plain) == SAMPLES


def test_plain_values_are_read_too() -> None:
    plain = wire.to_plain(SAMPLES) | {
        "phase": ["warm-up", "measured", "measured", "measured"],
        "round": [0, 0, 0, 1],
    }
    assert wire.from_plain(Samples, plain) == SAMPLES


def test_whole_numbers_are_widths_as_well() -> None:
    plain = wire.to_plain(SAMPLES) | {"width": [{"count": 4, "value": 1}]}
    assert wire.from_plain(Samples, plain).width == (1.0,) * 4


@pytest.mark.parametrize(
    ("column", "content", "words"),
    [
        ("phase", [{"count": 0, "value": "measured"}], "a count of at least 1 and a value"),
        ("phase", [{"count": 4}], "a count of at least 1 and a value"),
        ("phase", [{"count": 4, "value": "measured", "more": 1}], "a count of at least 1"),
        ("phase", [{"count": 4.0, "value": "measured"}], "a count of at least 1 and a value"),
        ("phase", [{"count": True, "value": "measured"}], "a count of at least 1 and a value"),
        ("phase", [{"count": 10**15, "value": "measured"}], "has at most 100000000 entries"),
        ("phase", [{"count": 4, "value": "later"}], "not a valid Phase"),
        ("phase", [{"count": 3, "value": "measured"}, "measured"], "phase"),
        ("phase", {"count": 4, "value": "measured"}, "valid array"),
        ("phase", [{"count": 3, "value": "measured"}], "columns differ in length"),
        ("round", [{"count": 4, "value": True}], "valid integer"),
        ("round", [{"count": 4, "value": -1}], "round is -1"),
        ("width", [{"count": 4, "value": 0}], "width is 0.0; it has to be from 0.01 to 1"),
        ("width", [{"count": 4, "value": 2}], "width is 2.0; it has to be from 0.01 to 1"),
        ("width", [{"count": 3, "value": 1}], "columns differ in length: [3, 4]"),
    ],
)
def test_other_columns_are_refused(column: str, content: Any, words: str) -> None:
    plain = wire.to_plain(SAMPLES) | {column: content}
    with pytest.raises(SchemaError) as raised:
        wire.loads(Samples, json.dumps(plain))
    assert words in str(raised.value)
