"""Plot points, their front and their labels: what is drawn is what the rows say."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mobilebench.errors import UserError
from mobilebench.leaderboard import Row, rank
from mobilebench.leaderboard.axes import Axes, Quantity
from mobilebench.leaderboard.labels import Box, place, width
from mobilebench.leaderboard.latex import as_latex
from mobilebench.leaderboard.plot import as_picture, panels, without_point
from mobilebench.notation.picture import Picture
from mobilebench.store import RecordStore
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.artifact import ArtifactFacts
from mobilebench.values.measurement import Diagnosis
from mobilebench.values.modelspec import Published
from mobilebench.values.recipe import ExportRecipe, Format
from mobilebench.values.record import Record
from mobilebench.values.reported import Latency, Reported
from tests.conftest import Ran
from tests.records import failed_export, judged, measured

NAMES = ("alpha", "beta", "gamma", "delta")


def _net(name: str, milliseconds: float, top1: float | None, **changes: object) -> Record:
    """Return a record of another file, with a published accuracy."""
    record = measured(
        model=name,
        record_id=f"{name}-{milliseconds}"[:64],
        latencies_ns=[1, round(milliseconds * 1e6)],
        **changes,  # type: ignore[arg-type]
    )
    published = () if top1 is None else (Published(source=f"paper of {name}", top1=top1),)
    assert isinstance(record.artifact, ArtifactFacts)
    return replace(
        record,
        model=replace(record.model, published=published),
        artifact=replace(record.artifact, sha256=f"{name:x<64}"),
    )


# gamma is beaten by beta, which is faster and better.
NETS = [_net("alpha", 10, 70), _net("beta", 20, 80), _net("gamma", 25, 75), _net("delta", 40, 85)]


def _svg(rows: list[Row], axes: Axes | None = None) -> str:
    text = as_picture(rows, Picture.SVG, axes).decode()
    ET.fromstring(text)
    return text


def _shown(svg: str) -> list[str]:
    """Return every line of text of a picture."""
    return [each.text for each in ET.fromstring(svg).iter() if each.text and each.text.strip()]


def test_the_front_is_what_no_other_point_beats() -> None:
    points = [(10.0, 70.0), (20.0, 80.0), (25.0, 75.0), (40.0, 85.0), (20.0, 60.0), (10.0, 70.0)]
    assert Axes().front(points) == [0, 5, 1, 3], "equal points do not beat each other"
    swapped = [(y, x) for x, y in points]
    assert Axes(Quantity.ACCURACY, Quantity.LATENCY).front(swapped) == [0, 5, 1, 3]
    sizes = [(1.0, 5.0), (2.0, 4.0), (3.0, 4.0)]
    assert Axes(Quantity.LATENCY, Quantity.SIZE).front(sizes) == [0, 1]
    assert Axes().front([]) == []


def test_the_front_of_many_points_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    points = [(float(x), float(y)) for x, y in rng.integers(0, 12, (200, 2))]
    front = {points[place] for place in Axes().front(points)}
    for x, y in points:
        beaten = any(a <= x and b >= y and (a < x or b > y) for a, b in points)
        assert ((x, y) in front) != beaten


def test_every_point_has_its_label_and_the_axes_their_units() -> None:
    svg = _svg(rank(NETS))
    shown = _shown(svg)
    assert {*NAMES} <= set(shown)
    assert "latency, median (ms)" in shown and "top-1 accuracy (%)" in shown
    assert "Made-up phone (ios:0000, cpu), protocol smoke-1" in shown
    fills = re.findall(r'aria-roledescription="point"[^>]*? fill="(\w+)"', svg)
    assert sorted(fills) == ["black", "black", "black", "white"], "gamma is not on the front"


def test_measured_and_published_accuracies_have_different_signs_in_words() -> None:
    both = _svg(rank(NETS, [judged(NETS[0], 71)]))
    assert (
        "circle: accuracy measured here; diamond: published accuracy; filled: on the Pareto "
        in (both)
    )
    kinds = re.findall(r'aria-label="[^"]*; kind: ([^"]*)" role="graphics-symbol"', both)
    assert sorted(kinds) == ["accuracy measured here", *["published accuracy"] * 3]
    shapes = re.findall(r'aria-roledescription="point"[^>]* d="(.*?)"', both)
    assert len(set(shapes)) == 2, "a circle and three diamonds"
    assert "accuracy measured here" not in _svg(rank(NETS))
    measured_all = [judged(net, 70, accuracy_id=net.model.name) for net in NETS]
    assert "diamond" not in _svg(rank(NETS, measured_all))


def test_only_accuracies_that_compare_share_a_front() -> None:
    def fills(accuracies: list[Accuracy]) -> list[tuple[str, str]]:
        svg = _svg(rank(NETS, accuracies))
        shown = re.findall(
            r'top-1 accuracy \(%\): ([\d.]+)[^"]*" role="graphics-symbol" '
            r'aria-roledescription="point"[^>]*? fill="(\w+)"',
            svg,
        )
        return sorted(shown)

    alpha, beta = (
        judged(net, hits, accuracy_id=net.model.name)
        for net, hits in zip(NETS, (60, 65), strict=False)
    )
    # alpha and beta are measured, gamma and delta published: each kind has its own front.
    assert fills([alpha, beta]) == [
        ("60", "black"), ("65", "black"), ("75", "black"), ("85", "black"),
    ]  # fmt: skip
    other = replace(
        judged(NETS[2], 99, accuracy_id="gamma"),
        preprocessing=replace(alpha.preprocessing, crop_pct=0.5),
    )
    assert fills([alpha, beta, other]) == [
        ("60", "black"), ("65", "black"), ("85", "black"), ("99", "white"),
    ]  # fmt: skip
    shown = _shown(_svg(rank(NETS, [alpha, beta, other])))
    assert "gamma [a]" in shown
    assert any(line.startswith("[a] top-1 with *: images prepared otherwise") for line in shown)
    assert any("filled: on the Pareto front of its kind" in line for line in shown)


def test_what_a_reader_must_know_is_below_the_points() -> None:
    suspect = _net("epsilon", 30, 90, reasons=(Diagnosis.NOISY_SAMPLES,))
    shown = _shown(_svg(rank([*NETS, suspect], [judged(NETS[0], 71)])))
    text = " ".join(shown)
    assert (
        "not on a phone" in text and "random weights" in text and "too short for a result" in text
    )
    assert "epsilon [a]" in shown and any(line.startswith("[a] suspect: noisy") for line in shown)
    assert "top-1 measured on val (" in text and "paper of delta" in text


def test_each_device_and_protocol_is_a_panel_and_rows_without_a_number_are_named() -> None:
    burst = _net("beta", 21, 80, protocol_id="burst-1")
    rows = rank([*NETS, burst, _net("zeta", 5, None), failed_export(target="opset18")])
    assert [
        (panel.heading.rpartition(" ")[2], len(panel.rows)) for panel in panels(rows, Axes())
    ] == [("burst-1", 1), ("smoke-1", 4)]
    sentence = without_point(rows, Axes())
    assert sentence is not None and sentence.startswith("Left out: 2 rows without latency or acc")
    assert "zeta onnx-fp32-opset20" in sentence and "mobilevig_ti onnx-fp32-opset18" in sentence
    assert without_point(rank(NETS), Axes()) is None
    sizes = Axes(Quantity.SIZE, Quantity.ACCURACY)
    [panel] = panels(rows, sizes)
    assert len(panel.rows) == 4, "each file once, whatever it was measured on"
    with pytest.raises(UserError, match="No row has both latency and accuracy"):
        panels(rank([_net("zeta", 5, None)]), Axes())


@pytest.mark.parametrize("x", [*Quantity])
@pytest.mark.parametrize("y", [*Quantity])
def test_any_two_quantities_can_be_plotted(x: Quantity, y: Quantity) -> None:
    if x is not y:
        shown = _shown(_svg(rank(NETS), Axes(x, y)))
        assert x.axis_title in shown and y.axis_title in shown and {*NAMES} & {*shown}


def test_one_point_and_very_different_points_are_plotted() -> None:
    assert "alpha" in " ".join(_shown(_svg(rank([NETS[0], _net("alpha", 9, 70)]))))
    wide = _svg(rank([_net("fast", 0.01, 50), _net("slow", 900, 90)]))
    assert {"fast", "slow"} <= set(_shown(wide))


def test_an_axis_ends_where_its_quantity_ends() -> None:
    svg = _svg(rank([_net("poor", 1, 1.5), _net("good", 19, 99.9)]))
    ends = "titled '{}' for a {} scale with values from {}"
    assert ends.format("top-1 accuracy (%)", "linear", "0 to 100") in svg
    assert ends.format("latency, median (ms)", "linear", "0 to 21") in svg, "none is below 0"
    far = _svg(rank([_net("fast", 1, 40), _net("slow", 500, 90)]))
    assert "titled 'latency, median (ms)' for a log scale" in far


def test_the_letters_of_a_point_and_of_a_cell_stand_in_their_order() -> None:
    rows = rank([_net("epsilon", 30, 90), _net("zeta", 35, 60), *NETS])
    marks = {"epsilon": ("noisy",), "zeta": ("calibrated", "noisy")}
    rows = [replace(row, marks=marks.get(row.model, ())) for row in rows]
    shown = _shown(_svg(rows))
    assert "epsilon [a]" in shown and "zeta [a,b]" in shown
    [cells] = [line for line in as_latex(rows, width=1000).splitlines() if line[:4] == "zeta"]
    assert re.findall(r"\\textsuperscript\{(.*?)\}", cells)[0] == "d,f", (
        "after those of published numbers"
    )


def test_names_of_others_stay_text() -> None:
    svg = _svg(rank([*NETS, _net("<script>x</script>", 3, 1)]))
    assert "<script" not in svg and "&lt;script&gt;" in svg


def test_labels_do_not_cover_each_other_nor_points() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        points = [(float(x), float(y)) for x, y in rng.uniform((20, 20), (460, 300), (12, 2))]
        texts = [f"mobilevig_{'abcdefghijkl'[n]}" for n in range(12)]
        boxes = [label.box for label in place(points, texts, (480, 320))]
        shared = sum(a.overlap(b) for i, a in enumerate(boxes) for b in boxes[:i])
        on_points = sum(
            b.overlap(Box(x - 6, y - 6, x + 6, y + 6)) for b in boxes for x, y in points
        )
        area = sum(box.area for box in boxes)
        assert shared + on_points <= 0.01 * area
        inside = sum(box.overlap(Box(0, 0, 480, 320)) for box in boxes)
        assert inside >= 0.99 * area


def test_a_label_is_nearer_to_its_point_than_to_any_other() -> None:
    points = [(40.0, 90.0), (57.0, 87.0), (434.0, 290.0)]
    texts = ["TinyNet@16, onnx-fp32-opset20 [a,b]", "TinyNet@16, onnx-int8-opset20 [c]", "Other"]
    for index, label in enumerate(place(points, texts, (480, 320))):
        distances = [label.box.distance(point) for point in points]
        assert label.led or min(distances) == distances[index]


def test_the_program_writes_each_format(mobilebench: Callable[..., Ran], tmp_path: Path) -> None:
    result = Reported(report_id="r", source="a paper", file="x.csv", latency=Latency(mean_ns=5e6))
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add_all([*NETS, _net("zeta", 5, None)], [result])
    for shape, magic in (("svg", b"<svg"), ("pdf", b"%PDF-"), ("png", b"\x89PNG\r\n")):
        done = mobilebench("leaderboard", "--as", shape, "--out", f"board.{shape}")
        assert done.code == 0 and done.stdout == "", done.stderr
        assert (tmp_path / f"board.{shape}").read_bytes().startswith(magic)
        assert "Left out: 1 row without latency or accuracy: zeta onnx" in done.stderr
        assert f"1 reported result, for which {shape} has no place" in done.stderr
    printed = mobilebench("leaderboard", "--as", "svg", "--x", "macs", "--name", "alpha=Ours")
    assert printed.stdout.startswith("<svg") and "Ours" in printed.stdout
    for arguments, sentence in (
        (("--as", "png"), "name a file for it with --out"),
        (("--as", "svg", "--x", "accuracy"), "--x and --y are both accuracy"),
        (("--as", "svg", "--y", "speed"), "macs"),
        (("--as", "svg", "--columns", "model"), "--columns was given"),
        (("--as", "svg", "--sort", "p50"), "--sort is about tables"),
        (("--x", "macs"), "--x is about pictures"),
        (("--as", "csv", "--y", "size"), "--y is about pictures"),
    ):
        refused = mobilebench("leaderboard", *arguments)
        assert refused.code == 2 and refused.stdout == "", arguments
        assert sentence in refused.stderr, refused.stderr


def test_without_the_packages_the_extra_is_named() -> None:
    code = (
        "import sys\nsys.modules['vl_convert'] = None\n"
        "from mobilebench.errors import MissingToolkit\n"
        "from mobilebench.leaderboard import rank, plot\nfrom tests.records import measured\n"
        "from mobilebench.notation.picture import Picture\n"
        "try: plot.as_picture(rank([measured()]), Picture.SVG)\n"
        "except MissingToolkit as error: print(error)"
    )
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120,
        check=True,
    )  # fmt: skip
    assert "pip install 'mobilebench[plots]'" in done.stdout and "vl_convert" in done.stdout


@pytest.mark.parametrize("point", [(1.0, 1.0), (479.0, 1.0), (240.0, 160.0), (1.0, 319.0)])
@pytest.mark.parametrize("length", [10, 60, 80])
def test_a_label_crosses_neither_an_axis_nor_the_title(
    point: tuple[float, float], length: int
) -> None:
    [label] = place([point], ["m" * length], (480, 320))
    assert Box(0, 0, 480, 320).overlap(label.box) == pytest.approx(label.box.area)


def test_a_label_that_is_wider_than_the_plot_is_cut_and_whole_in_a_note() -> None:
    name = "a_network_whose_name_is_so_long_that_no_plot_of_a_paper_has_the_room.for_it_" + "x" * 20
    shown = _shown(_svg(rank([*NETS, _net(name, 30, 90)])))
    [label] = [text for text in shown if "…" in text and " is " not in text]
    assert width(label) <= 480 and label.startswith("a_network_whose") and label.endswith("xxx")
    note = "".join(shown).replace(" ", "")
    assert f"is{name}." in note, "a note has it whole"


def test_the_only_model_of_a_plot_is_named() -> None:
    newer = ExportRecipe(format=Format.ONNX, target="opset21")
    both = [_net("alpha", 10, 70), replace(_net("alpha", 20, 70), recipe=newer)]
    shown = _shown(_svg(rank(both)))
    assert "All points: alpha" in shown
    assert "onnx-fp32-opset20" in shown and "onnx-fp32-opset21" in shown
    assert "All points: alpha" not in _shown(_svg(rank(NETS)))
