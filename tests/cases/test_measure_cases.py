"""Logs and records that users had, through the program: each with what is right for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import Ran

Program = Callable[..., Ran]
DATA = Path(__file__).parent.parent / "data" / "cases"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("litert_two.txt", ["2 added"]),
        ("litert_opprof.txt", ["1 added"]),
        ("litert_new_tool.txt", ["1 added"]),
        ("ort_nospace.txt", ["1 added"]),
        ("et_two_devices.json", ["2 added"]),
        ("androidx.json", ["2 added"]),
        ("tab_quoted_bom.csv", ["1 added"]),
        ("et_ios.json", ["llama has no latency", "2 added"]),
        ("loadgen_offline_real.txt", ["no latency: scenario Offline", "1 added"]),
    ],
)
def test_a_log_is_read_for_what_it_is(mobilebench: Program, file: str, words: list[str]) -> None:
    done = mobilebench("import", DATA / file)
    assert done.code == 0, done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("litert_fail.txt", "Failed to apply GPU delegate"),
        ("tab_comma_extra.csv", "line 2: there are 5 cells for 4 columns"),
        ("nosamples.json", "nosamples.json"),
    ],
)
def test_what_holds_no_result_is_refused_in_a_sentence(
    mobilebench: Program, file: str, words: str
) -> None:
    done = mobilebench("import", DATA / file)
    assert done.code == 2 and words in done.stderr and "Traceback" not in done.stderr


def test_every_figure_of_a_log_is_the_runs_own(mobilebench: Program) -> None:
    files = ("litert_two.txt", "litert_opprof.txt", "ort_nospace.txt", "androidx.json")
    done = mobilebench("import", *(DATA / file for file in files))
    assert done.code == 0, done.stderr
    table = " ".join(mobilebench("leaderboard").stdout.split())
    for row in (
        "litert XNNPACK x1 106 ms (median)",
        "net_b tflite gpu litert GPU 9.04 ms (median)",
        "litert XNNPACK x2 33.1 ms (median)",
        "onnxruntime 83.8 ms (mean)",
    ):
        assert row in table, table
    assert "app.NetABenchmark" in table and "app.NetBBenchmark" in table


def _check(mobilebench: Program, baseline: str, candidate: str, *words: str | Path) -> Ran:
    return mobilebench(
        "check", "--baseline", DATA / baseline, "--candidate", DATA / candidate, *words
    )


def test_a_run_that_crashed_is_never_a_pass(mobilebench: Program, tmp_path: Path) -> None:
    junit, page = tmp_path / "junit.xml", tmp_path / "report.md"
    words = ("--junit", junit, "--markdown", page, "--github")
    done = _check(mobilebench, "base8.json", "cand_1of8_failed.json", *words)
    assert done.code == 1
    for text in (done.stdout + done.stderr, page.read_text(), junit.read_text()):
        assert "1 of 8 runs of the candidate failed" in text
    assert ET.parse(junit).getroot().find(".//failure") is not None


def test_whole_pairs_are_kept_where_one_run_was_lost(mobilebench: Program) -> None:
    done = _check(mobilebench, "ab_A.json", "ab_B_1lost.json")
    assert done.code == 1 and "7 pairs" in done.stdout
    assert "1 run of the baseline was left out" in done.stdout + done.stderr


def test_another_host_of_the_same_name_is_not_compared(mobilebench: Program) -> None:
    done = _check(mobilebench, "base8.json", "cand8_64cores.json")
    assert done.code == 2 and "cores (2 / 64)" in done.stderr


def test_a_model_of_microseconds_has_figures(mobilebench: Program) -> None:
    done = _check(mobilebench, "us_base.json", "us_cand.json")
    assert done.code == 1
    assert "7.99 µs" in done.stdout and "8.78 µs" in done.stdout
    assert "not interleaved" in done.stdout


def test_a_bump_inside_a_history_is_found(mobilebench: Program) -> None:
    done = mobilebench("history", DATA / "h_bump2x.json")
    assert done.code == 0, done.stderr
    steps = [line.split() for line in done.stdout.splitlines() if " between " in line]
    assert [(step[0], step[5]) for step in steps] == [
        ("+101.2%", "0e0e0e0e0e..0f0f0f0f0f"),
        ("-50.1%", "1818181818..1919191919"),
    ]


def test_control_characters_reach_no_output(mobilebench: Program, tmp_path: Path) -> None:
    assert mobilebench("import", DATA / "fail_ansi.json").code == 0
    page = tmp_path / "board.html"
    outputs = [mobilebench("leaderboard", "--as", "html", "--out", page)]
    outputs += [mobilebench("leaderboard", "--as", kind) for kind in ("markdown", "csv", "latex")]
    outputs += [mobilebench("leaderboard"), _check(mobilebench, "base8.json", "fail_ansi.json")]
    for done in outputs:
        assert done.code in (0, 1, 2, 3) and "Traceback" not in done.stderr, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
    assert "\x1b" not in page.read_text()


def test_three_devices_are_three_labels_in_the_page(mobilebench: Program, tmp_path: Path) -> None:
    assert mobilebench("import", DATA / "three_devices.json").code == 0
    page = tmp_path / "board.html"
    assert mobilebench("leaderboard", "--as", "html", "--out", page).code == 0
    devices = {record["device"]["model"] for record in json.loads(_text("three_devices.json"))}
    assert len(devices) == 3
    for device in devices:
        assert page.read_text().count(device) >= 2


def _text(file: str) -> str:
    return (DATA / file).read_text()
