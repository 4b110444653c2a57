"""Make a table again as a reader of a paper would: from its records, in another folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mobilebench.machine import host
from mobilebench.values import wire
from tests.conftest import Ran
from tests.records import measured

Program = Callable[..., Ran]
NETWORK = """\
import torch
from torch import nn

def make():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2048, 10))

class Bad(nn.Module):
    def forward(self, x):
        return x * 2 if x.mean() > 0 else x

def bad():
    return Bad()
"""


@pytest.fixture
def table(mobilebench: Program, tmp_path: Path) -> Path:
    """Return the records of a table: two files of a trained network."""
    return _table(mobilebench, tmp_path, "fp32", "int8")


@pytest.fixture
def short_table(mobilebench: Program, tmp_path: Path) -> Path:
    """Return the record of a table of one row, a file in 8 bits of a trained network."""
    return _table(mobilebench, tmp_path, "int8")


def _table(mobilebench: Program, tmp_path: Path, *precisions: str) -> Path:
    (tmp_path / "net.py").write_text(NETWORK)
    torch.manual_seed(3)
    scope: dict[str, Callable[[], torch.nn.Module]] = {}
    exec(NETWORK, scope)
    torch.save({"model": scope["make"]().state_dict(), "epoch": 3}, tmp_path / "best.pth")
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in range(4):
        pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number}.png")
    made = mobilebench(
        "export", "net.py:make", "--input", "1x3x32x32", "-f", "onnx",
        *(word for precision in precisions for word in ("--precision", precision)),
        "--checkpoint", "best.pth", "--calibration", "images",
        "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5",
    )  # fmt: skip
    assert made.code == 0, made.stderr
    assert (
        mobilebench("bench", *(tmp_path / "artifacts").iterdir(), "--protocol", "smoke-1").code == 0
    )
    saved = mobilebench("leaderboard", "--as", "records", "--out", "table.json")
    assert saved.code == 0, saved.stderr
    return tmp_path / "table.json"


def _likenesses(done: Ran) -> list[str]:
    return [row["file"] for row in json.loads(done.stdout)]


@pytest.mark.slow
def test_a_table_is_made_again_from_its_records_and_its_authors_files(
    mobilebench: Program, table: Path, tmp_path: Path
) -> None:
    records = json.loads(table.read_text())
    assert len(records) == 2 and all(record["signature"] for record in records)

    # What is missing is said before anything is made.
    (tmp_path / "net.py").rename(tmp_path / "code.py")
    plan = mobilebench("reproduce", "table.json", "--dry-run")
    assert plan.code == 3
    assert "the checkpoint of net.make (sha256 " in plan.stdout
    assert "smoke-1, onnxruntime 1 thread" in plan.stdout
    assert f"mobilebench {host.version()} (here {host.version()})" in plan.stdout
    assert not (tmp_path / "reproduced").exists()

    (tmp_path / "best.pth").rename(tmp_path / "weights-from-the-authors.pth")
    author = [
        "--with", "weights-from-the-authors.pth", "--with", "images",
        "--model", "net.make=code.py:make",
    ]  # fmt: skip
    done = mobilebench("reproduce", "table.json", *author, "--json")
    rows = json.loads(done.stdout)
    # The network's file has another name, so its code is at another place; the bytes are the same.
    assert (done.code, _likenesses(done)) == (0, ["same file", "same file"]), done.stderr
    assert all(row["ratio"] > 0 and row["differs_in"] == [] for row in rows)
    stored = mobilebench("leaderboard", "--as", "json").stdout
    assert all(row["record_id_again"] in stored for row in rows)

    files = mobilebench("reproduce", "table.json", *author, "--files-only")
    assert files.code == 0, "nothing is missing: nobody asked for measurements"
    assert "2 rows: 2 same file." in files.stdout and "not signed" not in files.stdout

    # Weights that are not the table's are found out, whatever their file is called.
    other = mobilebench("reproduce", "table.json", "--with", "code.py")
    assert other.code == 2 and "No row was made from code.py" in other.stderr

    # Other code is another network.
    (tmp_path / "code.py").write_text(NETWORK.replace("nn.ReLU()", "nn.GELU()"))
    changed = mobilebench("reproduce", "table.json", *author, "--files-only")
    assert changed.code == 1
    assert "2 rows: 2 another file." in changed.stdout
    assert "its code gives another graph" in changed.stdout
    assert "not measured: measuring was left out" in changed.stdout


def test_a_bundle_is_made_again_and_judged_by_the_gates_rule(
    mobilebench: Program, short_table: Path, tmp_path: Path
) -> None:
    [manifest] = (tmp_path / "artifacts").glob("*/manifest.json")
    for _ in range(3):
        assert mobilebench("bench", manifest.parent, "--protocol", "smoke-1").code == 0
    packed = mobilebench("bundle", "--all-runs")
    assert packed.code == 0 and "packed: 1 row, 3 other runs, 0 accuracies, 1 manifest" in (
        packed.stderr
    ), packed.stderr
    author = ["--with", "best.pth", "--with", "images"]
    done = mobilebench(
        "reproduce", "table.mbbundle", *author, "--device", "host", "--runs", "4",
        "--tolerance", "90%", "--json",
    )  # fmt: skip
    rows = json.loads(done.stdout)
    assert [row["file"] for row in rows] == ["same file"], done.stderr
    assert [len(row["runs"]) for row in rows] == [4]
    for row in rows:
        # What the runs show is for them to say; the words are only those of the rule.
        assert row["not_judged"] is None and row["verdict"] in (
            "unchanged", "inconclusive", "regressed", "improved",
        )  # fmt: skip
        for each in row["comparisons"]:
            assert each["runs"] == [4, 4] and each["paired"] is False
            if each["verdict"] == "unchanged":
                low, high = each["interval"]
                assert -0.9 <= low <= high <= 0.9
    decided = {row["verdict"] for row in rows}
    expected = 1 if "regressed" in decided else 3 if "inconclusive" in decided else 0
    assert done.code == expected
    shown = mobilebench("reproduce", "table.mbbundle", *author)
    assert "inconclusive, not interleaved" in shown.stdout, "one new run decides nothing"
    assert shown.code == 0, "and nobody asked for a verdict"


@pytest.mark.slow
def test_a_row_that_failed_is_tried_too(mobilebench: Program, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    args = ["net.py:make", "net.py:bad", "--input", "1x3x32x32", "-f", "onnx"]
    assert mobilebench("export", *args).code == 1
    records = mobilebench("leaderboard", "--as", "records")
    if records.code == 2:
        pytest.fail(records.stderr)
    (tmp_path / "table.json").write_text(records.stdout)
    done = mobilebench("reproduce", "table.json", "--json")
    assert (done.code, _likenesses(done)) == (0, ["same failure"]), done.stderr
    (tmp_path / "net.py").write_text(NETWORK.replace("x * 2 if x.mean() > 0 else x", "x * 2"))
    mended = mobilebench("reproduce", "table.json")
    assert "the table's export failed; this one succeeds" in mended.stdout


def test_a_network_that_is_not_here_is_not_tried(mobilebench: Program, tmp_path: Path) -> None:
    record = measured(model="a.network.of.others")
    (tmp_path / "table.json").write_text(f"[{wire.dumps(record)}]")
    done = mobilebench("reproduce", "table.json")
    assert done.code == 3
    assert "1 row: 1 not tried." in done.stdout
    assert mobilebench("reproduce", "table.json", "--files-only").code == 3, "not tried is missing"
    for option in ((), ("--dry-run",)):
        shown = mobilebench("reproduce", "table.json", *option).stdout
        assert "row 1: not signed." in shown.splitlines()
    assert "name it with --model a.network.of.others=FILE.py:FUNCTION" in done.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--dry-run", "--files-only"], "--dry-run makes nothing"),
        (["--dry-run", "--device", "host"], "--dry-run makes nothing"),
        (["--dry-run", "--out", "again"], "--out is about a run"),
        (["--dry-run", "--store", "x.sqlite"], "--store is about a run"),
        (["--files-only", "--device", "host"], "--files-only measures nothing"),
        (["--files-only", "--store", "x.sqlite"], "--files-only measures nothing"),
        (["--with", "gone.pth"], "There is no gone.pth"),
        (["--model", "other=net.py:make"], "No row is about a network called 'other'"),
    ],
)
def test_options_that_have_no_use_are_refused(
    mobilebench: Program, tmp_path: Path, options: list[str], sentence: str
) -> None:
    (tmp_path / "table.json").write_text(wire.dumps(measured()))
    done = mobilebench("reproduce", "table.json", *options)
    assert done.code == 2 and sentence in done.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("[]", "holds no records"), ("{}", "record 1"), ("not json", "is not JSON")],
)
def test_files_without_records_are_refused(
    mobilebench: Program, tmp_path: Path, content: str, sentence: str
) -> None:
    (tmp_path / "table.json").write_text(content)
    done = mobilebench("reproduce", "table.json")
    assert done.code == 2 and sentence in done.stderr
