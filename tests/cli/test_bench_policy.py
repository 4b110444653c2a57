"""`mobilebench bench --policy`: widths of one network as one job."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.widths import WidthCost, Widths
from tests.conftest import Ran

Program = Callable[..., Ran]


@pytest.fixture(scope="module")
def widths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders of one small network at two widths, the narrower first."""
    from mobilebench import plugins
    from mobilebench.values.recipe import Precision
    from mobilebench.values.request import Request
    from mobilebench.values.width import Width
    from tests.conftest import export_quickly, shared_folder

    recipes = [plugins.exporter("onnx").recipe(Precision.FP32)]
    folders = []
    with shared_folder(tmp_path_factory, "two-widths") as out:
        for share in (0.5, 1.0):
            width = None if share == 1 else Width(shares=(share,) * 4)
            request = Request(reference="mobilevig_ti", resolution=64, width=width)
            [exported] = export_quickly(request, recipes, out)
            assert isinstance(exported.outcome, Artifact), exported.outcome
            folders.append(exported.outcome.folder)
    return folders


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "the widths.json"
    costs = (
        WidthCost(width=1.0, cool_ms=20.0, top1=70.0),
        WidthCost(width=0.5, cool_ms=9.0, top1=64.0),
    )
    source = "made up for this test"
    wire.write(path, Widths(latency_source=source, accuracy_source=source, widths=costs))
    return path


def _json(done: Ran) -> Any:
    assert done.code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_policy_is_measured_on_a_simulated_phone_and_ranked_as_such(
    mobilebench: Program, widths: list[Path], table: Path
) -> None:
    setting = ("--device", "sim:throttling", "--protocol", "paced-30fps-1")
    hot = ("--policy", "threshold", "--limit", "skin=25", "--widths", table)
    [record] = _json(mobilebench("bench", *widths, *setting, *hot, "--json"))
    assert record["device"]["kind"] == "simulated"
    assert [variant["width"] for variant in record["job"]["variants"]] == [1.0, 0.5]
    assert record["job"]["policy"]["rule"] == "threshold"
    [shift] = record["outcome"]["events"]
    assert (shift["from_width"], shift["to_width"]) == (1.0, 0.5)
    assert record["outcome"]["samples"]["width"][-1]["value"] == 0.5

    fixed = mobilebench("bench", widths[1], *setting)
    assert fixed.code == 0, fixed.stderr
    board = mobilebench("leaderboard")
    assert board.code == 0, board.stderr
    assert "widths chosen by threshold of 1, 0.5, " in board.stdout, "a row of its own"
    [top1] = re.findall(r"on-time top-1 ([0-9.]+)% \(accuracies: made up for", board.stdout)
    assert 63.5 <= float(top1) <= 64.5, "a second at full width, the rest at the narrower"
    assert "measured on simulated (throttling), not on a phone" in board.stdout
    rows = json.loads(mobilebench("leaderboard", "--as", "json").stdout)
    assert len(rows) == 2 and len({row["name"] for row in rows}) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--policy", "deadline", "--protocol", "paced-30fps-1"), "is not known; give it with"),
        (("--policy", "deadline", "--widths", "the widths.json"), "needs a deadline"),
        (("--policy", "oracle"), "no policy called 'oracle'"),
        (("--policy", "deadline", "--ab"), "does not go with --ab"),
        (("--widths", "the widths.json"), "--widths belongs to --policy"),
        (("--limit", "skin=40"), "--limit belongs to --policy"),
        (("--policy", "deadline", "--limit", "skin=40"), "for policies that look at heat"),
        (("--device", "sim:nosuch"), "There is no device 'sim:nosuch'"),
        (("--protocol", "paced-500fps-30min-1"), "no protocol called"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    mobilebench: Program,
    widths: list[Path],
    table: Path,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    done = mobilebench("bench", *widths, *arguments)
    assert done.code == 2 and done.stdout == "", done
    assert words in done.stderr.splitlines()[-1], done.stderr


def test_other_networks_and_equal_widths_are_refused(
    mobilebench: Program,
    widths: list[Path],
    table: Path,
    tiny_artifacts: dict[str, Artifact],
) -> None:
    policy = ("--policy", "deadline", "--widths", table, "--protocol", "paced-30fps-1")
    done = mobilebench("bench", widths[0], widths[0], *policy)
    assert done.code == 2 and "have one width" in done.stderr
    done = mobilebench("bench", widths[1], tiny_artifacts["onnx-fp32"].folder, *policy)
    assert done.code == 2 and "A policy chooses between widths of one network" in done.stderr


@pytest.mark.slow
def test_the_widths_of_one_file_are_chosen_from_by_their_entries(
    mobilebench: Program, table: Path
) -> None:
    both = ("--width", "1", "--width", "0.5", "--together", "--resolution", "64", "-f", "onnx")
    exported = mobilebench("export", "mobilevig_ti", *both, "--json")
    [artifact] = _json(exported)
    setting = ("--device", "sim:steady", "--protocol", "paced-30fps-1", "--widths", table)
    hot = ("--policy", "threshold", "--limit", "skin=25")
    [record] = _json(mobilebench("bench", artifact["folder"], *setting, *hot, "--json"))
    variants = record["job"]["variants"]
    assert len({variant["model_file"] for variant in variants}) == 1
    assert len({variant["entry"] for variant in variants}) == 2
    assert record["outcome"]["samples"]["width"][-1]["value"] == 0.5
    refused = mobilebench("bench", artifact["folder"], artifact["folder"], *setting, *hot)
    assert refused.code == 2 and "holds several widths" in refused.stderr


def test_a_device_gets_a_folder_with_every_width(
    mobilebench: Program, widths: list[Path], table: Path, tmp_path: Path
) -> None:
    policy = ("--policy", "threshold", "--limit", "skin=25", "--widths", table)
    setting = ("--protocol", "paced-30fps-1", "--time-limit", "20")
    done = mobilebench("job", "write", *widths, "for the phone", *policy, *setting)
    assert done.code == 0, done.stderr
    job = json.loads((tmp_path / "for the phone" / "job.json").read_text())
    files = [tmp_path / "for the phone" / variant["model_file"] for variant in job["variants"]]
    assert len(set(files)) == 2 and all(file.is_file() for file in files)
    record = _json(mobilebench("job", "run", "for the phone", "-d", "sim:throttling", "--json"))
    assert record["outcome"]["events"][0]["to_width"] == 0.5
    assert record["outcome"]["stopped"] == "time"
    for arguments, words in (
        ((*widths, "two"), "has one artifact, and 2 were given"),
        ((widths[0], "one", "--widths", table), "--widths belongs to --policy"),
        ((*widths, "three", "--policy", "deadline", *setting), "is not known; give it with"),
    ):
        refused = mobilebench("job", "write", *arguments)
        assert refused.code == 2 and words in refused.stderr, refused.stderr
    assert not any((tmp_path / name).exists() for name in ("one", "two", "three"))
