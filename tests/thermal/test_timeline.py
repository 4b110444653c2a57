"""The picture of a run shows what the run holds, at one size, with its labels."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from mobilebench.notation.picture import Picture
from mobilebench.thermal import phones
from mobilebench.thermal.simulation import Run
from mobilebench.thermal.timeline import by_second, draw
from mobilebench.values.policy import Policy, PolicyRule
from tests.thermal.driving import drive, use

PHONE = phones.named("throttling")
LABELS = ("latency, ms", "width", "clock allowed", "skin, °C", "state", "minutes", "deadline")


@pytest.fixture(scope="module")
def runs() -> list[tuple[str, Run]]:
    used = use(minutes=15, full_ms=30)
    rules = (PolicyRule.FIXED, PolicyRule.DEADLINE)
    return [(rule.value, drive(PHONE, used, Policy(rule=rule))[0]) for rule in rules]


def _texts(svg: bytes) -> str:
    texts = [element.text or "" for element in ET.fromstring(svg).iter() if element.text]
    return "\n".join(texts)


def test_the_picture_names_its_panels_and_says_that_it_is_simulated(
    runs: list[tuple[str, Run]],
) -> None:
    texts = _texts(draw(runs[1:], PHONE, Picture.SVG))
    assert "throttling, simulated: 25 °C around it, a frame every 33.3 ms" in texts
    assert re.search(r"deadline: on-time top-1 \d+\.\d %, missed \d\.\d\d % of the frames", texts)
    lines = texts.splitlines()
    for label in LABELS:
        assert label in lines
    for level in ("0.35", "0.82", "critical", "nominal"):
        assert level in lines


def test_two_runs_have_a_key_and_differ_without_colours(runs: list[tuple[str, Run]]) -> None:
    svg = draw(runs, PHONE, Picture.SVG)
    lines = _texts(svg).splitlines()
    assert "fixed" in lines and lines.count("deadline") == 2, "the key, and the line"
    dashes = re.findall(rb'stroke-dasharray="([^"]*)"', svg)
    assert len({*dashes} - {b"", b"2,2"}) == 2


def test_a_png_has_the_size_of_a_page_and_a_white_background(runs: list[tuple[str, Run]]) -> None:
    image = Image.open(io.BytesIO(draw(runs[1:], PHONE, Picture.PNG)))
    width, height = image.size
    # 560 points of plot with room for the labels, three pixels each.
    assert 3 * 600 < width < 3 * 680 and 3 * 450 < height < 3 * 650
    assert image.convert("RGB").getpixel((2, height - 2)) == (255, 255, 255)


def test_a_pdf_is_a_pdf(runs: list[tuple[str, Run]]) -> None:
    assert draw(runs[:1], PHONE, Picture.PDF).startswith(b"%PDF-")


def test_the_quantiles_of_a_second_are_those_of_its_frames(runs: list[tuple[str, Run]]) -> None:
    run = runs[0][1]
    minute, p50, p90 = by_second(run)[100]
    within = run.latency_ns[run.start_ns // 1_000_000_000 == 100] / 1e6
    assert minute == 100 / 60 and len(within) > 20
    assert (p50, p90) == pytest.approx(tuple(np.percentile(within, (50, 90))))


@pytest.mark.parametrize("count", [0, 3])
def test_a_picture_of_another_number_of_runs_is_refused(
    runs: list[tuple[str, Run]], count: int
) -> None:
    with pytest.raises(ValueError, match=f"one run or two, not {count}"):
        draw([runs[0]] * count, PHONE, Picture.SVG)
