"""`mobilebench thermal`: a phone fitted to runs, as a user does it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobilebench.values import wire
from mobilebench.values.phone import Origin, Phone
from tests.conftest import Ran

Program = Callable[..., Ran]
DATA = Path(__file__).parent.parent / "data" / "thermal"
WARM = DATA / "pixel8pro-tensor-g3-1280-warm-start.csv"
M53 = DATA / "galaxym53-dimensity900-1280.csv"


def _json(done: Ran) -> dict[str, Any]:
    assert done.code == 0, done.stderr
    plain: dict[str, Any] = json.loads(done.stdout)
    return plain


def test_a_fit_is_shown_beside_what_needs_no_model(mobilebench: Program) -> None:
    done = mobilebench("thermal", "fit", M53, "--steps", "2", "--out", "phone.json")
    assert done.code == 0, done.stderr
    for part in (
        "constant", "last value", "3 constants", "4 constants", "shuffled", "7.0%", "2.7%",
        "latency of step 2", "slow time constant", "trip 1", "not identified",
        "fitted to 30 reported minutes; a fit is not a forecast", "reported by others",
        "Assumed, not seen:", "paced use",
    ):  # fmt: skip
        assert part in done.stdout, part
    assert "written: phone.json" in done.stderr


def test_one_file_has_its_figures_at_the_top_of_the_json(
    mobilebench: Program, tmp_path: Path
) -> None:
    done = mobilebench("thermal", "fit", WARM, "--steps", "3", "--json", "--out", "phone.json")
    plain = _json(done)
    [file] = plain["files"]
    assert file["file"] == WARM.name and plain["file"] == WARM.name
    for name in (
        "constant_error", "last_value_error", "steps_ms", "time_constants_s", "shuffled_error",
        "time_constants_interval_s", "trips_c", "trips_interval_c", "pieces", "not_identified",
    ):  # fmt: skip
        assert plain[name] == file[name]
    assert plain["mean_absolute_error"] == pytest.approx(file["mean_absolute_error"])
    assert plain["mean_absolute_error"] <= 0.035
    assert file["constant_error"] == pytest.approx(0.214, abs=5e-4)
    assert len(plain["steps_ms"]) == 3 and len(plain["time_constants_interval_s"]) == 2
    assert plain["origin"] == "reported" and "not a forecast" in plain["label"]
    phone = wire.read(Phone, tmp_path / "phone.json")
    assert phone.origin is Origin.FITTED and wire.to_plain(phone) == plain["phone"]


@pytest.mark.slow
def test_several_files_are_runs_of_one_phone(mobilebench: Program) -> None:
    cold = DATA / "pixel8pro-tensor-g3-1280.csv"
    plain = _json(mobilebench("thermal", "fit", cold, WARM, "--steps", "2", "--json"))
    assert [file["file"] for file in plain["files"]] == [cold.name, WARM.name]
    assert "file" not in plain and plain["minutes"] == 37
    first, second = plain["files"]
    assert first["time_constants_s"] == second["time_constants_s"]
    assert first["start_c"] != second["start_c"]


def test_a_gap_is_named_and_names_of_others_are_no_markup(
    mobilebench: Program, tmp_path: Path
) -> None:
    lines = WARM.read_text().splitlines()
    (tmp_path / "[red]run.csv").write_text("\n".join([*lines[:3], *lines[4:]]) + "\n")
    done = mobilebench("thermal", "fit", "[red]run.csv", "--steps", "2")
    assert done.code == 0, done.stderr
    assert done.stdout.count("[red]run.csv") >= 3
    assert "lacks minute 3: the phone is simulated through them, and they are not" in done.stdout
    assert "10 numbers were fitted to 6 minutes: a small error says nothing here." in done.stdout


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("nothing.csv",), "There is no file nothing.csv"),
        ((DATA,), "is a folder"),
        ((DATA / "README.md",), "has no column for a time"),
        ((WARM, WARM), "hold the same minutes"),
        ((WARM, "--steps", "5"), "--steps: input should be less than or equal to 4"),
        ((WARM, "--steps", "1"), "--steps"),
        ((WARM, "--seed", "-1"), "--seed"),
        ((), "needs FILE...; for example: mobilebench thermal fit"),
        (("flat.csv",), "so no clock step is seen"),
        (("flat.csv", "--out", "flat.csv"), "--out flat.csv would replace what FILE... names"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    mobilebench: Program, tmp_path: Path, args: tuple[str | Path, ...], sentence: str
) -> None:
    flat = "minute,median_ms\n" + "".join(f"{minute},20.{minute % 2}\n" for minute in range(9))
    (tmp_path / "flat.csv").write_text(flat)
    out = () if "--out" in args else ("--out", "phone.json")
    done = mobilebench("thermal", "fit", *args, *out, "--json")
    assert done.code == 2 and done.stdout == "", done
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"flat.csv"}
    assert (tmp_path / "flat.csv").read_text() == flat
