"""Lay out the page in a real browser, on a phone and on a wide screen."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from mobilebench.leaderboard import rank
from mobilebench.leaderboard.columns import named
from mobilebench.leaderboard.rows import Row
from mobilebench.pages.board import as_page
from mobilebench.values.measurement import Diagnosis
from mobilebench.values.modelspec import Weights
from mobilebench.values.record import Record
from tests.records import failed_export, judged, measured

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MEASURE = """<body><script>
const page = "PAGE", sizes = [];
for (const width of [390, 1400]) {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:800px;border:0`;
  frame.onload = () => {
    const inside = frame.contentDocument, top = inside.querySelector(".board");
    const right = (element) => element.getBoundingClientRect().right;
    sizes.push({width, needed: inside.documentElement.scrollWidth,
                over: Math.max(...[...inside.querySelectorAll("td")].map((cell) => {
                  const card = cell.closest("section"), style = getComputedStyle(card);
                  return right(cell) - right(card) + parseFloat(style.paddingRight);
                })),
                gap: Math.min(...[...inside.querySelectorAll(".board tbody tr")].map((row) => {
                  const texts = (name) => [...row.querySelector(name).querySelectorAll("span")]
                    .map((each) => { const all = inside.createRange();
                      all.selectNodeContents(each); return all.getBoundingClientRect(); });
                  const left = Math.min(...texts("td.p50").map((box) => box.left));
                  return left - Math.max(...texts("td.model").map((box) => box.right));
                })),
                runtime: Math.max(...[...inside.querySelectorAll(".board .runtime")].map((cell) => {
                  const all = inside.createRange();
                  all.selectNodeContents(cell.querySelector("span"));
                  return cell.getBoundingClientRect().width - all.getBoundingClientRect().width;
                })),
                table: top.getBoundingClientRect().top});
    document.body.dataset.sizes = JSON.stringify(sizes);
  };
  frame.srcdoc = decodeURIComponent(escape(atob(page)));
  document.body.append(frame);
}
</script></body>"""


def _rows(*, both_weights: bool = False) -> list[Row]:
    """Return rows with every column, two protocols and many notes."""
    names = [f"edgeformer.edgeformer_{letter}" for letter in "abcde"]
    names.append("edgeformers_of_a_long_name.edgeformer_attention_f")
    records: list[Record] = [
        measured(model=name, record_id=f"{name}-{rule}", protocol_id=rule, reasons=(reason,))
        for name, reason in zip(names, Diagnosis, strict=False)
        for rule in ("burst-1", "smoke-1")
    ]
    if both_weights:
        trained = Weights(origin="3fa2c1d0" * 8, state_sha256="1" * 64, key="state_dict_ema")
        records += [
            replace(each, record_id=f"{n}-t", model=replace(each.model, weights=trained))
            for n, each in enumerate(records)
        ]
    rows = rank([*records, failed_export(target="opset18")], [judged(records[0], 90)])
    spread = {"spread_low_ms": 110.61, "spread_high_ms": 112.08, "spread_kind": "range"}
    return [row if row.failure else replace(row, **spread) for row in rows]


def _sizes(page: str, folder: Path) -> dict[int, dict[str, float]]:
    """Lay a page out, and return what was measured of it by its width."""
    assert CHROMIUM is not None
    encoded = base64.b64encode(page.encode()).decode()
    (folder / "measure.html").write_text(MEASURE.replace("PAGE", encoded))
    command: Sequence[str] = (
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
        f"--user-data-dir={folder / 'profile'}", "--window-size=1500,900",
        "--virtual-time-budget=5000", f"file://{folder / 'measure.html'}",
    )  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    match = re.search(r'data-sizes="(.*?)"', done.stdout)
    assert match, done.stderr
    return {each["width"]: each for each in json.loads(unescape(match[1]))}


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, to lay the page out")
@pytest.mark.parametrize("both_weights", [False, True])
def test_the_page_fits_a_phone_and_a_wide_screen(*, both_weights: bool, tmp_path: Path) -> None:
    rows = _rows(both_weights=both_weights)
    shown = re.findall("weights: [^<]+", as_page(rows).partition('id="charts"')[0])
    assert bool(shown) == both_weights
    sizes = _sizes(as_page(rows), tmp_path)
    assert set(sizes) == {390, 1400}
    for width, size in sizes.items():
        assert size["needed"] <= width and size["over"] <= 1, size
        assert size["table"] < 500, "the first screen shows the table, not the notes"
        assert size["gap"] >= 8, "a model does not touch the latency and its spread"


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, to lay the page out")
def test_the_runtime_takes_no_spare_space(tmp_path: Path) -> None:
    rows = [row for row in _rows() if not row.failure]
    page = as_page(rows, columns=named("model,artifact,runtime,p50"))
    assert _sizes(page, tmp_path)[1400]["runtime"] < 20


def test_notes_come_after_the_tables_and_parameters_are_shown() -> None:
    page = as_page(_rows())
    assert page.index('class="board') < page.index('id="notes"')
    assert 'href="#notes"' in page[: page.index('class="board')]
    assert "5.27 M" in page and "662 M" in page
    for rule in ("burst-1", "smoke-1"):
        assert re.search(rf"<h2>[^\n]*protocol {rule.replace('-', '-(<wbr>)?')}</h2>", page)
