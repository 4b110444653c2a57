"""`mobilebench slim`: a network trained for its widths, from the images to a simulated phone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks.digits import write_images
from mobilebench.slimmable import extract
from mobilebench.slimmable.training import loop
from mobilebench.slimmable.training.batches import TrainingData
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.training import TrainingReport
from mobilebench.values.width import Width
from mobilebench.values.widths import Widths
from mobilebench.zoo import model_spec
from tests.conftest import Ran

Program = Callable[..., Ran]
MODEL = "mobilenetv2_100"
ON_CPU = ("--workers", "0", "--cpu")
TRAIN = (
    "slim", "train", MODEL, "--width", "0.75", "--width", "0.5", "-r", "32", "--least-crop", "0.7",
    "--no-flip", "--warmup", "1", *ON_CPU,
)  # fmt: skip
SMALL = ("--epochs", "2", "--batch-size", "8", "--save-every", "1")


def _program(*args: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mobilebench", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(program: subprocess.Popen[str]) -> str:
    stdout, stderr = program.communicate(timeout=1200)
    assert program.returncode == 0, stderr
    return stdout


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 digits to learn from, and 40 to judge on."""
    folder = tmp_path_factory.mktemp("digits")
    write_images(folder, "val", 120)
    return folder


@pytest.fixture(scope="module")
def run(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nothing stopped."""
    folder = tmp_path_factory.mktemp("run")
    report = json.loads(_ended(_program(*TRAIN, *SMALL, "--data", digits, "-o", folder, "--json")))
    assert report["steps"] == 20
    assert wire.to_plain(wire.read(TrainingReport, folder / "report.json")) == report
    return folder


def test_a_killed_training_goes_on_to_the_same_weights(
    run: Path, digits: Path, tmp_path: Path
) -> None:
    words = (*TRAIN, *SMALL, "--data", digits, "--out", tmp_path)
    program = _program(*words)
    while not (tmp_path / "progress.pt").exists() and program.poll() is None:
        time.sleep(0.01)
    program.send_signal(signal.SIGKILL)
    program.communicate()
    assert program.returncode == -signal.SIGKILL
    assert 1 <= torch.load(tmp_path / "progress.pt")["state"]["step"] < 20
    assert not (tmp_path / "shared.pt").exists()
    table = _ended(_program(*words)).splitlines()
    assert [line.split()[0] for line in table] == ["width", "1", "0.75", "0.5"]
    one, other = (torch.load(each / "shared.pt")["model"] for each in (run, tmp_path))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert (run / "report.json").read_bytes() == (tmp_path / "report.json").read_bytes()


def test_a_trained_width_is_exported(mobilebench: Program, run: Path, tmp_path: Path) -> None:
    done = mobilebench(
        "export", MODEL, "-c", run / "shared.pt", "--num-classes", "10", "-r", "32", "-f", "onnx",
        "--width", "0.5", "--json",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    [exported] = json.loads(done.stdout)
    manifest = Artifact.load(tmp_path / exported["folder"]).manifest
    assert manifest.model.stage_widths == (0.5,) * 4
    parity = manifest.facts.parity
    assert parity and all(each.passed for each in parity)


def test_a_width_is_added_by_recalibration(
    mobilebench: Program, run: Path, digits: Path, tmp_path: Path
) -> None:
    done = mobilebench(
        "slim", "recalibrate", MODEL, "-c", run / "shared.pt", "--data", digits, "--width", "0.6",
        "--count", "30", "--out", "more.pt",
    )  # fmt: skip
    assert done.code == 0 and "0.6: statistics of 30 images" in done.stderr
    one, other = (torch.load(path)["model"] for path in (run / "shared.pt", tmp_path / "more.pt"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert {name.split(".")[1] for name in other.keys() - one.keys()} == {"w0_6"}


def test_a_search_writes_the_widths_that_simulate_reads(
    mobilebench: Program, run: Path, digits: Path, tmp_path: Path
) -> None:
    (tmp_path / "latencies.csv").write_text(
        'width,latency_ms\n1,20\n0.75,14\n"1,0.75,0.5,0.5",12\n0.5,8\n'
    )
    words = ("slim", "search", MODEL, "-c", run / "shared.pt", "--data", digits, *ON_CPU)
    done = mobilebench(*words, "--latencies", "latencies.csv", "--out", "widths.json")
    assert done.code == 0, done.stderr
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[1:]}
    assert [rows[width][0] for width in ("1", "0.75", "0.5")] == ["trained"] * 3
    assert rows["1,0.75,0.5,0.5"][0] == "recalibrated"
    report = wire.read(TrainingReport, run / "report.json")
    assert [rows[str(each.width)][2] for each in report.widths] == [
        f"{each.top1:.2f}" for each in report.widths
    ]
    widths = wire.read(Widths, tmp_path / "widths.json")
    assert widths.latency_source == "the table latencies.csv"
    assert widths.accuracy_source == f"measured by mobilebench slim: {MODEL}, 40 images of val/"
    assert len(widths.widths) == [row[3] for row in rows.values()].count("yes") > 0
    simulated = mobilebench(
        "simulate", "--phone", "steady", "--widths", "widths.json", "--minutes", "1", "--policy",
        "fixed", "--json",
    )  # fmt: skip
    assert simulated.code == 0, simulated.stderr
    [policy] = json.loads(simulated.stdout)
    assert policy["accuracy_source"] == widths.accuracy_source
    assert policy["cool_p50_ms"] == pytest.approx(widths.widths[0].cool_ms)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--epochs", "2", "--warmup", "3"), "The training is impossible: warmup_epochs is 3"),
        (("--data", "lost"), "lost"),
    ],
)
def test_a_training_that_cannot_be_is_one_sentence(
    mobilebench: Program, digits: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = mobilebench(*TRAIN, *SMALL, "--data", digits, "--out", "run", *words)
    assert done.code == 2, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert sentence in line and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_two_processes_share_the_work(digits: Path, run: Path, tmp_path: Path) -> None:
    """Each normalises its half of a batch, so the weights are others, as on several GPUs."""
    words = (*TRAIN, *SMALL, "--data", digits, "--out", tmp_path, "--devices", "2", "--json")
    report = json.loads(_ended(_program(*words)))
    assert report["steps"] == 20
    assert [each["images"] for each in report["widths"]] == [40] * 3
    one, other = (torch.load(each / "shared.pt")["model"] for each in (run, tmp_path))
    assert one.keys() == other.keys()


@pytest.mark.slow
def test_accuracies_fall_with_the_width_and_are_close_to_those_of_widths_alone(
    tmp_path: Path,
) -> None:
    """On all digits, 12 epochs. A narrower width may be 2 % better, and 5 % worse than alone."""
    write_images(tmp_path / "digits", "val")
    words = (*TRAIN, "--epochs", "12", "--batch-size", "64", "--learning-rate", "2e-3")
    stdout = _ended(
        _program(*words, "--data", tmp_path / "digits", "-o", tmp_path / "run", "--json")
    )
    report = wire.loads(TrainingReport, stdout)
    full, three_quarters, half = (each.top1 for each in report.widths)
    assert full > 80
    assert three_quarters < full + 2 and half < three_quarters + 2
    data = TrainingData.find(tmp_path / "digits")
    alone = replace(report.recipe, widths=report.recipe.widths[:1])
    network, spec = loop.beginning(alone, model_spec(MODEL, 32), data, None)
    narrow = extract(network, Width.parse("0.5"), name=MODEL)
    work = loop.Work(cpu=True)
    [only] = loop.train(narrow, spec, alone, data, tmp_path / "alone", work).widths
    assert half > only.top1 - 5
