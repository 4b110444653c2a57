"""Simulated phones and tables of widths: what is refused when they are read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mobilebench.errors import SchemaError
from mobilebench.thermal import phones
from mobilebench.values import wire
from mobilebench.values.phone import Phone
from mobilebench.values.widths import Widths


def _phone() -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(wire.dumps(phones.named("throttling")))
    return plain


def _widths() -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(wire.dumps(phones.slimmable_widths(28.0)))
    return plain


def _with(plain: dict[str, Any], place: str, value: Any) -> str:
    part = plain
    *path, last = [int(word) if word.isdigit() else word for word in place.split(".")]
    for word in path:
        part = part[word]  # type: ignore[index]
    if value is None:
        del part[last]  # type: ignore[arg-type]
    else:
        part[last] = value  # type: ignore[index]
    return json.dumps(plain)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("heat.skin_battery_c_per_w", -2.0, "skin_battery_c_per_w is -2.0; it has to be from"),
        ("heat.die_j_per_c", 0.0, "die_j_per_c is 0.0"),
        ("steps.1.speed", 1.0, "not in the order of falling speed"),
        ("steps.0.speed", 0.9, "first clock step has the speed 0.9, not 1"),
        ("steps", [], "1 to 16 clock steps, not 0"),
        ("governor.trips_c", [40.0], "4 clock steps need 3 trips, not 1"),
        ("governor.reads", "knee", "die.*skin.*battery"),
        ("noise.spread", 2.0, "spread is 2.0"),
        ("memory_share", 1.5, "memory_share is 1.5"),
        ("name", " ", "no name"),
        ("weight_g", 200, "weight_g"),
        ("schema_version", 9, "schema version 9, newer than the 1"),
    ],
)
def test_an_impossible_phone_is_refused(place: str, value: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        wire.loads(Phone, _with(_phone(), place, value))


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("widths.2.top1", None, "at widths.2.top1: Field required"),
        ("widths.2.top1", 164.4, "top1 is 164.4; it has to be from 0 to 100"),
        ("widths.1.width", 1.0, "the widths 1 and 1 are not in falling order"),
        ("widths.1.cool_ms", 40.0, "width 0.75 takes 40 ms, not less than width 1"),
        ("widths.0.width", 1.5, "width is 1.5"),
        ("widths", [], "has no width"),
        ("accuracy_source", None, "accuracy_source: Field required"),
        ("schema_version", None, "no schema_version"),
    ],
)
def test_an_impossible_table_of_widths_is_refused(place: str, value: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        wire.loads(Widths, _with(_widths(), place, value))
