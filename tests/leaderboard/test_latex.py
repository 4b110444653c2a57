"""Write tables for a paper: sections, letters for marks, no text of errors."""

from __future__ import annotations

import re
from dataclasses import replace

from mobilebench.leaderboard import rank
from mobilebench.leaderboard.columns import named
from mobilebench.leaderboard.latex import as_latex
from mobilebench.leaderboard.notes import letter
from mobilebench.values.measurement import Diagnosis, Failure, Stage
from mobilebench.values.modelspec import Published
from mobilebench.values.recipe import ExportRecipe, Format
from mobilebench.values.record import Record
from tests.records import failed_export, judged, measured

SUSPECT = replace(
    measured(record_id="c" * 32, reasons=(Diagnosis.NOISY_SAMPLES,)),
    recipe=ExportRecipe(format=Format.ONNX, target="opset21"),
)
BURST = measured(record_id="d" * 32, protocol_id="burst-1")
RAW = "RuntimeError: /home/me/net.py line 3: 100% of_$x failed"


def _crashed() -> Record:
    failure = Failure(stage=Stage.RUN, error="RuntimeError", message=RAW)
    return replace(measured(record_id="e" * 32, model="crashed"), outcome=failure)


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.endswith(r" \\")]


def test_each_device_and_protocol_is_a_table_whose_caption_names_both() -> None:
    text = as_latex(rank([SUSPECT, measured(), BURST, failed_export(target="opset18")]))
    captions = [" ".join(each.split()) for each in re.findall(r"\\caption\{([^}]*)\}", text)]
    assert captions == [
        "Latency on Made-up phone (ios:0000, cpu), protocol burst-1.",
        "Latency on Made-up phone (ios:0000, cpu), protocol smoke-1.",
        "Failed exports.",
    ]
    assert text.startswith("% \\usepackage{booktabs,graphicx}\n")
    for name in ("table", "tabular", "minipage"):
        assert text.count(f"\\begin{{{name}}}") == text.count(f"\\end{{{name}}}") == 3
    assert len(_lines(text)) == 3 + 4, "a head for each, and a line for each row"
    assert r"mobilevig\_ti" in text and "mobilevig_ti" not in text


def test_a_mark_of_one_row_is_a_letter_there_and_a_note_below() -> None:
    text = as_latex(rank([SUSPECT, measured()]))
    [_, first, second] = _lines(text)
    letters = {row.split(" & ")[2 - 2]: row for row in (first, second)}
    name, marked_name = r"mobilevig\_ti", r"mobilevig\_ti\textsuperscript{a}"
    assert sorted(letters) == [name, marked_name]
    [marked] = [row for row in (first, second) if r"\textsuperscript{a}" in row]
    assert "opset21" in marked, "it is the suspect one"
    text = " ".join(text.split())
    assert r"\textsuperscript{a}~suspect: noisy samples.\par" in text
    [shared] = re.findall(r"All rows: .*?\\par", text)
    assert "; smoke-1: too short for a result; random weights" in shared, "without a letter"
    assert "row 1" not in text and "rows 1" not in text


def test_several_letters_stand_together_and_each_has_its_note() -> None:
    paper = Published(source="paper_A, table 2", top1=75.7)
    other = replace(measured(model="other", record_id="f" * 32))
    other = replace(other, model=replace(other.model, published=(paper,)), artifact=other.artifact)
    unsure = replace(
        measured(record_id="1" * 32, model="third", reasons=(Diagnosis.NOISY_SAMPLES,)),
        signature=None,
    )
    crash = _crashed()
    text = as_latex(rank([other, unsure, crash]), columns=named("model,p50,published"))
    letters = set(re.findall(r"\\textsuperscript\{([a-z,]+)\}(?!~)", text))
    notes = re.findall(r"\\textsuperscript\{([a-z]+)\}~", text)
    assert {sign for group in letters for sign in group.split(",")} == set(notes)
    assert len(notes) == len(set(notes))
    assert r"published: paper\_A, table 2." in text


def test_the_text_of_an_error_is_not_in_the_paper() -> None:
    text = as_latex(rank([measured(), _crashed()]))
    assert "RuntimeError" not in text and "/home/me" not in text and "net.py" not in text
    [failed] = [line for line in _lines(text) if "crashed" in line]
    assert re.search(r"failed\\textsuperscript\{[a-z]\}", failed)
    assert "failed at run; its record holds the message." in text


def test_columns_are_those_that_were_named() -> None:
    rows = rank([measured()], [judged(measured(), 90)])
    text = as_latex(rows, columns=named("model,params,macs,protocol,p50,top1,interval"))
    [head, row] = _lines(text)
    assert head == r"model & params & MACs & protocol & p50 & top-1 \% & top-1 95 \% \\"
    assert row == (r"mobilevig\_ti & 5.27 M & 662 M & smoke-1 & 11.0 ms & 90.0 & 82.6 to 94.5 \\")
    assert r"\begin{tabular}{lrrlrrr}" in text
    assert r"top-1 measured on val (" in text and "published:" not in text
    plain = as_latex(rows, columns=named("model,p50"))
    assert "Wilson" not in plain, "a note about a column that is not there"


def test_letters_go_on_after_z() -> None:
    assert [letter(place) for place in (0, 25, 26, 27, 51, 52)] == [
        "a", "z", "aa", "ab", "az", "ba",
    ]  # fmt: skip
