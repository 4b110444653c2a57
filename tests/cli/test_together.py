"""`export --together` makes one file of several widths, and every verb says which it is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebench import export
from mobilebench.errors import UserError
from mobilebench.values.artifact import MANIFEST_FILE, REFERENCE_FILE, Artifact
from tests.conftest import TINY, Ran

Program = Callable[..., Ran]
TOGETHER = ("export", "mobilevig_ti", "--width", "0.5", "--width", "1", "--together")
ONNX = ("-f", "onnx", "--resolution", "64")


def test_one_file_of_two_widths_from_export_to_leaderboard(
    mobilebench: Program, tmp_path: Path
) -> None:
    done = mobilebench(*TOGETHER, *ONNX)
    assert done.code == 0, done.stderr
    [place] = (tmp_path / "artifacts").glob("*/manifest.json")
    folder = place.parent
    assert folder.name.startswith("mobilevig_ti_64-onnx-fp32-opset20-w1_w0.5-")
    assert "onnx-fp32-opset20-w1+w0.5" in done.stdout
    assert "w1: narrow=0, relative error" in done.stdout
    assert "w0.5: narrow=1, relative error" in done.stdout

    widths = Artifact.load(folder).manifest.widths
    assert [width.model.stage_widths for width in widths] == [(), (0.5,) * 4]
    assert all(width.own_bytes < 0.02 * width.shared_bytes for width in widths)

    again = json.loads(mobilebench(*TOGETHER, *ONNX, "--json").stdout)
    assert [each["cached"] for each in again] == [True]
    assert [width["entry"] for width in again[0]["manifest"]["widths"]] == ["narrow=0", "narrow=1"]

    verified = mobilebench("verify", folder)
    assert verified.code == 0, verified.stderr
    for name in ("w1", "w0.5"):
        assert f"{name}, equal: relative error" in verified.stdout
    inspected = mobilebench("inspect", folder).stdout
    assert "It is of the widest width" in inspected
    for width in widths:
        assert f"{width.entry}; {width.model.params:,} params" in inspected

    # The widest is what runs where nothing is chosen, and what is measured.
    measured = mobilebench("bench", folder, "--protocol", "smoke-1", "--json")
    assert measured.code == 0, measured.stderr
    [record] = json.loads(measured.stdout)
    assert record["model"]["width"] == 1 and record["recipe"]["widths"] == ["w1", "w0.5"]

    # A narrower width that no longer computes its network is not equal.
    (folder / f"{Path(REFERENCE_FILE).stem}-w0.5.npz").write_bytes(
        (folder / REFERENCE_FILE).read_bytes()
    )
    other = mobilebench("verify", folder)
    assert other.code == 1
    assert "w1, equal: " in other.stdout and "w0.5, NOT EQUAL: " in other.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--together",), "asked for with no --width; it needs at least two"),
        (
            ("--together", "--width", "0.5"),
            "several widths was asked for with --width 0.5; it needs at least",
        ),
        (
            ("--together", "--width", "0.5", "--width", "1", "--width", "0.50"),
            "--width 0.5 and --width 0.5, which keep the same share of the channels; leave one",
        ),
        (
            ("--together", "--width", "1", "--width", "0.5", "-p", "int8"),
            "onnx with precision int8; onnx has such files with fp32, fp16. Leave --together out",
        ),
        (("--together", "--width", "1", "--width", "0.5,1"), "0.5,1 has 2 numbers, and mobilevig"),
    ],
)
def test_what_cannot_be_one_file_is_one_sentence(
    mobilebench: Program, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = mobilebench("export", "mobilevig_ti", *arguments, *ONNX)
    assert done.code == 2, done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert sentence in line and "Traceback" not in done.stderr
    assert not list((tmp_path / "artifacts").glob(f"*/{MANIFEST_FILE}"))


def test_a_network_of_the_users_own_is_refused(mobilebench: Program) -> None:
    done = mobilebench("export", TINY, "--input", "1x3x32x32", *TOGETHER[2:], "-f", "onnx")
    assert done.code == 2, done.stderr
    assert "--width was given for" in done.stderr and "your own network" in done.stderr


def test_python_names_its_arguments(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="width and widths were given; give one of them"):
        export("mobilevig_ti", "onnx", width=0.5, widths=(1, 0.5), out_dir=tmp_path)
    with pytest.raises(UserError, match="asked for with width 0.5; it needs at least two"):
        export("mobilevig_ti", "onnx", widths=[0.5], out_dir=tmp_path)
