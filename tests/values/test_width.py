"""A width is one share of the channels or one for each stage; full networks do not state it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobilebench.errors import UserError
from mobilebench.values import wire
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.record import Record
from mobilebench.values.width import Width
from mobilebench.zoo import model_spec
from tests.records import measured

SHARES = (1.0, 0.75, 0.5, 0.5)


@pytest.mark.parametrize(
    ("text", "shares", "label"),
    [
        ("0.5", (0.5,), "w0.5"),
        (".25", (0.25,), "w0.25"),
        ("1", (1.0,), "w1"),
        ("1,0.75,0.5,0.5", SHARES, "w1-0.75-0.5-0.5"),
        ("1, 0.75, 0.5, 0.5", SHARES, "w1-0.75-0.5-0.5"),
        ("0.5,0.5,0.5,0.5", (0.5,) * 4, "w0.5"),
    ],
)
def test_widths_are_read_and_labelled(text: str, shares: tuple[float, ...], label: str) -> None:
    width = Width.parse(text)
    assert width == Width(shares=shares) == Width.parse(str(width))
    assert width.label == label


def test_scripts_write_widths_in_several_ways() -> None:
    assert Width.given(0.5) == Width.given("0.5") == Width.given([0.5]) == Width(shares=(0.5,))
    assert Width.given((1, 0.75, 0.5, 0.5)) == Width(shares=SHARES)
    assert Width.given(Width(shares=SHARES)) == Width(shares=SHARES)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "nan", "inf", "half", "", "1,,1", "0.5;0.5"])
def test_what_is_no_width_is_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match="give a number above 0 and up to 1, such as 0.5, or one"):
        Width.parse(text)


def test_one_number_is_that_of_every_stage_and_others_are_four() -> None:
    assert Width.parse("0.5").of("net") == (0.5,) * 4
    assert Width(shares=SHARES).of("net") == SHARES
    with pytest.raises(UserError, match="--width 1,0.5 has 2 numbers, and net has 4 stages"):
        Width.parse("1,0.5").of("net")


def _cut(shares: tuple[float, ...] = SHARES, resolution: int = 224) -> ModelSpec:
    return replace(model_spec("mobilevig_ti", resolution), stage_widths=shares)


def test_the_title_of_a_cut_network_tells_its_width() -> None:
    assert model_spec("mobilevig_ti").title == "mobilevig_ti"
    assert _cut((0.5,) * 4).title == "mobilevig_ti w0.5"
    assert _cut().title == "mobilevig_ti w1-0.75-0.5-0.5"
    assert _cut((0.5,) * 4, 256).title == "mobilevig_ti@256 w0.5"


def test_a_document_states_the_widths_of_a_cut_network_only() -> None:
    full, cut = model_spec("mobilevig_ti"), _cut()
    assert "stage_widths" not in wire.to_plain(full)
    assert wire.to_plain(cut)["stage_widths"] == list(SHARES)
    for spec in (full, cut):
        assert wire.loads(ModelSpec, wire.dumps(spec)) == spec
    assert None in wire.to_plain(full).values(), "other unknown fields are null, as before"


def test_records_of_two_widths_are_two_cells() -> None:
    full = measured()
    records = [replace(full, model=replace(full.model, stage_widths=each)) for each in (SHARES, ())]
    cut, same = records
    assert same.cell == full.cell and cut.cell != full.cell
    assert wire.to_sparse(full.cell).keys() == wire.to_sparse(cut.cell).keys()
    assert "stage_widths" not in wire.to_plain(full)["model"]
    assert wire.loads(Record, wire.dumps(cut)) == cut


def test_a_spec_with_an_impossible_width_is_refused() -> None:
    with pytest.raises(UserError, match="--width was given as 2"):
        _cut((2.0,) * 4)
